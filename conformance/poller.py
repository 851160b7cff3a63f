"""A reference poller: misses nothing and does nothing twice, though it is killed any time.

    export SAFE_CONDUCT_URL=https://... SAFE_CONDUCT_KEY=sc_...
    python3 poller.py inbox.db          # polls until it is stopped
    python3 poller.py inbox.db --once   # reads what there is, and ends
    python3 poller.py inbox.db --list   # the events it dealt with, oldest first

It needs Python alone. Copy it, and put what you do with an event into `deal_with`.
"""

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
"""Seconds that an answer may be held back until there is something new."""

LONGEST_PAUSE = 60
LONGEST_ASKED = 3600
"""Seconds after which to ask again, however long it was asked to wait."""
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
"""Follows no redirection: whoever sent it on would be handed the key."""
for handler in (
    request.ProxyHandler,
    request.HTTPHandler,
    request.HTTPSHandler,
    request.UnknownHandler,
    request.HTTPDefaultErrorHandler,
    request.HTTPErrorProcessor,
):
    OPENER.add_handler(handler())


def deal_with(inbox: sqlite3.Connection, event: dict[str, Any]) -> None:
    """Do what an event asks for, in the transaction that also keeps where we stand.

    What you do in another system has to bear being done again: take the event's id as key.
    Of a type that you do not know there is nothing to do. A subject that answers 404 is no
    longer yours to see: skip it.
    """
    inbox.execute(
        "INSERT INTO dealt_with (id, type, subject) VALUES (:id, :type, :subject)", event
    )


def poll(cursor: str | None, wait: int) -> dict[str, Any]:
    """Ask for what comes after the cursor, or for everything there is."""
    where = os.environ["SAFE_CONDUCT_URL"].rstrip("/")
    query = urlencode({"after": cursor} if cursor else {})
    asked = request.Request(f"{where}/v1/events?{query}")
    asked.add_header("Authorization", f"Bearer {os.environ['SAFE_CONDUCT_KEY']}")
    asked.add_header("Prefer", f"wait={wait}")
    with OPENER.open(asked, timeout=wait + 30) as answer:
        page: dict[str, Any] = json.load(answer)
    return page


def asked_to_wait(told: str, pause: float) -> float:
    """Read how many seconds to wait, or until when (RFC 9110); never less than a pause."""
    try:
        if told.isascii() and told.isdecimal():
            seconds = float(told)
        else:
            seconds = parsedate_to_datetime(told).timestamp() - time.time()
    except (TypeError, ValueError, OverflowError):  # it says nothing that can be read
        return pause
    return min(max(seconds, pause), LONGEST_ASKED)


def keep(inbox: sqlite3.Connection, page: dict[str, Any]) -> None:
    """Deal with a page and keep where it ends: both, or neither."""
    with inbox:
        for event in page["items"]:
            known = "SELECT 1 FROM dealt_with WHERE id = ?"
            if not inbox.execute(known, (event["id"],)).fetchone():
                deal_with(inbox, event)
        inbox.execute("DELETE FROM stand")
        inbox.execute("INSERT INTO stand VALUES (?)", (page["next"],))


def start_over(inbox: sqlite3.Connection) -> None:
    """Read the whole feed again: the service was restored from a backup."""
    with inbox:
        inbox.execute("DELETE FROM stand")


def follow(inbox: sqlite3.Connection, *, once: bool) -> None:
    """Poll for ever, or until there is no more."""
    pause = 1
    while True:
        row = inbox.execute("SELECT cursor FROM stand").fetchone()
        try:
            page = poll(row[0] if row else None, 0 if once else WAIT)
        except HTTPError as refused:
            if refused.code == RESTORED:
                start_over(inbox)
            elif refused.code in TRY_LATER:
                time.sleep(asked_to_wait(refused.headers.get("Retry-After", ""), pause))
            elif refused.code in MOVED:
                sys.exit(
                    f"{refused.code}: sent elsewhere. Your key goes to no other place."
                )
            else:
                sys.exit(f"{refused.code}: {refused.read().decode()}")
            continue
        except (OSError, HTTPException, ValueError):  # unreachable, or cut off
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
            continue
        pause = 1
        keep(inbox, page)
        if once and not page["more"]:
            return


def main() -> None:
    """Do what the command line asks."""
    said = argparse.ArgumentParser()
    said.add_argument("inbox", help="a file that keeps what was dealt with")
    said.add_argument("--once", action="store_true", help="read what there is, and end")
    said.add_argument("--list", action="store_true", help="what was dealt with")
    asked = said.parse_args()
    inbox = sqlite3.connect(asked.inbox)
    inbox.executescript(TABLES)
    if asked.list:
        for event in inbox.execute(
            "SELECT id, type, subject FROM dealt_with ORDER BY number"
        ):
            print(*event)
        return
    follow(inbox, once=asked.once)


if __name__ == "__main__":
    main()
