"""The steps of a referral, one function for each."""

from uuid import UUID

from app.cases import actions as case_actions
from app.cases.models import Case
from app.cases.sections import Paper
from app.directory import queries as directory_queries
from app.directory.kinds import Kind, Service
from app.kernel.actors import HELPING_RELATIONS, Relation
from app.kernel.transactions import WriteTransaction
from app.referrals import queries as referral_queries
from app.referrals.actions import (
    PendingStep,
    RecipientUnfit,
    check_step,
    create_draft,
    require_fit_recipient,
    require_may_open,
    take_step,
)
from app.referrals.agreements import find_held_back_sections, remove_sections
from app.referrals.lifecycle import Action
from app.referrals.models import Referral
from app.referrals.schemas import (
    AnswerReferral,
    Arrangement,
    AskAboutReferral,
    CompleteReferral,
    HoldReferral,
    NewReferral,
    RedirectReferral,
    ReportReferral,
)


def open_referral(tx: WriteTransaction, case: Case, new: NewReferral) -> Referral:
    """Open a draft in a case that the caller holds, or send it at once.

    Raises ActionIllegal (409), ActionNotYours or RoleMissing (403), FocalPointUnknown or
    RecipientUnfit (422), and the errors of `check_step`.
    """
    require_may_open(tx, case)
    recipient = directory_queries.get_by_code_or_422(tx, new.recipient)
    require_fit_recipient(case, recipient)
    referral = create_draft(tx, case, recipient, new)
    return send(tx, check_step(tx, referral, Action.SEND)) if new.send else referral


def send(tx: WriteTransaction, pending: PendingStep) -> Referral:
    """Send a referral; its recipient becomes a party of it.

    A State body that is asked for a travel document reads a snapshot of the case from then
    on. Raises RecipientUnfit (422), because the recipient may have changed since the draft.
    """
    referral = pending.referral
    require_fit_recipient(pending.case, referral.recipient)
    referral.basis, to = pending.basis, referral.recipient
    document = referral.service == Service.CONSULAR_DOCUMENT and to.kind == Kind.STATE
    asked = pending.case.take_snapshot() if document else None
    pending.case.add_party(to.id, Relation.RECIPIENT, tx.now, referral.id, asked)
    return take_step(tx, pending)


def ask(tx: WriteTransaction, pending: PendingStep, request: AskAboutReferral) -> Referral:
    """Ask the sender a question; the deadline to decide is paused until it answers."""
    pending.referral.asked = sorted(set(request.topics))
    case_actions.add_note(tx, pending.referral, "question", request.question)
    return take_step(tx, pending)


def send_answer(
    tx: WriteTransaction, pending: PendingStep, request: AnswerReferral
) -> Referral:
    """Answer the recipient, which may now also open the sections of the answer."""
    referral = pending.referral
    referral.sections = sorted({*referral.sections, *request.sections})
    referral.asked = []
    case_actions.add_message(tx, referral, "answer", request.answer)
    return take_step(tx, pending, resumed=True)


def redirect(
    tx: WriteTransaction, pending: PendingStep, request: RedirectReferral
) -> Referral:
    """End the referral and create a draft to the office that could help instead.

    The draft needs a consent of its own before it is sent. No draft is created for an
    office that was asked before in this chain of referrals. The recipient is not informed
    of that, because it would learn which other office knows of the person. Raises
    FocalPointUnknown or RecipientUnfit (422).
    """
    referral, other = (
        pending.referral,
        directory_queries.get_by_code_or_422(tx, request.alternative),
    )
    if other.id == referral.recipient_id:
        raise RecipientUnfit("Name another focal point than yourself.")
    require_fit_recipient(pending.case, other)
    end_with_reason(tx, pending, request.reason, request.note, alternative=other.code)
    if other.id not in get_referral_chain(tx, referral):
        create_draft(tx, pending.case, other, referral)
    return referral


def get_referral_chain(tx: WriteTransaction, referral: Referral) -> frozenset[UUID]:
    """Return the recipients of this referral and of those that it replaces."""
    chain, step = {referral.recipient_id}, referral
    while step.predecessor_id is not None:
        step = referral_queries.get_predecessor(tx, step)
        chain.add(step.recipient_id)
    return frozenset(chain)


def pause_help(
    tx: WriteTransaction, pending: PendingStep, request: HoldReferral
) -> Referral:
    """Pause help until a review, which is due at `review_at`."""
    pending.referral.reason = request.reason
    case_actions.add_note(tx, pending.referral, pending.step.action, request.note)
    return take_step(tx, pending, due_at=request.review_at)


def resume(tx: WriteTransaction, pending: PendingStep) -> Referral:
    """Continue help, with the time that was left."""
    pending.referral.reason = None
    return take_step(tx, pending, resumed=True)


def confirm_deletion(tx: WriteTransaction, pending: PendingStep) -> Referral:
    """Record that the recipient deleted what it received, and end its relations."""
    for relation in HELPING_RELATIONS:
        pending.case.end_relation(relation, tx.now, pending.referral.id)
    return take_step(tx, pending)


def accept(
    tx: WriteTransaction, pending: PendingStep, arrangement: Arrangement
) -> Referral:
    """Accept a referral; the arrangement is sealed with it.

    Sections that no agreement in force lets cross any more are removed first.
    """
    remove_sections(tx, pending.referral, find_held_back_sections(tx, pending.referral))
    case_actions.store_sealed(tx, pending.referral, Paper.ARRANGEMENT, arrangement)
    return take_step(tx, pending)


def report(tx: WriteTransaction, pending: PendingStep, request: ReportReferral) -> Referral:
    """Report to the sender, sealed; the deadline for the next report starts anew."""
    case_actions.add_note(tx, pending.referral, "feedback", request.feedback)
    return take_step(tx, pending)


def complete(
    tx: WriteTransaction, pending: PendingStep, request: CompleteReferral
) -> Referral:
    """Complete the referral with its outcome; the feedback is sealed for the sender."""
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
    """Decline, redirect, withdraw or revoke, with a reason code and a sealed note."""
    pending.referral.reason = reason
    case_actions.add_note(tx, pending.referral, pending.step.action, note)
    return take_step(tx, pending, alternative=alternative)
