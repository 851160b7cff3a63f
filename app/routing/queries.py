"""Reading a shortlist."""

from uuid import UUID

from sqlalchemy import select

from app.kernel.work import Reading
from app.routing.models import LeftOutRow, Shortlisted


def shortlist(work: Reading, case_id: UUID) -> list[Shortlisted]:
    """List those who may lead a case, best first."""
    of_case = select(Shortlisted).where(Shortlisted.case_id == case_id)
    return list(work.session.scalars(of_case.order_by(Shortlisted.place)))


def left_out(work: Reading, case_id: UUID) -> list[LeftOutRow]:
    """List those of the country who may not, by code."""
    of_case = select(LeftOutRow).where(LeftOutRow.case_id == case_id)
    return list(work.session.scalars(of_case.order_by(LeftOutRow.focal_point)))
