"""Queries for screenings."""

from uuid import UUID

from sqlalchemy import select

from app.cases.case_loading import require_all_loaded
from app.cases.models import Case
from app.kernel.transactions import ReadTransaction
from app.screening.models import Screening


def find(tx: ReadTransaction, case_id: UUID, screening_id: UUID) -> Screening | None:
    """Return a screening of this case, or None if the case has no such screening."""
    found = tx.session.get(Screening, screening_id)
    return found if found is not None and found.case_id == case_id else None


def list_known(tx: ReadTransaction, case: Case) -> list[Screening]:
    """Return the screenings of a case that the caller may see, oldest first.

    The holder may see all screenings, and so may the submitter until a lead takes the case
    or the case ends. Another office may see only its own screenings, so that a submitter
    does not learn the findings of the host country (R12). Raises NotAuthentic if a
    screening was altered, inserted or deleted outside the service.
    """
    of_case = select(Screening).where(Screening.case_id == case.id)
    rows = tx.session.scalars(of_case.order_by(Screening.screened_at, Screening.id)).all()
    require_all_loaded(tx.session, [case.id], Screening.list_labels())
    own_office = tx.actor.focal_point_id
    all_known = own_office in case.write_audience
    return [row for row in rows if all_known or row.screened_by == own_office]
