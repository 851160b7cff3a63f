"""What each side does with a referral: one function for each step."""

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
    must_be_able_to_open,
    must_be_fit,
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
    """Open a draft in a case that is held by the caller, or send it at once.

    Raises ActionIllegal (409), ActionNotYours or RoleMissing (403), FocalPointUnknown or
    RecipientUnfit (422), and what `judge` does.
    """
    must_be_able_to_open(work, case)
    recipient = directory.named(work, new.recipient)
    must_be_fit(case, recipient)
    referral = draft(work, case, recipient, new)
    return send(work, judge(work, referral, Action.SEND)) if new.send else referral


def send(work: Writing, move: Move) -> Referral:
    """Send a referral: from now on its recipient is party to it.

    A State body that is asked for a travel document reads the case as it is now, for good.
    Raises RecipientUnfit (422): it may have ceased to be fit since the draft was made.
    """
    referral = move.referral
    must_be_fit(move.case, referral.recipient)
    referral.basis, to = move.basis, referral.recipient
    document = referral.service == Service.CONSULAR_DOCUMENT and to.kind == Kind.STATE
    asked = move.case.take_snapshot() if document else None
    move.case.admit(to.id, Relation.RECIPIENT, work.now, referral.id, asked)
    return take(work, move)


def ask(work: Writing, move: Move, question: AskAboutReferral) -> Referral:
    """Ask the sender; until it answers the recipient's time to decide stands still."""
    move.referral.asked = sorted(set(question.topics))
    cases.note(work, move.referral, "question", question.question)
    return take(work, move)


def reply(work: Writing, move: Move, answer: AnswerReferral) -> Referral:
    """Answer the recipient, who may open from now on what was answered."""
    referral = move.referral
    referral.sections = sorted({*referral.sections, *answer.sections})
    referral.asked = []
    cases.address(work, referral, "answer", answer.answer)
    return take(work, move, resumed=True)


def redirect(work: Writing, move: Move, why: RedirectReferral) -> Referral:
    """Say who could help instead: its sender finds a draft to them.

    The draft needs a consent of its own before it is sent. Nobody is proposed twice on one
    way; the recipient is not told so, or it would learn who else knows of the person.
    Raises FocalPointUnknown or RecipientUnfit (422).
    """
    referral, other = move.referral, directory.named(work, why.alternative)
    if other.id == referral.recipient_id:
        raise RecipientUnfit("Name another focal point than yourself.")
    must_be_fit(move.case, other)
    end(work, move, why.reason, why.note, alternative=other.code)
    if other.id not in way_of(work, referral):
        draft(work, move.case, other, referral)
    return referral


def way_of(work: Writing, referral: Referral) -> frozenset[UUID]:
    """Name everyone who was asked on the way that led to this referral."""
    way, step = {referral.recipient_id}, referral
    while step.predecessor_id is not None:
        step = queries.predecessor(work, step)
        way.add(step.recipient_id)
    return frozenset(way)


def hold(work: Writing, move: Move, why: HoldReferral) -> Referral:
    """Let help rest until a review at the latest."""
    move.referral.reason = why.reason
    cases.note(work, move.referral, move.step.action, why.note)
    return take(work, move, until=why.review_at)


def resume(work: Writing, move: Move) -> Referral:
    """Go on helping, in the time that was left."""
    move.referral.reason = None
    return take(work, move, resumed=True)


def confirm_deletion(work: Writing, move: Move) -> Referral:
    """Say that what was received is deleted: the recipient's part in the case ends."""
    for relation in HELPS:
        move.case.dismiss(relation, work.now, move.referral.id)
    return take(work, move)


def accept(work: Writing, move: Move, promise: Arrangement) -> Referral:
    """Accept a referral; what was promised is sealed with it.

    The sections that no agreement in force lets cross any more do not open with it.
    """
    hold_back(work, move.referral, find_held_back(work, move.referral))
    cases.put_away(work, move.referral, Paper.ARRANGEMENT, promise)
    return take(work, move)


def report(work: Writing, move: Move, said: ReportReferral) -> Referral:
    """Tell the sender how it goes, sealed; the next report is due as the first was."""
    cases.note(work, move.referral, "feedback", said.feedback)
    return take(work, move)


def complete(work: Writing, move: Move, report: CompleteReferral) -> Referral:
    """Say what came of it; the feedback is sealed for the sender."""
    move.referral.outcome = report.outcome
    cases.note(work, move.referral, "feedback", report.feedback)
    return take(work, move)


def end(
    work: Writing,
    move: Move,
    reason: str,
    note: str | None = None,
    *,
    alternative: str | None = None,
) -> Referral:
    """Decline, redirect, withdraw or revoke, with a reason code; the note is sealed."""
    move.referral.reason = reason
    cases.note(work, move.referral, move.step.action, note)
    return take(work, move, alternative=alternative)
