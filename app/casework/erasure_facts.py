"""The facts about a case that are known without opening sealed documents."""

from app.cases import queries as case_queries
from app.cases.facts import build_fact_sheet
from app.cases.models import Case
from app.casework.needs import Facts, Terms
from app.kernel.transactions import ReadTransaction


def build_facts_without_opening(tx: ReadTransaction, case: Case, terms: Terms) -> Facts:
    """Return the facts that an erasure depends on; the other facts have fixed values."""
    known = build_fact_sheet(
        case_queries.load_facts(tx, [case.id]).get(case.id, []), child=case.is_child
    )
    return Facts(
        now=tx.now,
        review_by=tx.now,
        notice_complete=False,
        may_be_referred=False,
        child_path=False,
        vital_interest=False,
        recipient_safe=False,
        risk_current=False,
        nothing_sent=False,
        nothing_open=False,
        return_over=False,
        helped=False,
        with_candidate=False,
        lead_failing=False,
        next_lead_named=False,
        submitter_gone=False,
        legal_hold=known.legal_hold,
        may_be_child=True,
        terms=terms,
    )
