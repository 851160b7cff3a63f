"""Following the change feed from a shell: each event at least once, one on a line.

The cursor is moved on when a page was printed and handed over, never before: whoever kills
it finds the last events again, and none missing. Behind a pipe that is as far as it sees.
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

from app.cli.calling import (
    SECONDS,
    CallEnded,
    CannotCall,
    NoAnswer,
    Patience,
    calling,
    flowing,
    good,
    note,
    persistently,
    plain,
    refusal,
)
from app.kernel import durable
from app.settings import Caller

WAIT: Final = 30
"""Seconds that the service may hold an answer back until there is news."""
LEAST: Final = 1.0
"""Seconds between two questions that found nothing."""
SHOWN: Final = ("at", "type", "subject", "by")
PAST: Final = frozenset({410, 422})
"""A cursor of another past, or none at all."""
ABOUT: Final = flowing("""
Print what happened since the last time: when, what, of which subject, by whom.

Each event at least once: killed at any moment, it begins again with the last ones, which
you know by their `id` (--json). Behind a pipe it knows that events were handed over, and
not what became of them.

The settings are those of `safe-conduct submit`.

Ends with 0: there is no more, or whoever reads has enough. 1: nothing was read, for a
setting, the key or the cursor file is wrong. 2: the command is wrong. 3: the service
refused. 4: it did not answer; what is waited for, and how long, is on standard error.
5: the cursor is of another past; --from-start. 130: Ctrl-C.
""")

type Json = dict[str, Any]


class Restored(CallEnded):
    """The cursor says nothing to the service: it is of another past, or damaged."""

    code = 5


@dataclass(frozen=True)
class Place:
    """The file that keeps how far an office has read; None: the key may not say which."""

    file: Path
    office: str | None

    def read(self) -> str | None:
        """Read the cursor; None: the start. Raises CannotCall if it is another office's."""
        try:
            cursor, _, office = self.file.read_text("utf-8").strip().partition("\n")
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise CannotCall(f"{self.file} cannot be read as a cursor.") from error
        if not cursor:
            raise CannotCall(
                f"{self.file} is empty. To read everything again: --from-start"
            )
        if self.office and office and office != self.office:
            raise CannotCall(
                f"{self.file} is of {plain(office)}, and the key of {self.office}: what "
                f"one has read says nothing of the other. Name a file for each."
            )
        return cursor

    def keep(self, cursor: str) -> None:
        """Keep how far was read, on the disk."""
        try:
            durable.replace(self.file, f"{cursor}\n{self.office or ''}\n")
        except OSError as error:
            raise CannotCall(f"{self.file} cannot be kept: {error.strerror}.") from error


def poll(
    file: Annotated[
        Path, typer.Option("--cursor-file", help="Keeps how far you read; one an office.")
    ],
    *,
    follow: Annotated[
        bool, typer.Option("--follow", help="Go on for ever, as soon as there is more.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Whole events, for programs such as jq.")
    ] = False,
    from_start: Annotated[
        bool, typer.Option("--from-start", help="Read everything again.")
    ] = False,
    patience: Patience = 120.0,
) -> None:
    """Print what happened since the last time."""
    wait, limit = (WAIT, math.inf) if follow else (0, patience)
    try:
        with calling(Caller(), wait) as http:
            place = Place(file, office_of(http, limit))
            cursor = None if from_start else place.read()
            while True:
                page = page_after(http, cursor, wait, limit)
                hand_over(page["items"], as_json=as_json)
                if page["next"] != cursor:
                    place.keep(page["next"])
                cursor = page["next"]
                if not (follow or page["more"]):
                    return
    except OSError as error:  # what was not handed over comes again
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):
            raise CannotCall(f"It could not be written: {error.strerror}.") from error


def office_of(http: httpx.Client, patience: float) -> str | None:
    """Ask for which office the key is; None: it lacks the scope to know."""
    answer = persistently(lambda: http.get("/v1/me", timeout=SECONDS), patience)
    if answer.status_code == httpx.codes.FORBIDDEN:
        note("The key may not say of which office it is: have one cursor file for each.")
        return None
    return str(good(answer).get("focal_point"))


def page_after(http: httpx.Client, cursor: str | None, wait: int, patience: float) -> Json:
    """Ask for what comes after a cursor; raises Restored, and what `persistently` does."""
    query = {"after": cursor} if cursor else {}
    headers = {"Prefer": f"wait={wait}"} if wait else {}
    began = time.monotonic()
    answer = persistently(
        lambda: http.get("/v1/events", params=query, headers=headers), patience, wait
    )
    if answer.status_code in PAST:
        raise Restored(f"{refusal(answer)}\nTo read everything again: --from-start")
    page = good(answer)
    if not is_page(page):
        raise NoAnswer("What was answered is no page of the feed.")
    if wait and not page["items"]:  # a service that ends does not hold answers back
        time.sleep(max(0, LEAST - (time.monotonic() - began)))
    return page


def is_page(page: Json) -> bool:
    """Say whether this is a page of the feed, whatever else is in it."""
    items = page.get("items")
    events = isinstance(items, list) and all(isinstance(item, dict) for item in items)
    return events and isinstance(page.get("next"), str) and "more" in page


def hand_over(events: list[Json], *, as_json: bool) -> None:
    """Write events to whoever reads, each in one piece; to the disk, if it is a file."""
    for event in events:
        said = json.dumps(event) if as_json else line_of(event)
        sys.stdout.buffer.write(f"{said}\n".encode())
        sys.stdout.buffer.flush()
    if events and stat.S_ISREG(os.fstat(sys.stdout.fileno()).st_mode):
        os.fsync(sys.stdout.fileno())


def line_of(event: Json) -> str:
    """Write an event for people: when, what, of which subject, by whom."""
    return " ".join(plain(str(event.get(name) or "-")) for name in SHOWN)
