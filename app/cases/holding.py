"""Holding a case for what the system does: it sees every case, whoever is party to it."""

from uuid import UUID

from sqlalchemy import select

from app.cases.models import Case
from app.kernel.statements import held
from app.kernel.work import Writing


def unless_held(work: Writing, case_id: UUID) -> Case | None:
    """Hold a case, or leave it to whoever holds it now: None.

    For the worker, which comes back; it must not wait.
    """
    of_case = select(Case).where(Case.id == case_id)
    free = of_case.with_for_update(key_share=True, skip_locked=True)
    return work.session.scalar(free.execution_options(populate_existing=True))


def by_id(work: Writing, case_id: UUID) -> Case | None:
    """Find a case and hold it; None: there is no such."""
    return work.session.scalar(held(select(Case).where(Case.id == case_id)))
