"""Functions that change returns."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Final
from uuid import UUID

from app.cases import actions as case_actions
from app.cases.further_actions import OPENING_ROLES
from app.cases.risk import RiskLevel
from app.consents import standing
from app.deadlines import actions as deadline_actions
from app.deadlines import queries as deadline_queries
from app.deadlines.limits import DeadlineKind
from app.directory.kinds import Service
from app.kernel import lifecycle as kernel_lifecycle
from app.kernel.actors import Side
from app.kernel.lifecycle import ActionIllegal, RoleMissing
from app.kernel.problems import Problem
from app.kernel.transactions import WriteTransaction
from app.kernel.versions import SeenVersions
from app.referrals import actions as referral_actions
from app.referrals import queries as referral_queries
from app.referrals.lifecycle import TABLE as REFERRAL_TABLE
from app.referrals.models import Clearance, Referral
from app.returns import arrivals
from app.returns import queries as return_queries
from app.returns.lifecycle import (
    CANCELLED,
    CLOCKS,
    DECIDED,
    EVENTS,
    ON_THE_WAY_TO_GO,
    STEPS,
    TABLE,
    Action,
    Row,
    State,
)
from app.returns.models import Done, Return
from app.returns.needs import RULES, Terms
from app.returns.schemas import ReturnExistsMembers
from app.returns.situation import (
    ACTIVE_REFERRAL,
    ReturnView,
    find_document_referral,
    get_version,
    load_facts,
    load_view,
    require_side,
)
from app.returns.step_digests import add_to_digest


class NotAReturn(Problem):
    """The referral asks for a service other than a return."""

    status = 409


class ReturnExists(Problem):
    """A return of this person has already been opened."""

    status = 409
    members: ClassVar = ReturnExistsMembers


@dataclass(frozen=True)
class PendingStep:
    """A step that has passed all checks but has not been taken yet."""

    view: ReturnView
    step: Row

    @property
    def record(self) -> Return:
        """The return that the step changes."""
        return self.view.record


@dataclass(frozen=True)
class StepResult:
    """The result of a step: codes, a note to seal, and whether it was taken early."""

    result: str | None = None
    level: RiskLevel | None = None
    threats: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    note: str | None = None
    early: bool = False


NO_RESULT: Final = StepResult()


def create_return(tx: WriteTransaction, referral_id: UUID) -> Return:
    """Open the checklist of an accepted RETURN referral that the caller may see.

    Raises NotFound (404), RoleMissing (403), NotAReturn, ActionIllegal or ReturnExists
    (409).
    """
    case, referral = referral_queries.lock(tx, referral_id)
    if not OPENING_ROLES & tx.actor.roles:
        roles = ", ".join(sorted(OPENING_ROLES))
        raise RoleMissing(f"This needs one of the roles {roles}.")
    if referral.service != Service.RETURN:
        raise NotAReturn("Name a referral for the service RETURN.")
    if opened := return_queries.find_by_referral(tx, referral.id):
        raise ReturnExists("Use the existing return.", {"return": opened.reference})
    if return_queries.list_open(tx, [case.id]):
        raise ReturnExists("End the other return of this person first.", {"return": None})
    if referral.state not in ACTIVE_REFERRAL:
        legal = REFERRAL_TABLE.describe_actions(referral.state)
        raise ActionIllegal(f"The referral is {referral.state}.", legal)
    record = Return(
        id=tx.create_id(),
        case=case,
        case_id=case.id,
        referral=referral,
        referral_id=referral.id,
        visits=[],
        opened_at=tx.now,
    )
    tx.session.add(record)
    tx.session.flush()
    start_deadline(tx, record)
    tx.record("return.opened", record, get_audience(record))
    return record


def lock_and_check(
    tx: WriteTransaction,
    return_id: UUID,
    action: Action,
    seen: SeenVersions,
    terms: Terms | None = None,
) -> PendingStep:
    """Lock a return, check that an action is allowed, and return its step.

    Raises NotFound (404), VersionNotGiven (428), VersionStale (412), ActionIllegal or
    NeedsUnmet (409), or ActionNotYours or RoleMissing (403).
    """
    view = lock_view(tx, return_id)
    seen.require_version(get_version(view))
    return check_step(tx, view, action, terms)


def lock_view(tx: WriteTransaction, return_id: UUID) -> ReturnView:
    """Lock and load a return, or raise NotFound (404) if the caller has no side."""
    return require_side(load_view(tx, return_queries.lock(tx, return_id)))


def check_step(
    tx: WriteTransaction, view: ReturnView, action: Action, terms: Terms | None = None
) -> PendingStep:
    """Check that an action on a locked return is allowed, and return its step."""
    step = find_step(tx, view, action)
    facts = load_facts(tx, view, terms)
    RULES.require(step, facts)
    return PendingStep(view, step)


def find_step(tx: WriteTransaction, view: ReturnView, action: Action) -> Row:
    """Return the step for an action; errors do not reveal the state to a consulate."""
    try:
        return TABLE.find(view.record.state, action, view.sides, tx.actor.roles)
    except ActionIllegal as error:
        if view.sides == {Side.CONSULATE}:
            hidden = {"state": None, "legal_actions": None}
            raise ActionIllegal("This action is not available now.", hidden) from error
        raise


def take_step(
    tx: WriteTransaction,
    pending: PendingStep,
    result: StepResult = NO_RESULT,
    *,
    due_at: datetime | None = None,
) -> Return:
    """Take a step, store its result, start the next deadline and record the event."""
    record, action = pending.record, pending.step.action
    by_system = pending.step.sides == {Side.SYSTEM}
    before = get_audience(record)
    arrivals.move_running_deadline(tx, record)
    kernel_lifecycle.apply_step(record, pending.step)
    record.raise_version()
    case_actions.expire_approvals(tx, record.case, record)
    if not by_system:
        record_step(tx, pending.view, action, result)
        noted_on = record.case if pending.step.sides == {Side.LEAD} else record.referral
        case_actions.add_note(tx, noted_on, f"return {action}", result.note)
    if pending.step.target is not None or action == Action.REPORT:
        start_deadline(tx, record, due_at)
    offices = get_audience(record) & before
    facts = {"state": record.state} | ({"early": True} if result.early else {})
    tx.record(EVENTS[action], record, offices, facts, by_system=by_system)
    update_referral(tx, pending)
    return record


def record_step(
    tx: WriteTransaction, view: ReturnView, action: Action, result: StepResult
) -> None:
    """Store a step with its account and result, if the action belongs to the checklist."""
    if action not in STEPS:
        return
    record = view.record
    taken_step = Done(
        id=tx.create_id(),
        return_id=record.id,
        action=action,
        focal_point_id=tx.actor.focal_point_id,
        account_id=tx.actor.account_id,
        at=tx.now,
        result=result.result,
        level=result.level,
        threats=list(result.threats),
        services=list(result.services),
    )
    tx.session.add(taken_step)
    add_to_digest(record, view.done, taken_step)
    tx.session.flush()


def get_audience(record: Return) -> frozenset[UUID]:
    """Return the offices that may learn of a return; if cancelled, at most the holder."""
    known, holder = record.referral.audience, record.case.holder
    return known & {holder} if record.state in CANCELLED else known


def start_deadline(
    tx: WriteTransaction,
    record: Return,
    due_at: datetime | None = None,
    *,
    resumed: bool = False,
) -> None:
    """Start or resume the deadline of a return; stop it if the state has no deadline."""
    if record.state not in CLOCKS:
        deadline_actions.stop(tx, record.id)
        return
    kind, side = CLOCKS[record.state]
    if record.state == State.MONITORING and record.visits:
        due_at = datetime.fromisoformat(record.visits[0])
    document_referral = record.referral
    if side == Side.CONSULATE:
        case_file = standing.load_for_case(tx, record.case)
        document_referral = find_document_referral(tx, record, case_file)
    office_id = return_queries.find_awaited_office(tx, record, side, document_referral)
    time_limit = deadline_queries.get_term(tx, kind, record.case, waits_on=office_id)
    if resumed:
        deadline_actions.resume(tx, record, kind, time_limit, waits_on=office_id)
    else:
        due_at = due_at or time_limit.compute_end(tx.now)
        deadline_actions.restart(tx, record, kind, due_at, waits_on=office_id)
    if is_paused(record, office_id):
        deadline_actions.stop(tx, record.id)
    if record.state in ON_THE_WAY_TO_GO:  # only the return's deadline runs
        deadline_actions.stop(tx, record.referral_id)


def is_paused(record: Return, office: UUID | None) -> bool:
    """Return whether a deadline of a return is paused because the case is suspended.

    The deadlines for the arrival and for the visits are never paused, nor those of an
    office that must not see that the case is suspended (ADR 43).
    """
    kind, _ = CLOCKS.get(record.state, (None, None))
    return record.case.is_seen_suspended(office) and kind == DeadlineKind.REVIEW


def update_referral(tx: WriteTransaction, pending: PendingStep) -> None:
    """Update the referral's clearance; ask for documents if the new state requires them."""
    record = pending.record
    referral_actions.set_clearance(tx, record.referral, get_clearance(record))
    if pending.step.target in {State.PERMITTED, State.CLEARED}:
        request_documents(tx, record, pending.view.document_referral)


def request_documents(tx: WriteTransaction, record: Return, referral: Referral) -> None:
    """Record an event that asks a consulate for documents, without details (BR12).

    If the recipient of the return issues the documents itself, no event is recorded.
    """
    if referral.id != record.referral_id:
        audience = frozenset({referral.recipient_id})
        tx.record("return.document_requested", record, audience, by_system=True)


def get_clearance(record: Return) -> Clearance | None:
    """Return the clearance in the return's state; None before GO and if cancelled."""
    if record.state in {State.MONITORING, State.COMPLETED}:
        return Clearance.DONE
    return Clearance.CLEARED if record.state in DECIDED else None
