"""After a restore: case by case, what can no longer be honoured, why, and whom to tell.

What was done after the backup is lost, and nobody can list what is lost. What can be listed
is what it may have been: whatever was open then, for it may have been answered since; what
ran out meanwhile, while nobody watched; what the person may have taken back. Codes and ids
alone: no word of what is sealed is read, and no key is needed.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from app.cases import queries as cases
from app.cases.grants import Grant, list_relations
from app.cases.lifecycle import EVENTS, Action
from app.cases.models import Case
from app.casework.erasing import GRACE
from app.casework.lateness import DESTROYING
from app.cli.grounds import NotReady, must_be_migrated
from app.consents import queries as consents
from app.deadlines import breaches
from app.deadlines.limits import ClockKind
from app.deadlines.models import Clock
from app.deadlines.silence import DAY
from app.directory import queries as directory
from app.feed import queries as feed
from app.kernel.actors import SYSTEM
from app.kernel.erasures import recorded
from app.kernel.heartbeat import last_heard
from app.kernel.work import Ground, Reading, reading
from app.webhooks import queries as webhooks


class Why(StrEnum):
    """What is the matter with something that the backup holds."""

    OVERDUE = "overdue"
    RAN_OUT = "ran_out"
    WAITS = "waits"
    CONSENTS = "consents"
    WILL_BE_ERASED = "will_be_erased"
    ERASED = "erased"


MEANS: Final[Mapping[Why, str]] = {
    Why.OVERDUE: "was overdue when the backup was made",
    Why.RAN_OUT: "the time ran out after the backup: nobody did it, or that is lost",
    Why.WAITS: "whoever did it after the backup believes that it is done",
    Why.CONSENTS: "stand as of the backup: what was taken back since, and whom the person "
    "fears since, is lost; ask the person before anything is handed on",
    Why.WILL_BE_ERASED: "is destroyed then, unless who spared it after the backup does so "
    "again: by a legal hold, by opening the case again, by submitting or sending the draft",
    Why.ERASED: "was erased after the backup, and is erased again",
}
READ_FIRST: Final = """
Every case below was open when the backup was made, or is to be destroyed soon. Tell each
office of its own lines alone: who else has a part in a case is not everybody's to know.
Keep this list as the database.
""".strip()


@dataclass(frozen=True)
class Line:
    """One thing of a case that may not be as it was left."""

    why: Why
    what: str
    waits_on: str | None
    at: datetime | None


@dataclass(frozen=True)
class Affected:
    """A case, what is the matter with it, and who has to be told: part and office."""

    code: str
    state: str
    tell: list[tuple[str, str]]
    lines: list[Line]

    @property
    def is_late(self) -> bool:
        """Whether somebody waited in vain."""
        return any(line.why in {Why.OVERDUE, Why.RAN_OUT} for line in self.lines)

    @property
    def first(self) -> str:
        """When the first of it is due, to sort by; without any, last."""
        return min((line.at.isoformat() for line in self.lines if line.at), default="~")


@dataclass(frozen=True)
class Feed:
    """How far an office has retrieved its feed, or was sent it, as the backup knows."""

    office: str
    webhook: str | None
    upto: int
    head: int


@dataclass(frozen=True)
class Report:
    """What of a database that was restored is not as people left it."""

    backup_of: datetime
    at: datetime
    cases: list[Affected]
    elsewhere: list[Line]
    feeds: list[Feed]
    unknown: int
    """Cases that came after the backup and were erased: it never knew them."""


def report(ground: Ground, since: datetime | None) -> Report:
    """Say what is affected, if the backup is of a moment: else, of its last sign of life.

    Raises NotReady where there is none, Busy (503).
    """
    with ground.database.reading() as session:
        must_be_migrated(session)
    with reading(ground, SYSTEM) as work:
        now = ground.time(work.session)
        then = since or moment(work)
        known = directory_codes(work)
        clocks = breaches.running(work.session)
        going_on = cases.unfinished(work.session, about_to_go(clocks, now))
        found = affected(work, going_on, known, clocks, then, now)
        erased = erased_since(work, then)
        names = cases.codes(work.session, erased)
        return Report(
            backup_of=then,
            at=now,
            cases=[*found, *map(erased_again, names.values())],
            elsewhere=elsewhere(going_on, known, clocks, then, now),
            feeds=list(feeds(work, known)),
            unknown=len(erased) - len(names),
        )


def moment(work: Reading) -> datetime:
    """Say when the backup was made: when something last lived in it, or was last done."""
    again = EVENTS[Action.ERASE_AGAIN]
    found = last_heard(work.session) or feed.last_entry(work.session, but=again)
    if found is None:
        raise NotReady("Nothing was ever done in this database: say --since when it was.")
    return found


def erased_since(work: Reading, then: datetime) -> list[UUID]:
    """List what was erased after a moment; a ledger tells it by whole seconds."""
    first = then.replace(microsecond=0)
    return [one for one, at in recorded(work.session).items() if at >= first]


def directory_codes(work: Reading) -> Mapping[UUID, str]:
    """Name every focal point."""
    return {one.id: one.code for one in directory.everyone(work)}


def affected(  # noqa: PLR0913, PLR0917 - what was read, of whom, and between which moments
    work: Reading,
    going_on: Iterable[Case],
    known: Mapping[UUID, str],
    clocks: Iterable[Clock],
    then: datetime,
    now: datetime,
) -> list[Affected]:
    """List what is affected of some cases; first those in which something is due first."""
    running: dict[UUID, list[Line]] = {}
    for clock in clocks:
        line = spelled(clock, known, then, now)
        running.setdefault(clock.case_id, []).append(line)
    standing = consents.standing(work.session, now)
    found = [
        Affected(case.code, case.state, tell(case, known), lines)
        for case in going_on
        if (lines := [*running.get(case.id, ()), *given(standing.get(case.id, 0))])
    ]
    return sorted(found, key=lambda one: one.first)


def about_to_go(clocks: Iterable[Clock], now: datetime) -> list[UUID]:
    """List the cases that are over and destroyed soon, unless somebody spares them.

    A day more than what `restored` leaves them, which went by the clock of the machine.
    """
    until = now + GRACE + DAY
    erased = [one for one in clocks if one.kind == ClockKind.ERASE]
    return [clock.case_id for clock in erased if clock.due_at <= until]


def spelled(clock: Clock, known: Mapping[UUID, str], then: datetime, now: datetime) -> Line:
    """Say what a clock that runs in the backup means now."""
    late = Why.OVERDUE if clock.due_at <= then else Why.RAN_OUT
    why = late if clock.due_at <= now else Why.WAITS
    if clock.kind in DESTROYING:
        why = Why.WILL_BE_ERASED
    waits_on = known[clock.waits_on] if clock.waits_on else None
    return Line(why, f"{clock.reference} {clock.kind}", waits_on, clock.due_at)


def given(count: int) -> Iterator[Line]:
    """Say that consents stand, which were perhaps taken back."""
    if count:
        yield Line(Why.CONSENTS, f"{count} consents", None, None)


def tell(case: Case, known: Mapping[UUID, str]) -> list[tuple[str, str]]:
    """Name who has a part in a case, and which."""
    seeing = list_relations(Grant.CASE)
    here = [p for p in case.parties if not p.until and p.relation in seeing]
    return sorted({(str(one.relation), known[one.focal_point_id]) for one in here})


def erased_again(code: str) -> Affected:
    """Say that a case is gone, as it was when the backup was not."""
    return Affected(code, "erased", [], [Line(Why.ERASED, f"cases/{code}", None, None)])


def elsewhere(
    going_on: Iterable[Case],
    known: Mapping[UUID, str],
    clocks: Iterable[Clock],
    then: datetime,
    now: datetime,
) -> list[Line]:
    """List what waits and is about no case that goes on: questions to a second person."""
    open_ones = {case.id for case in going_on}
    people = [clock for clock in clocks if clock.waits_on]
    other = [clock for clock in people if clock.case_id not in open_ones]
    return [spelled(clock, known, then, now) for clock in other]


def feeds(work: Reading, known: Mapping[UUID, str]) -> Iterator[Feed]:
    """Say how far each feed had come; what came later is told anew, or never."""
    for office, (upto, head) in feed.retrieved(work.session).items():
        yield Feed(known[office], None, upto, head)
    hooks = webhooks.open_ones(work.session)
    heads = feed.heads(work.session, {hook.focal_point_id for hook in hooks})
    for hook in hooks:
        office = hook.focal_point_id
        yield Feed(known[office], hook.reference, hook.position, heads.get(office, 0))


# What is said of it.


def as_json(told: Report) -> str:
    """Spell it for programs."""
    return json.dumps(asdict(told), default=plainly)


def plainly(value: Any) -> str:
    """Spell what JSON has no word for."""
    return value.isoformat() if isinstance(value, datetime) else str(value)


def as_text(told: Report) -> Iterator[str]:
    """Spell it for people: a block for each case, the latest first to be seen to."""
    late = sum(one.is_late for one in told.cases)
    moments = (f"{at:%Y-%m-%d %H:%M:%S} UTC" for at in (told.backup_of, told.at))
    yield "The backup is of {}; now it is {}.".format(*moments)
    yield f"{len(told.cases)} cases are affected; in {late} somebody waited in vain."
    if told.unknown:
        yield f"{told.unknown} cases came after the backup and were erased: they are gone."
    yield READ_FIRST
    for one in told.cases:
        yield from ("", f"{one.code}  {one.state}")
        yield from map(of_line, one.lines)
        yield from (f"  tell {office} ({part})" for part, office in one.tell)
    if told.elsewhere:
        yield from ("", "About no open case:", *map(of_line, told.elsewhere))
    yield from of_feeds(told.feeds)


def of_line(line: Line) -> str:
    """Spell one line."""
    on = f", waits on {line.waits_on}" if line.waits_on else ""
    until = f", until {line.at:%Y-%m-%d %H:%M} UTC" if line.at else ""
    return f"  {line.why.upper()}: {line.what}{on}{until}: {MEANS[line.why]}"


def of_feeds(told: Iterable[Feed]) -> Iterator[str]:
    """Say what becomes of the feeds."""
    yield from ("", "Feeds, as far as the backup knows; what came later is told anew:")
    for one in told:
        how = f"was sent to {one.webhook}" if one.webhook else "was retrieved"
        yield f"  {one.office}: {one.upto} of {one.head} {how}"
