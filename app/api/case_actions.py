"""Routes for actions on a case: one path for each action of its life cycle."""

from collections.abc import Callable
from functools import partial

from fastapi import Response

from app.access.approvals import ApprovalUnusable
from app.api.approvals import ASKED
from app.api.http.dependencies import ApprovalId, CaseCode, IfMatch, Once, WriteCases
from app.api.http.problems import ACTION, VERSIONED, Answers
from app.api.http.routers import ResourceRouter
from app.api.idempotent_requests import CASE
from app.cases.lifecycle import Action, Row
from app.cases.models import Case
from app.casework import acting, closing, erasing, intake, leading
from app.casework.bodies import (
    AcceptLead,
    CloseCase,
    DeclineLead,
    MonitorCase,
    ReopenCase,
    ReportVisit,
    StopCase,
    SuspendCase,
    WithdrawCase,
)
from app.casework.carrying import DeskMissing
from app.casework.needs import Terms
from app.casework.schemas import CaseOut
from app.deadlines.planned_dates import DateNotReached
from app.kernel.idempotency import KeyedRequest
from app.kernel.requirements import NeedsUnmet
from app.kernel.transactions import WriteTransaction
from app.kernel.versions import SeenVersions

router = ResourceRouter("case actions", "/cases/{code}")

type Command = tuple[str, Action, SeenVersions, Terms]
type Apply = Callable[[WriteTransaction, Case, Row], Case]

CLOSE = (*VERSIONED, ApprovalUnusable, closing.ContinuingCaseUnknown)
NO_LONGER_YOURS: Answers = {
    204: {
        "description": "Done. You are no longer a party of the case, so the answer has no "
        "body. Your feed has the event. A retry with the same key gets the same answer."
    }
}


def run_step(
    begin: WriteCases, key: KeyedRequest, command: Command, apply: Apply
) -> Response:
    """Check that the action is allowed in the current state, then apply it once."""
    return CASE.run_once(
        begin, key, lambda tx: apply(tx, *acting.lock_and_check(tx, *command))
    )


@router.serve_action("/submit", CaseOut, *VERSIONED, DeskMissing)
def submit_case(begin: WriteCases, code: CaseCode, seen: IfMatch, key: Once) -> Response:
    """Submit a draft. It goes to a candidate where the person is, or else to the desk."""
    return run_step(begin, key, (code, Action.SUBMIT, seen, Terms()), intake.submit_case)


@router.serve_action("/discard", CaseOut, *VERSIONED)
def discard_case(begin: WriteCases, code: CaseCode, seen: IfMatch, key: Once) -> Response:
    """Discard a draft. Its sealed documents are destroyed at once and permanently."""
    return run_step(begin, key, (code, Action.DISCARD, seen, Terms()), erasing.discard)


@router.serve_action("/withdraw", CaseOut, *VERSIONED)
def withdraw_case(
    begin: WriteCases, code: CaseCode, seen: IfMatch, key: Once, body: WithdrawCase
) -> Response:
    """Withdraw a submitted case, if it is not under review and no referral was sent.

    A case is under review after a candidate has acknowledged it.
    """
    command = (code, Action.WITHDRAW, seen, Terms(reason=body.reason))
    return run_step(begin, key, command, partial(intake.withdraw_case, why=body))


@router.serve_action("/acknowledge", CaseOut, *VERSIONED)
def acknowledge_case(
    begin: WriteCases, code: CaseCode, seen: IfMatch, key: Once
) -> Response:
    """Confirm that somebody at your office read the case. This does not accept the lead."""
    command = (code, Action.ACKNOWLEDGE, seen, Terms())
    return run_step(begin, key, command, leading.acknowledge_case)


@router.serve_action(
    "/decline-lead", CaseOut, *VERSIONED, DeskMissing, answers=NO_LONGER_YOURS
)
def decline_lead(
    begin: WriteCases, code: CaseCode, seen: IfMatch, key: Once, body: DeclineLead
) -> Response:
    """Decline the lead with a reason. The next candidate or the desk gets the case at once.

    If you are then no longer a party of the case, the response is 204 (No Content).
    """
    command = (code, Action.DECLINE_LEAD, seen, Terms(reason=body.reason))
    return run_step(begin, key, command, partial(leading.decline_lead, why=body))


@router.serve_action("/accept-lead", CaseOut, *VERSIONED)
def accept_lead(
    begin: WriteCases, code: CaseCode, seen: IfMatch, key: Once, body: AcceptLead
) -> Response:
    """Accept the lead and name two people who can be reached.

    Without `contacts`, the default contacts of your office are used.
    """
    return CASE.run_once(begin, key, lambda tx: leading.accept_lead(tx, code, seen, body))


@router.serve_action("/suspend", CaseOut, *VERSIONED)
def suspend_case(
    begin: WriteCases, code: CaseCode, seen: IfMatch, key: Once, body: SuspendCase
) -> Response:
    """Suspend a case until a review. All deadlines pause, except those for safety."""
    terms = Terms(reason=body.reason, review_at=body.review_at)
    command = (code, Action.SUSPEND, seen, terms)
    return run_step(begin, key, command, partial(leading.suspend_case, why=body))


@router.serve_action("/resume", CaseOut, *VERSIONED)
def resume_case(begin: WriteCases, code: CaseCode, seen: IfMatch, key: Once) -> Response:
    """Resume a suspended case. Paused deadlines continue with the time that was left."""
    return run_step(begin, key, (code, Action.RESUME, seen, Terms()), leading.resume_case)


@router.serve_action("/monitor", CaseOut, *VERSIONED)
def monitor_case(
    begin: WriteCases, code: CaseCode, seen: IfMatch, key: Once, plan: MonitorCase
) -> Response:
    """End assistance and start the monitoring visits.

    The visits are due after 7 days and after 1, 3, 6 and 12 months, or on dates that you
    choose.
    """

    def apply(tx: WriteTransaction) -> Case:
        terms = Terms(visits=leading.plan_visits(tx, plan))
        checked = acting.lock_and_check(tx, code, Action.MONITOR, seen, terms)
        return leading.monitor_case(tx, *checked, terms.visits)

    return CASE.run_once(begin, key, apply)


@router.serve_action("/visits", CaseOut, *VERSIONED, DateNotReached)
def report_visit(
    begin: WriteCases, code: CaseCode, seen: IfMatch, key: Once, visit: ReportVisit
) -> Response:
    """Report a monitoring visit. After the last visit, the review before closure is due.

    If the visit is planned for a later date in your office's time zone, set `early`.
    """
    return CASE.run_once(begin, key, lambda tx: leading.report_visit(tx, code, seen, visit))


@router.serve_action("/reopen-assistance", CaseOut, *VERSIONED)
def reopen_assistance(
    begin: WriteCases, code: CaseCode, seen: IfMatch, key: Once, body: ReopenCase
) -> Response:
    """Resume assistance for a person who is only being monitored."""
    command = (code, Action.REOPEN_ASSISTANCE, seen, Terms(reason=body.reason))
    return run_step(begin, key, command, partial(leading.reopen_assistance, why=body))


@router.serve_action("/close", CaseOut, *CLOSE, answers=ASKED)
def close_case(  # noqa: PLR0913, PLR0917 - each is part of one decision
    begin: WriteCases,
    code: CaseCode,
    seen: IfMatch,
    key: Once,
    body: CloseCase,
    approval: ApprovalId = None,
) -> Response:
    """Close a case. A second person has to approve this.

    The first response is 202 with the approval. Once the approval is given, send the same
    request again with `Approval: {id}` and a new Idempotency-Key.
    """
    return CASE.run_once(
        begin, key, lambda tx: closing.close_case(tx, code, seen, body, approval)
    )


@router.serve_action("/stop", CaseOut, *ACTION, NeedsUnmet, ApprovalUnusable, answers=ASKED)
def stop_case(
    begin: WriteCases,
    code: CaseCode,
    key: Once,
    body: StopCase,
    approval: ApprovalId = None,
) -> Response:
    """End a case, its open referrals and its handover at the person's request.

    All of them end in one transaction. The request needs no `If-Match` header. If the lead
    does not act, two people of the desk to which the case was escalated can do this. The
    first request then gets 202, and the approved request gets 200.
    """
    return CASE.run_once(begin, key, lambda tx: closing.stop_case(tx, code, body, approval))


@router.serve_action("/reopen", CaseOut, *VERSIONED)
def reopen_case(
    begin: WriteCases, code: CaseCode, seen: IfMatch, key: Once, body: ReopenCase
) -> Response:
    """Reopen a closed case. Only its lead can do this.

    A consent must be in force or, for a child, the best interests must be assessed.
    """
    command = (code, Action.REOPEN, seen, Terms(reason=body.reason))
    return run_step(begin, key, command, partial(closing.reopen_case, why=body))
