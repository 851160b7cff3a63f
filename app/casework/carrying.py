"""Functions that move a case to the next office, so that no case is without an office."""

from app.cases import actions as case_actions
from app.cases.lifecycle import TABLE, Action
from app.cases.models import Case
from app.casework import situation as casework_situation
from app.casework.successors import build_candidate_question
from app.consents import standing
from app.consents.routing_questions import build_lead_question
from app.directory import queries as directory_queries
from app.kernel.actors import Relation, Side
from app.kernel.problems import Problem
from app.kernel.transactions import WriteTransaction
from app.returns import following as return_following
from app.routing import actions as routing_actions
from app.routing.ranking import rank_leads


class DeskMissing(Problem):
    """No desk is configured that could take this case."""

    status = 503


def redirect_if_unsafe(tx: WriteTransaction, case: Case) -> None:
    """Reassign a case immediately if its candidate or desk is unsafe (routing rule 1).

    No reason is given, because the office that loses the case must not learn that the
    person fears it. If an unsafe desk is a party through an escalation, that relation ends.
    Raises DeskMissing (503) if no other office or desk can take the case.
    """
    stands, beside = standing.load_for_case(tx, case), Relation.ESCALATION_DESK
    holds, looks_on = case.holder, case.with_relation(beside)
    found = directory_queries.by_ids(tx, {one for one in (holds, looks_on) if one})
    unsafe = {one.id for one in found.values() if not stands.is_safe(one, one.code)}
    if looks_on in unsafe:
        case.end_relation(beside, tx.now)
        case_actions.expire_approvals(tx, case)
    if holds in unsafe and Relation.LEAD not in case.list_relations(found[holds].id):
        redirect_case(tx, case)


def redirect_case(tx: WriteTransaction, case: Case) -> None:
    """Move a case from its candidate or desk to the next office, on behalf of the system.

    Raises DeskMissing (503) if there is no office and no desk to move the case to.
    """
    before = case.audience
    row = TABLE.find(case.state, Action.REROUTE, {Side.SYSTEM}, frozenset())
    casework_situation.check_requirements(tx, case, row)
    for relation in (Relation.CANDIDATE, Relation.DESK):
        case.end_relation(relation, tx.now)
    hand_to_next_office(tx, case)
    return_following.reassign_all_deadlines(tx, case)
    case_actions.take_step(tx, case, row, audience_before=before)


def redirect_to_candidate(tx: WriteTransaction, case: Case) -> None:
    """Move a case from its desk to the first candidate, or leave it there if there is none.

    The desk is not told why: either no office fits, or none that fits is safe (ADR 47).
    """
    if rank_leads(build_candidate_question(tx, case)).candidates:
        redirect_case(tx, case)


def escalate_to_desk(tx: WriteTransaction, case: Case) -> None:
    """Make the desk a party of a case whose lead does not act.

    The desk sees the summary, and replaces a desk that an earlier escalation made a party.
    Raises DeskMissing (503) if there is no safe desk.
    """
    before, desk = case.audience, rank_leads(build_lead_question(tx, case)).desk
    if desk is None:
        raise DeskMissing("Ask the operator to configure another desk for this case.")
    if Relation.ESCALATION_DESK not in case.list_relations(desk.id):
        case.end_relation(Relation.ESCALATION_DESK, tx.now)
        case.add_party(desk.id, Relation.ESCALATION_DESK, tx.now)
        case_actions.expire_approvals(tx, case)
        audience = before | case.audience
        tx.record("case.escalated", case, audience, by_system=True)


def hand_to_next_office(tx: WriteTransaction, case: Case) -> None:
    """Give a case to the next office in the ranking. The desk comes last (routing rule 8).

    The ranking is computed again each time, because fears and consents may have changed.
    Raises DeskMissing (503) if neither an office nor a desk can be asked.
    """
    ranking = rank_leads(build_candidate_question(tx, case))
    chosen = routing_actions.ask_first(tx, case.id, ranking)
    if chosen is None:
        raise DeskMissing("Ask the operator to configure another desk for this case.")
    at_the_end = ranking.desk is not None and chosen == ranking.desk.id
    relation = Relation.DESK if at_the_end else Relation.CANDIDATE
    case.add_party(chosen, relation, tx.now)
