"""Handling missed deadlines: recorded as evidence, then acted upon (R54, R55)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from app.cases import holding
from app.cases.models import Case
from app.cases.reasons import WithdrawReason
from app.casework import emergency, erasing
from app.casework.carrying import reroute
from app.casework.consent_expiry import announce_end
from app.casework.escalating import alert, remind
from app.casework.lateness import LATE, Effect, Late, Noun, effect_of, noun_of
from app.casework.watching import watch_interests
from app.deadlines import actions as deadlines
from app.deadlines import breaches
from app.deadlines.limits import ClockKind
from app.deadlines.models import Clock
from app.deadlines.silence import DAY, HOUR, Rhythm, next_silence, silences
from app.directory import queries as directory
from app.handovers import following as handovers
from app.handovers import queries as offered
from app.handovers.models import Handover
from app.kernel.actors import Relation, system_for
from app.kernel.work import Named, Recorded, Writing
from app.referrals import following as referrals
from app.referrals import queries as referred
from app.referrals.models import Referral
from app.returns import arrivals
from app.returns import queries as returns
from app.returns.actions import audience as audience_of_return
from app.returns.models import Return
from app.routing import actions as routing

LEAST: Final[Mapping[Effect, timedelta]] = {Effect.EXPIRE_AT_SECOND: HOUR}
"""The least time until a deadline counts as missed again; a day for the other effects."""


@dataclass(frozen=True)
class Ran:
    """A missed deadline, with its record and how often it has been missed by now."""

    case: Case
    clock: Clock
    noun: Noun
    late: Late
    record: Recorded
    count: int
    absent: bool


def fire(work: Writing, number: int, case_id: UUID) -> bool:
    """Apply the effect of a deadline that was missed.

    Return False if another worker handles or handled it, or if it was moved on with a
    person who travels. The effect is applied exactly once, however many workers run (R55):
    the case is locked first and the clock is read again. Raises DeskMissing (503) if no
    desk can take the case.
    """
    case = holding.unless_held(work, case_id)
    if case is None:
        return False
    clock = breaches.again(work, number)
    absent = is_absent(work, clock)
    if not breaches.is_up(clock, work.now, absent=absent):
        return False
    if waits_for_arrival(work, clock, absent=absent):
        return False
    work.actor = system_for(clock.waits_on or case.submitter)
    ran = look(work, case, clock, absent=absent)
    keep(work, ran)
    tell(work, ran)
    EFFECTS[effect_for(ran)](work, ran)
    return True


def is_absent(work: Writing, clock: Clock) -> bool:
    """Return whether the office that a deadline waits for is closed."""
    whom = clock.waits_on
    return whom is not None and not directory.by_id(work, whom).active


def waits_for_arrival(work: Writing, clock: Clock, *, absent: bool) -> bool:
    """Move the deadline of a person who travels on by a day; return False if it is missed.

    The deadline of an office that was closed meanwhile is missed at once, and once.
    """
    record = None
    if clock.kind == ClockKind.CONFIRM_ARRIVAL:
        record = returns.find_travelling(work, clock)
    is_shut = absent and clock.fires_at is None
    return record is not None and arrivals.move_on(work, record, clock) and not is_shut


def look(work: Writing, case: Case, clock: Clock, *, absent: bool) -> Ran:
    """Return a missed deadline with its record and how often it has been missed by now."""
    noun = noun_of(clock.reference, clock.kind, of_case=clock.record_id == case.id)
    late = LATE[noun, clock.kind]
    count = silences(clock.due_at, rhythm(work, clock, late), work.now)
    record = record_of(work, case, clock, noun)
    return Ran(case, clock, noun, late, record, count, absent)


def rhythm(work: Writing, clock: Clock, late: Late) -> Rhythm:
    """Return the times after which a deadline counts as missed again."""
    return breaches.rhythm_of(work, clock, LEAST.get(late.effect, DAY))


def record_of(work: Writing, case: Case, clock: Clock, noun: Noun) -> Recorded:
    """Return the record that a deadline is about; for a question or a fact, the case."""
    match noun:
        case Noun.REFERRAL:
            found = referred.of_case(work, case.id)
            return next(one for one in found if one.id == clock.record_id)
        case Noun.HANDOVER:
            handover = offered.open_of(work, case.id)
            return handover or case
        case Noun.RETURN:
            return returns.by_id(work, clock.record_id)
        case Noun.APPROVAL:
            return Named(clock.record_id, case.id, clock.reference)
        case Noun.CASE | Noun.QUESTION | Noun.INTERESTS | Noun.CONSENT | Noun.READING:
            return case


def keep(work: Writing, ran: Ran) -> None:
    """Record that the deadline was missed, and set when it counts as missed again."""
    again = next_silence(ran.clock.due_at, rhythm(work, ran.clock, ran.late), ran.count)
    deadlines.fired(work, ran.clock, again)
    work.session.flush()


def tell(work: Writing, ran: Ran) -> None:
    """Record the event of a missed deadline for the offices that may know of its record."""
    if ran.late.event is not None:
        facts = {"clock": ran.clock.kind, "silence": ran.count, "active": not ran.absent}
        work.record(ran.late.event, ran.record, hearers(ran), facts)


def hearers(ran: Ran) -> frozenset[UUID]:
    """Return the offices that receive the event of a missed deadline.

    A submitter learns whether its case is taken, but not how a lead works on it afterwards,
    nor of working days beyond a border (R12). Oversight learns about cases and about data
    that was not deleted.
    """
    case, record = ran.case, ran.record
    kept = ran.clock.kind == ClockKind.CONFIRM_DELETION
    match record:
        case Referral():
            return record.audience | (case.overseers if kept else frozenset())
        case Handover():
            return record.audience
        case Return():
            return audience_of_return(record)
        case _:
            return of_the_case_itself(ran)


def of_the_case_itself(ran: Ran) -> frozenset[UUID]:
    """Return the audience of a missed deadline about no referral, handover or return."""
    case, whom = ran.case, ran.clock.waits_on
    if ran.noun == Noun.QUESTION:
        return frozenset({case.submitter, case.holder or case.submitter})
    if ran.noun == Noun.READING:
        return emergency.watchers(case)
    if ran.noun == Noun.APPROVAL:
        return frozenset({whom}) if whom else frozenset()
    return case.missed_deadline_audience


def effect_for(ran: Ran) -> Effect:
    """Return the effect of a missed deadline."""
    whom = ran.clock.waits_on
    at_desk = whom is not None and Relation.DESK in ran.case.relations_of(whom)
    return effect_of(ran.late, ran.count, at_desk=at_desk, absent=ran.absent)


def pass_on(work: Writing, ran: Ran) -> None:
    """Take the case from the office that did not answer, and give it to the next."""
    before = ran.case.holder
    if before is not None:
        routing.pass_over(work, ran.case.id, before)
    reroute(work, ran.case)
    alert(work, ran.case, ran.clock.record_id, before, ran.case.holder)


def expire(work: Writing, ran: Ran) -> None:
    """End an offer or referral that was not decided in time; its sender can ask another."""
    if isinstance(ran.record, Handover):
        handovers.expire(work, ran.record)
    elif isinstance(ran.record, Referral):
        referrals.expire(work, ran.record)
    late, holder = ran.clock.waits_on, ran.case.holder
    alert(work, ran.case, ran.clock.record_id, late, holder)


def drop(work: Writing, ran: Ran) -> None:
    """Discard a draft that was not finished in time."""
    if isinstance(ran.record, Referral):
        referrals.drop(work, ran.record, WithdrawReason.NO_LONGER_NEEDED)
    else:
        erasing.drop(work, ran.case)


def lapse(work: Writing, ran: Ran) -> None:
    """Expire a request for approval; it can be made again."""
    deadlines.stop(work, ran.record.id)


def announce(work: Writing, ran: Ran) -> None:
    """Announce the end of a consent, and update the deadline to assess a child (G02)."""
    announce_end(work, ran.case, ran.clock)
    work.session.flush()
    watch_interests(work, ran.case)


def end_reading(work: Writing, ran: Ran) -> None:
    """Expire an emergency access, or the request for one (R16)."""
    emergency.run_out(work, ran.case, ran.clock.record_id)


EFFECTS: Final[Mapping[Effect, Callable[[Writing, Ran], None]]] = {
    Effect.REROUTE: pass_on,
    Effect.EXPIRE: expire,
    Effect.REMIND: lambda work, ran: remind(work, ran.case, ran.clock, ran.count),
    Effect.DROP: drop,
    Effect.LAPSE: lapse,
    Effect.ANNOUNCE: announce,
    Effect.END_READING: end_reading,
    Effect.ERASE: lambda work, ran: erasing.lapse(work, ran.case),
}
