"""A reference poller: it processes each event once, even if it is killed at any time.

    export SAFE_CONDUCT_URL=https://... SAFE_CONDUCT_KEY=sc_...
    python3 poller.py inbox.db          # polls until it is stopped
    python3 poller.py inbox.db --once   # reads to the end of the feed, and exits
    python3 poller.py inbox.db --list   # lists the processed events, oldest first

It only needs Python 3.9 or newer. Copy it, and write your own `handle_event`.
"""

from __future__ import annotations

import argparse
import json
import os
import sqlite3
import sys
import time
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from typing import Any
from urllib import request
from urllib.error import HTTPError
from urllib.parse import urlencode

WAIT = 30
"""Seconds that the service may wait for a new event before it responds."""

LONGEST_PAUSE = 60
LONGEST_ASKED = 3600
"""The maximum number of seconds to wait, even if Retry-After asks for more."""
MOVED = range(300, 400)
TRY_LATER = {429, 500, 502, 503, 504}
RESTORED = 410

TABLES = """
CREATE TABLE IF NOT EXISTS stand (cursor TEXT);
CREATE TABLE IF NOT EXISTS dealt_with (
    number INTEGER PRIMARY KEY, id TEXT UNIQUE, type TEXT, subject TEXT
);
"""


OPENER = request.OpenerDirector()
"""An opener that follows no redirect, because a redirect could reveal the key."""
for handler in (
    request.ProxyHandler,
    request.HTTPHandler,
    request.HTTPSHandler,
    request.UnknownHandler,
    request.HTTPDefaultErrorHandler,
    request.HTTPErrorProcessor,
):
    OPENER.add_handler(handler())


def handle_event(inbox: sqlite3.Connection, event: dict[str, Any]) -> None:
    """Process an event, in the transaction that also stores the cursor.

    A call to another system may be repeated, so use the id of the event as its idempotency
    key. Ignore events of unknown types. If the request for a subject gets 404, skip the
    event, because you may no longer see the subject.
    """
    inbox.execute(
        "INSERT INTO dealt_with (id, type, subject) VALUES (:id, :type, :subject)", event
    )


def poll(cursor: str | None, wait: int) -> dict[str, Any]:
    """Return the page of events after a cursor; without a cursor, the first page."""
    where = os.environ["SAFE_CONDUCT_URL"].rstrip("/")
    query = urlencode({"after": cursor} if cursor else {})
    call = request.Request(f"{where}/v1/events?{query}")
    call.add_header("Authorization", f"Bearer {os.environ['SAFE_CONDUCT_KEY']}")
    call.add_header("Prefer", f"wait={wait}")
    with OPENER.open(call, timeout=wait + 30) as answer:
        page: dict[str, Any] = json.load(answer)
    return page


def parse_retry_after(value: str, pause: float) -> float:
    """Return the seconds to wait according to Retry-After (RFC 9110).

    The result is at least `pause` and at most LONGEST_ASKED. It is `pause` if the value is
    invalid.
    """
    try:
        if value.isascii() and value.isdecimal():
            seconds = float(value)
        else:
            seconds = parsedate_to_datetime(value).timestamp() - time.time()
    except (TypeError, ValueError, OverflowError):  # not a valid value
        return pause
    return min(max(seconds, pause), LONGEST_ASKED)


def store_page(inbox: sqlite3.Connection, page: dict[str, Any]) -> None:
    """Process a page and store its cursor in one transaction."""
    with inbox:
        for event in page["items"]:
            known = "SELECT 1 FROM dealt_with WHERE id = ?"
            if not inbox.execute(known, (event["id"],)).fetchone():
                handle_event(inbox, event)
        inbox.execute("DELETE FROM stand")
        inbox.execute("INSERT INTO stand VALUES (?)", (page["cursor"],))


def start_over(inbox: sqlite3.Connection) -> None:
    """Delete the cursor, so that the next poll reads the feed from its beginning."""
    with inbox:
        inbox.execute("DELETE FROM stand")


def run(inbox: sqlite3.Connection, *, once: bool) -> None:
    """Poll until the program is stopped, or with `once` until the end of the feed."""
    pause = 1
    while True:
        row = inbox.execute("SELECT cursor FROM stand").fetchone()
        try:
            page = poll(row[0] if row else None, 0 if once else WAIT)
        except HTTPError as refused:
            if refused.code == RESTORED:
                start_over(inbox)
            elif refused.code in TRY_LATER:
                time.sleep(parse_retry_after(refused.headers.get("Retry-After", ""), pause))
                pause = min(2 * pause, LONGEST_PAUSE)
            elif refused.code in MOVED:
                sys.exit(
                    f"{refused.code}: redirected. The key is not sent to another server."
                )
            else:
                sys.exit(f"{refused.code}: {refused.read().decode()}")
            continue
        except (OSError, HTTPException, ValueError):  # unreachable, or cut off
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
            continue
        pause = 1
        store_page(inbox, page)
        if once and not page["more"]:
            return


def main() -> None:
    """Poll the feed or, with `--list`, print the processed events."""
    parser = argparse.ArgumentParser()
    parser.add_argument("inbox", help="the file with the processed events")
    parser.add_argument(
        "--once", action="store_true", help="read to the end of the feed, and exit"
    )
    parser.add_argument("--list", action="store_true", help="list the processed events")
    options = parser.parse_args()
    inbox = sqlite3.connect(options.inbox)
    inbox.executescript(TABLES)
    if options.list:
        for event in inbox.execute(
            "SELECT id, type, subject FROM dealt_with ORDER BY number"
        ):
            print(*event)
        return
    run(inbox, once=options.once)


if __name__ == "__main__":
    main()
