"""Functions that change referrals."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from app.cases import actions as case_actions
from app.cases.further_actions import find_further
from app.cases.lifecycle import TABLE as CASE_TABLE
from app.cases.lifecycle import Action as CaseAction
from app.cases.lifecycle import State as CaseState
from app.cases.models import Case
from app.cases.sections import SERVICES_FOR_SAFETY
from app.consents import standing
from app.deadlines import actions as deadline_actions
from app.deadlines.durations import find_apparent_holder
from app.deadlines.limits import DeadlineKind
from app.deadlines.queries import get_term
from app.directory.kinds import OfficeFunction, OfficeKind, Service
from app.directory.models import FocalPoint
from app.kernel import lifecycle as kernel_lifecycle
from app.kernel.actors import HELPING_RELATIONS, Relation, Side, get_case_sides
from app.kernel.problems import Problem
from app.kernel.transactions import WriteTransaction
from app.kernel.versions import SeenVersions
from app.referrals import queries as referral_queries
from app.referrals.lifecycle import (
    AT_WORK,
    CLOCKS,
    EVENTS,
    HELPED,
    OPEN,
    STOPPED,
    TABLE,
    Action,
    Row,
    State,
)
from app.referrals.models import Basis, Clearance, Referral
from app.referrals.needs import RULES, Facts, Terms
from app.referrals.schemas import ReferralInput
from app.referrals.situation import (
    get_roles,
    get_sides,
    load_facts,
    load_other_requests,
    redact_for,
)


class RecipientUnfit(Problem):
    """Referrals cannot be sent to the focal point that the request names."""

    status = 422


class RedirectLoop(Problem):
    """The redirect leads back to an office that was already asked."""

    status = 422


@dataclass(frozen=True)
class PendingStep:
    """A step that has passed all checks but has not been taken yet."""

    case: Case
    referral: Referral
    step: Row
    before: frozenset[UUID]
    basis: Basis | None = None


def create_draft(
    tx: WriteTransaction,
    case: Case,
    recipient: FocalPoint,
    template: ReferralInput | Referral,
) -> Referral:
    """Create a draft referral from a request, or from a referral that was redirected."""
    referral = Referral(
        id=tx.create_id(),
        case=case,
        case_id=case.id,
        recipient=recipient,
        recipient_id=recipient.id,
        service=template.service,
        sections=sorted(set(template.sections)),
        predecessor_id=template.id if isinstance(template, Referral) else None,
        opened_at=tx.now,
        opened_by=tx.actor.focal_point_id,
    )
    tx.session.add(referral)
    tx.session.flush()
    start_deadline(tx, referral)
    tx.record("referral.created", referral, referral.audience)
    return referral


def require_fit_recipient(case: Case, recipient: FocalPoint) -> None:
    """Raise RecipientUnfit (422) unless the office may receive a referral in this case."""
    never = (
        recipient.kind in NEVER_RECIPIENT or recipient.function == OfficeFunction.TECHNICAL
    )
    if recipient.id == case.holder or not recipient.active or never:
        raise RecipientUnfit("Name another active focal point that gives services.")


NEVER_RECIPIENT: Final = frozenset({OfficeKind.DESK, OfficeKind.OVERSIGHT})


def require_may_open(tx: WriteTransaction, case: Case) -> None:
    """Raise a problem unless the caller may now create a referral in the case."""
    sides = get_case_sides(case.list_relations(tx.actor.focal_point_id))
    find_further(case.state, CaseAction.REFER, sides, tx.actor.roles)


def lock_and_check(
    tx: WriteTransaction,
    referral_id: UUID,
    action: Action,
    seen: SeenVersions,
    terms: Terms | None = None,
) -> PendingStep:
    """Lock a referral, check that an action is allowed, and return its step.

    The checks are made in a fixed order, so that an error reveals no more than the caller
    may learn: visibility (404), version (412, 428), state (409), side and role (403), and
    requirements (409).
    """
    _, referral = referral_queries.lock(tx, referral_id)
    seen.require_version(referral.version)
    return check_step(tx, referral, action, terms)


def check_step(
    tx: WriteTransaction, referral: Referral, action: Action, terms: Terms | None = None
) -> PendingStep:
    """Check that an action on a locked referral is allowed, and return its step."""
    case, sides = referral.case, get_sides(referral, tx.actor)
    step = TABLE.find(referral.state, action, sides, get_roles(referral, tx.actor))
    case_file = standing.filter_for_caller(tx, standing.load_for_case(tx, case))
    requests = load_other_requests(tx, [referral]).get(case.id, [])
    facts = load_facts(tx, referral, case_file, terms, requests=requests)
    RULES.require(step, redact_for(tx, referral, case_file, facts, sides))
    return prepare_step(referral, step, find_basis(facts))


def prepare_step(referral: Referral, step: Row, basis: Basis | None = None) -> PendingStep:
    """Return a pending step, with the audience of the referral before the step."""
    case, before = referral.case, referral.audience
    return PendingStep(case=case, referral=referral, step=step, before=before, basis=basis)


def find_basis(facts: Facts) -> Basis | None:
    """Return the legal basis for sending a referral, preferably consent, or None."""
    bases = {
        Basis.CONSENT: facts.covered,
        Basis.CHILD_PATH: facts.child_path,
        Basis.VITAL_INTEREST: facts.vital_interest,
    }
    return next((basis for basis, holds in bases.items() if holds), None)


def take_step(  # noqa: PLR0913 - every argument describes the step
    tx: WriteTransaction,
    pending: PendingStep,
    *,
    by_system: bool = False,
    resumed: bool = False,
    due_at: datetime | None = None,
    alternative: str | None = None,
) -> Referral:
    """Take a step, start the next deadline, record the event and update the case."""
    referral = pending.referral
    kernel_lifecycle.apply_step(referral, pending.step)
    referral.raise_version()
    if referral.state in STOPPED:
        end_recipient_relation(tx, referral)
    if referral.state == State.COMPLETED:
        pending.case.complete_part(referral.id, tx.now)
    start_deadline(tx, referral, resumed=resumed, due_at=due_at)
    facts = {
        "state": referral.state,
        "service": referral.service,
        "reason": referral.reason,
        "alternative": alternative,
    }
    facts = {name: str(fact) for name, fact in facts.items() if fact}
    audience = pending.before | referral.audience
    tx.record(EVENTS[pending.step.action], referral, audience, facts, by_system=by_system)
    update_case_state(tx, pending.case)
    return referral


def end_recipient_relation(tx: WriteTransaction, referral: Referral) -> None:
    """Replace the recipient's relation to the case with `former_recipient`.

    The office loses access to the case (LIFECYCLES.md, 5). The office keeps access to the
    referral until it confirms that the received data was deleted.
    """
    case, recipient = referral.case, referral.recipient_id
    if Relation.RECIPIENT in referral.list_relations(recipient):
        case.end_relation(Relation.RECIPIENT, tx.now, referral.id)
        case.add_party(recipient, Relation.FORMER_RECIPIENT, tx.now, referral.id)


def start_deadline(
    tx: WriteTransaction,
    referral: Referral,
    *,
    resumed: bool = False,
    due_at: datetime | None = None,
) -> None:
    """Start the deadline of the current state, if any, and stop any earlier deadline.

    No deadline runs for a recipient that never received the referral. While the case is
    suspended, the deadlines are paused for which `is_paused` returns True.
    """
    kind, side = get_deadline_kind(referral)
    recipient, case = referral.recipient_id, referral.case
    is_recipient = bool(referral.list_relations(recipient) & HELPING_RELATIONS)
    if kind is None or (side == Side.RECIPIENT and not is_recipient):
        deadline_actions.stop(tx, referral.id)
        return
    waits_on = case.holder if side == Side.SENDER else recipient
    apparent = (
        find_apparent_holder(case, referral.id, recipient) if side == Side.SENDER else None
    )
    time_limit = get_term(tx, kind, case, waits_on=waits_on, apparent=apparent)
    if resumed:
        deadline_actions.resume(tx, referral, kind, time_limit, waits_on=waits_on)
    else:
        due_at = due_at or time_limit.compute_end(tx.now)
        deadline_actions.restart(tx, referral, kind, due_at, waits_on=waits_on)
    if is_paused(referral):
        deadline_actions.stop(tx, referral.id)


def get_deadline_kind(referral: Referral) -> tuple[DeadlineKind | None, Side]:
    """Return the kind of deadline for the current state and the side that has to act.

    The kind is None if there is no deadline. After the acceptance of a RETURN referral, the
    kind is REVIEW until the decision GO, None until the visits are planned, and then the
    usual one. An open return has its own deadlines.
    """
    kind, side = CLOCKS.get(referral.state, (None, Side.SYSTEM))
    awaits_return = referral.service == Service.RETURN and referral.state in AWAITING_RETURN
    if awaits_return and referral.clearance != Clearance.DONE:
        kind = None if referral.clearance else DeadlineKind.REVIEW
    return kind, side


AWAITING_RETURN: Final = frozenset({State.ACCEPTED, State.IN_PROGRESS})


def is_paused(referral: Referral) -> bool:
    """Return whether the deadline of a referral is paused because the case is suspended.

    It is not paused if the recipient must not see that the case is suspended (ADR 43).
    """
    may_wait = referral.state in OPEN and referral.service not in SERVICES_FOR_SAFETY
    return referral.case.is_seen_suspended(referral.recipient_id) and may_wait


def set_clearance(
    tx: WriteTransaction, referral: Referral, clearance: Clearance | None
) -> None:
    """Store the progress of a return, on which the start and end of its referral depend."""
    if referral.clearance != clearance:
        referral.clearance = clearance
        referral.raise_version()
        if clearance and referral.state in AWAITING_RETURN:
            start_deadline(tx, referral)


def update_case_state(tx: WriteTransaction, case: Case) -> None:
    """Update the state of the case after a step of one of its referrals.

    A monitored case goes back to assistance only when help is under way, because a pending
    request may still be declined.
    """
    states = {referral.state for referral in referral_queries.list_of_case(tx, case.id)}
    action = {
        CaseState.REFERRING: CaseAction.BEGIN_ASSISTANCE if states & HELPED else None,
        CaseState.ASSISTING: None if states & HELPED else CaseAction.FALL_BACK,
        CaseState.MONITORING: CaseAction.BEGIN_ASSISTANCE if states & AT_WORK else None,
    }.get(case.state)
    if action is not None:
        case.visits = []
        step = CASE_TABLE.find(case.state, action, {Side.SYSTEM}, frozenset())
        case_actions.take_step(tx, case, step, audience_before=case.audience)
