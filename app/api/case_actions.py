"""Routes for the actions of a case: one path for each action of its life cycle."""

from collections.abc import Callable
from functools import partial

from fastapi import Response

from app.access.actions import ApprovalUnusable
from app.api.approvals import ASKED, Answers
from app.api.http.dependencies import ApprovalId, CaseCode, IfMatch, Once, WriteCases
from app.api.http.problems import ACTION, VERSIONED, list_problems
from app.api.http.routers import ResourceRouter
from app.api.idempotent_requests import run_on_case
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

router = ResourceRouter("case acts", "/cases/{code}")

type Command = tuple[str, Action, SeenVersions, Terms]
type Apply = Callable[[WriteTransaction, Case, Row], Case]

ACT = list_problems(*VERSIONED)
NO_LONGER_YOURS: Answers = {
    204: {
        "description": "Done. You are no longer a party of the case, so the answer has no "
        "body. Your feed has the event. A retry with the same key gets the same answer."
    }
}
WITH_ANOTHER = ASKED | list_problems(*VERSIONED, ApprovalUnusable)


def run_step(
    tx: WriteTransaction, key: KeyedRequest, command: Command, apply: Apply
) -> Response:
    """Check that an action of the life cycle is allowed, then run it once."""
    return run_on_case(tx, key, lambda: apply(tx, *acting.lock_and_check(tx, *command)))


@router.post(
    "/submit", response_model=CaseOut, responses=list_problems(*VERSIONED, DeskMissing)
)
def submit_case(begin: WriteCases, code: CaseCode, seen: IfMatch, key: Once) -> Response:
    """Submit a draft. It is routed to a candidate in the country where the person is."""
    with begin() as tx:
        return run_step(tx, key, (code, Action.SUBMIT, seen, Terms()), intake.submit_case)


@router.post("/discard", response_model=CaseOut, responses=ACT)
def discard_case(begin: WriteCases, code: CaseCode, seen: IfMatch, key: Once) -> Response:
    """Discard a draft. Its sealed documents are destroyed at once and permanently."""
    with begin() as tx:
        return run_step(tx, key, (code, Action.DISCARD, seen, Terms()), erasing.discard)


@router.post("/withdraw", response_model=CaseOut, responses=ACT)
def withdraw_case(
    begin: WriteCases, code: CaseCode, seen: IfMatch, key: Once, body: WithdrawCase
) -> Response:
    """Withdraw a case, as long as no office acknowledged it and no referral was sent."""
    command = (code, Action.WITHDRAW, seen, Terms(reason=body.reason))
    with begin() as tx:
        return run_step(tx, key, command, partial(intake.withdraw_case, why=body))


@router.post("/acknowledge", response_model=CaseOut, responses=ACT)
def acknowledge_case(
    begin: WriteCases, code: CaseCode, seen: IfMatch, key: Once
) -> Response:
    """Confirm that a person has read the case. This neither accepts nor declines it."""
    command = (code, Action.ACKNOWLEDGE, seen, Terms())
    with begin() as tx:
        return run_step(tx, key, command, leading.acknowledge_case)


@router.post(
    "/decline-lead",
    response_model=CaseOut,
    responses=NO_LONGER_YOURS | list_problems(*VERSIONED, DeskMissing),
)
def decline_lead(
    begin: WriteCases, code: CaseCode, seen: IfMatch, key: Once, body: DeclineLead
) -> Response:
    """Decline the lead with a reason. The next candidate is asked at once.

    You are then no longer a party of the case, so the answer is 204.
    """
    command = (code, Action.DECLINE_LEAD, seen, Terms(reason=body.reason))
    with begin() as tx:
        return run_step(tx, key, command, partial(leading.decline_lead, why=body))


@router.post("/accept-lead", response_model=CaseOut, responses=ACT)
def accept_lead(
    begin: WriteCases, code: CaseCode, seen: IfMatch, key: Once, body: AcceptLead
) -> Response:
    """Accept the lead and name two people who can be reached."""
    command = (code, Action.ACCEPT_LEAD, seen, leading.build_terms(body))
    with begin() as tx:
        return run_step(tx, key, command, partial(leading.accept_lead, promise=body))


@router.post("/suspend", response_model=CaseOut, responses=ACT)
def suspend_case(
    begin: WriteCases, code: CaseCode, seen: IfMatch, key: Once, body: SuspendCase
) -> Response:
    """Suspend a case until a review. Deadlines pause, except those for safety."""
    terms = Terms(reason=body.reason, review_at=body.review_at)
    command = (code, Action.SUSPEND, seen, terms)
    with begin() as tx:
        return run_step(tx, key, command, partial(leading.suspend_case, why=body))


@router.post("/resume", response_model=CaseOut, responses=ACT)
def resume_case(begin: WriteCases, code: CaseCode, seen: IfMatch, key: Once) -> Response:
    """Resume a suspended case. Deadlines continue with the time that was left."""
    with begin() as tx:
        return run_step(tx, key, (code, Action.RESUME, seen, Terms()), leading.resume_case)


@router.post("/monitor", response_model=CaseOut, responses=ACT)
def monitor_case(
    begin: WriteCases, code: CaseCode, seen: IfMatch, key: Once, plan: MonitorCase
) -> Response:
    """End assistance and start the monitoring visits.

    The visits are due after 7 days and after 1, 3, 6 and 12 months, or on your own dates.
    """
    with begin() as tx:
        visits = leading.plan_visits(tx, plan)
        command = (code, Action.MONITOR, seen, Terms(visits=visits))
        return run_step(tx, key, command, partial(leading.monitor_case, visits=visits))


@router.post(
    "/visits", response_model=CaseOut, responses=list_problems(*VERSIONED, DateNotReached)
)
def report_visit(
    begin: WriteCases, code: CaseCode, seen: IfMatch, key: Once, visit: ReportVisit
) -> Response:
    """Report a monitoring visit. After the last one, the closure review is due.

    If you report before the planned date, in your office's time zone, set `early`.
    """
    with begin() as tx:
        return run_on_case(tx, key, lambda: leading.report_visit(tx, code, seen, visit))


@router.post("/reopen-assistance", response_model=CaseOut, responses=ACT)
def reopen_assistance(
    begin: WriteCases, code: CaseCode, seen: IfMatch, key: Once, body: ReopenCase
) -> Response:
    """Resume assistance for a person who was only monitored."""
    command = (code, Action.REOPEN_ASSISTANCE, seen, Terms(reason=body.reason))
    with begin() as tx:
        return run_step(tx, key, command, partial(leading.reopen_assistance, why=body))


@router.post(
    "/close",
    response_model=CaseOut,
    responses=ASKED
    | list_problems(*VERSIONED, ApprovalUnusable, closing.ContinuingCaseUnknown),
)
def close_case(  # noqa: PLR0913, PLR0917 - each is part of one decision
    begin: WriteCases,
    code: CaseCode,
    seen: IfMatch,
    key: Once,
    body: CloseCase,
    approval: ApprovalId = None,
) -> Response:
    """Close a case. A second person has to approve it.

    The first answer is 202 with the approval. Once it is approved, send the same request
    again with `Approval: {id}` and a new Idempotency-Key.
    """
    with begin() as tx:
        return run_on_case(
            tx, key, lambda: closing.close_case(tx, code, seen, body, approval)
        )


@router.post(
    "/stop",
    response_model=CaseOut,
    responses=ASKED | list_problems(*ACTION, NeedsUnmet, ApprovalUnusable),
)
def stop_case(
    begin: WriteCases,
    code: CaseCode,
    key: Once,
    body: StopCase,
    approval: ApprovalId = None,
) -> Response:
    """End a case, its open referrals and its handover at the person's request.

    They end in one transaction, and no version is needed. If the lead does not act, two
    people of the desk to which the case was escalated can do this. The first request is
    answered with 202, and the approved request with 200.
    """
    with begin() as tx:
        return run_on_case(tx, key, lambda: closing.stop_case(tx, code, body, approval))


@router.post("/reopen", response_model=CaseOut, responses=ACT)
def reopen_case(
    begin: WriteCases, code: CaseCode, seen: IfMatch, key: Once, body: ReopenCase
) -> Response:
    """Reopen a closed case, as its lead, with a consent that is in force."""
    command = (code, Action.REOPEN, seen, Terms(reason=body.reason))
    with begin() as tx:
        return run_step(tx, key, command, partial(closing.reopen_case, why=body))
