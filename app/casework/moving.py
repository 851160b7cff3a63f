"""How a case comes to another focal point by a decision: the desk's, or a border."""

from typing import Final
from uuid import UUID

from app.access.attendance import is_unattended
from app.access.models import Approval
from app.cases import actions as cases
from app.cases import queries
from app.cases.approving import Matter, second
from app.cases.lifecycle import LED, OPEN, TABLE, WITH_A_CANDIDATE, Need, Row
from app.cases.models import Case
from app.cases.reasons import TakeOverReason
from app.cases.sections import Paper
from app.casework.acting import lock, must_work
from app.casework.bodies import AssignCase, RelocateCase, TakeOverCase
from app.casework.carrying import reroute
from app.casework.needs import RULES, Terms
from app.casework.sides import sides_of
from app.casework.watching import watch_interests
from app.consents import standing
from app.consents.coverage import Purpose
from app.consents.placing import question_of
from app.deadlines import breaches
from app.deadlines import queries as deadlines
from app.deadlines.silence import PATIENCE
from app.directory import queries as directory
from app.directory.kinds import Kind, is_at_home
from app.directory.models import FocalPoint
from app.handovers import following as handovers
from app.handovers.actions import give_lead
from app.kernel.actors import Relation, Role, Side
from app.kernel.lifecycle import ActionIllegal, ActionNotYours, RoleMissing
from app.kernel.needs import Unmet, refuse
from app.kernel.problems import Problem
from app.kernel.versions import Seen
from app.kernel.work import Reading, Writing
from app.referrals import following
from app.returns import following as returns
from app.routing import actions as routing
from app.routing.ranking import leads


class CountrySame(Problem):
    """The person is already known to be in this country."""

    status = 409


class LeadNotFailing(Problem):
    """The lead is active, and did not let its clocks pass three times."""

    status = 409


def fits(work: Reading, case: Case, chosen: FocalPoint) -> bool:
    """Say whether a focal point may be given a case by hand.

    It leads where the person is (routing rule 2), also when a desk chooses. One answer for
    every reason: a desk must not learn what the person fears. Where everybody may be told,
    no choice could be refused for another reason: there it is whose turn it is.
    """
    stands = standing.of_case(work, case)
    able = chosen.active and chosen.can_lead and chosen.id != case.holder
    there = chosen.kind not in UNLEADING and is_at_home(chosen, case.country or "")
    if not (able and there and stands.is_safe(chosen, chosen.code)):
        return False
    agreed = stands.told(chosen, Purpose.REFER) is not None
    return agreed or (stands.may_hear(chosen) and is_next(work, case, chosen))


UNLEADING: Final = frozenset({Kind.DESK, Kind.OVERSIGHT})


def is_next(work: Reading, case: Case, chosen: FocalPoint) -> bool:
    """Say whether it is somebody's turn to lead, or was before."""
    question = question_of(work, case)
    turn = leads(question).candidates[:1]
    return chosen.id in question.declined or chosen.id in {one.id for one in turn}


def terms_of(work: Reading, case: Case, choice: AssignCase) -> Terms:
    """Say what a choice brings; raises FocalPointUnknown (422)."""
    chosen = directory.named(work, choice.focal_point)
    return Terms(reason=choice.reason, chosen_fits=fits(work, case, chosen))


def assign(work: Writing, case: Case, row: Row, choice: AssignCase) -> Case:
    """Give a case to a candidate that the desk chose; the desk's part ends with it."""
    before = case.audience
    chosen = directory.named(work, choice.focal_point)
    cases.note(work, case, row.action, choice.note)
    routing.ask_by_hand(work, case.id, chosen.id)
    case.dismiss(Relation.DESK, work.now)
    case.admit(chosen.id, Relation.CANDIDATE, work.now)
    returns.hand_all_on(work, case)
    cases.take(work, case, row, {"reason": choice.reason}, before=before)
    return case


def relocate(work: Writing, code: str, seen: Seen, where: RelocateCase) -> Case:
    """Say that the person is in another country: whoever should lead there is found.

    A candidate loses the case to one of the new country at once; a lead keeps it until it
    has handed it over, which is offered to the first for whom all is there. Its submitter
    is told neither that there was a border, nor who is beyond it (R12): so overseers hear
    of it, or one person could send a case where nobody waits for it, unseen. Raises what
    `lock` does, CountrySame or ActionIllegal (409), ActionNotYours or RoleMissing (403),
    DeskMissing (503).
    """
    case = lock(work, code, seen)
    if case.state not in OPEN:
        raise ActionIllegal(f"The case is {case.state}.", TABLE.legal(case.state))
    if Side.HOLDER not in sides_of(work, case):
        raise ActionNotYours("This is for the holder of the case to do.")
    must_work(work)
    if where.country == case.country:
        raise CountrySame("Name the country where the person is now.")
    if case.state in WITH_A_CANDIDATE:
        cases.hand_on(work, case)
        case.relocated_at = case.relocated_at or work.now
    following.leave_behind(work, case)
    case.country = where.country
    case.touch()
    cases.note(work, case, "relocate", where.note)
    work.record("case.relocated", case, case.overseers | (case.keepers & {case.holder}))
    work.session.flush()
    if case.state in WITH_A_CANDIDATE:
        reroute(work, case)
    else:
        rank_successors(work, case)
    watch_interests(work, case)
    return case


def rank_successors(work: Writing, case: Case) -> None:
    """Keep who could lead in the new country; a lead's case is offered to the first.

    In the order that the lead may know: no consent that is hidden from it counts (ADR 35).
    """
    stands = standing.of_case(work, case)
    ranking = leads(question_of(work, case, stands))
    routing.seal_ranking(work, case.id, ranking)
    if case.state in LED:
        known = standing.known_to_caller(work, stands)
        if known is not stands:
            ranking = leads(question_of(work, case, known))
        handovers.offer_to_first(work, case, [one.id for one in ranking.candidates])


def take_over(
    work: Writing, code: str, choice: TakeOverCase, approval: UUID | None
) -> Case | Approval:
    """Move the lead of a case that its lead let down to one that the desk names.

    Two people of the desk, a reason, and the person knows. Raises NotFound (404),
    LeadNotFailing or ActionIllegal (409), NeedsUnmet (409), ActionNotYours or RoleMissing
    (403), FocalPointUnknown (422), ApprovalUnusable (409).
    """
    case = queries.lock(work, code)
    must_be_desk(work, case)
    lead = directory.by_id(work, case.with_relation(Relation.LEAD) or case.submitter)
    must_be_failing(work, case, lead, choice.reason)
    chosen = directory.named(work, choice.focal_point)
    met = {
        Need.PERSON_INFORMED: choice.person_informed,
        Need.FOCAL_POINT_CHOSEN: fits(work, case, chosen),
    }
    lacking = [need for need, holds in met.items() if not holds]
    refuse([Unmet(need, Side.DESK, RULES.checks[need].remedy) for need in lacking])
    matter = Matter(case, "case.take_over", choice, {"reason": choice.reason})
    if question := second(work, matter, approval):
        return question
    before = case.audience
    cases.note(work, case, "take_over", choice.note)
    move_lead(work, case, lead.id, chosen.id)
    work.record("case.taken_over", case, before | case.audience, {"reason": choice.reason})
    return case


def move_lead(work: Writing, case: Case, old: UUID, new: UUID) -> None:
    """Give the lead to another, with all that waits; the desk's part ends.

    What the old lead had put on offer is no longer its to give. Whom to reach there is
    forgotten: a helper must not go on telling it.
    """
    if Relation.FORMER_LEAD not in case.relations_of(old):
        case.admit(old, Relation.FORMER_LEAD, work.now)
    cases.forget(work, case, Paper.CONTACTS)
    handovers.cancel_open(work, case)
    clock = deadlines.running(work, [case.id]).get(case.id)
    give_lead(work, case, new, breaches.until_for_another(work, clock) if clock else None)


def must_be_desk(work: Reading, case: Case) -> None:
    """Raise unless a coordinator of the desk asks, about a case that has a lead."""
    if case.state not in LED:
        raise ActionIllegal(f"The case is {case.state}.", TABLE.legal(case.state))
    if Side.DESK not in sides_of(work, case):
        raise ActionNotYours("This is for the desk to do that the case was escalated to.")
    if Role.COORDINATOR not in work.actor.roles:
        raise RoleMissing(f"This needs one of the roles {Role.COORDINATOR}.")


def must_be_failing(
    work: Reading, case: Case, lead: FocalPoint, reason: TakeOverReason
) -> None:
    """Raise LeadNotFailing (409) unless it is as the desk says."""
    silent = breaches.late_count(work, case.id, lead.id) >= PATIENCE
    fails = {
        TakeOverReason.LEAD_INACTIVE: not lead.active or is_unattended(work, lead.id),
        TakeOverReason.LEAD_SILENT: silent,
    }
    if not fails[reason]:
        raise LeadNotFailing("Remind it, or wait: see the clocks of the case.")
