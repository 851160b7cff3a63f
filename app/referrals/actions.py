"""Changing referrals."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from app.cases import actions as cases
from app.cases.lifecycle import OPEN as CASE_OPEN
from app.cases.lifecycle import TABLE as CASE_TABLE
from app.cases.lifecycle import Action as CaseAction
from app.cases.lifecycle import State as CaseState
from app.cases.models import Case
from app.cases.reasons import WithdrawReason
from app.cases.sections import Paper
from app.consents import standing
from app.deadlines import actions as deadlines
from app.deadlines.limits import due
from app.deadlines.queries import running
from app.directory import queries as directory
from app.directory.kinds import Function, Kind
from app.directory.models import FocalPoint
from app.kernel import lifecycle
from app.kernel.actors import Relation, Role, Side, sides_of_case
from app.kernel.lifecycle import ActionIllegal, ActionNotYours, RoleMissing
from app.kernel.problems import Problem
from app.kernel.versions import Seen
from app.kernel.work import Writing
from app.referrals import queries
from app.referrals.lifecycle import (
    CLOCKS,
    EVENTS,
    HELPED,
    OPEN,
    TABLE,
    Action,
    Row,
    State,
)
from app.referrals.models import Referral
from app.referrals.needs import RULES, Terms
from app.referrals.schemas import Arrangement, CompleteReferral, NewReferral
from app.referrals.situation import facts_of, sides_of

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


def open_referral(work: Writing, case: Case, new: NewReferral) -> Referral:
    """Open a draft in a case that is held by the caller, or send it at once.

    Raises ActionIllegal (409), ActionNotYours or RoleMissing (403), FocalPointUnknown or
    RecipientUnfit (422), and what `judge` does.
    """
    must_be_able_to_open(work, case)
    recipient = directory.named(work, new.recipient)
    must_be_fit(case, recipient)
    referral = Referral(
        id=work.new_id(),
        case=case,
        case_id=case.id,
        recipient=recipient,
        recipient_id=recipient.id,
        service=new.service,
        sections=sorted(set(new.sections)),
        opened_at=work.now,
    )
    work.session.add(referral)
    work.session.flush()
    wind(work, referral)
    work.record("referral.opened", referral, referral.audience)
    return send(work, judge(work, referral, Action.SEND)) if new.send else referral


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
    step = TABLE.find(referral.state, action, sides, work.actor.roles)
    RULES.require(step, facts_of(work, referral, standing.of_case(work, case), terms))
    return Move(case, referral, step, referral.audience)


def send(work: Writing, move: Move) -> Referral:
    """Send a referral: from now on its recipient is party to it.

    Raises RecipientUnfit (422): it may have ceased to be fit since the draft was made.
    """
    referral = move.referral
    must_be_fit(move.case, referral.recipient)
    move.case.admit(referral.recipient_id, Relation.RECIPIENT, work.now, referral.id)
    return take(work, move)


def accept(work: Writing, move: Move, promise: Arrangement) -> Referral:
    """Accept a referral; what was promised is sealed with it."""
    cases.put_away(work, move.referral, Paper.ARRANGEMENT, promise)
    return take(work, move)


def complete(work: Writing, move: Move, report: CompleteReferral) -> Referral:
    """Say what came of it; the feedback is sealed for the sender."""
    move.referral.outcome = report.outcome
    cases.note(work, move.referral, "feedback", report.feedback)
    return take(work, move)


def end(work: Writing, move: Move, reason: str, note: str | None = None) -> Referral:
    """Decline or revoke, with a reason code; what was written to it is sealed."""
    move.referral.reason = reason
    cases.note(work, move.referral, move.step.action, note)
    return take(work, move)


def take(work: Writing, move: Move, *, by_system: bool = False) -> Referral:
    """Take the step, start the next clock, tell the parties, and let the case follow."""
    referral = move.referral
    lifecycle.take(referral, move.step)
    referral.touch()
    wind(work, referral)
    facts = {
        "state": referral.state,
        "service": referral.service,
        "reason": referral.reason,
    }
    facts = {name: str(fact) for name, fact in facts.items() if fact}
    audience = move.before | referral.audience
    work.record(EVENTS[move.step.action], referral, audience, facts, by_system=by_system)
    settle(work, move.case)
    return referral


def wind(work: Writing, referral: Referral) -> None:
    """Start the clock that the state calls for; nobody waits for who was never told."""
    kind, side = CLOCKS.get(referral.state, (None, Side.SYSTEM))
    recipient = referral.recipient_id
    told = Relation.RECIPIENT in referral.relations_of(recipient)
    waits_on = referral.case.holder if side == Side.SENDER else recipient
    if kind is None or (side == Side.RECIPIENT and not told):
        deadlines.stop(work, referral.id)
        return
    until = due(kind, referral.case.priority, work.now)
    deadlines.restart(work, referral, kind, until, waits_on=waits_on)


def hand_on(work: Writing, case: Case) -> None:
    """Let what waited for the holder of a case wait for the new one."""
    for referral in queries.of_case(work, case.id):
        if CLOCKS.get(referral.state, (None, None))[1] == Side.SENDER:
            wind(work, referral)


def rewind(work: Writing, case: Case) -> None:
    """Let the running clocks end as the priority of the case says now."""
    ids = [referral.id for referral in queries.of_case(work, case.id)]
    for clock in running(work, ids).values():
        clock.due_at = due(clock.kind, case.priority, clock.set_at)


def settle(work: Writing, case: Case) -> None:
    """Let the case follow its referrals: help begins, or has to be found again."""
    helped = any(r.state in HELPED for r in queries.of_case(work, case.id))
    follows = {
        (CaseState.REFERRING, True): CaseAction.BEGIN_ASSISTANCE,
        (CaseState.ASSISTING, False): CaseAction.FALL_BACK,
    }
    action = follows.get((case.state, helped))
    if action is not None:
        step = CASE_TABLE.find(case.state, action, {Side.SYSTEM}, frozenset())
        cases.take(work, case, step, before=case.audience)


def end_drafts(work: Writing, case: Case, reason: str) -> None:
    """Revoke what was never sent, when the case ends."""
    for referral in queries.of_case(work, case.id):
        if referral.state == State.DRAFT:
            step = TABLE.find(State.DRAFT, Action.REVOKE, {Side.SENDER}, OPENERS)
            end(work, Move(case, referral, step, referral.audience), reason)


def covered(work: Writing, case: Case) -> frozenset[UUID]:
    """Name the open referrals of a case that rest on a consent now."""
    stands = standing.of_case(work, case)
    return frozenset(
        referral.id
        for referral in queries.of_case(work, case.id)
        if referral.state in OPEN and facts_of(work, referral, stands).covered
    )


def withdraw_uncovered(work: Writing, case: Case, rested: frozenset[UUID]) -> None:
    """End what rested on a consent that was taken back, and on no other.

    Help that no consent covered before goes on: another withdrawal must not end it.
    """
    lost = rested - covered(work, case)
    for referral in queries.of_case(work, case.id):
        if referral.id in lost:
            withdraw(work, referral, WithdrawReason.CONSENT_WITHDRAWN)


def withdraw_unsafe(work: Writing, case: Case) -> None:
    """End what was sent to a recipient that turns out to be unsafe, without saying why."""
    stands = standing.of_case(work, case)
    for referral in queries.of_case(work, case.id):
        to = referral.recipient
        if referral.state in OPEN and not stands.is_safe(to, to.code):
            withdraw(work, referral, WithdrawReason.NO_LONGER_NEEDED)


def withdraw(work: Writing, referral: Referral, reason: WithdrawReason) -> None:
    """Let the system take a referral back."""
    step = TABLE.find(referral.state, Action.WITHDRAW, {Side.SYSTEM}, frozenset())
    referral.reason = reason
    take(work, Move(referral.case, referral, step, referral.audience), by_system=True)
