r"""Test your poller while it is killed and restarted, against a feed with faults.

    python3 check.py --run 'python3 poller.py {state}' \
        --list 'python3 poller.py {state} --list'

`--run` starts your poller, which reads the feed at SAFE_CONDUCT_URL and signs in with
SAFE_CONDUCT_KEY. `--list` prints the events that your poller processed, oldest first, one
on each line: the id of the event, and after a space any text. `{state}` is a new path in
each run.

The feed is simulated. It is slow, sometimes busy (503, 429), and sometimes cuts off a
response. It repeats events, and contains unknown fields and types. At one point it is
restored from a backup, which makes earlier cursors invalid (410). Your poller has to
process each event once and in order, even if it is killed.

This program needs only Python 3.9 or newer.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import shlex
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

KEY = "sc_conformance_0"
EVENTS = 400
PAGE = 20
CHANCE = 0.1
TYPES = ("case.submitted", "referral.sent", "referral.accepted", "case.never_heard_of")
GRACE = 0.1
"""Seconds to wait after a kill, so that the poller's last request ends."""

MIN_WAIT_SHARE = 0.8
"""The minimum share of the time in Retry-After that a poller has to wait."""


@dataclass
class Feed:
    """A simulated feed of events, which records the faults of the poller that reads it."""

    chance: random.Random
    epoch: int = 0
    not_before: float = 0
    asked_at_end: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def list_events(self) -> list[dict[str, Any]]:
        """Return all events of the feed, which are the same in each call."""
        made = random.Random(1)
        return [
            {
                "id": str(UUID(int=made.getrandbits(128), version=4)),
                "at": "2026-06-01T12:00:00Z",
                "type": made.choice(TYPES),
                "subject": f"cases/SC-{number:04}",
                "by": None,
                "facts": {},
                "of_tomorrow": [number],
            }
            for number in range(EVENTS)
        ]

    def find_position(self, cursor: str | None) -> int | None:
        """Return the position of a cursor, or None if it is older than the restore.

        Without a cursor, the position is 0. An unknown cursor is a fault, and also means 0.
        """
        if cursor is None:
            return 0
        epoch, _, place = cursor.partition(".")
        if not place.isdecimal() or not epoch.isdecimal() or int(place) > EVENTS:
            self.faults["sent a cursor that it was not given"] += 1
            return 0
        return int(place) if int(epoch) == self.epoch else None

    def answer(self, cursor: str | None, key: str) -> tuple[int, dict[str, str], Any]:
        """Return the status, headers and body of the response to a poll."""
        if key != f"Bearer {KEY}":
            self.faults["did not sign in"] += 1
            return 401, {}, {"title": "Send a key."}
        if time.monotonic() < self.not_before:
            self.faults["did not wait as long as Retry-After asks"] += 1
        self.not_before = 0
        roll = self.chance.random()
        if roll < CHANCE:
            self.not_before = time.monotonic() + MIN_WAIT_SHARE
            status = self.chance.choice((429, 503))
            return status, {"Retry-After": "1"}, {"title": "Come back later."}
        start = self.find_position(cursor)
        if start is not None and start > EVENTS // 4 and not self.epoch:
            self.epoch, start = 1, None  # restored: earlier cursors are invalid
        if start is None:
            return 410, {}, {"title": "Read the feed again without `after`."}
        return 200, {}, self.make_page(start)

    def make_page(self, start: int) -> dict[str, Any]:
        """Return a page of events after `start`. Some pages repeat the previous event."""
        every = self.list_events()
        end = min(EVENTS, start + self.chance.randint(0, PAGE))
        again = 1 if start and self.chance.random() < 2 * CHANCE else 0
        self.asked_at_end += start == EVENTS
        return {
            "items": every[start - again : end],
            "cursor": f"{self.epoch}.{end}",
            "more": end < EVENTS,
            "of_tomorrow": True,
        }

    @property
    def is_over(self) -> bool:
        """Whether the poller has read all events and has then polled twice."""
        return self.asked_at_end > 1


class Server(ThreadingHTTPServer):
    """An HTTP server that ignores the errors of clients that are killed."""

    def handle_error(self, *_: object) -> None:
        """Ignore the error, because it means that the client was killed."""


def make_handler(feed: Feed) -> type[BaseHTTPRequestHandler]:
    """Return the HTTP handler that serves a feed."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            """Respond to a poll, or close the connection in the middle of the response."""
            url = urlsplit(self.path)
            cursor = parse_qs(url.query).get("after", [None])[0]
            with feed.lock:
                if url.path != "/v1/events":
                    feed.faults[f"asked for {url.path}"] += 1
                key = self.headers.get("Authorization", "")
                status, headers, content = feed.answer(cursor, key)
                cut, pause = feed.chance.random() < CHANCE, feed.chance.uniform(0, 0.05)
            time.sleep(pause)
            body = json.dumps(content).encode()
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: len(body) // 2] if cut else body)
            self.close_connection = cut

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    return Handler


def find_faults(feed: Feed, listed: list[str]) -> Iterator[str]:
    """Yield a phrase about each kind of fault, such as `did not sign in, 2 times`."""
    due = [event["id"] for event in feed.list_events()]
    counted = Counter(listed)
    if missed := [one for one in due if one not in counted]:
        yield f"missed {len(missed)} of {len(due)} events, such as {missed[0]}"
    if twice := [one for one, times in counted.items() if times > 1]:
        yield f"processed {len(twice)} events more than once, such as {twice[0]}"
    if unknown := [one for one in counted if one not in set(due)]:
        yield f"lists {len(unknown)} unknown events, such as {unknown[0]}"
    if not (missed or twice or unknown) and listed != due:
        yield "processed the events in another order"
    for fault, times in feed.faults.items():
        yield f"{fault}, {times} times"


def run_and_kill(
    feed: Feed, command: list[str], env: dict[str, str], kills: int, patience: int
) -> None:
    """Start and kill the poller `kills` times, then let it finish in `patience` seconds."""
    for life in range(kills + 1):
        poller = subprocess.Popen(command, env=env, start_new_session=True)
        until = time.monotonic() + (
            feed.chance.uniform(0.1, 0.8) if life < kills else patience
        )
        while time.monotonic() < until and not (life == kills and feed.is_over):
            if poller.poll() is not None:
                feed.faults[f"ended by itself with {poller.returncode}"] += 1
                break
            time.sleep(0.01)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(poller.pid, signal.SIGKILL)
        poller.wait()
        time.sleep(GRACE)
        with feed.lock:
            feed.not_before = 0  # a new process does not know of an earlier Retry-After
    if not feed.is_over:
        feed.faults["did not reach the end in time"] += 1


def main() -> None:
    """Run the test and print the result."""
    parser = argparse.ArgumentParser(description="Test your poller while it is killed.")
    parser.add_argument("--run", required=True, help="the command that starts your poller")
    parser.add_argument(
        "--list", required=True, help="the command that lists the processed events"
    )
    parser.add_argument(
        "--kills", type=int, default=20, help="the number of times it is killed"
    )
    parser.add_argument(
        "--patience", type=int, default=120, help="seconds to read to the end"
    )
    parser.add_argument("--seed", type=int, default=random.SystemRandom().getrandbits(32))
    options = parser.parse_args()
    feed = Feed(random.Random(options.seed))
    server = Server(("127.0.0.1", 0), make_handler(feed))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder) / "state"
        commands = [
            shlex.split(one.format(state=state)) for one in (options.run, options.list)
        ]
        where = f"http://127.0.0.1:{server.server_port}"
        env = os.environ | {"SAFE_CONDUCT_URL": where, "SAFE_CONDUCT_KEY": KEY}
        run_and_kill(feed, commands[0], env, options.kills, options.patience)
        listing = subprocess.run(
            commands[1], env=env, capture_output=True, text=True, check=False
        )
    if listing.returncode:
        feed.faults["could not list the processed events"] += 1
    listed = [line.split()[0] for line in listing.stdout.splitlines() if line.strip()]
    faults = list(find_faults(feed, listed))
    for line in faults:
        print(f"Wrong: it {line}.")
    if faults:
        sys.exit(f"Seed {options.seed}.")
    print(f"All {EVENTS} events once, in order, after {options.kills} kills.")


if __name__ == "__main__":
    main()
