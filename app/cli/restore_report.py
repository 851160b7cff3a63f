"""The report after a restore, which lists the affected cases and the offices to inform.

Actions after the backup are lost, so the report lists the data that they may have changed:
open or missed deadlines, and consents. It contains codes and ids, but no sealed data.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from app.cases import queries as case_queries
from app.cases.grants import Grant, list_relations
from app.cases.lifecycle import EVENTS, Action
from app.cases.models import Case
from app.casework.erasing import GRACE
from app.casework.lateness import DESTRUCTIVE
from app.cli.startup import NotReady, require_migrated
from app.consents import queries as consent_queries
from app.deadlines import missed_deadlines
from app.deadlines.limits import DeadlineKind
from app.deadlines.miss_counts import DAY
from app.deadlines.models import Clock
from app.directory import queries as directory_queries
from app.feed import queries as feed_queries
from app.kernel.actors import SYSTEM
from app.kernel.erasures import get_erasures
from app.kernel.heartbeat import get_last_heartbeat
from app.kernel.transactions import ReadTransaction, Runtime, begin_read
from app.webhooks import queries as webhook_queries


class Why(StrEnum):
    """The reason why an item in the backup may be out of date."""

    OVERDUE = "overdue"
    RAN_OUT = "ran_out"
    WAITS = "waits"
    CONSENTS = "consents"
    WILL_BE_ERASED = "will_be_erased"
    ERASED = "erased"


MEANINGS: Final[Mapping[Why, str]] = {
    Why.OVERDUE: "was overdue when the backup was made",
    Why.RAN_OUT: "was missed after the backup: the office did not act, or its act was lost",
    Why.WAITS: "may have been met after the backup; the office then believes that it was",
    Why.CONSENTS: "are those of the backup: later withdrawals and fears are lost; ask the "
    "person before you share anything",
    Why.WILL_BE_ERASED: "is erased then. If an action after the backup, such as a legal "
    "hold, had prevented that, repeat the action",
    Why.ERASED: "was erased after the backup, and is erased again",
}
READ_FIRST: Final = """
Every case below was open when the backup was made, or is to be erased soon. Tell each
office only the lines that concern it, not which other offices take part in a case. Protect
this list like the database.
""".strip()


@dataclass(frozen=True)
class Finding:
    """Restored data that may be out of date, and the office that has to act on it."""

    why: Why
    what: str
    waits_on: str | None
    at: datetime | None


@dataclass(frozen=True)
class AffectedCase:
    """A case that a restore affects, with its findings and the parties to inform."""

    code: str
    state: str
    tell: list[tuple[str, str]]
    lines: list[Finding]

    @property
    def is_late(self) -> bool:
        """Whether a deadline of the case was missed."""
        return any(line.why in {Why.OVERDUE, Why.RAN_OUT} for line in self.lines)

    @property
    def first(self) -> str:
        """The earliest due time as a sort key. Cases without a due time come last."""
        return min((line.at.isoformat() for line in self.lines if line.at), default="~")


@dataclass(frozen=True)
class FeedPosition:
    """The position of an office or webhook in a feed at the time of the backup."""

    office: str
    webhook: str | None
    upto: int
    head: int


@dataclass(frozen=True)
class Report:
    """The data in a restored database that may be out of date."""

    backup_of: datetime
    at: datetime
    cases: list[AffectedCase]
    elsewhere: list[Finding]
    feeds: list[FeedPosition]
    unknown: int
    """The number of erased cases that were created after the backup."""


def build_report(runtime: Runtime, since: datetime | None) -> Report:
    """Return the report on a database that was restored from a backup.

    `since` is the time of the backup; None stands for the result of `find_backup_time`.
    Raises NotReady if the time is unknown, and Busy (503) if the database cannot be read.
    """
    with runtime.database.begin_read() as session:
        require_migrated(session)
    with begin_read(runtime, SYSTEM) as tx:
        now = runtime.time(tx.session)
        backup_time = since or find_backup_time(tx)
        codes = get_office_codes(tx)
        clocks = missed_deadlines.list_running(tx.session)
        open_cases = case_queries.list_unfinished(tx.session, list_erased_soon(clocks, now))
        found = list_affected(tx, open_cases, codes, clocks, backup_time, now)
        erased = list_erased_since(tx, backup_time)
        names = case_queries.get_codes(tx.session, erased)
        return Report(
            backup_of=backup_time,
            at=now,
            cases=[*found, *map(describe_erased, names.values())],
            elsewhere=list_elsewhere(open_cases, codes, clocks, backup_time, now),
            feeds=list(list_feeds(tx, codes)),
            unknown=len(erased) - len(names),
        )


def find_backup_time(tx: ReadTransaction) -> datetime:
    """Return the time of the last heartbeat or, without one, of the last journal entry.

    Raises NotReady if the restored database has neither.
    """
    again = EVENTS[Action.ERASE_AGAIN]
    found = get_last_heartbeat(tx.session)
    found = found or feed_queries.get_last_entry_time(tx.session, excluded_type=again)
    if found is None:
        raise NotReady("The database has no entries. Give the time of the backup: --since")
    return found


def list_erased_since(tx: ReadTransaction, backup_time: datetime) -> list[UUID]:
    """List the cases that were erased since a time, which is rounded down to a second."""
    first = backup_time.replace(microsecond=0)
    return [one for one, at in get_erasures(tx.session).items() if at >= first]


def get_office_codes(tx: ReadTransaction) -> Mapping[UUID, str]:
    """Return the code of each focal point by id."""
    return {one.id: one.code for one in directory_queries.list_all(tx)}


def list_affected(  # noqa: PLR0913, PLR0917 - data that was read once
    tx: ReadTransaction,
    open_cases: Iterable[Case],
    codes: Mapping[UUID, str],
    clocks: Iterable[Clock],
    backup_time: datetime,
    now: datetime,
) -> list[AffectedCase]:
    """List the cases that have findings, sorted by the earliest due time."""
    running: dict[UUID, list[Finding]] = {}
    for clock in clocks:
        line = describe_deadline(clock, codes, backup_time, now)
        running.setdefault(clock.case_id, []).append(line)
    consents_by_case = consent_queries.count_valid(tx.session, now)
    found = [
        AffectedCase(case.code, case.state, list_parties(case, codes), lines)
        for case in open_cases
        if (
            lines := [
                *running.get(case.id, ()),
                *describe_consents(consents_by_case.get(case.id, 0)),
            ]
        )
    ]
    return sorted(found, key=lambda one: one.first)


def list_erased_soon(clocks: Iterable[Clock], now: datetime) -> list[UUID]:
    """List the cases whose erasure is due within the grace period after a restore.

    A day is added, because the clocks of the machine and the database may differ.
    """
    until = now + GRACE + DAY
    erased = [one for one in clocks if one.kind == DeadlineKind.ERASE]
    return [clock.case_id for clock in erased if clock.due_at <= until]


def describe_deadline(
    clock: Clock, codes: Mapping[UUID, str], backup_time: datetime, now: datetime
) -> Finding:
    """Return the finding for a deadline that was running in the backup."""
    late = Why.OVERDUE if clock.due_at <= backup_time else Why.RAN_OUT
    why, until = late if clock.due_at <= now else Why.WAITS, clock.due_at
    if clock.kind in DESTRUCTIVE:
        why, until = Why.WILL_BE_ERASED, max(until, clock.fires_at or until)
    waits_on = codes[clock.waits_on] if clock.waits_on else None
    return Finding(why, f"{clock.reference} {clock.kind}", waits_on, until)


def describe_consents(count: int) -> Iterator[Finding]:
    """Yield a finding if a case has consents, because they may have been withdrawn."""
    if count:
        yield Finding(Why.CONSENTS, f"{count} consents", None, None)


def list_parties(case: Case, codes: Mapping[UUID, str]) -> list[tuple[str, str]]:
    """List the relation and office of each party that may see the case."""
    relations = list_relations(Grant.CASE)
    active = [p for p in case.parties if not p.until and p.relation in relations]
    return sorted({(str(one.relation), codes[one.focal_point_id]) for one in active})


def describe_erased(code: str) -> AffectedCase:
    """Return the report entry for a case that was erased again."""
    finding = Finding(Why.ERASED, f"cases/{code}", None, None)
    return AffectedCase(code, "erased", [], [finding])


def list_elsewhere(
    open_cases: Iterable[Case],
    codes: Mapping[UUID, str],
    clocks: Iterable[Clock],
    backup_time: datetime,
    now: datetime,
) -> list[Finding]:
    """List the findings about deadlines that belong to no open case, such as approvals."""
    open_ones = {case.id for case in open_cases}
    other = [one for one in clocks if one.waits_on and one.case_id not in open_ones]
    return [describe_deadline(clock, codes, backup_time, now) for clock in other]


def list_feeds(tx: ReadTransaction, codes: Mapping[UUID, str]) -> Iterator[FeedPosition]:
    """Yield the position of each feed, and of each webhook in its feed."""
    for office, (upto, head) in feed_queries.get_retrieved(tx.session).items():
        yield FeedPosition(codes[office], None, upto, head)
    hooks = webhook_queries.list_open(tx.session)
    heads = feed_queries.get_heads(tx.session, {hook.focal_point_id for hook in hooks})
    for hook in hooks:
        office, head = hook.focal_point_id, heads.get(hook.focal_point_id, 0)
        yield FeedPosition(codes[office], hook.reference, hook.position, head)


def as_json(report: Report) -> str:
    """Return the report as JSON."""
    return json.dumps(asdict(report), default=encode_value)


def encode_value(value: Any) -> str:
    """Return a value as text. A time is written in ISO 8601."""
    return value.isoformat() if isinstance(value, datetime) else str(value)


def as_text(report: Report) -> Iterator[str]:
    """Yield the lines of the report, with a block for each case."""
    late = sum(one.is_late for one in report.cases)
    moments = (f"{at:%Y-%m-%d %H:%M:%S} UTC" for at in (report.backup_of, report.at))
    yield "The backup was made at {}; it is now {}.".format(*moments)
    yield f"{len(report.cases)} cases are affected; {late} have a missed deadline."
    if report.unknown:
        yield f"{report.unknown} erased cases are newer than the backup, and not in it."
    yield READ_FIRST
    for one in report.cases:
        yield from ("", f"{one.code}  {one.state}")
        yield from map(format_line, one.lines)
        yield from (f"  tell {office} ({part})" for part, office in one.tell)
    if report.elsewhere:
        yield from ("", "Not about an open case:", *map(format_line, report.elsewhere))
    yield from format_feeds(report.feeds)


def format_line(line: Finding) -> str:
    """Return a finding as one line of text."""
    on = f", waits on {line.waits_on}" if line.waits_on else ""
    until = f", until {line.at:%Y-%m-%d %H:%M} UTC" if line.at else ""
    return f"  {line.why.upper()}: {line.what}{on}{until}: {MEANINGS[line.why]}"


def format_feeds(positions: Iterable[FeedPosition]) -> Iterator[str]:
    """Yield lines that show the position of each feed."""
    yield from ("", "Feeds at the time of the backup; later events are read again:")
    for one in positions:
        access = f"was sent to {one.webhook}" if one.webhook else "was retrieved"
        yield f"  {one.office}: {one.upto} of {one.head} {access}"
