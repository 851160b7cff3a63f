"""Acting on a return: steps one to seven, from the person's wish to the decision."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Final
from uuid import UUID

from fastapi import Response

from app.access.actions import ApprovalUnusable
from app.api.acting import once_only
from app.api.approvals import ASKED
from app.api.deps import ApprovalId, IfMatch, Once, WriteReferrals
from app.api.nouns import Noun
from app.api.problems import problems
from app.api.returns import RETURN
from app.kernel.idempotency import KeyInFlight, KeyReused, Ticket
from app.kernel.lifecycle import ActionIllegal, ActionNotYours, RoleMissing
from app.kernel.needs import NeedsUnmet
from app.kernel.problems import NotFound
from app.kernel.versions import Seen, VersionNotGiven, VersionStale
from app.kernel.work import Writing
from app.returns import actions, deciding
from app.returns.actions import Move, Said
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

router = Noun("returns", "/returns/{return_id}")

type Ready = tuple[UUID, Action, Seen, Terms]
type Then = Callable[[Writing, Move], Return]

UNSEEN: Final = (
    *(NotFound, KeyReused, KeyInFlight),
    *(ActionIllegal, ActionNotYours, RoleMissing),
)
STEPS: Final = (*UNSEEN, NeedsUnmet, VersionNotGiven, VersionStale)
STEP = problems(*STEPS)
WITH_ANOTHER = ASKED | problems(*STEPS, ApprovalUnusable)


def step(work: Writing, once: Ticket, ready: Ready, then: Then) -> Response:
    """Take a step of the checklist: judged first, then carried out."""
    return once_only(work, once, RETURN, lambda: then(work, actions.ready(work, *ready)))


def saying(said: Said | None = None) -> Then:
    """Take a step that only says something."""
    return partial(actions.take, said=said or actions.NOTHING)


def found(risk: AssessReturn) -> Said:
    """Say what an assessment found."""
    threats = tuple(sorted(set(risk.threats)))
    return Said(level=risk.level, threats=threats, note=risk.note)


@router.post("/inform", response_model=ReturnOut, responses=STEP)
def inform_person(
    begin: WriteReferrals, return_id: UUID, seen: IfMatch, once: Once, told: InformPerson
) -> Response:
    """Step 1: say that the person decided, told of any right to stay and of all options.

    It rests on a consent that is to return and to nothing else.
    """
    informed = told.right_to_stay_explained and told.options_explained
    ready = (return_id, Action.INFORM, seen, Terms(informed=informed))
    with begin() as work:
        return step(work, once, ready, saying(Said(note=told.note)))


@router.post("/permit-contact", response_model=ReturnOut, responses=STEP)
def permit_contact(
    begin: WriteReferrals, return_id: UUID, seen: IfMatch, once: Once
) -> Response:
    """Step 2: go on to the State of origin, which the safeguards have to permit."""
    ready = (return_id, Action.PERMIT_CONTACT, seen, Terms())
    with begin() as work:
        return step(work, once, ready, saying())


@router.post(
    "/verify-nationality",
    response_model=AnyReturn,
    responses=STEP,
)
def verify_nationality(
    begin: WriteReferrals,
    return_id: UUID,
    seen: IfMatch,
    once: Once,
    answer: VerifyNationality,
) -> Response:
    """Step 3: say whether the State of origin confirms the nationality."""
    ready = (return_id, Action.VERIFY_NATIONALITY, seen, Terms())
    with begin() as work:
        return step(work, once, ready, saying(Said(result=answer.nationality)))


@router.post("/assess-destination", response_model=ReturnOut, responses=STEP)
def assess_destination(
    begin: WriteReferrals, return_id: UUID, seen: IfMatch, once: Once, risk: AssessReturn
) -> Response:
    """Step 4: assess the risk as the lead sees it; it holds for 30 days."""
    ready = (return_id, Action.ASSESS_DESTINATION, seen, Terms())
    with begin() as work:
        return step(work, once, ready, saying(found(risk)))


@router.post("/assess-origin", response_model=ReturnOut, responses=STEP)
def assess_origin(
    begin: WriteReferrals, return_id: UUID, seen: IfMatch, once: Once, risk: AssessOrigin
) -> Response:
    """Step 5: assess what awaits the person, as the recipient; it holds for 30 days.

    The family is asked only with the person's consent to family tracing.
    """
    ready = (return_id, Action.ASSESS_ORIGIN, seen, Terms(family=risk.family))
    services = tuple(sorted(set(risk.services)))
    said = replace(found(risk), result=risk.family, services=services)
    with begin() as work:
        return step(work, once, ready, saying(said))


@router.post("/determine-interests", response_model=ReturnOut, responses=STEP)
def determine_interests(
    begin: WriteReferrals,
    return_id: UUID,
    seen: IfMatch,
    once: Once,
    best: DetermineInterests,
) -> Response:
    """Step 6, for a child: say whether its best interests were determined in favour."""
    ready = (return_id, Action.DETERMINE_INTERESTS, seen, Terms())
    with begin() as work:
        return step(work, once, ready, saying(Said(result=best.interests, note=best.note)))


@router.post("/receive-child", response_model=ReturnOut, responses=STEP)
def receive_child(
    begin: WriteReferrals, return_id: UUID, seen: IfMatch, once: Once, who: ReceiveChild
) -> Response:
    """Step 6, for a child: confirm that a carer and a guardian await it."""
    received = who.carer_receives and who.guardian_at_arrival
    ready = (return_id, Action.RECEIVE_CHILD, seen, Terms(received=received))
    with begin() as work:
        return step(work, once, ready, saying(Said(note=who.note)))


@router.post("/go", response_model=ReturnOut, responses=WITH_ANOTHER)
def decide_go(  # noqa: PLR0913, PLR0917 - each is part of one decision
    begin: WriteReferrals,
    return_id: UUID,
    seen: IfMatch,
    once: Once,
    why: DecideGo,
    approval: ApprovalId = None,
) -> Response:
    """Step 7: decide that the person can go, with a supervisor.

    The first time the answer is 202 with the approval that was asked for. Once it is
    approved, send the same again with `Approval: {id}` and a new Idempotency-Key.
    """
    with begin() as work:
        return once_only(
            work, once, RETURN, lambda: deciding.go(work, return_id, seen, why, approval)
        )


@router.post("/no-go", response_model=ReturnOut, responses=WITH_ANOTHER)
def decide_no_go(  # noqa: PLR0913, PLR0917 - each is part of one decision
    begin: WriteReferrals,
    return_id: UUID,
    seen: IfMatch,
    once: Once,
    why: DecideNoGo,
    approval: ApprovalId = None,
) -> Response:
    """Step 7: decide that the person cannot go, with a supervisor, and name what instead.

    The referral is taken back in the same transaction. Two people, as for `go`.
    """
    with begin() as work:
        return once_only(
            work, once, RETURN, lambda: deciding.no_go(work, return_id, seen, why, approval)
        )
