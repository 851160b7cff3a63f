"""The `poll` command, which prints each event of an office at least once, on one line.

The cursor is saved after a page of events is printed, so that an interrupted command
prints the last events again and loses none. If the output is a pipe, an event counts as
printed when the pipe has accepted it.
"""

import json
import math
import os
import stat
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

import httpx
import typer

from app.cli.api_client import (
    ANSWER_SECONDS,
    CallEnded,
    CannotCall,
    NoAnswer,
    Patience,
    build_client,
    describe_refusal,
    escape_unprintable,
    join_lines,
    print_note,
    read_answer,
    send_with_retries,
)
from app.kernel import durable
from app.settings import CallerSettings

WAIT: Final = 30
"""Seconds for which the service may delay a response until there are events."""
MIN_INTERVAL: Final = 1.0
"""The minimum time between two requests that return no events, in seconds."""
SHOWN_FIELDS: Final = ("at", "type", "subject", "by")
INVALID_CURSOR: Final = frozenset({410, 422})
"""Status codes for a cursor that is not valid or was issued before a restore."""
ABOUT: Final = join_lines("""
Print new events: time, type, subject and office.

Each event is printed at least once. After an interruption the last events are printed
again; recognise them by their `id` (--json). The command cannot tell whether a program that
reads its output through a pipe has processed it.

The settings are those of `safe-conduct submit`.

Exit codes: 0: no more events, or the reader closed the pipe. 1: nothing was read, because a
setting, the key or the cursor file is wrong. 2: wrong usage. 3: the service refused. 4: the
service did not answer; see standard error. 5: the cursor is not valid, for example after a
restore; use --from-start. 130: Ctrl-C.
""")

type Json = dict[str, Any]


class CursorInvalid(CallEnded):
    """The service rejected the cursor, which is damaged or was issued before a restore."""

    code = 5


@dataclass(frozen=True)
class CursorFile:
    """The path of the file with the cursor of a feed, and the office if it is known."""

    file: Path
    office: str | None

    def read(self) -> str | None:
        """Return the cursor, or None if the file does not exist.

        Raises CannotCall if the file is unreadable or empty, or belongs to another office.
        """
        try:
            cursor, _, office = self.file.read_text("utf-8").strip().partition("\n")
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise CannotCall(
                f"{self.file} cannot be read, or is not a cursor file."
            ) from error
        if not cursor:
            raise CannotCall(
                f"{self.file} is empty. To read all events again, use --from-start."
            )
        if self.office and office and office != self.office:
            raise CannotCall(
                f"{self.file} is for {escape_unprintable(office)}, but the API key is for "
                f"{self.office}. Use one cursor file per office."
            )
        return cursor

    def save(self, cursor: str) -> None:
        """Write the cursor to the disk, or raise CannotCall if that is not possible."""
        try:
            durable.replace(self.file, f"{cursor}\n{self.office or ''}\n")
        except OSError as error:
            raise CannotCall(f"{self.file} cannot be written: {error.strerror}.") from error


def poll(
    file: Annotated[
        Path, typer.Option("--cursor-file", help="File for the cursor; one per office.")
    ],
    *,
    follow: Annotated[
        bool, typer.Option("--follow", help="Keep printing new events until stopped.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print whole events as JSON.")
    ] = False,
    from_start: Annotated[
        bool, typer.Option("--from-start", help="Read all events again.")
    ] = False,
    patience: Patience = 120.0,
) -> None:
    """Print the events after the cursor, and save the new cursor after each page."""
    wait, limit = (WAIT, math.inf) if follow else (0, patience)
    try:
        with build_client(CallerSettings(), wait) as http:
            place = CursorFile(file, get_office(http, limit))
            cursor = None if from_start else place.read()
            while True:
                page = fetch_page(http, cursor, wait, limit)
                write_events(page["items"], as_json=as_json)
                if page["cursor"] != cursor:
                    place.save(page["cursor"])
                cursor = page["cursor"]
                if not (follow or page["more"]):
                    return
    except OSError as error:  # events that were not written are printed next time
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):
            raise CannotCall(f"Cannot write the output: {error.strerror}.") from error


def get_office(http: httpx.Client, patience: float) -> str | None:
    """Return the office of the API key, or None if the key lacks the scope to read it."""
    answer = send_with_retries(lambda: http.get("/v1/me", timeout=ANSWER_SECONDS), patience)
    if answer.status_code == httpx.codes.FORBIDDEN:
        print_note("The key may not read its office. Use one cursor file per office.")
        return None
    return str(read_answer(answer).get("focal_point"))


def fetch_page(http: httpx.Client, cursor: str | None, wait: int, patience: float) -> Json:
    """Return the page after a cursor, or raise CursorInvalid if the cursor is rejected."""
    query = {"after": cursor} if cursor else {}
    headers = {"Prefer": f"wait={wait}"} if wait else {}
    began = time.monotonic()
    answer = send_with_retries(
        lambda: http.get("/v1/events", params=query, headers=headers), patience, wait
    )
    if answer.status_code in INVALID_CURSOR:
        raise CursorInvalid(
            f"{describe_refusal(answer)}\nTo read all events again, use --from-start."
        )
    page = read_answer(answer)
    if not is_page(page):
        raise NoAnswer("The answer is not a page of events. Check SAFE_CONDUCT_URL.")
    if wait and not page["items"]:  # a service that shuts down responds at once
        time.sleep(max(0, MIN_INTERVAL - (time.monotonic() - began)))
    return page


def is_page(page: Json) -> bool:
    """Return whether a response body has the members of a page of events."""
    items = page.get("items")
    events = isinstance(items, list) and all(isinstance(item, dict) for item in items)
    return events and isinstance(page.get("cursor"), str) and "more" in page


def write_events(events: list[Json], *, as_json: bool) -> None:
    """Write events to standard output. If the output is a file, flush it to the disk."""
    for event in events:
        line = json.dumps(event) if as_json else format_event(event)
        sys.stdout.buffer.write(f"{line}\n".encode())
        sys.stdout.buffer.flush()
    if events and stat.S_ISREG(os.fstat(sys.stdout.fileno()).st_mode):
        os.fsync(sys.stdout.fileno())


def format_event(event: Json) -> str:
    """Return an event as one line: time, type, subject and office."""
    shown = (str(event.get(name) or "-") for name in SHOWN_FIELDS)
    return " ".join(map(escape_unprintable, shown))
