"""Destroying what is sealed, and holding it back from that."""

from uuid import UUID

from app.access.models import Approval
from app.cases import actions as cases
from app.cases import queries
from app.cases.approving import OF_OVERSIGHT, Matter, second
from app.cases.facts import FactName
from app.cases.lifecycle import TABLE, Action, Row, State
from app.cases.models import Case
from app.cases.records import Fact
from app.casework import situation
from app.casework.acting import lock, must_work, sides_of
from app.casework.bodies import EraseCase, HoldLegally
from app.casework.needs import Terms
from app.deadlines import actions as deadlines
from app.kernel.actors import Relation, Role, Side
from app.kernel.lifecycle import ActionIllegal, ActionNotYours, RoleMissing
from app.kernel.versions import Seen
from app.kernel.work import Reading, Writing
from app.referrals import following
from app.returns import following as returns


def discard(work: Writing, case: Case, row: Row) -> Case:
    """Throw a draft away: the data key is destroyed at once, and nothing of it opens."""
    must_work(work)
    before = case.audience
    case.external_digest = None
    cases.destroy(work, case)
    cases.take(work, case, row, before=before)
    return case


def drop(work: Writing, case: Case) -> None:
    """Throw away, as the system, a draft that nobody finished in 14 days."""
    row = TABLE.find(case.state, Action.DISCARD, {Side.SYSTEM}, frozenset())
    before = case.audience
    case.external_digest = None
    cases.destroy(work, case)
    cases.take(work, case, row, before=before)


def lapse(work: Writing, case: Case) -> None:
    """Destroy, as the system, what is sealed in a case whose time is over (D11)."""


def erase(
    work: Writing, code: str, seen: Seen, why: EraseCase, approval: UUID | None
) -> Case | Approval:
    """Destroy what is sealed in a case that ended, as two people of oversight.

    The notice and the journal stay; every party but oversight leaves. Raises what `ready`
    does, and ApprovalUnusable (409).
    """
    case = lock(work, code, seen)
    row = TABLE.find(case.state, Action.ERASE, sides_of(work, case), work.actor.roles)
    situation.judge(work, case, row, Terms(reason=why.reason, approved=True))
    matter = Matter(case, f"case.{Action.ERASE}", why, {"reason": why.reason}, OF_OVERSIGHT)
    if question := second(work, matter, approval):
        return question
    before = case.audience
    case.external_digest = None
    cases.destroy(work, case)
    following.leave_all(work, case)
    returns.leave_all(work, case)
    for relation in Relation:
        if relation != Relation.OVERSIGHT:
            case.dismiss(relation, work.now)
    cases.take(work, case, row, {"reason": why.reason}, before=before)
    deadlines.stop_case(work, case.id)
    return case


def hold_legally(
    work: Writing, code: str, hold: HoldLegally, approval: UUID | None
) -> Case | Approval:
    """Forbid to erase a case, or lift that, as two people of oversight.

    Nobody else learns of it, by a version either: it may be the lead that is looked into.
    Raises NotFound (404), ActionIllegal (409), ActionNotYours or RoleMissing (403),
    ApprovalUnusable (409).
    """
    case = queries.lock(work, code)
    must_oversee(work, case)
    if case.state == State.ERASED:
        raise ActionIllegal(f"The case is {case.state}.", TABLE.legal(case.state))
    matter = Matter(case, "case.hold", hold, {"value": hold.value}, OF_OVERSIGHT)
    if question := second(work, matter, approval):
        return question
    fact = Fact(
        id=work.new_id(),
        case=case,
        case_id=case.id,
        name=FactName.LEGAL_HOLD,
        value=hold.value,
        recorded_by=work.actor.focal_point_id,
        recorded_at=work.now,
    )
    cases.know(work, case, fact)
    us = frozenset({work.actor.focal_point_id})
    work.record("case.hold_changed", case, us, {"value": hold.value})
    return case


def must_oversee(work: Reading, case: Case) -> None:
    """Raise unless a protection officer of oversight asks."""
    if Side.OVERSIGHT not in sides_of(work, case):
        raise ActionNotYours("This is for oversight to do.")
    if Role.PROTECTION_OFFICER not in work.actor.roles:
        raise RoleMissing(f"This needs one of the roles {Role.PROTECTION_OFFICER}.")
