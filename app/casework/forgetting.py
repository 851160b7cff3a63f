"""What goes when a case is erased: its key, and all that tells of the person."""

from app.access import actions as access
from app.cases import erasing as keys
from app.cases.models import Case
from app.deadlines import actions as deadlines
from app.kernel.work import Writing
from app.returns import following as returns
from app.routing import actions as routing
from app.screening import actions as screenings


def forget(work: Writing, case: Case) -> None:
    """Destroy what a case holds; nothing of it is left to do, or to allow.

    Who did what and when stays: the journal, the parties, the consents, the referrals. What
    is kept and why: docs/privacy.md.
    """
    work.session.flush()
    deadlines.stop_case(work, case.id)
    access.lapse(work, case.id)
    keys.destroy(work, case)
    routing.forget(work, case.id)
    screenings.forget(work, case.id)
    returns.forget(work, case.id)
