"""A check of each event that a test records, by comparison with the catalogue of events.

The service does not check events itself, because a journal may contain events of earlier
versions. A test fails if it records an event that the catalogue does not describe.
"""

import re
from collections.abc import Iterator, Mapping
from functools import wraps
from typing import Any, Final
from uuid import UUID

from app.feed.event_types import load_facts, load_types
from app.kernel.problems import Facts
from app.kernel.transactions import Recorded, WriteTransaction

ID: Final = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
TYPES: Final = {event.name: event for event in load_types()}
FACTS: Final = {fact.name: fact for fact in load_facts()}
FAULTS: Final[list[str]] = []
"""Differences of recorded events from the catalogue, since the last `take_faults`."""


def check_recorded_events() -> None:
    """Check each event that this process records from now on, and collect the faults."""
    record = WriteTransaction.record

    @wraps(record)
    def check_and_record(
        tx: WriteTransaction,
        event: str,
        subject: Recorded,
        audience: frozenset[UUID],
        facts: Facts | None = None,
        **options: bool,
    ) -> None:
        FAULTS.extend(find_faults(event, subject.reference, facts or {}))
        record(tx, event, subject, audience, facts, **options)

    WriteTransaction.record = check_and_record  # type: ignore[assignment,method-assign]


def take_faults() -> list[str]:
    """Return the faults that were found since the last call."""
    faults = FAULTS.copy()
    FAULTS.clear()
    return faults


def find_faults(event: str, reference: str, facts: Mapping[str, Any]) -> Iterator[str]:
    """Yield the differences between an event and the description in the catalogue."""
    known = TYPES.get(event)
    if known is None:
        yield f"{event}: not in event_types.csv"
        return
    subject = reference.partition("/")[0]
    if subject != known.subject:
        yield f"{event}: about {subject}"
    for name, value in facts.items():
        if name not in known.facts:
            yield f"{event}: {name} is no fact of it"
        elif not is_of_kind(value, FACTS[name].kind):
            yield f"{event}: {name} is no {FACTS[name].kind}"


def is_of_kind(value: object, kind: str) -> bool:
    """Return whether the value of a fact is of the kind that the catalogue states."""
    match kind:
        case "boolean":
            return isinstance(value, bool)
        case "number":
            return isinstance(value, int) and not isinstance(value, bool)
        case "list":
            return isinstance(value, list) and all(isinstance(one, str) for one in value)
        case "id":
            return isinstance(value, str) and bool(ID.fullmatch(value))
        case "reference":
            return isinstance(value, str) and "/" in value
        case _:
            return isinstance(value, str) and " " not in value
