"""Move a case to another office, after a desk's assignment or a relocation."""

from app.cases import actions as case_actions
from app.cases.lifecycle import LED, WITH_A_CANDIDATE, Action, Row
from app.cases.models import Case
from app.casework.acting import lock_case, require_further
from app.casework.bodies import AssignCase, RelocateCase
from app.casework.carrying import redirect_case
from app.casework.needs import Terms
from app.casework.successors import may_be_chosen
from app.casework.watching import update_assessment_deadline
from app.consents import standing
from app.consents.routing_questions import build_lead_question
from app.directory import queries as directory_queries
from app.handovers import following as handover_following
from app.kernel.actors import Relation
from app.kernel.problems import Problem
from app.kernel.transactions import ReadTransaction, WriteTransaction
from app.kernel.versions import SeenVersions
from app.referrals import following as referral_following
from app.returns import following as return_following
from app.routing import actions as routing_actions
from app.routing.ranking import rank_leads


class CountryUnchanged(Problem):
    """The case already names this country as the country where the person is."""

    status = 409


def build_terms(tx: ReadTransaction, case: Case, choice: AssignCase) -> Terms:
    """Return the terms of an assignment, or raise FocalPointUnknown (422)."""
    chosen = directory_queries.get_by_code_or_422(tx, choice.focal_point)
    return Terms(reason=choice.reason, chosen_fits=may_be_chosen(tx, case, chosen))


def assign_candidate(
    tx: WriteTransaction, case: Case, row: Row, choice: AssignCase
) -> Case:
    """Give a case to the candidate that the desk chose, and end the desk's relation."""
    before = case.audience
    chosen = directory_queries.get_by_code_or_422(tx, choice.focal_point)
    case_actions.add_note(tx, case, row.action, choice.note)
    routing_actions.record_desk_choice(tx, case.id, chosen.id)
    case.end_relation(Relation.DESK, tx.now)
    case.add_party(chosen.id, Relation.CANDIDATE, tx.now)
    return_following.reassign_all_deadlines(tx, case)
    case_actions.take_step(tx, case, row, {"reason": choice.reason}, audience_before=before)
    return case


def relocate_case(
    tx: WriteTransaction, code: str, seen: SeenVersions, where: RelocateCase
) -> Case:
    """Record that the person is in another country, and find an office that may lead there.

    A candidate loses the case at once. A lead keeps it until a handover is accepted. The
    submitter is not informed (R12). Overseers are informed, because one person could
    otherwise move a case unseen to a country where no office expects it. Raises
    CountryUnchanged (409) for the same country, and DeskMissing (503) if no office is left.
    """
    case = lock_case(tx, code, seen)
    require_further(tx, case, Action.RELOCATE)
    if where.country == case.country:
        raise CountryUnchanged("Name the country where the person is now.")
    if case.state in WITH_A_CANDIDATE:
        case_actions.save_summary_snapshot(tx, case)
    referral_following.store_moved_snapshots(tx, case, where.country)
    case.country = where.country
    case.raise_version()
    case_actions.add_note(tx, case, "relocate", where.note)
    told = case.overseers | (case.write_audience & {case.holder})
    tx.record("case.relocated", case, told)
    tx.session.flush()
    if case.state in WITH_A_CANDIDATE:
        redirect_case(tx, case)
        case.relocated_at = case.relocated_at or tx.now  # the submitter still had the event
    else:
        rank_successors(tx, case)
    update_assessment_deadline(tx, case)
    return case


def rank_successors(tx: WriteTransaction, case: Case) -> None:
    """Store the ranking for the person's new country. If there is a lead, offer a handover.

    The offer uses the ranking that the lead may see, without the consents that are hidden
    from the lead (ADR 35).
    """
    stands = standing.load_for_case(tx, case)
    ranking = rank_leads(build_lead_question(tx, case, stands))
    routing_actions.seal_ranking(tx, case.id, ranking)
    if case.state in LED:
        known = standing.filter_for_caller(tx, stands)
        if known is not stands:
            ranking = rank_leads(build_lead_question(tx, case, known))
        handover_following.offer_to_first(tx, case, [one.id for one in ranking.candidates])
