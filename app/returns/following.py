"""Changes to returns that follow from changes to the case, consents or safeguards."""

from typing import Final
from uuid import UUID

from sqlalchemy import delete, select

from app.cases import actions as case_actions
from app.cases.lifecycle import OPEN as CASE_OPEN
from app.cases.models import Case
from app.cases.reasons import WithdrawReason
from app.consents import standing
from app.consents.standing import Standing
from app.deadlines import actions as deadline_actions
from app.deadlines.queries import find_last_stopped, find_running
from app.kernel.actors import Side
from app.kernel.transactions import WriteTransaction
from app.referrals import following as referral_following
from app.referrals.lifecycle import AT_WORK, OPEN
from app.referrals.lifecycle import State as ReferralState
from app.returns import origin_contact
from app.returns import queries as return_queries
from app.returns.actions import (
    PendingStep,
    is_paused,
    request_documents,
    start_deadline,
    take_step,
)
from app.returns.lifecycle import (
    BEFORE_DEPARTURE,
    CLOCKS,
    GOING,
    ON_THE_WAY_TO_GO,
    TABLE,
    Action,
    State,
)
from app.returns.models import Done, Return
from app.returns.situation import find_document_referral, list_document_referrals, load_view

AFTER_GO: Final = BEFORE_DEPARTURE - ON_THE_WAY_TO_GO


def find_covered(tx: WriteTransaction, case: Case, case_file: Standing) -> frozenset[UUID]:
    """Return the ids of the open returns that a consent in `case_file` covers."""
    found = return_queries.list_open(tx, [case.id]).get(case.id, [])
    covers = case_file.has_consent_to_return
    return frozenset(record.id for record in found if covers(record.referral.recipient))


def reassign_all_deadlines(tx: WriteTransaction, case: Case) -> None:
    """Reassign the holder's deadlines in referrals and returns to the new holder of a case.

    Returns that have lost their basis end.
    """
    referral_following.reassign_deadlines(tx, case)
    end_or_reassign(tx, case)


def end_or_reassign(
    tx: WriteTransaction, case: Case, rested: frozenset[UUID] = frozenset()
) -> None:
    """End returns that have lost their basis; reassign the deadlines of the other returns.

    `rested` contains the ids of the returns that a consent covered before a withdrawal.
    """
    tx.session.flush()
    for record in return_queries.list_open(tx, [case.id]).get(case.id, []):
        case_file = standing.load_for_case(tx, case)
        if record.state in GOING and has_lost_basis(record, case_file, rested):
            end_by_system(tx, record)
        else:
            reassign_deadline(tx, record, case_file)
    origin_contact.reassign_deadline(tx, case)


def has_lost_basis(record: Return, case_file: Standing, rested: frozenset[UUID]) -> bool:
    """Return whether a return has lost its basis.

    This is true if the consent was withdrawn, the referral ended without completion, the
    case ended, the State of origin must not be contacted, or the recipient is unsafe.
    `rested` contains the ids of the returns that a consent covered before.
    """
    referral, recipient = record.referral, record.referral.recipient
    taken_back = record.id in rested and not case_file.has_consent_to_return(recipient)
    is_unsafe = not case_file.is_safe(recipient, recipient.code)
    referral_ended = referral.state not in AT_WORK | {ReferralState.COMPLETED}
    contact_forbidden = case_file.safeguards.is_origin_blocked()
    case_ended = record.case.state not in CASE_OPEN
    return taken_back or is_unsafe or referral_ended or contact_forbidden or case_ended


def end_by_system(tx: WriteTransaction, record: Return) -> None:
    """End a return, or halt it during the journey, and withdraw its referrals."""
    step = TABLE.find(record.state, Action.END, {Side.SYSTEM}, frozenset())
    take_step(tx, PendingStep(load_view(tx, record), step))
    withdraw_referrals(tx, record, WithdrawReason.NO_LONGER_NEEDED)


def reopen_decisions(tx: WriteTransaction, case: Case) -> None:
    """Reopen the decision GO after the age class changed between child and adult.

    The requirements of GO differ for a child. Pending approvals of the decision expire.
    """
    for record in return_queries.list_open(tx, [case.id]).get(case.id, []):
        if record.state in AFTER_GO:
            step = TABLE.find(record.state, Action.REOPEN, {Side.SYSTEM}, frozenset())
            take_step(tx, PendingStep(load_view(tx, record), step))
        elif record.state in BEFORE_DEPARTURE:
            record.raise_version()
            case_actions.expire_approvals(tx, case, record)


def withdraw_referrals(
    tx: WriteTransaction, record: Return, reason: WithdrawReason
) -> None:
    """Withdraw a return's referrals and any permission to contact the State of origin."""
    if record.referral.state in AT_WORK:
        referral_following.withdraw_by_system(tx, record.referral, reason)
    withdraw_document_referrals(tx, record)
    origin_contact.reopen_decision(tx, record)


def withdraw_document_referrals(tx: WriteTransaction, record: Return) -> None:
    """Withdraw the referrals that ask the State of origin for documents for a return.

    The reason is always the same, so that the consulate does not learn whether the person
    declined, was in danger or went home.
    """
    case_file = standing.load_for_case(tx, record.case)
    for referral in list_document_referrals(tx, record, case_file, OPEN):
        referral_following.withdraw_by_system(tx, referral, WithdrawReason.NO_LONGER_NEEDED)


def reassign_deadline(tx: WriteTransaction, record: Return, case_file: Standing) -> None:
    """Reassign the deadline of a return to the office that now has to act.

    If the new office is the consulate, an event asks it for the documents.
    """
    kind, side = CLOCKS[record.state]
    document_referral = find_document_referral(tx, record, case_file)
    office_id = return_queries.find_awaited_office(tx, record, side, document_referral)
    clock = find_running(tx, [record.id]).get(record.id)
    is_resting = is_paused(record, office_id)
    if clock is None and side == Side.CONSULATE and not is_resting:  # paused before
        clock = find_last_stopped(tx, [record.id], kind)
    if clock is None or clock.waits_on == office_id:
        return
    deadline_actions.hand_over_clock(tx, clock, office_id)
    if is_resting:
        deadline_actions.stop(tx, record.id)
    if side == Side.CONSULATE:
        request_documents(tx, record, document_referral)


def reassign_visits(tx: WriteTransaction, record: Return) -> bool:
    """Reassign the visits of a return if needed; return True if they pass to the lead."""
    clock = find_running(tx, [record.id]).get(record.id)
    if record.state != State.MONITORING or clock is None:
        return False
    side, referral = Side.RECIPIENT, record.referral
    office_id = return_queries.find_awaited_office(tx, record, side, referral)
    if clock.waits_on == office_id:
        return False
    deadline_actions.hand_over(tx, [record.id], office_id)
    return return_queries.is_recipient_gone(tx, record)


def pause_deadlines(tx: WriteTransaction, case: Case) -> None:
    """Pause the deadlines of steps that cannot be taken while the case is suspended."""
    for record in return_queries.list_open(tx, [case.id]).get(case.id, []):
        clock = find_running(tx, [record.id]).get(record.id)
        if clock is not None and is_paused(record, clock.waits_on):
            deadline_actions.stop(tx, record.id)


def resume_deadlines(tx: WriteTransaction, case: Case) -> None:
    """Resume the paused deadlines of returns, and ask a new consulate for documents."""
    found = return_queries.list_open(tx, [case.id]).get(case.id, [])
    running_clocks = find_running(tx, [record.id for record in found])
    for record in found:
        if record.id in running_clocks:
            continue
        kind, side = CLOCKS[record.state]
        before = find_last_stopped(tx, [record.id], kind)
        start_deadline(tx, record, resumed=True)
        case_file = standing.load_for_case(tx, case)
        document_referral = find_document_referral(tx, record, case_file)
        asked = before is None or before.waits_on != document_referral.recipient_id
        if side == Side.CONSULATE and asked:
            request_documents(tx, record, document_referral)


def erase_steps(tx: WriteTransaction, case_id: UUID) -> None:
    """Delete the steps of the returns of a case, their digest, and the times of visits."""
    of_case = Return.case_id == case_id
    return_ids = select(Return.id).where(of_case).scalar_subquery()
    tx.session.execute(delete(Done).where(Done.return_id.in_(return_ids)))
    for record in tx.session.scalars(select(Return).where(of_case)):
        record.visits, record.steps_digest = [], None
