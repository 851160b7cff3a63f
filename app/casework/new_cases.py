"""What a case that is being created cannot have yet, so that no statement looks for it."""

from collections.abc import Callable
from typing import Any, Final
from uuid import UUID

from app.cases import queries as case_queries
from app.cases import questions
from app.handovers import queries as handover_queries
from app.kernel.recall import store_result
from app.kernel.transactions import WriteTransaction
from app.referrals import queries as referral_queries
from app.returns import queries as return_queries
from app.routing import queries as routing_queries

EMPTY: Final[tuple[tuple[Callable[..., Any], object], ...]] = (
    (referral_queries.list_states, {}),
    (handover_queries.find_cases_on_offer, frozenset()),
    (return_queries.list_open, {}),
    (case_queries.load_facts, {}),
    (case_queries.find_in_vital_interest, frozenset()),
    (questions.find_unanswered, frozenset()),
)
"""The functions that look for records of cases, each with its result if there are none."""


def store_empty_records(tx: WriteTransaction, case_id: UUID) -> None:
    """Store that a case which was created in this transaction has no records of others."""
    for load, nothing in EMPTY:
        store_result(tx, load, nothing, [case_id])
    store_result(tx, routing_queries.list_rows, [], case_id)
