"""Routes for actions on a referral: one path for each action of its life cycle."""

from collections.abc import Callable
from functools import partial
from uuid import UUID

from fastapi import Response

from app.api.http.dependencies import IfMatch, Once, WriteReferrals
from app.api.http.problems import VERSIONED, Answers
from app.api.http.routers import ResourceRouter
from app.api.idempotent_requests import REFERRAL
from app.directory.queries import FocalPointUnknown
from app.kernel.idempotency import KeyedRequest
from app.kernel.transactions import WriteTransaction
from app.kernel.versions import SeenVersions
from app.referrals import actions as referral_actions
from app.referrals import steps
from app.referrals.actions import PendingStep, RecipientUnfit, RedirectLoop
from app.referrals.lifecycle import Action
from app.referrals.models import Referral
from app.referrals.needs import Terms
from app.referrals.schemas import (
    AcceptReferral,
    AnswerReferral,
    AskAboutReferral,
    CompleteReferral,
    DeclineReferral,
    HoldReferral,
    RedirectReferral,
    ReferralOut,
    ReportReferral,
    StartReferral,
    WithdrawReferral,
)
from app.returns.following import end_or_reassign

router = ResourceRouter("referral actions", "/referrals/{referral_id}")

type Command = tuple[UUID, Action, SeenVersions, Terms]
type Apply = Callable[[WriteTransaction, PendingStep], Referral]

NO_LONGER_YOURS: Answers = {
    204: {"description": "Done. You are no longer a party of the referral."}
}


def run_step(
    begin: WriteReferrals, key: KeyedRequest, command: Command, apply: Apply
) -> Response:
    """Check that the action is allowed, then apply it once for each idempotency key."""
    return run_action(
        begin,
        key,
        lambda tx: apply(tx, referral_actions.lock_and_check(tx, *command)),
    )


def run_action(
    begin: WriteReferrals,
    key: KeyedRequest,
    action: Callable[[WriteTransaction], Referral],
) -> Response:
    """Run an action once for each idempotency key, and update the return of the case."""

    def apply_and_update_return(tx: WriteTransaction) -> Referral:
        referral = action(tx)
        end_or_reassign(tx, referral.case)
        return referral

    return REFERRAL.run_once(begin, key, apply_and_update_return)


@router.serve_action("/send", ReferralOut, *VERSIONED, RecipientUnfit)
def send_referral(
    begin: WriteReferrals, referral_id: UUID, seen: IfMatch, key: Once
) -> Response:
    """Send a draft of a referral. From then on, the recipient can read it."""
    return run_step(begin, key, (referral_id, Action.SEND, seen, Terms()), steps.send)


@router.serve_action("/acknowledge", ReferralOut, *VERSIONED)
def acknowledge_referral(
    begin: WriteReferrals, referral_id: UUID, seen: IfMatch, key: Once
) -> Response:
    """Confirm that a person has read the referral. This neither accepts nor declines it."""
    command = (referral_id, Action.ACKNOWLEDGE, seen, Terms())
    return run_step(begin, key, command, referral_actions.take_step)


@router.serve_action("/ask", ReferralOut, *VERSIONED)
def ask_about_referral(
    begin: WriteReferrals,
    referral_id: UUID,
    seen: IfMatch,
    key: Once,
    question: AskAboutReferral,
) -> Response:
    """Ask the sender a question. Your deadline to decide pauses until the answer."""
    command = (referral_id, Action.ASK, seen, Terms(topics=frozenset(question.topics)))
    return run_step(begin, key, command, partial(steps.ask, request=question))


@router.serve_action("/answer", ReferralOut, *VERSIONED)
def answer_referral(
    begin: WriteReferrals,
    referral_id: UUID,
    seen: IfMatch,
    key: Once,
    answer: AnswerReferral,
) -> Response:
    """Answer the recipient's question. The person's consent must cover the answer."""
    sections = frozenset(answer.sections)
    terms = Terms(answered=sections, says_more=answer.answer is not None)
    command = (referral_id, Action.ANSWER, seen, terms)
    return run_step(begin, key, command, partial(steps.send_answer, request=answer))


@router.serve_action("/accept", ReferralOut, *VERSIONED)
def accept_referral(
    begin: WriteReferrals,
    referral_id: UUID,
    seen: IfMatch,
    key: Once,
    body: AcceptReferral,
) -> Response:
    """Accept a referral. The first meeting and the contacts are stored sealed.

    Without `contacts`, the default contacts of your office are used.
    """
    return run_action(begin, key, lambda tx: steps.accept(tx, referral_id, seen, body))


def end_with_reason(why: DeclineReferral | WithdrawReferral) -> Apply:
    """Return a function that ends a referral with the given reason and note."""
    return partial(steps.end_with_reason, reason=why.reason, note=why.note)


@router.serve_action("/decline", ReferralOut, *VERSIONED)
def decline_referral(
    begin: WriteReferrals,
    referral_id: UUID,
    seen: IfMatch,
    key: Once,
    body: DeclineReferral,
) -> Response:
    """Decline a referral with a reason. You can then no longer open its documents."""
    command = (referral_id, Action.DECLINE, seen, Terms(reason=body.reason))
    return run_step(begin, key, command, end_with_reason(body))


@router.serve_action(
    "/redirect",
    ReferralOut,
    *VERSIONED,
    RecipientUnfit,
    RedirectLoop,
    FocalPointUnknown,
)
def redirect_referral(
    begin: WriteReferrals,
    referral_id: UUID,
    seen: IfMatch,
    key: Once,
    body: RedirectReferral,
) -> Response:
    """End a referral and name another focal point that could help.

    The sender gets a draft of a referral to that focal point, with this referral as its
    `predecessor`. The usual requirements apply when it is sent. You cannot name your own
    focal point, or a focal point that was already asked in this chain of redirects.
    """
    terms = Terms(reason=body.reason, alternative=body.alternative)
    command = (referral_id, Action.REDIRECT, seen, terms)
    return run_step(begin, key, command, partial(steps.redirect, request=body))


@router.serve_action("/start", ReferralOut, *VERSIONED)
def start_referral(
    begin: WriteReferrals, referral_id: UUID, seen: IfMatch, key: Once, body: StartReferral
) -> Response:
    """Report that you met the person and that help has started."""
    command = (referral_id, Action.START, seen, Terms(person_met=body.person_met))
    return run_step(begin, key, command, referral_actions.take_step)


@router.serve_action("/hold", ReferralOut, *VERSIONED)
def hold_referral(
    begin: WriteReferrals, referral_id: UUID, seen: IfMatch, key: Once, body: HoldReferral
) -> Response:
    """Pause the help. The pause has to be reviewed by the date that you give."""
    terms = Terms(reason=body.reason, review_at=body.review_at)
    command = (referral_id, Action.HOLD, seen, terms)
    return run_step(begin, key, command, partial(steps.pause_help, request=body))


@router.serve_action("/resume", ReferralOut, *VERSIONED)
def resume_referral(
    begin: WriteReferrals, referral_id: UUID, seen: IfMatch, key: Once
) -> Response:
    """Resume the help. The paused deadline continues with the time that was left."""
    return run_step(begin, key, (referral_id, Action.RESUME, seen, Terms()), steps.resume)


@router.serve_action("/report", ReferralOut, *VERSIONED)
def report_on_referral(
    begin: WriteReferrals, referral_id: UUID, seen: IfMatch, key: Once, body: ReportReferral
) -> Response:
    """Report on the help to the sender. The deadline for the next report starts."""
    command = (referral_id, Action.REPORT, seen, Terms(feedback=True))
    return run_step(begin, key, command, partial(steps.report, request=body))


@router.serve_action("/complete", ReferralOut, *VERSIONED)
def complete_referral(
    begin: WriteReferrals,
    referral_id: UUID,
    seen: IfMatch,
    key: Once,
    report: CompleteReferral,
) -> Response:
    """Complete a referral with the outcome and with feedback to the sender."""
    terms = Terms(outcome=report.outcome, feedback=True)
    command = (referral_id, Action.COMPLETE, seen, terms)
    return run_step(begin, key, command, partial(steps.complete, request=report))


@router.serve_action("/withdraw", ReferralOut, *VERSIONED)
def withdraw_referral(
    begin: WriteReferrals,
    referral_id: UUID,
    seen: IfMatch,
    key: Once,
    body: WithdrawReferral,
) -> Response:
    """Withdraw a sent referral, as the sender. The recipient has to delete its copy."""
    command = (referral_id, Action.WITHDRAW, seen, Terms(reason=body.reason))
    return run_step(begin, key, command, end_with_reason(body))


@router.serve_action("/revoke", ReferralOut, *VERSIONED)
def revoke_referral(
    begin: WriteReferrals,
    referral_id: UUID,
    seen: IfMatch,
    key: Once,
    body: WithdrawReferral,
) -> Response:
    """Revoke a referral before help starts. The recipient has to delete its copy."""
    command = (referral_id, Action.REVOKE, seen, Terms(reason=body.reason))
    return run_step(begin, key, command, end_with_reason(body))


@router.serve_action("/confirm-deletion", ReferralOut, *VERSIONED, answers=NO_LONGER_YOURS)
def confirm_deletion(
    begin: WriteReferrals, referral_id: UUID, seen: IfMatch, key: Once
) -> Response:
    """Confirm that you stopped helping and deleted your copy of the data.

    You then lose access, and the response is 204 (No Content).
    """
    command = (referral_id, Action.CONFIRM_DELETION, seen, Terms())
    return run_step(begin, key, command, steps.confirm_deletion)
