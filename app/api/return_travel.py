"""Routes for steps 8 to 12 of a return, from the travel document to the last visit."""

from functools import partial
from uuid import UUID

from fastapi import Response

from app.api.http.dependencies import IfMatch, Once, WriteReferrals
from app.api.http.problems import ACTION, VERSIONED, Answers, list_problems
from app.api.http.routers import ResourceRouter
from app.api.return_decision import run_step, take_with
from app.api.returns import RETURN
from app.deadlines.planned_dates import DateNotReached
from app.kernel.transactions import WriteTransaction
from app.returns import actions as return_actions
from app.returns import decisions
from app.returns.actions import StepResult
from app.returns.lifecycle import Action
from app.returns.models import Return
from app.returns.needs import Terms
from app.returns.schemas import (
    AnyReturn,
    CallOff,
    ConfirmMet,
    Depart,
    IssueDocument,
    PlanTravel,
    PlanVisits,
    ReportPlanned,
    ReturnOut,
)

router = ResourceRouter("returns", "/returns/{return_id}")
NO_LONGER_YOURS: Answers = {
    204: {"description": "Done. You are no longer a party of the return."}
}
ISSUED = list_problems(*VERSIONED) | NO_LONGER_YOURS


@router.post("/issue-document", response_model=AnyReturn, responses=ISSUED)
def issue_document(
    begin: WriteReferrals, return_id: UUID, seen: IfMatch, key: Once, body: IssueDocument
) -> Response:
    """Step 8: confirm a travel document that does not reveal the trafficking (BR12).

    An office of the State of origin that was asked only for documents then loses access.
    """
    terms = Terms(unmarked=body.without_marker)
    return run_step(
        begin, key, (return_id, Action.ISSUE_DOCUMENT, seen, terms), take_with()
    )


@router.serve_action("/plan", ReturnOut, *VERSIONED)
def plan_travel(
    begin: WriteReferrals, return_id: UUID, seen: IfMatch, key: Once, body: PlanTravel
) -> Response:
    """Step 9: write or replace the sealed travel plan. The recipient has to accept it.

    Make the plan together with the person.
    """
    command = (return_id, Action.PLAN, seen, body.to_terms())
    return run_step(begin, key, command, partial(decisions.plan_travel, travel=body.plan))


@router.serve_action("/accept-plan", ReturnOut, *VERSIONED)
def accept_plan(
    begin: WriteReferrals, return_id: UUID, seen: IfMatch, key: Once
) -> Response:
    """Step 9: accept the travel plan, as the office that meets the person."""
    return run_step(begin, key, (return_id, Action.ACCEPT_PLAN, seen, Terms()), take_with())


@router.serve_action("/depart", ReturnOut, *VERSIONED)
def record_departure(
    begin: WriteReferrals, return_id: UUID, seen: IfMatch, key: Once, body: Depart
) -> Response:
    """Step 10: record the departure, which the person must have confirmed today (G09)."""
    terms = Terms(reconfirmed=body.reconfirmed_today)
    return run_step(begin, key, (return_id, Action.DEPART, seen, terms), decisions.depart)


@router.serve_action("/arrive", ReturnOut, *VERSIONED, DateNotReached)
def record_arrival(
    begin: WriteReferrals, return_id: UUID, seen: IfMatch, key: Once, body: ReportPlanned
) -> Response:
    """Step 11: on the day of arrival, confirm that you met the person (D06).

    If that day is before the date in the travel plan, in your office's time zone, set
    `early`.
    """
    command = (return_id, Action.ARRIVE, seen, Terms(person_met=body.person_met))
    said = StepResult(note=body.note)
    apply = partial(decisions.arrive, result=said, early=body.early)
    return run_step(begin, key, command, apply)


@router.serve_action("/monitor", ReturnOut, *VERSIONED)
def monitor_return(
    begin: WriteReferrals, return_id: UUID, seen: IfMatch, key: Once, body: PlanVisits
) -> Response:
    """Step 12: plan the monitoring visits.

    The visits are due after 7 days and after 1, 3, 6 and 12 months, or on dates that you
    choose.
    """

    def apply(tx: WriteTransaction) -> Return:
        terms = Terms(visits=decisions.plan_visits(tx, body.visits))
        step = return_actions.lock_and_check(tx, return_id, Action.MONITOR, seen, terms)
        return decisions.monitor(tx, step, terms.visits)

    return RETURN.run_once(begin, key, apply)


@router.serve_action("/report", ReturnOut, *VERSIONED, DateNotReached)
def report_on_return(
    begin: WriteReferrals, return_id: UUID, seen: IfMatch, key: Once, visit: ReportPlanned
) -> Response:
    """Step 12: report a visit, made or attempted. The last visit completes the return.

    To report a visit before its planned date, set `early`. The date is in your time zone.
    """
    result = "person_met" if visit.person_met else "not_met"
    said = StepResult(result=result, note=visit.note)
    command = (return_id, Action.REPORT, seen, Terms(person_met=visit.person_met))
    apply = partial(decisions.report_visit, result=said, early=visit.early)
    return run_step(begin, key, command, apply)


@router.serve_action("/call-off", ReturnOut, *ACTION, answers=NO_LONGER_YOURS)
def call_off_return(
    begin: WriteReferrals, return_id: UUID, key: Once, body: CallOff
) -> Response:
    """End a return before departure, because the person does not want to go.

    Any office that takes part in the return may do this. No `If-Match` header is needed.
    The referral is withdrawn in the same transaction.
    """
    return RETURN.run_once(begin, key, lambda tx: decisions.call_off(tx, return_id, body))


@router.serve_action("/locate", ReturnOut, *VERSIONED)
def locate_person(
    begin: WriteReferrals, return_id: UUID, seen: IfMatch, key: Once, body: ConfirmMet
) -> Response:
    """Confirm, as the lead, that you met a person whose return was halted on the way."""
    command = (return_id, Action.LOCATE, seen, Terms(person_met=body.person_met))
    said = StepResult(note=body.note)
    return run_step(
        begin, key, command, partial(decisions.confirm_accounted_for, result=said)
    )
