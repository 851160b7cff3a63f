"""Moving a case to another office: assigned by a desk, or relocated across a border."""

from app.cases import actions as cases
from app.cases.lifecycle import LED, OPEN, TABLE, WITH_A_CANDIDATE, Row
from app.cases.models import Case
from app.casework.acting import lock, must_work
from app.casework.bodies import AssignCase, RelocateCase
from app.casework.carrying import redirect_case
from app.casework.needs import Terms
from app.casework.sides import sides_of
from app.casework.successors import may_be_chosen
from app.casework.watching import update_assessment_deadline
from app.consents import standing
from app.consents.placing import question_of
from app.directory import queries as directory
from app.handovers import following as handovers
from app.kernel.actors import Relation, Side
from app.kernel.lifecycle import ActionIllegal, ActionNotYours
from app.kernel.problems import Problem
from app.kernel.versions import Seen
from app.kernel.work import Reading, Writing
from app.referrals import following
from app.returns import following as returns
from app.routing import actions as routing
from app.routing.ranking import leads


class CountrySame(Problem):
    """The case names this country as the person's country already."""

    status = 409


def terms_of(work: Reading, case: Case, choice: AssignCase) -> Terms:
    """Return the terms of an assignment; raises FocalPointUnknown (422)."""
    chosen = directory.named(work, choice.focal_point)
    return Terms(reason=choice.reason, chosen_fits=may_be_chosen(work, case, chosen))


def assign(work: Writing, case: Case, row: Row, choice: AssignCase) -> Case:
    """Give a case to the candidate that the desk chose, and end the desk's part."""
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
    """Record that the person is in another country, and find who may lead there.

    A candidate loses the case at once to one of the new country. A lead keeps it until a
    handover is accepted, which is offered to the first office that meets the requirements.
    The submitter is not told that there was a border, nor who is beyond it (R12). Overseers
    are told, because one person alone could otherwise send a case unseen to a country where
    no office waits for it. Raises what `lock_case` does, CountrySame or ActionIllegal
    (409), ActionNotYours or RoleMissing (403), DeskMissing (503).
    """
    case = lock(work, code, seen)
    if case.state not in OPEN:
        raise ActionIllegal(f"The case is {case.state}.", TABLE.legal(case.state))
    if Side.HOLDER not in sides_of(work, case):
        raise ActionNotYours("Only the holder of the case can do this.")
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
        redirect_case(work, case)
    else:
        rank_successors(work, case)
    update_assessment_deadline(work, case)
    return case


def rank_successors(work: Writing, case: Case) -> None:
    """Store who could lead in the new country, and offer a lead's case to the first.

    The offer uses the ranking that the lead may know: no hidden consent counts (ADR 35).
    """
    stands = standing.of_case(work, case)
    ranking = leads(question_of(work, case, stands))
    routing.seal_ranking(work, case.id, ranking)
    if case.state in LED:
        known = standing.known_to_caller(work, stands)
        if known is not stands:
            ranking = leads(question_of(work, case, known))
        handovers.offer_to_first(work, case, [one.id for one in ranking.candidates])
