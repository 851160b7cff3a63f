"""Changing referrals."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from app.cases import actions as cases
from app.cases.lifecycle import OPEN as CASE_OPEN
from app.cases.lifecycle import TABLE as CASE_TABLE
from app.cases.lifecycle import Action as CaseAction
from app.cases.lifecycle import State as CaseState
from app.cases.models import Case
from app.cases.sections import SERVICES_FOR_SAFETY
from app.consents import standing
from app.deadlines import actions as deadlines
from app.deadlines.limits import ClockKind
from app.deadlines.queries import term
from app.deadlines.terms import find_apparent_holder
from app.directory.kinds import Function, Kind, Service
from app.directory.models import FocalPoint
from app.kernel import lifecycle
from app.kernel.actors import HELPS, Relation, Role, Side, sides_of_case
from app.kernel.lifecycle import ActionIllegal, ActionNotYours, RoleMissing
from app.kernel.problems import Problem
from app.kernel.versions import Seen
from app.kernel.work import Writing
from app.referrals import queries
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
from app.referrals.schemas import (
    NewReferral,
)
from app.referrals.situation import (
    as_told,
    facts_of,
    load_requests_beside,
    roles_of,
    sides_of,
)

OPENERS: Final = frozenset({Role.CASEWORKER, Role.COORDINATOR})


class RecipientUnfit(Problem):
    """The focal point named cannot be sent referrals."""

    status = 422


@dataclass(frozen=True)
class Move:
    """A step that is about to be taken, with everything it was judged by."""

    case: Case
    referral: Referral
    step: Row
    before: frozenset[UUID]
    basis: Basis | None = None


def draft(
    work: Writing, case: Case, recipient: FocalPoint, like: NewReferral | Referral
) -> Referral:
    """Write a draft, of its own or in place of a referral that was redirected."""
    referral = Referral(
        id=work.new_id(),
        case=case,
        case_id=case.id,
        recipient=recipient,
        recipient_id=recipient.id,
        service=like.service,
        sections=sorted(set(like.sections)),
        predecessor_id=like.id if isinstance(like, Referral) else None,
        opened_at=work.now,
        opened_by=work.actor.focal_point_id,
    )
    work.session.add(referral)
    work.session.flush()
    wind(work, referral)
    work.record("referral.opened", referral, referral.audience)
    return referral


def must_be_fit(case: Case, recipient: FocalPoint) -> None:
    """Raise RecipientUnfit (422) unless it is active, another, and helps people."""
    unasked = recipient.kind in UNASKED or recipient.function == Function.TECHNICAL
    if recipient.id == case.holder or not recipient.active or unasked:
        raise RecipientUnfit("Name another active focal point that helps people.")


UNASKED: Final = frozenset({Kind.DESK, Kind.OVERSIGHT})


def must_be_able_to_open(work: Writing, case: Case) -> None:
    """Raise unless the caller holds this open case and may work on it."""
    sides = sides_of_case(case.relations_of(work.actor.focal_point_id))
    if case.state not in CASE_OPEN:
        raise ActionIllegal(f"The case is {case.state}.", CASE_TABLE.legal(case.state))
    if Side.HOLDER not in sides:
        raise ActionNotYours("This is for the holder of the case to do.")
    if not OPENERS & work.actor.roles:
        raise RoleMissing(f"This needs one of the roles {', '.join(sorted(OPENERS))}.")


def ready(
    work: Writing, referral_id: UUID, action: Action, seen: Seen, terms: Terms | None = None
) -> Move:
    """Hold a referral and find its step, or say why not.

    In this order, so that each answer tells a caller no more than they may know: not
    visible (404), stale (412, 428), not in this state (409), not yours (403), needs unmet
    (409).
    """
    _, referral = queries.lock(work, referral_id)
    seen.must_include(referral.version)
    return judge(work, referral, action, terms)


def judge(
    work: Writing, referral: Referral, action: Action, terms: Terms | None = None
) -> Move:
    """Find the step of a referral that is held, and see that all it needs is there."""
    case, sides = referral.case, sides_of(referral, work.actor)
    step = TABLE.find(referral.state, action, sides, roles_of(referral, work.actor))
    stands = standing.known_to_caller(work, standing.of_case(work, case))
    requests = load_requests_beside(work, [referral]).get(case.id, [])
    facts = facts_of(work, referral, stands, terms, requests=requests)
    RULES.require(step, as_told(work, referral, stands, facts, sides))
    return Move(case, referral, step, referral.audience, basis_of(facts))


def basis_of(facts: Facts) -> Basis | None:
    """Say on what ground a referral is sent: the person's own word before any other."""
    grounds = {
        Basis.CONSENT: facts.covered,
        Basis.CHILD_PATH: facts.child_path,
        Basis.VITAL_INTEREST: facts.vital_interest,
    }
    return next((ground for ground, holds in grounds.items() if holds), None)


def take(  # noqa: PLR0913 - each says one thing of the step
    work: Writing,
    move: Move,
    *,
    by_system: bool = False,
    resumed: bool = False,
    until: datetime | None = None,
    alternative: str | None = None,
) -> Referral:
    """Take the step, start the next clock, tell the parties, and let the case follow."""
    referral = move.referral
    lifecycle.take(referral, move.step)
    referral.touch()
    if referral.state in STOPPED:
        end_part(work, referral)
    wind(work, referral, resumed=resumed, until=until)
    facts = {
        "state": referral.state,
        "service": referral.service,
        "reason": referral.reason,
        "alternative": alternative,
    }
    facts = {name: str(fact) for name, fact in facts.items() if fact}
    audience = move.before | referral.audience
    work.record(EVENTS[move.step.action], referral, audience, facts, by_system=by_system)
    settle(work, move.case)
    return referral


def end_part(work: Writing, referral: Referral) -> None:
    """End the recipient's part in the case at once (LIFECYCLES.md, 5).

    It follows the person no further, though it still has to say that it deleted what it
    held: until then it keeps the referral, and not the case.
    """
    case, recipient = referral.case, referral.recipient_id
    if Relation.RECIPIENT in referral.relations_of(recipient):
        case.dismiss(Relation.RECIPIENT, work.now, referral.id)
        case.admit(recipient, Relation.FORMER_RECIPIENT, work.now, referral.id)


def wind(
    work: Writing,
    referral: Referral,
    *,
    resumed: bool = False,
    until: datetime | None = None,
) -> None:
    """Start the clock that the state calls for; nobody waits for who was never told.

    While the case rests every clock stands still with the time that it has, but of what
    keeps the person safe.
    """
    kind, side = clock_of(referral)
    recipient, case = referral.recipient_id, referral.case
    told = bool(referral.relations_of(recipient) & HELPS)
    if kind is None or (side == Side.RECIPIENT and not told):
        deadlines.stop(work, referral.id)
        return
    waits_on = case.holder if side == Side.SENDER else recipient
    apparent = find_apparent_holder(case, referral.id) if side == Side.SENDER else None
    fresh = term(work, kind, case, waits_on=waits_on, apparent=apparent)
    if resumed:
        deadlines.go_on(work, referral, kind, fresh, waits_on=waits_on)
    else:
        until = until or fresh.until(work.now)
        deadlines.restart(work, referral, kind, until, waits_on=waits_on)
    if rests(referral):
        deadlines.stop(work, referral.id)


def clock_of(referral: Referral) -> tuple[ClockKind | None, Side]:
    """Say which clock a referral calls for, and who is waited for.

    Nobody meets who has not returned. A referral for a return waits for its checklist to be
    opened; that has clocks of its own, of whoever has the next step, until the person is
    there.
    """
    kind, side = CLOCKS.get(referral.state, (None, Side.SYSTEM))
    returns = referral.service == Service.RETURN and referral.state in UNMET
    if returns and referral.clearance != Clearance.DONE:
        kind = None if referral.clearance else ClockKind.REVIEW
    return kind, side


UNMET: Final = frozenset({State.ACCEPTED, State.IN_PROGRESS})


def rests(referral: Referral) -> bool:
    """Say whether it may wait while the case is suspended."""
    suspended = referral.case.state == CaseState.SUSPENDED
    alive = referral.state in OPEN and referral.service not in SERVICES_FOR_SAFETY
    return suspended and alive


def clear(work: Writing, referral: Referral, clearance: Clearance | None) -> None:
    """Keep how far the checklist of a return has come: `start` and `complete` wait for it.

    Said from above, for a referral knows nothing of what is built on it. Its own clock
    begins once the person is there.
    """
    if referral.clearance != clearance:
        referral.clearance = clearance
        referral.touch()
        if clearance and referral.state in UNMET:
            wind(work, referral)


def settle(work: Writing, case: Case) -> None:
    """Let the case follow its referrals: help begins, or has to be found again.

    A person who is only visited was helped before: there help begins with what is under way
    now, and not with a request, which may come to nothing.
    """
    states = {referral.state for referral in queries.of_case(work, case.id)}
    action = {
        CaseState.REFERRING: CaseAction.BEGIN_ASSISTANCE if states & HELPED else None,
        CaseState.ASSISTING: None if states & HELPED else CaseAction.FALL_BACK,
        CaseState.MONITORING: CaseAction.BEGIN_ASSISTANCE if states & AT_WORK else None,
    }.get(case.state)
    if action is not None:
        case.visits = []
        step = CASE_TABLE.find(case.state, action, {Side.SYSTEM}, frozenset())
        cases.take(work, case, step, before=case.audience)
