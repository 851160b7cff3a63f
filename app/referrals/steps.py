"""The steps of a referral, one function for each."""

from uuid import UUID

from app.cases import actions as cases
from app.cases.models import Case
from app.cases.sections import Paper
from app.directory import queries as directory
from app.directory.kinds import Kind, Service
from app.kernel.actors import HELPING_RELATIONS, Relation
from app.kernel.transactions import Writing
from app.referrals import queries
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


def open_referral(work: Writing, case: Case, new: NewReferral) -> Referral:
    """Open a draft in a case that the caller holds, or send it at once.

    Raises ActionIllegal (409), ActionNotYours or RoleMissing (403), FocalPointUnknown or
    RecipientUnfit (422), and the errors of `check_step`.
    """
    require_may_open(work, case)
    recipient = directory.get_by_code_or_422(work, new.recipient)
    require_fit_recipient(case, recipient)
    referral = create_draft(work, case, recipient, new)
    return send(work, check_step(work, referral, Action.SEND)) if new.send else referral


def send(work: Writing, pending: PendingStep) -> Referral:
    """Send a referral; its recipient becomes a party of it.

    A State body that is asked for a travel document reads a snapshot of the case from then
    on. Raises RecipientUnfit (422), because the recipient may have changed since the draft.
    """
    referral = pending.referral
    require_fit_recipient(pending.case, referral.recipient)
    referral.basis, to = pending.basis, referral.recipient
    document = referral.service == Service.CONSULAR_DOCUMENT and to.kind == Kind.STATE
    asked = pending.case.take_snapshot() if document else None
    pending.case.add_party(to.id, Relation.RECIPIENT, work.now, referral.id, asked)
    return take_step(work, pending)


def ask(work: Writing, pending: PendingStep, request: AskAboutReferral) -> Referral:
    """Ask the sender a question; the deadline to decide is paused until it answers."""
    pending.referral.asked = sorted(set(request.topics))
    cases.add_note(work, pending.referral, "question", request.question)
    return take_step(work, pending)


def send_answer(work: Writing, pending: PendingStep, request: AnswerReferral) -> Referral:
    """Answer the recipient, which may now also open the sections of the answer."""
    referral = pending.referral
    referral.sections = sorted({*referral.sections, *request.sections})
    referral.asked = []
    cases.add_message(work, referral, "answer", request.answer)
    return take_step(work, pending, resumed=True)


def redirect(work: Writing, pending: PendingStep, request: RedirectReferral) -> Referral:
    """End the referral and create a draft to the office that could help instead.

    The draft needs a consent of its own before it is sent. No draft is created for an
    office that was asked before in this chain of referrals. The recipient is not informed
    of that, because it would learn which other office knows of the person. Raises
    FocalPointUnknown or RecipientUnfit (422).
    """
    referral, other = (
        pending.referral,
        directory.get_by_code_or_422(work, request.alternative),
    )
    if other.id == referral.recipient_id:
        raise RecipientUnfit("Name another focal point than yourself.")
    require_fit_recipient(pending.case, other)
    end_with_reason(work, pending, request.reason, request.note, alternative=other.code)
    if other.id not in get_referral_chain(work, referral):
        create_draft(work, pending.case, other, referral)
    return referral


def get_referral_chain(work: Writing, referral: Referral) -> frozenset[UUID]:
    """Return the recipients of this referral and of those that it replaces."""
    chain, step = {referral.recipient_id}, referral
    while step.predecessor_id is not None:
        step = queries.get_predecessor(work, step)
        chain.add(step.recipient_id)
    return frozenset(chain)


def pause_help(work: Writing, pending: PendingStep, request: HoldReferral) -> Referral:
    """Pause help until a review, which is due at `review_at`."""
    pending.referral.reason = request.reason
    cases.add_note(work, pending.referral, pending.step.action, request.note)
    return take_step(work, pending, due_at=request.review_at)


def resume(work: Writing, pending: PendingStep) -> Referral:
    """Continue help, with the time that was left."""
    pending.referral.reason = None
    return take_step(work, pending, resumed=True)


def confirm_deletion(work: Writing, pending: PendingStep) -> Referral:
    """Record that the recipient deleted what it received, and end its relations."""
    for relation in HELPING_RELATIONS:
        pending.case.end_relation(relation, work.now, pending.referral.id)
    return take_step(work, pending)


def accept(work: Writing, pending: PendingStep, arrangement: Arrangement) -> Referral:
    """Accept a referral; the arrangement is sealed with it.

    Sections that no agreement in force lets cross any more are removed first.
    """
    remove_sections(work, pending.referral, find_held_back_sections(work, pending.referral))
    cases.store_sealed(work, pending.referral, Paper.ARRANGEMENT, arrangement)
    return take_step(work, pending)


def report(work: Writing, pending: PendingStep, request: ReportReferral) -> Referral:
    """Report to the sender, sealed; the deadline for the next report starts anew."""
    cases.add_note(work, pending.referral, "feedback", request.feedback)
    return take_step(work, pending)


def complete(work: Writing, pending: PendingStep, request: CompleteReferral) -> Referral:
    """Complete the referral with its outcome; the feedback is sealed for the sender."""
    pending.referral.outcome = request.outcome
    cases.add_note(work, pending.referral, "feedback", request.feedback)
    return take_step(work, pending)


def end_with_reason(
    work: Writing,
    pending: PendingStep,
    reason: str,
    note: str | None = None,
    *,
    alternative: str | None = None,
) -> Referral:
    """Decline, redirect, withdraw or revoke, with a reason code and a sealed note."""
    pending.referral.reason = reason
    cases.add_note(work, pending.referral, pending.step.action, note)
    return take_step(work, pending, alternative=alternative)
