"""Functions that take the steps of a referral."""

from uuid import UUID

from app.cases import actions as case_actions
from app.cases import default_contacts
from app.cases.models import Case
from app.cases.sections import Paper, collect_names
from app.consents import standing
from app.directory import queries as directory_queries
from app.directory.kinds import OfficeKind, Service
from app.directory.models import FocalPoint
from app.kernel.actors import HELPING_RELATIONS, Relation
from app.kernel.transactions import WriteTransaction
from app.kernel.versions import SeenVersions
from app.referrals import queries as referral_queries
from app.referrals.actions import (
    PendingStep,
    RedirectLoop,
    check_step,
    create_draft,
    lock_and_check,
    require_fit_recipient,
    require_may_open,
    take_step,
)
from app.referrals.agreements import find_held_back_sections, remove_sections
from app.referrals.lifecycle import Action
from app.referrals.models import Referral
from app.referrals.needs import Terms
from app.referrals.schemas import (
    AcceptReferral,
    AnswerReferral,
    Arrangement,
    AskAboutReferral,
    CompleteReferral,
    HoldReferral,
    RedirectReferral,
    ReferralInput,
    ReportReferral,
)


def create_referral(tx: WriteTransaction, case: Case, new: ReferralInput) -> Referral:
    """Open a draft referral in a case that the caller holds, and send it if requested.

    Raises ActionIllegal (409), ActionNotYours or RoleMissing (403), FocalPointUnknown or
    RecipientUnfit (422), and the errors of `check_step`.
    """
    require_may_open(tx, case)
    recipient = directory_queries.get_by_code_or_422(tx, new.recipient)
    require_fit_recipient(case, recipient)
    referral = create_draft(tx, case, recipient, new)
    return send(tx, check_step(tx, referral, Action.SEND)) if new.send else referral


def send(tx: WriteTransaction, pending: PendingStep) -> Referral:
    """Send a referral and make its recipient a party.

    A State body that is asked for a travel document reads a snapshot of the case. Raises
    RecipientUnfit (422) if the recipient may no longer receive the referral.
    """
    referral = pending.referral
    require_fit_recipient(pending.case, referral.recipient)
    referral.basis, to = pending.basis, referral.recipient
    document = referral.service == Service.CONSULAR_DOCUMENT and to.kind == OfficeKind.STATE
    asked = pending.case.take_snapshot() if document else None
    pending.case.add_party(to.id, Relation.RECIPIENT, tx.now, referral.id, asked)
    return take_step(tx, pending)


def ask(tx: WriteTransaction, pending: PendingStep, request: AskAboutReferral) -> Referral:
    """Ask the sender a question. The deadline for the decision pauses until the answer."""
    pending.referral.asked = sorted(set(request.topics))
    case_actions.add_note(tx, pending.referral, "question", request.question)
    return take_step(tx, pending)


def send_answer(
    tx: WriteTransaction, pending: PendingStep, request: AnswerReferral
) -> Referral:
    """Answer the recipient's question, and add the answer's sections to the referral."""
    referral = pending.referral
    referral.sections = sorted({*referral.sections, *request.sections})
    referral.asked = []
    case_actions.add_message(tx, referral, "answer", request.answer)
    return take_step(tx, pending, resumed=True)


def redirect(
    tx: WriteTransaction, pending: PendingStep, request: RedirectReferral
) -> Referral:
    """End the referral and create a draft for the office that could help instead.

    The draft names this referral as its predecessor. If the office was already asked, no
    draft is created; if the recipient may learn this, RedirectLoop (422) is raised. Raises
    FocalPointUnknown or RecipientUnfit (422) if the office is not known or may not receive
    referrals.
    """
    referral = pending.referral
    other = directory_queries.get_by_code_or_422(tx, request.alternative)
    asked = other.id in get_referral_chain(tx, referral)
    is_known = asked and may_know_asked(tx, referral, other)
    require_fit_recipient(pending.case, other)
    end_with_reason(tx, pending, request.reason, request.note, alternative=other.code)
    if is_known:  # the last check, so that no other error tells the offices apart
        raise RedirectLoop(
            "Name an office that this request has not reached yet, or decline the referral."
        )
    if not asked:
        create_draft(tx, pending.case, other, referral)
    return referral


def may_know_asked(tx: WriteTransaction, referral: Referral, other: FocalPoint) -> bool:
    """Return whether the recipient of a referral may learn that an office was asked.

    An office that may belong to the State of origin must not find out where the person gets
    help, for example by redirecting referrals to one office after another (ADR 57). So it
    gets the same response for an office that was asked as for any other office.
    """
    recipient = referral.recipient
    case_file = standing.load_for_case(tx, referral.case)
    return other.id == recipient.id or case_file.may_see_helper(recipient, other)


def get_referral_chain(tx: WriteTransaction, referral: Referral) -> frozenset[UUID]:
    """Return the recipients of a referral and of all referrals that it replaces."""
    chain, step = {referral.recipient_id}, referral
    while step.predecessor_id is not None:
        step = referral_queries.get_predecessor(tx, step)
        chain.add(step.recipient_id)
    return frozenset(chain)


def pause_help(
    tx: WriteTransaction, pending: PendingStep, request: HoldReferral
) -> Referral:
    """Pause help until a review, whose time is in the request."""
    pending.referral.reason = request.reason
    case_actions.add_note(tx, pending.referral, pending.step.action, request.note)
    return take_step(tx, pending, due_at=request.review_at)


def resume(tx: WriteTransaction, pending: PendingStep) -> Referral:
    """Resume help, and resume the deadline of the referral with its remaining time."""
    pending.referral.reason = None
    return take_step(tx, pending, resumed=True)


def confirm_deletion(tx: WriteTransaction, pending: PendingStep) -> Referral:
    """Record that the recipient deleted its copy, and end the recipient's relations."""
    for relation in HELPING_RELATIONS:
        pending.case.end_relation(relation, tx.now, pending.referral.id)
    return take_step(tx, pending)


def accept(
    tx: WriteTransaction, referral_id: UUID, seen: SeenVersions, promise: AcceptReferral
) -> Referral:
    """Accept a referral and seal the arrangement for the first meeting.

    Sections that no agreement allows are removed. Raises the errors of `lock_and_check`.
    """
    contacts = default_contacts.complete(tx, promise.contacts)
    terms = Terms(meeting_at=promise.meeting.at, contacts=collect_names(contacts))
    pending = lock_and_check(tx, referral_id, Action.ACCEPT, seen, terms)
    arrangement = Arrangement(meeting=promise.meeting, contacts=contacts)
    remove_sections(tx, pending.referral, find_held_back_sections(tx, pending.referral))
    case_actions.store_sealed(tx, pending.referral, Paper.ARRANGEMENT, arrangement)
    return take_step(tx, pending)


def report(tx: WriteTransaction, pending: PendingStep, request: ReportReferral) -> Referral:
    """Store a sealed report for the sender and restart the deadline for the next report."""
    case_actions.add_note(tx, pending.referral, "feedback", request.feedback)
    return take_step(tx, pending)


def complete(
    tx: WriteTransaction, pending: PendingStep, request: CompleteReferral
) -> Referral:
    """Complete a referral with its outcome and store sealed feedback for the sender."""
    pending.referral.outcome = request.outcome
    case_actions.add_note(tx, pending.referral, "feedback", request.feedback)
    return take_step(tx, pending)


def end_with_reason(
    tx: WriteTransaction,
    pending: PendingStep,
    reason: str,
    note: str | None = None,
    *,
    alternative: str | None = None,
) -> Referral:
    """Decline, redirect, withdraw or revoke a referral, with a reason; seal any note."""
    pending.referral.reason = reason
    case_actions.add_note(tx, pending.referral, pending.step.action, note)
    return take_step(tx, pending, alternative=alternative)
