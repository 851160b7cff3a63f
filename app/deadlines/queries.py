"""Queries for deadlines and for the time limits of offices."""

from collections.abc import Iterable, Mapping
from datetime import datetime, time, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ScalarSelect, Select, bindparam, select
from sqlalchemy.orm import InstrumentedAttribute

from app.deadlines import precedence
from app.deadlines.durations import (
    ApparentHolder,
    DeadlineCase,
    Term,
    get_country,
    get_known_priority,
)
from app.deadlines.limit_bounds import get_usual_limit, list_priorities
from app.deadlines.limits import VISITS, DeadlineKind, Limit
from app.deadlines.models import Clock, TimeLimit
from app.deadlines.precedence import Border, Setting
from app.deadlines.rows import is_of_country
from app.deadlines.schemas import TimeLimitInForce
from app.directory import agreement_queries
from app.directory import queries as directory_queries
from app.directory.calendars import Place, get_place
from app.kernel.paging import Key
from app.kernel.protected_rows import leave_out_altered, select_rows
from app.kernel.recall import load_once, may_have_rows
from app.kernel.statements import make_list_parameter
from app.kernel.transactions import ReadTransaction

RUNNING: Final = select(Clock).where(
    Clock.record_id.in_(make_list_parameter("records")), Clock.stopped_at.is_(None)
)
SETTINGS: Final = "limits that were set"
"""The key under which a session keeps the limits that a transaction has read."""


def compute_due_at(
    tx: ReadTransaction,
    kind: DeadlineKind,
    about: DeadlineCase | None,
    *,
    waits_on: UUID | None,
    start: datetime | None = None,
) -> datetime:
    """Return when a deadline of an office is due. By default, the deadline starts now.

    For the system, which has no office, the calendar is UTC without holidays.
    """
    return get_term(tx, kind, about, waits_on=waits_on).compute_end(start or tx.now)


def get_term(
    tx: ReadTransaction,
    kind: DeadlineKind,
    about: DeadlineCase | None,
    *,
    waits_on: UUID | None,
    apparent: ApparentHolder | None = None,
) -> Term:
    """Return the time limit of an office, in its calendar. A drill may shorten it.

    If `apparent` is given, its values replace the office and the country, because a
    recipient must not learn the true ones (ADR 43).
    """
    place = find_place(tx, apparent.office if apparent else waits_on)
    priority = get_known_priority(about, waits_on) if about else None
    where = get_country(kind, about, waits_on) if about else None
    if apparent is not None:
        where, priority = apparent.country, apparent.priority
    if kind == DeadlineKind.ERASE and about is not None:
        limit = get_retention(tx, about)
    else:
        border = Border(where, place.country)
        limit = precedence.get_answer_limit(kind, priority, border, list_settings(tx))
    return Term(limit, place, tx.runtime.speed, MIN_IN_DRILL.get(kind, timedelta()))


MIN_IN_DRILL: Final = {DeadlineKind.APPROVE: timedelta(minutes=1)}
"""The minimum length of a deadline in a drill: a second person needs time to approve."""


def get_retention(tx: ReadTransaction, about: DeadlineCase) -> Limit:
    """Return the retention of a closed case, by its priority, country and agreements."""
    known = list_settings(tx)
    shared = any(
        s.deadline == DeadlineKind.ERASE and about.country in s.parties for s in known
    )
    homes = {find_place(tx, one).country for one in about.offices} if shared else set()
    others = {home for home in homes if home}
    return precedence.get_retention_limit(about.priority, about.country, others, known)


def find_place(tx: ReadTransaction, focal_point: UUID | None) -> Place:
    """Return an office's time zone and country; without an office, UTC and no country."""
    office = directory_queries.find_by_id(tx, focal_point) if focal_point else None
    return get_place(office) if office else Place()


def list_default_visits(tx: ReadTransaction, waits_on: UUID | None) -> tuple[datetime, ...]:
    """Return the default dates of the visits to a person (D08)."""
    place, speed = find_place(tx, waits_on), tx.runtime.speed
    return tuple(Term(limit, place, speed).compute_end(tx.now) for limit in VISITS)


def compute_end_of_day(
    tx: ReadTransaction, moment: datetime, waits_on: UUID | None
) -> datetime:
    """Return the end of a moment's day, 23:59:59, in the time zone of an office (D06)."""
    calendar = find_place(tx, waits_on).get_calendar(moment)
    last = datetime.combine(calendar.to_local(moment), time(23, 59, 59))
    return calendar.to_utc(last)


def list_settings(tx: ReadTransaction) -> list[Setting]:
    """List the limits that apply today (UTC). A transaction reads them only once."""
    kept: list[Setting] | None = tx.session.info.get(SETTINGS)
    if kept is None:
        kept = tx.session.info[SETTINGS] = list(read_settings(tx))
    return kept


LIMITS: Final = select_rows(TimeLimit)


def read_settings(tx: ReadTransaction) -> Iterable[Setting]:
    """Yield the time limits of countries, and those of agreements that are in force.

    Limits that were altered outside the service are left out.
    """
    rows = map(dict, tx.read_columns(LIMITS, {}).mappings())
    for row in leave_out_altered(tx.session, TimeLimit, rows):
        if row["amount"] is None or row["unit"] is None:
            continue
        of, limit = row["of"], Limit(row["amount"], row["unit"])
        if is_of_country(of):
            yield Setting(of, row["deadline"], row["priority"], limit)
            continue
        for agreement in agreement_queries.list_in_force(tx):
            if agreement["code"] == of:
                parties = frozenset(agreement["countries"])
                yield Setting(of, row["deadline"], row["priority"], limit, parties)


def list_in_force(tx: ReadTransaction, country: str) -> list[TimeLimitInForce]:
    """List the limits of a country's offices, then the limits in its agreements."""
    known = list_settings(tx)
    own = {(s.deadline, s.priority): s for s in known if s.of == country}
    agreed = [setting for setting in known if country in setting.parties]
    cells = [
        (kind, priority) for kind in DeadlineKind for priority in list_priorities(kind)
    ]
    usually = [Setting("", *cell, get_usual_limit(*cell)) for cell in cells]
    shown = [own.get((one.deadline, one.priority), one) for one in usually]
    return [show_limit(setting) for setting in (*shown, *sorted(agreed, key=by_name))]


def show_limit(setting: Setting) -> TimeLimitInForce:
    """Return a limit as the API shows it."""
    return TimeLimitInForce(
        deadline=setting.deadline,
        priority=setting.priority,
        amount=setting.limit.count,
        unit=setting.limit.unit,
        set_by=setting.of or None,
        parties=sorted(setting.parties),
    )


def by_name(setting: Setting) -> tuple[str, str, str]:
    """Return the sort key of a setting, so that the order is the same on each database."""
    return setting.of, setting.deadline, setting.priority


@load_once(Clock)
def find_running(tx: ReadTransaction, record_ids: Iterable[UUID]) -> Mapping[UUID, Clock]:
    """Find the running deadlines of the given records, by the id of the record."""
    found = find_started(tx, record_ids)
    missing = [one for one in record_ids if one not in found]
    if missing:
        rows = tx.session.scalars(RUNNING, {"records": missing})
        found |= {clock.record_id: clock for clock in rows}
    return found


def find_started(tx: ReadTransaction, record_ids: Iterable[UUID]) -> dict[UUID, Clock]:
    """Find the deadlines of records that this transaction started and that still run.

    A record has at most one running deadline, and no other transaction can stop these.
    """
    ids = frozenset(record_ids)
    started = [one for one in tx.kept_alive if isinstance(one, Clock) and one in tx.session]
    return {
        clock.record_id: clock
        for clock in started
        if clock.record_id in ids and clock.stopped_at is None
    }


def list_answers[A](
    clock: Clock | None, answers: Mapping[DeadlineKind, frozenset[A]], office: UUID
) -> frozenset[A]:
    """Return the actions that meet a deadline; empty if the office has no such deadline."""
    if clock is None or clock.waits_on != office:
        return frozenset()
    return answers.get(clock.kind, frozenset())


RUNNING_OF_KIND: Final = (
    select(Clock)
    .where(Clock.case_id == bindparam("case"), Clock.kind == bindparam("kind"))
    .where(Clock.stopped_at.is_(None))
    .order_by(Clock.number)
)


def list_running_of_kind(
    tx: ReadTransaction, case_id: UUID, kind: DeadlineKind
) -> list[Clock]:
    """List the running deadlines of one kind in a case."""

    def is_of_kind(clock: Clock) -> bool:
        return clock.case_id == case_id and clock.kind == kind

    if not may_have_rows(tx, Clock, case_id, is_of_kind):
        return []
    wanted = {"case": case_id, "kind": kind}
    return list(tx.session.scalars(RUNNING_OF_KIND, wanted))


def select_due_at(record_id: InstrumentedAttribute[UUID]) -> ScalarSelect[datetime]:
    """Return a subquery for the due time of the deadline that runs for an outer row."""
    running = (Clock.record_id == record_id, Clock.stopped_at.is_(None))
    due_at = select(Clock.due_at).where(*running)
    return due_at.correlate(record_id.class_).scalar_subquery()


def find_due_times(tx: ReadTransaction, record_ids: Iterable[UUID]) -> dict[UUID, datetime]:
    """Return the due time of each record that has a running deadline."""
    return {one: clock.due_at for one, clock in find_running(tx, record_ids).items()}


def select_waiting(*what: Key) -> Select[*tuple[Any, ...]]:
    """Select columns of the running deadlines that wait for the office `me`."""
    is_own = Clock.waits_on == bindparam("me")
    return select(*what).where(is_own, Clock.stopped_at.is_(None))


def compute_resumed_due(
    tx: ReadTransaction, record_id: UUID, kind: DeadlineKind, fresh: Term
) -> datetime | None:
    """Return when the last paused deadline of a kind will be due if it resumes now.

    A remaining time in working days is counted in the calendar of the office that has to
    act now. If the limit was shortened, the remaining time is cut to the new limit.
    Return None if there is no such deadline, or if it was altered outside the service.
    """
    clock = find_last_stopped(tx, [record_id], kind)
    if clock is None or clock.stopped_at is None or clock.is_altered:
        return None
    left = fresh.compute_resumed_due(clock.stopped_at, clock.due_at, tx.now)
    is_less = fresh.compute_end(clock.set_at) < clock.due_at
    return min(left, fresh.compute_end(tx.now)) if is_less else left


def find_last_stopped(
    tx: ReadTransaction, record_ids: Iterable[UUID], kind: DeadlineKind
) -> Clock | None:
    """Return the last stopped deadline of a kind for any of the given records, or None."""
    of_kind = Clock.record_id.in_(list(record_ids)) & (Clock.kind == kind)
    newest = select(Clock).where(of_kind, Clock.stopped_at.is_not(None))
    return tx.session.scalar(newest.order_by(Clock.number.desc()).limit(1))


def has_later_clock(tx: ReadTransaction, clock: Clock, record_ids: Iterable[UUID]) -> bool:
    """Return whether one of the records has a deadline that was set after `clock`."""
    of_records = Clock.record_id.in_(list(record_ids))
    later = select(Clock.number).where(of_records, Clock.number > clock.number)
    return tx.session.scalar(later.limit(1)) is not None


def find_wait_start(tx: ReadTransaction, clock: Clock) -> datetime:
    """Return when an office got the task of a deadline.

    The time of a replaced deadline counts too, unless that deadline was missed.
    """
    same = (Clock.record_id == clock.record_id) & (Clock.kind == clock.kind)
    before = same & (Clock.waits_on == clock.waits_on) & (Clock.number < clock.number)
    newest_first, since = Clock.number.desc(), clock.set_at
    for older in tx.session.scalars(select(Clock).where(before).order_by(newest_first)):
        if older.stopped_at != since or older.due_at <= since:
            break
        since = older.set_at
    return since
