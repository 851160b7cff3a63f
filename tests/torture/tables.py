"""The contents of the database after a run, as values that the checks use."""

import sqlite3
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from sqlalchemy import create_engine, make_url, select
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from app.access.models import Approval
from app.cases.models import Case
from app.casework.lateness import LATENESS_RULES, get_record_kind
from app.deadlines.models import Clock, Firing
from app.directory.models import FocalPoint
from app.handovers.models import Handover
from app.kernel.idempotency import Outcome
from app.kernel.journal import Delivery, Entry, Mailbox
from app.referrals.models import Referral


@dataclass(frozen=True)
class Record:
    """A case, referral, handover or approval, with its state and version."""

    id: str
    state: str
    version: int


@dataclass(frozen=True)
class Line:
    """A journal entry. An entry without an account was caused by the service itself."""

    id: str
    type: str
    subject: str
    case: str
    account: str | None = None
    state: str | None = None
    clock: str | None = None


@dataclass(frozen=True)
class Kept:
    """The stored outcome of a request with an idempotency key."""

    account: str
    key: str
    record: str
    status: int


@dataclass(frozen=True)
class MissedDeadline:
    """A missed deadline. `event` is the type of the event that reports it, if any.

    `generation` counts the misses of a deadline, so that no miss is recorded twice.
    """

    clock: int
    generation: int
    case: str
    event: str | None


@dataclass
class Tables:
    """The contents of the database tables that the checks use.

    A feed is identified by the code of its office.
    """

    records: Mapping[str, Record] = field(default_factory=dict)
    lines: Sequence[Line] = ()
    mail: Mapping[str, Sequence[tuple[int, str]]] = field(default_factory=dict)
    heads: Mapping[str, int] = field(default_factory=dict)
    kept: Sequence[Kept] = ()
    fired: Sequence[MissedDeadline] = ()
    broken: Sequence[str] = ()
    """Faults that the database reports about itself."""


KINDS: Final[tuple[Any, ...]] = (Case, Referral, Handover)


def read(url: str) -> Tables:
    """Return the contents of the database. No process may write to it at the same time."""
    engine = create_engine(make_url(url), poolclass=NullPool)
    with Session(engine) as session:
        codes = dict(map(tuple, select_rows(session, FocalPoint.id, FocalPoint.code)))
        return Tables(
            records=read_records(session),
            lines=[make_line(entry) for entry in session.scalars(select(Entry))],
            mail=read_mailboxes(session, codes),
            heads={
                codes[one]: head
                for one, head in select_rows(session, Mailbox.focal_point_id, Mailbox.head)
            },
            kept=[
                Kept(str(one.account_id), one.key, str(one.resource_id), one.status)
                for one in session.scalars(select(Outcome))
            ],
            fired=read_missed_deadlines(session),
            broken=check_integrity(url),
        )


def select_rows(session: Session, *columns: Any) -> list[Any]:
    """Return all rows of a query that selects some columns."""
    return list(session.execute(select(*columns)))


def read_records(session: Session) -> dict[str, Record]:
    """Return every record by its reference."""
    found: dict[str, Record] = {}
    stored = [each for kind in KINDS for each in session.scalars(select(kind))]
    for one in stored:
        found[one.reference] = Record(str(one.id), str(one.state), one.version)
    for one, decision in select_rows(session, Approval.id, Approval.decision):
        found[f"approvals/{one}"] = Record(str(one), str(decision), 0)
    return found


def make_line(entry: Entry) -> Line:
    """Return the values of a journal entry that the checks compare."""
    return Line(
        id=str(entry.id),
        type=entry.type,
        subject=entry.reference,
        case=str(entry.case_id),
        account=str(entry.account_id) if entry.account_id else None,
        state=entry.facts.get("state"),
        clock=entry.facts.get("deadline"),
    )


def read_mailboxes(
    session: Session, codes: Mapping[UUID, str]
) -> dict[str, list[tuple[int, str]]]:
    """Return the positions and entries of every feed, in order."""
    found: dict[str, list[tuple[int, str]]] = defaultdict(list)
    columns = (Delivery.focal_point_id, Delivery.position, Delivery.entry_id)
    for reader, position, entry in sorted(select_rows(session, *columns)):
        found[codes[reader]].append((position, str(entry)))
    return found


def read_missed_deadlines(session: Session) -> list[MissedDeadline]:
    """Return the missed deadlines with the types of the events that report them."""
    references = dict(map(tuple, select_rows(session, Clock.number, Clock.reference)))
    found = []
    for one in session.scalars(select(Firing)):
        of_case = one.record_id == one.case_id
        noun = get_record_kind(references[one.clock_number], one.kind, of_case=of_case)
        event = LATENESS_RULES[noun, one.kind].event
        found.append(
            MissedDeadline(one.clock_number, one.generation, str(one.case_id), event)
        )
    return found


def check_integrity(url: str) -> list[str]:
    """Return the faults in a SQLite file. For PostgreSQL, return no faults."""
    path = make_url(url).database
    if not url.startswith("sqlite") or path is None:
        return []
    with closing(sqlite3.connect(Path(path))) as file:
        whole = [row[0] for row in file.execute("PRAGMA integrity_check")]
        orphans = [f"orphan: {row}" for row in file.execute("PRAGMA foreign_key_check")]
    return [line for line in whole if line != "ok"] + orphans
