"""Sealing again what was sealed before content was padded (ADR 37)."""

from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.cases import queries
from app.cases.actions import seal_padded
from app.cases.models import CaseKey, Sealed
from app.cases.padding import is_padded
from app.cases.sections import kind_of
from app.kernel.statements import held
from app.kernel.work import Writing


def list_unpadded(session: Session) -> list[UUID]:
    """List the sealed rows whose length tells something, of cases that still have a key."""
    rows = select(Sealed.id, Sealed.kind, func.length(Sealed.sealed)).join(
        CaseKey, CaseKey.case_id == Sealed.case_id
    )
    found = session.execute(rows.order_by(Sealed.id))
    return [one for one, kind, size in found if not is_padded(kind_of(kind), size)]


def reseal(work: Writing, sealed_id: UUID) -> bool:
    """Seal one row again, padded; False: it is gone, or was written again meanwhile."""
    paper = work.session.scalar(held(select(Sealed).where(Sealed.id == sealed_id)))
    if paper is None or is_padded(kind_of(paper.kind), len(paper.sealed)):
        return False
    if work.session.get(CaseKey, paper.case_id) is None:
        return False
    seal_padded(work, paper, queries.unseal(work, paper))
    return True
