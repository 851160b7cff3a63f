r"""Try your poller against a feed that does whatever a feed may do, and kill it meanwhile.

    python3 check.py --run 'python3 poller.py {state}' \
        --list 'python3 poller.py {state} --list'

`--run` starts your poller, which finds the feed at SAFE_CONDUCT_URL and signs in with
SAFE_CONDUCT_KEY. `--list` prints, one a line, oldest first, what it dealt with: the event's
id, and after a space whatever you like. `{state}` is a path of its own in each run.

The feed is made up. It is slow, sometimes busy (503, 429) or cut off in the middle; it
tells an event twice; it grows fields and types that nobody has heard of; and once it is
restored from a backup, so that no cursor of before is good (410). Your poller has to deal
with each event once, in order, as often as it is killed.
"""

import argparse
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
from typing import Any, override
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

KEY = "sc_conformance_0"
EVENTS = 400
PAGE = 20
SELDOM = 0.1
TYPES = ("case.submitted", "referral.sent", "referral.accepted", "case.never_heard_of")
LAST_WORDS = 0.1
"""Seconds in which what a killed poller had asked is answered."""

IMPATIENT = 0.8
"""What part of the time it is asked to wait a poller has to wait at least."""


@dataclass
class Feed:
    """A feed of events, and what a poller did wrong with it."""

    chance: random.Random
    epoch: int = 0
    not_before: float = 0
    asked_at_end: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def events(self) -> list[dict[str, Any]]:
        """Make up all events."""
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

    def place(self, cursor: str | None) -> int | None:
        """Read a cursor; None: it is of before the restoration."""
        if cursor is None:
            return 0
        epoch, _, place = cursor.partition(".")
        if not place.isdecimal() or not epoch.isdecimal() or int(place) > EVENTS:
            self.faults["sent a cursor that it was not given"] += 1
            return 0
        return int(place) if int(epoch) == self.epoch else None

    def answer(self, cursor: str | None, key: str) -> tuple[int, dict[str, str], Any]:
        """Answer a poll: status, headers, and what is told."""
        if key != f"Bearer {KEY}":
            self.faults["did not sign in"] += 1
            return 401, {}, {"title": "Send a key."}
        if time.monotonic() < self.not_before:
            self.faults["did not wait as long as Retry-After said"] += 1
        self.not_before = 0
        roll = self.chance.random()
        if roll < SELDOM:
            self.not_before = time.monotonic() + IMPATIENT
            status = self.chance.choice((429, 503))
            return status, {"Retry-After": "1"}, {"title": "Come back later."}
        start = self.place(cursor)
        if start is not None and start > EVENTS // 4 and not self.epoch:
            self.epoch, start = 1, None  # restored: no cursor of before is good
        if start is None:
            return 410, {}, {"title": "Read the feed again without `after`."}
        return 200, {}, self.page(start)

    def page(self, start: int) -> dict[str, Any]:
        """Tell some events from a place on; the one before, too, now and then."""
        every = self.events()
        end = min(EVENTS, start + self.chance.randint(0, PAGE))
        again = 1 if start and self.chance.random() < 2 * SELDOM else 0
        self.asked_at_end += start == EVENTS
        return {
            "items": every[start - again : end],
            "next": f"{self.epoch}.{end}",
            "more": end < EVENTS,
            "of_tomorrow": True,
        }

    @property
    def is_over(self) -> bool:
        """Whether everything was told, and the poller knows it."""
        return self.asked_at_end > 1


class Server(ThreadingHTTPServer):
    """Speaks to pollers that are killed."""

    @override
    def handle_error(self, *_: object) -> None:
        """Say nothing: whoever asked is dead."""


def handler_of(feed: Feed) -> type[BaseHTTPRequestHandler]:
    """Speak HTTP for a feed."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            """Answer, or break off in the middle."""
            said = urlsplit(self.path)
            cursor = parse_qs(said.query).get("after", [None])[0]
            with feed.lock:
                if said.path != "/v1/events":
                    feed.faults[f"asked for {said.path}"] += 1
                key = self.headers.get("Authorization", "")
                status, headers, told = feed.answer(cursor, key)
                cut, pause = feed.chance.random() < SELDOM, feed.chance.uniform(0, 0.05)
            time.sleep(pause)
            body = json.dumps(told).encode()
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: len(body) // 2] if cut else body)
            self.close_connection = cut

        @override
        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Handler


def judge(feed: Feed, listed: list[str]) -> Iterator[str]:
    """Say what is wrong."""
    due = [event["id"] for event in feed.events()]
    counted = Counter(listed)
    if missed := [one for one in due if one not in counted]:
        yield f"missed {len(missed)} of {len(due)} events, such as {missed[0]}"
    if twice := [one for one, times in counted.items() if times > 1]:
        yield f"dealt with {len(twice)} events more than once, such as {twice[0]}"
    if unknown := [one for one in counted if one not in set(due)]:
        yield f"lists {len(unknown)} events that there are not, such as {unknown[0]}"
    if not (missed or twice or unknown) and listed != due:
        yield "dealt with the events in another order"
    for fault, times in feed.faults.items():
        yield f"{fault}, {times} times"


def live_and_die(
    feed: Feed, command: list[str], env: dict[str, str], kills: int, patience: int
) -> None:
    """Run a poller and kill it, again and again; the last time let it come to the end."""
    for life in range(kills + 1):
        poller = subprocess.Popen(command, env=env)
        until = time.monotonic() + (
            feed.chance.uniform(0.1, 0.8) if life < kills else patience
        )
        while time.monotonic() < until and not (life == kills and feed.is_over):
            if poller.poll() is not None:
                feed.faults[f"ended by itself with {poller.returncode}"] += 1
                break
            time.sleep(0.01)
        poller.send_signal(signal.SIGKILL)
        poller.wait()
        time.sleep(LAST_WORDS)
        with feed.lock:
            feed.not_before = 0  # whoever is born again has not been told to wait
    if not feed.is_over:
        feed.faults["had not come to the end in time"] += 1


def main() -> None:
    """Do it, and say how it went."""
    said = argparse.ArgumentParser(description="Try your poller, and kill it.")
    said.add_argument("--run", required=True, help="the command that starts your poller")
    said.add_argument("--list", required=True, help="the command that lists what it did")
    said.add_argument("--kills", type=int, default=20, help="how often it is killed")
    said.add_argument(
        "--patience", type=int, default=120, help="seconds to come to the end"
    )
    said.add_argument("--seed", type=int, default=random.SystemRandom().getrandbits(32))
    asked = said.parse_args()
    feed = Feed(random.Random(asked.seed))
    server = Server(("127.0.0.1", 0), handler_of(feed))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder) / "state"
        commands = [shlex.split(one.format(state=state)) for one in (asked.run, asked.list)]
        where = f"http://127.0.0.1:{server.server_port}"
        env = os.environ | {"SAFE_CONDUCT_URL": where, "SAFE_CONDUCT_KEY": KEY}
        live_and_die(feed, commands[0], env, asked.kills, asked.patience)
        listing = subprocess.run(
            commands[1], env=env, capture_output=True, text=True, check=False
        )
    if listing.returncode:
        feed.faults["could not list what it did"] += 1
    listed = [line.split()[0] for line in listing.stdout.splitlines() if line.strip()]
    wrong = list(judge(feed, listed))
    for line in wrong:
        print(f"Wrong: it {line}.")
    if wrong:
        sys.exit(f"Seed {asked.seed}.")
    print(f"All {EVENTS} events once, in order, after {asked.kills} kills.")


if __name__ == "__main__":
    main()
