"""Destroy the data of a case that is erased."""

from app.access import approvals as access_approvals
from app.cases import erasure as keys
from app.cases.models import Case
from app.deadlines import actions as deadline_actions
from app.kernel.transactions import WriteTransaction
from app.returns import following as return_following
from app.routing import actions as routing_actions
from app.screening import actions as screening_actions


def erase_case_data(tx: WriteTransaction, case: Case) -> None:
    """Destroy the key and content of a case, stop its deadlines and expire its approvals.

    The journal, parties, consents and referrals are kept. docs/privacy.md explains why.
    """
    tx.session.flush()
    access_approvals.expire_approvals(tx, case.id)  # locks accounts, so it comes first
    deadline_actions.stop_case(tx, case.id)
    keys.erase_content(tx, case)
    routing_actions.delete_ranking(tx, case.id)
    screening_actions.delete_screenings(tx, case.id)
    return_following.erase_steps(tx, case.id)
