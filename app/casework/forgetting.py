"""What is destroyed when a case is erased."""

from app.access import actions as access
from app.cases import erasure as keys
from app.cases.models import Case
from app.deadlines import actions as deadlines
from app.kernel.transactions import Writing
from app.returns import following as returns
from app.routing import actions as routing
from app.screening import actions as screenings


def erase_case_data(work: Writing, case: Case) -> None:
    """Destroy the key and the content of a case; stop its deadlines, expire its approvals.

    The journal, parties, consents and referrals are kept. docs/privacy.md says why.
    """
    work.session.flush()
    deadlines.stop_case(work, case.id)
    access.expire_approvals(work, case.id)
    keys.erase_content(work, case)
    routing.delete_ranking(work, case.id)
    screenings.delete_screenings(work, case.id)
    returns.erase_steps(work, case.id)
