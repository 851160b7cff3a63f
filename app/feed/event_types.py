"""The catalogue of events: each type with its subject and facts, and each fact.

The files in `app/feed/data` contain it. The contract and docs/events.md are built from it.
The service does not check the events that it serves against the catalogue; tests check the
events that are recorded (ADR 54).
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True)
class EventType:
    """A type of event: the first part of its subject, its facts, and when it happens."""

    name: str
    subject: str
    facts: tuple[str, ...]
    when: str


@dataclass(frozen=True)
class EventFact:
    """A fact of events: its name, the kind of its value, and a description."""

    name: str
    kind: str
    description: str


@cache
def load_types() -> Sequence[EventType]:
    """Return all types of events."""
    return tuple(
        EventType(row["type"], row["subject"], tuple(row["facts"].split()), row["when"])
        for row in read_rows("event_types.csv")
    )


@cache
def load_facts() -> Sequence[EventFact]:
    """Return all facts of events."""
    return tuple(EventFact(**row) for row in read_rows("event_facts.csv"))


def read_rows(name: str) -> Sequence[dict[str, str]]:
    """Return the rows of a file of the catalogue."""
    text = files("app.feed").joinpath("data", name).read_text("utf-8")
    return list(csv.DictReader(text.splitlines()))
