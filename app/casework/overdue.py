"""Record missed deadlines and apply their effects (R54, R55)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from app.cases import system_queries
from app.cases.models import Case
from app.cases.reasons import WithdrawReason
from app.casework import emergency, erasing, lateness
from app.casework.carrying import redirect_case
from app.casework.consent_expiry import notify_consent_end
from app.casework.emergency import expire_access
from app.casework.escalating import notify_about_case, remind_office
from app.casework.lateness import LATENESS_RULES, Effect, LatenessRule, Noun
from app.casework.watching import update_assessment_deadline
from app.deadlines import actions as deadline_actions
from app.deadlines import missed_deadlines
from app.deadlines.limits import DeadlineKind
from app.deadlines.miss_counts import DAY, HOUR, Rhythm, compute_next_miss, count_misses
from app.deadlines.models import Clock
from app.directory import queries as directory_queries
from app.handovers import following as handover_following
from app.handovers import queries as handover_queries
from app.handovers.models import Handover
from app.kernel.actors import Relation, get_system_actor
from app.kernel.transactions import Recorded, RecordIdentity, WriteTransaction
from app.referrals import following as referral_following
from app.referrals import queries as referral_queries
from app.referrals.models import Referral
from app.returns import arrivals
from app.returns import queries as return_queries
from app.returns.actions import get_audience as audience_of_return
from app.returns.models import Return
from app.routing import actions as routing_actions

MIN_REPEAT: Final[Mapping[Effect, timedelta]] = {Effect.EXPIRE_AT_SECOND: HOUR}
"""The minimum time until a deadline counts as missed again; a day for other effects."""


@dataclass(frozen=True)
class MissedDeadline:
    """A missed deadline, with its record and the number of times that it was missed."""

    case: Case
    clock: Clock
    noun: Noun
    late: LatenessRule
    record: Recorded
    count: int
    absent: bool


def handle_missed_deadline(tx: WriteTransaction, number: int, case_id: UUID) -> bool:
    """Apply the effect of a missed deadline, and return False if there was nothing to do.

    There is nothing to do if another transaction has locked the case, if the deadline is no
    longer due, or if the person is still travelling. The effect is applied only once,
    because the case is locked and the deadline is read again (R55). Raises DeskMissing
    (503) if no desk can take the case.
    """
    case = system_queries.lock_if_free(tx, case_id)
    if case is None:
        return False
    clock = missed_deadlines.read_again(tx, number)
    absent = is_absent(tx, clock)
    if not missed_deadlines.has_run_out(clock, tx.now, absent=absent):
        return False
    if move_to_next_day(tx, clock, absent=absent):
        return False
    tx.actor = get_system_actor(clock.waits_on or case.submitter)
    miss = build_missed_deadline(tx, case, clock, absent=absent)
    record_firing(tx, miss)
    record_event(tx, miss)
    EFFECTS[resolve_effect(miss)](tx, miss)
    return True


def is_absent(tx: WriteTransaction, clock: Clock) -> bool:
    """Return whether the office that a deadline waits for is closed."""
    office = clock.waits_on
    return office is not None and not directory_queries.by_id(tx, office).active


def move_to_next_day(tx: WriteTransaction, clock: Clock, *, absent: bool) -> bool:
    """Move an arrival deadline to the end of today while the person is still travelling.

    Returns False if the deadline counts as missed, or is not for an arrival. If the office
    is closed, the deadline counts as missed once, and is moved until the arrival is due.
    """
    record = None
    if clock.kind == DeadlineKind.CONFIRM_ARRIVAL:
        record = return_queries.find_travelling(tx, clock)
    is_shut = absent and not missed_deadlines.count_firings(tx, clock)
    return record is not None and arrivals.move_deadline(tx, record, clock) and not is_shut


def build_missed_deadline(
    tx: WriteTransaction, case: Case, clock: Clock, *, absent: bool
) -> MissedDeadline:
    """Return a missed deadline with its record and the number of times it was missed."""
    of_case = clock.record_id == case.id
    noun = lateness.get_record_kind(clock.reference, clock.kind, of_case=of_case)
    late = LATENESS_RULES[noun, clock.kind]
    count = count_misses(clock.due_at, get_rhythm(tx, clock, late), tx.now)
    record = find_record(tx, case, clock, noun)
    return MissedDeadline(
        case=case,
        clock=clock,
        noun=noun,
        late=late,
        record=record,
        count=count,
        absent=absent,
    )


def get_rhythm(tx: WriteTransaction, clock: Clock, late: LatenessRule) -> Rhythm:
    """Return the intervals after which a deadline counts as missed again."""
    return missed_deadlines.compute_rhythm(tx, clock, MIN_REPEAT.get(late.effect, DAY))


def find_record(tx: WriteTransaction, case: Case, clock: Clock, noun: Noun) -> Recorded:
    """Return the referral, handover, return or approval of a deadline, or else its case."""
    match noun:
        case Noun.REFERRAL:
            found = referral_queries.list_of_case(tx, case.id)
            return next(one for one in found if one.id == clock.record_id)
        case Noun.HANDOVER:
            return handover_queries.find_open(tx, case.id) or case
        case Noun.RETURN:
            return return_queries.by_id(tx, clock.record_id)
        case Noun.APPROVAL:
            return RecordIdentity(clock.record_id, case.id, clock.reference)
        case Noun.CASE | Noun.QUESTION | Noun.INTERESTS | Noun.CONSENT | Noun.READING:
            return case


def record_firing(tx: WriteTransaction, miss: MissedDeadline) -> None:
    """Record that a deadline was missed, and schedule the next check of this deadline."""
    rhythm = get_rhythm(tx, miss.clock, miss.late)
    again = compute_next_miss(miss.clock.due_at, rhythm, miss.count)
    deadline_actions.record_firing(tx, miss.clock, again)
    tx.session.flush()


def record_event(tx: WriteTransaction, miss: MissedDeadline) -> None:
    """Record the event of a missed deadline for the offices in its audience."""
    if miss.late.event is not None:
        facts = {
            "deadline": miss.clock.kind,
            "missed": miss.count,
            "active": not miss.absent,
        }
        tx.record(miss.late.event, miss.record, get_audience(miss), facts)


def get_audience(miss: MissedDeadline) -> frozenset[UUID]:
    """Return the offices that receive the event of a missed deadline.

    Oversight offices are included if the deadline is for the case itself, a child's best
    interests, an emergency access or the confirmation of a deletion.
    """
    case, record = miss.case, miss.record
    kept = miss.clock.kind == DeadlineKind.CONFIRM_DELETION
    match record:
        case Referral():
            return record.audience | (case.overseers if kept else frozenset())
        case Handover():
            return record.audience
        case Return():
            return audience_of_return(record)
        case _:
            return get_case_audience(miss)


def get_case_audience(miss: MissedDeadline) -> frozenset[UUID]:
    """Return the audience of a deadline that is not for a referral, handover or return."""
    case, office = miss.case, miss.clock.waits_on
    if miss.noun == Noun.QUESTION:
        return frozenset({case.submitter, case.holder or case.submitter})
    if miss.noun == Noun.READING:
        return emergency.list_watchers(case)
    if miss.noun == Noun.APPROVAL:
        return frozenset({office}) if office else frozenset()
    return case.missed_deadline_audience


def resolve_effect(miss: MissedDeadline) -> Effect:
    """Return the effect of a missed deadline."""
    office = miss.clock.waits_on
    at_desk = office is not None and Relation.DESK in miss.case.list_relations(office)
    return lateness.get_effect(miss.late, miss.count, at_desk=at_desk, absent=miss.absent)


def apply_redirection(tx: WriteTransaction, miss: MissedDeadline) -> None:
    """Take the case from the office that did not answer, and give it to the next office."""
    before = miss.case.holder
    if before is not None:
        routing_actions.record_passed_over(tx, miss.case.id, before)
    redirect_case(tx, miss.case)
    notify_about_case(tx, miss.case, miss.clock.record_id, before, miss.case.holder)


def apply_expiry(tx: WriteTransaction, miss: MissedDeadline) -> None:
    """End an overdue offer or referral, and notify the late office and the holder."""
    if isinstance(miss.record, Handover):
        handover_following.expire(tx, miss.record)
    elif isinstance(miss.record, Referral):
        referral_following.expire(tx, miss.record)
    late, holder = miss.clock.waits_on, miss.case.holder
    notify_about_case(tx, miss.case, miss.clock.record_id, late, holder)


def apply_discard(tx: WriteTransaction, miss: MissedDeadline) -> None:
    """Discard a draft that was not finished in time."""
    if isinstance(miss.record, Referral):
        referral_following.revoke_draft(tx, miss.record, WithdrawReason.NO_LONGER_NEEDED)
    else:
        erasing.discard_unfinished(tx, miss.case)


def apply_announcement(tx: WriteTransaction, miss: MissedDeadline) -> None:
    """Announce the end of a consent; update the deadline to assess best interests (G02)."""
    notify_consent_end(tx, miss.case, miss.clock)
    tx.session.flush()
    update_assessment_deadline(tx, miss.case)


EFFECTS: Final[Mapping[Effect, Callable[[WriteTransaction, MissedDeadline], None]]] = {
    Effect.REROUTE: apply_redirection,
    Effect.EXPIRE: apply_expiry,
    Effect.REMIND: lambda tx, miss: remind_office(tx, miss.case, miss.clock, miss.count),
    Effect.DROP: apply_discard,
    Effect.LAPSE: lambda tx, miss: deadline_actions.stop(tx, miss.record.id),
    Effect.ANNOUNCE: apply_announcement,
    Effect.END_EMERGENCY_ACCESS: lambda tx, miss: expire_access(
        tx, miss.case, miss.clock.record_id
    ),
    Effect.ERASE: lambda tx, miss: erasing.erase_after_retention(tx, miss.case),
}
