"""The steps of a referral, one function for each."""

from uuid import UUID

from app.cases import actions as cases
from app.cases.models import Case
from app.cases.sections import Paper
from app.directory import queries as directory
from app.directory.kinds import Kind, Service
from app.kernel.actors import HELPS, Relation
from app.kernel.work import Writing
from app.referrals import queries
from app.referrals.actions import (
    Move,
    RecipientUnfit,
    draft,
    judge,
    require_fit_recipient,
    require_may_open,
    take,
)
from app.referrals.agreements import find_held_back, hold_back
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
    recipient = directory.named(work, new.recipient)
    require_fit_recipient(case, recipient)
    referral = draft(work, case, recipient, new)
    return send(work, judge(work, referral, Action.SEND)) if new.send else referral


def send(work: Writing, pending: Move) -> Referral:
    """Send a referral; its recipient becomes a party of it.

    A State body that is asked for a travel document reads a snapshot of the case from then
    on. Raises RecipientUnfit (422), because the recipient may have changed since the draft.
    """
    referral = pending.referral
    require_fit_recipient(pending.case, referral.recipient)
    referral.basis, to = pending.basis, referral.recipient
    document = referral.service == Service.CONSULAR_DOCUMENT and to.kind == Kind.STATE
    asked = pending.case.take_snapshot() if document else None
    pending.case.admit(to.id, Relation.RECIPIENT, work.now, referral.id, asked)
    return take(work, pending)


def ask(work: Writing, pending: Move, question: AskAboutReferral) -> Referral:
    """Ask the sender a question; the deadline to decide is paused until it answers."""
    pending.referral.asked = sorted(set(question.topics))
    cases.note(work, pending.referral, "question", question.question)
    return take(work, pending)


def reply(work: Writing, pending: Move, answer: AnswerReferral) -> Referral:
    """Answer the recipient, which may now also open the sections of the answer."""
    referral = pending.referral
    referral.sections = sorted({*referral.sections, *answer.sections})
    referral.asked = []
    cases.address(work, referral, "answer", answer.answer)
    return take(work, pending, resumed=True)


def redirect(work: Writing, pending: Move, why: RedirectReferral) -> Referral:
    """End the referral and create a draft to the office that could help instead.

    The draft needs a consent of its own before it is sent. No draft is created for an
    office that was asked before in this chain of referrals. The recipient is not informed
    of that, because it would learn which other office knows of the person. Raises
    FocalPointUnknown or RecipientUnfit (422).
    """
    referral, other = pending.referral, directory.named(work, why.alternative)
    if other.id == referral.recipient_id:
        raise RecipientUnfit("Name another focal point than yourself.")
    require_fit_recipient(pending.case, other)
    end(work, pending, why.reason, why.note, alternative=other.code)
    if other.id not in get_referral_chain(work, referral):
        draft(work, pending.case, other, referral)
    return referral


def get_referral_chain(work: Writing, referral: Referral) -> frozenset[UUID]:
    """Return the recipients of this referral and of those that it replaces."""
    chain, step = {referral.recipient_id}, referral
    while step.predecessor_id is not None:
        step = queries.get_predecessor(work, step)
        chain.add(step.recipient_id)
    return frozenset(chain)


def hold(work: Writing, pending: Move, why: HoldReferral) -> Referral:
    """Pause help until a review, which is due at `review_at`."""
    pending.referral.reason = why.reason
    cases.note(work, pending.referral, pending.step.action, why.note)
    return take(work, pending, due_at=why.review_at)


def resume(work: Writing, pending: Move) -> Referral:
    """Continue help, with the time that was left."""
    pending.referral.reason = None
    return take(work, pending, resumed=True)


def confirm_deletion(work: Writing, pending: Move) -> Referral:
    """Record that the recipient deleted what it received, and end its relations."""
    for relation in HELPS:
        pending.case.dismiss(relation, work.now, pending.referral.id)
    return take(work, pending)


def accept(work: Writing, pending: Move, promise: Arrangement) -> Referral:
    """Accept a referral; the arrangement is sealed with it.

    Sections that no agreement in force lets cross any more are removed first.
    """
    hold_back(work, pending.referral, find_held_back(work, pending.referral))
    cases.put_away(work, pending.referral, Paper.ARRANGEMENT, promise)
    return take(work, pending)


def report(work: Writing, pending: Move, said: ReportReferral) -> Referral:
    """Report to the sender, sealed; the deadline for the next report starts anew."""
    cases.note(work, pending.referral, "feedback", said.feedback)
    return take(work, pending)


def complete(work: Writing, pending: Move, report: CompleteReferral) -> Referral:
    """Complete the referral with its outcome; the feedback is sealed for the sender."""
    pending.referral.outcome = report.outcome
    cases.note(work, pending.referral, "feedback", report.feedback)
    return take(work, pending)


def end(
    work: Writing,
    pending: Move,
    reason: str,
    note: str | None = None,
    *,
    alternative: str | None = None,
) -> Referral:
    """Decline, redirect, withdraw or revoke, with a reason code and a sealed note."""
    pending.referral.reason = reason
    cases.note(work, pending.referral, pending.step.action, note)
    return take(work, pending, alternative=alternative)
