"""Routes for steps 1 to 7 of a return, from informing the person to the decision."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from uuid import UUID

from fastapi import Response

from app.access.approvals import ApprovalUnusable
from app.api.approvals import ASKED
from app.api.http.dependencies import ApprovalId, IfMatch, Once, WriteReferrals
from app.api.http.problems import VERSIONED
from app.api.http.routers import ResourceRouter
from app.api.returns import RETURN
from app.kernel.idempotency import KeyedRequest
from app.kernel.transactions import WriteTransaction
from app.kernel.versions import SeenVersions
from app.returns import actions as return_actions
from app.returns import decisions
from app.returns.actions import PendingStep, StepResult
from app.returns.lifecycle import Action
from app.returns.models import Return
from app.returns.needs import Terms
from app.returns.schemas import (
    AnyReturn,
    AssessOrigin,
    AssessReturn,
    DecideGo,
    DecideNoGo,
    DetermineInterests,
    InformPerson,
    ReceiveChild,
    ReturnOut,
    VerifyNationality,
)

router = ResourceRouter("returns", "/returns/{return_id}")

type Command = tuple[UUID, Action, SeenVersions, Terms]
type Apply = Callable[[WriteTransaction, PendingStep], Return]


def run_step(
    begin: WriteReferrals, key: KeyedRequest, command: Command, apply: Apply
) -> Response:
    """Check that the step is allowed, then apply it once for each idempotency key."""
    return RETURN.run_once(
        begin, key, lambda tx: apply(tx, return_actions.lock_and_check(tx, *command))
    )


def take_with(said: StepResult | None = None) -> Apply:
    """Return a function that takes a step of a return and stores the result of the step."""
    return partial(return_actions.take_step, result=said or return_actions.NO_RESULT)


def describe_risk(risk: AssessReturn) -> StepResult:
    """Return a risk assessment as the result of a step."""
    threats = tuple(sorted(set(risk.threats)))
    return StepResult(level=risk.level, threats=threats, note=risk.note)


@router.serve_action("/inform", ReturnOut, *VERSIONED)
def inform_person(
    begin: WriteReferrals, return_id: UUID, seen: IfMatch, key: Once, body: InformPerson
) -> Response:
    """Step 1: record that the person decided to return and was told of all options.

    The options include any right to stay. The step needs a consent to return, and that
    consent may have no other purpose.
    """
    informed = body.right_to_stay_explained and body.options_explained
    command = (return_id, Action.INFORM, seen, Terms(informed=informed))
    return run_step(begin, key, command, take_with(StepResult(note=body.note)))


@router.serve_action("/permit-contact", ReturnOut, *VERSIONED)
def permit_contact(
    begin: WriteReferrals, return_id: UUID, seen: IfMatch, key: Once
) -> Response:
    """Step 2: permit contact with the State of origin, if the safeguards allow it."""
    command = (return_id, Action.PERMIT_CONTACT, seen, Terms())
    return run_step(begin, key, command, take_with())


@router.serve_action("/verify-nationality", AnyReturn, *VERSIONED)
def verify_nationality(
    begin: WriteReferrals,
    return_id: UUID,
    seen: IfMatch,
    key: Once,
    answer: VerifyNationality,
) -> Response:
    """Step 3: record whether the State of origin confirms the nationality."""
    command = (return_id, Action.VERIFY_NATIONALITY, seen, Terms())
    return run_step(begin, key, command, take_with(StepResult(result=answer.nationality)))


@router.serve_action("/assess-destination", ReturnOut, *VERSIONED)
def assess_destination(
    begin: WriteReferrals, return_id: UUID, seen: IfMatch, key: Once, risk: AssessReturn
) -> Response:
    """Step 4: the lead assesses the risk where the person is (valid for 30 days)."""
    command = (return_id, Action.ASSESS_DESTINATION, seen, Terms())
    return run_step(begin, key, command, take_with(describe_risk(risk)))


@router.serve_action("/assess-origin", ReturnOut, *VERSIONED)
def assess_origin(
    begin: WriteReferrals, return_id: UUID, seen: IfMatch, key: Once, risk: AssessOrigin
) -> Response:
    """Step 5: the recipient assesses the situation in the country of origin.

    The assessment is valid for 30 days. The family may be contacted only if the person has
    consented to family tracing.
    """
    command = (return_id, Action.ASSESS_ORIGIN, seen, Terms(family=risk.family))
    services = tuple(sorted(set(risk.services)))
    said = replace(describe_risk(risk), result=risk.family, services=services)
    return run_step(begin, key, command, take_with(said))


@router.serve_action("/determine-interests", ReturnOut, *VERSIONED)
def determine_interests(
    begin: WriteReferrals,
    return_id: UUID,
    seen: IfMatch,
    key: Once,
    body: DetermineInterests,
) -> Response:
    """Step 6, for a child: record whether a return is in the child's best interests."""
    command = (return_id, Action.DETERMINE_INTERESTS, seen, Terms())
    return run_step(
        begin, key, command, take_with(StepResult(result=body.interests, note=body.note))
    )


@router.serve_action("/receive-child", ReturnOut, *VERSIONED)
def receive_child(
    begin: WriteReferrals, return_id: UUID, seen: IfMatch, key: Once, body: ReceiveChild
) -> Response:
    """Step 6, for a child: confirm that a carer and a guardian will receive the child."""
    received = body.carer_receives and body.guardian_at_arrival
    command = (return_id, Action.RECEIVE_CHILD, seen, Terms(received=received))
    return run_step(begin, key, command, take_with(StepResult(note=body.note)))


@router.serve_action("/go", ReturnOut, *VERSIONED, ApprovalUnusable, answers=ASKED)
def decide_go(  # noqa: PLR0913, PLR0917 - each is part of one decision
    begin: WriteReferrals,
    return_id: UUID,
    seen: IfMatch,
    key: Once,
    body: DecideGo,
    approval: ApprovalId = None,
) -> Response:
    """Step 7: decide that the person can return. A supervisor has to approve it.

    The first response is 202 with the approval. Once the approval is given, send the same
    request again with `Approval: {id}` and a new Idempotency-Key.
    """
    return RETURN.run_once(
        begin, key, lambda tx: decisions.decide_go(tx, return_id, seen, body, approval)
    )


@router.serve_action("/no-go", ReturnOut, *VERSIONED, ApprovalUnusable, answers=ASKED)
def decide_no_go(  # noqa: PLR0913, PLR0917 - each is part of one decision
    begin: WriteReferrals,
    return_id: UUID,
    seen: IfMatch,
    key: Once,
    body: DecideNoGo,
    approval: ApprovalId = None,
) -> Response:
    """Step 7: decide that the person cannot return, and name the protection to ask for.

    A supervisor has to approve this, as for `go`. The referral is withdrawn in the same
    transaction.
    """
    return RETURN.run_once(
        begin, key, lambda tx: decisions.decide_no_go(tx, return_id, seen, body, approval)
    )
