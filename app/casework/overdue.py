"""A clock ran out: silence becomes evidence, then somebody else's duty (R54, R55)."""

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
"""How long at the least until a silence counts again; else a day."""


@dataclass(frozen=True)
class Ran:
    """A clock that ran out, what it is about, and how often it was let pass by now."""

    case: Case
    clock: Clock
    noun: Noun
    late: Late
    record: Recorded
    count: int
    absent: bool


def fire(work: Writing, number: int, case_id: UUID) -> bool:
    """Let a clock that ran out have its effect.

    False: another has it in hand, or had; or it was moved on with a person who travels.

    Exactly once, however many workers look (R55): the case is held first, the clock read
    again. Raises DeskMissing (503) where nobody is left for a case.
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
    """Say whether an office is waited for that is active no longer."""
    whom = clock.waits_on
    return whom is not None and not directory.by_id(work, whom).active


def waits_for_arrival(work: Writing, clock: Clock, *, absent: bool) -> bool:
    """Move the clock of a person who travels on to the next day; False: it has run out.

    Of an office that was shut meanwhile it runs out at once, and once, like any other.
    """
    record = None
    if clock.kind == ClockKind.CONFIRM_ARRIVAL:
        record = returns.find_travelling(work, clock)
    is_shut = absent and clock.fires_at is None
    return record is not None and arrivals.move_on(work, record, clock) and not is_shut


def look(work: Writing, case: Case, clock: Clock, *, absent: bool) -> Ran:
    """Say what a clock is about, and how often it was let pass by now."""
    noun = noun_of(clock.reference, clock.kind, of_case=clock.record_id == case.id)
    late = LATE[noun, clock.kind]
    count = silences(clock.due_at, rhythm(work, clock, late), work.now)
    record = record_of(work, case, clock, noun)
    return Ran(case, clock, noun, late, record, count, absent)


def rhythm(work: Writing, clock: Clock, late: Late) -> Rhythm:
    """Say after how long a silence counts again."""
    return breaches.rhythm_of(work, clock, LEAST.get(late.effect, DAY))


def record_of(work: Writing, case: Case, clock: Clock, noun: Noun) -> Recorded:
    """Find what a clock is about; a question and a fact are told of by their case."""
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
    """Keep that it ran out, and look again when it was let pass once more."""
    again = next_silence(ran.clock.due_at, rhythm(work, ran.clock, ran.late), ran.count)
    deadlines.fired(work, ran.clock, again)
    work.session.flush()


def tell(work: Writing, ran: Ran) -> None:
    """Say in the journal that nobody answered, to those who may know of the record."""
    if ran.late.event is not None:
        facts = {"clock": ran.clock.kind, "silence": ran.count, "active": not ran.absent}
        work.record(ran.late.event, ran.record, hearers(ran), facts)


def hearers(ran: Ran) -> frozenset[UUID]:
    """Say who hears of a silence.

    A submitter hears whether its case is taken, and nothing of how a lead works on it
    afterwards, or of working days beyond a border (R12). Oversight hears of cases, and of
    what was not deleted.
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
    """Say who hears of a silence about a case, or about what is asked beside it."""
    case, whom = ran.case, ran.clock.waits_on
    if ran.noun == Noun.QUESTION:
        return frozenset({case.submitter, case.holder or case.submitter})
    if ran.noun == Noun.READING:
        return emergency.watchers(case)
    if ran.noun == Noun.APPROVAL:
        return frozenset({whom}) if whom else frozenset()
    return case.missed_deadline_audience


def effect_for(ran: Ran) -> Effect:
    """Say what it sets off."""
    whom = ran.clock.waits_on
    at_desk = whom is not None and Relation.DESK in ran.case.relations_of(whom)
    return effect_of(ran.late, ran.count, at_desk=at_desk, absent=ran.absent)


def pass_on(work: Writing, ran: Ran) -> None:
    """Take the case from who did not answer, and carry it to the next."""
    before = ran.case.holder
    if before is not None:
        routing.pass_over(work, ran.case.id, before)
    reroute(work, ran.case)
    alert(work, ran.case, ran.clock.record_id, before, ran.case.holder)


def expire(work: Writing, ran: Ran) -> None:
    """End what nobody decided in time; its sender can ask another at once."""
    if isinstance(ran.record, Handover):
        handovers.expire(work, ran.record)
    elif isinstance(ran.record, Referral):
        referrals.expire(work, ran.record)
    late, holder = ran.clock.waits_on, ran.case.holder
    alert(work, ran.case, ran.clock.record_id, late, holder)


def drop(work: Writing, ran: Ran) -> None:
    """Throw away a draft that nobody finished."""
    if isinstance(ran.record, Referral):
        referrals.drop(work, ran.record, WithdrawReason.NO_LONGER_NEEDED)
    else:
        erasing.drop(work, ran.case)


def lapse(work: Writing, ran: Ran) -> None:
    """Let a question to a second person be over: it can be asked anew."""
    deadlines.stop(work, ran.record.id)


def announce(work: Writing, ran: Ran) -> None:
    """Announce the end of a consent; once it has ended, see what a child is owed (G02)."""
    announce_end(work, ran.case, ran.clock)
    work.session.flush()
    watch_interests(work, ran.case)


def end_reading(work: Writing, ran: Ran) -> None:
    """Let a reading in an emergency, or the question for one, be over (R16)."""
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
