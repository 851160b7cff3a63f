"""Effects on open cases when an agreement ends or an office can no longer act (ADR 50).

Help that is being given continues. A request that can no longer be completed ends at once,
so that its sender can ask another office. The office that has to act is notified.
"""

from collections.abc import Iterator
from typing import Final
from uuid import UUID

from app.access.office_staff import find_unattended_offices, is_unattended
from app.cases import system_queries
from app.cases.lifecycle import LED, OPEN
from app.cases.models import Case
from app.casework.carrying import escalate_to_desk
from app.casework.escalating import notify_about_case
from app.consents import standing
from app.directory import queries as directory_queries
from app.handovers import following as handover_following
from app.handovers import queries as handover_queries
from app.handovers.models import Handover
from app.kernel.actors import Relation, get_system_actor
from app.kernel.journal import was_recorded
from app.kernel.problems import NotFound
from app.kernel.transactions import ReadTransaction, WriteTransaction
from app.kernel.vault import Unopenable
from app.referrals import following as referral_following
from app.referrals import queries as referral_queries
from app.referrals.agreements import find_held_back_sections, remove_sections
from app.referrals.helper_ranking import may_know_recipient
from app.referrals.lifecycle import ASKED, AT_WORK, State
from app.referrals.models import Referral
from app.returns import following as return_following
from app.returns import queries as return_queries
from app.returns.models import Return

WITHOUT_AGREEMENT: Final = "referral.without_agreement"
RECIPIENT_CLOSED: Final = "return.recipient_closed"


def list_cases(tx: ReadTransaction) -> list[UUID]:
    """List the ids of cases affected by an ended agreement or an office that cannot act."""
    return list(dict.fromkeys(find_cases(tx)))


def find_cases(tx: ReadTransaction) -> Iterator[UUID]:
    """Yield the ids for `list_cases`. An id can occur more than once."""
    ended = find_unattended_offices(tx)
    yield from system_queries.list_led_without_desk(tx.session, ended)
    for handover in handover_queries.list_offered(tx):
        if may_lack_agreement(tx, handover):
            yield handover.case_id
    for referral in referral_queries.list_open(tx):
        if is_affected(tx, referral):
            yield referral.case_id
    yield from referral_queries.list_completed_without_snapshot(tx)
    for record in return_queries.list_with_closed_recipient(tx):
        if not was_announced(tx, record, RECIPIENT_CLOSED):
            yield record.case_id
    for record in return_queries.list_misdirected_visits(tx, ended):
        yield record.case_id


def may_lack_agreement(tx: ReadTransaction, handover: Handover) -> bool:
    """Return whether a handover across a border may lack an agreement.

    The result is True if the case cannot be decrypted, so that the case is processed and
    the failure is logged.
    """
    try:
        return handover_following.needs_agreement(tx, handover)
    except (NotFound, Unopenable):
        return True


def is_affected(tx: ReadTransaction, referral: Referral) -> bool:
    """Return whether a referral requires an action.

    An action is required if agreements no longer cover all sections, or if the recipient
    asked for information and was closed. If the recipient has accepted the referral, a
    missing agreement requires an action only once.
    """
    if is_asked_by_closed_office(referral):
        return True
    if not find_held_back_sections(tx, referral):
        return False
    return referral.state in ASKED or not was_announced(tx, referral, WITHOUT_AGREEMENT)


def is_asked_by_closed_office(referral: Referral) -> bool:
    """Return whether the recipient asked for more information and is closed now."""
    return referral.state == State.INFO_REQUESTED and not referral.recipient.active


def was_announced(tx: ReadTransaction, record: Referral | Return, event: str) -> bool:
    """Return whether an event that announces an ending was recorded for this record."""
    return was_recorded(tx.session, record.case_id, record.id, event)


def apply_case_endings(tx: WriteTransaction, case_id: UUID) -> bool:
    """Update one case for agreements that have ended and offices that can no longer act.

    Return whether an office was informed. The result is False if the case is not open, or
    if another transaction has locked the case. Raises DeskMissing (503) if no desk can take
    the case.
    """
    case = system_queries.lock_if_free(tx, case_id)
    if case is None or case.state not in OPEN:
        return False
    tx.actor = get_system_actor(case.holder or case.submitter)
    told = [*apply_to_lead(tx, case), *apply_to_offer(tx, case)]
    for referral in referral_queries.list_of_case(tx, case.id):
        if referral.state in ASKED | AT_WORK and is_affected(tx, referral):
            told += apply_to_referral(tx, case, referral)
        if referral.state == State.COMPLETED:
            case.complete_part(referral.id, tx.now)
    for record in return_queries.list_open(tx, [case.id]).get(case.id, []):
        told += apply_to_return(tx, case, record)
    notify_about_case(tx, case, case.id, *dict.fromkeys(told))
    return bool(told)


def apply_to_lead(tx: WriteTransaction, case: Case) -> Iterator[UUID | None]:
    """If the lead is unattended and no desk is a party, add the desk and yield its id."""
    lead = case.with_relation(Relation.LEAD)
    if case.state not in LED or lead is None or not is_unattended(tx, lead):
        return
    if case.with_relation(Relation.ESCALATION_DESK) is None:
        escalate_to_desk(tx, case)
        yield case.with_relation(Relation.ESCALATION_DESK)


def apply_to_offer(tx: WriteTransaction, case: Case) -> Iterator[UUID | None]:
    """Cancel an offered handover that agreements no longer allow, and yield the holder."""
    if handover_following.cancel_unagreed(tx, case):
        yield case.holder


def apply_to_referral(
    tx: WriteTransaction, case: Case, referral: Referral
) -> Iterator[UUID | None]:
    """Update a referral after an agreement ended or the recipient was closed.

    The offices that have to act are yielded. A referral ends if its recipient asked for
    information and was closed, because nobody would read the answer. Before acceptance, a
    referral continues with the sections that may still cross the border. After acceptance,
    the recipient keeps the sections, and the holder is informed if it may learn who helps.
    """
    if is_asked_by_closed_office(referral):
        referral_following.expire(tx, referral)
        yield case.holder
    elif referral.state in ASKED:
        remove_sections(tx, referral, find_held_back_sections(tx, referral))
        yield case.holder
    else:
        told = get_informed_holder(tx, case, referral)
        facts = {"state": referral.state, "service": referral.service}
        tx.record(WITHOUT_AGREEMENT, referral, told, facts, by_system=True)
        yield from told


def get_informed_holder(
    tx: ReadTransaction, case: Case, referral: Referral
) -> frozenset[UUID]:
    """Return the holder as a set, or an empty set if it must not learn who helps."""
    if case.holder is None:
        return frozenset()
    holder = directory_queries.by_id(tx, case.holder)
    known = may_know_recipient(referral, standing.load_for_case(tx, case), holder)
    return frozenset({holder.id}) if known else frozenset()


def apply_to_return(
    tx: WriteTransaction, case: Case, record: Return
) -> Iterator[UUID | None]:
    """If the recipient of a return is closed or cannot act, inform and yield the holder.

    Before departure, the holder is informed once. During the visits, the holder is informed
    each time the visits are reassigned from the recipient to the lead.
    """
    if return_queries.has_closed_recipient(record):
        is_new = not was_announced(tx, record, RECIPIENT_CLOSED)
    else:
        is_new = return_following.reassign_visits(tx, record)
    if is_new:
        told = frozenset({case.holder} if case.holder else ())
        tx.record(RECIPIENT_CLOSED, record, told, {"state": record.state}, by_system=True)
        yield from told
