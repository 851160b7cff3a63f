"""What is destroyed when a case is erased."""

from app.access import actions as access
from app.cases import erasing as keys
from app.cases.models import Case
from app.deadlines import actions as deadlines
from app.kernel.work import Writing
from app.returns import following as returns
from app.routing import actions as routing
from app.screening import actions as screenings


def erase_case_data(work: Writing, case: Case) -> None:
    """Destroy the key and the content of a case; stop its deadlines, expire its approvals.

    The journal, parties, consents and referrals are kept. docs/privacy.md says why.
    """
    work.session.flush()
    deadlines.stop_case(work, case.id)
    access.lapse(work, case.id)
    keys.destroy(work, case)
    routing.forget(work, case.id)
    screenings.forget(work, case.id)
    returns.forget(work, case.id)
