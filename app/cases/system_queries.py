"""Queries and locks for the system, which may see every case."""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.cases.case_loading import mark_locked
from app.cases.lifecycle import LED, State
from app.cases.models import Case, Party
from app.kernel.actors import Relation
from app.kernel.statements import lock_rows
from app.kernel.transactions import WriteTransaction


def lock_if_free(tx: WriteTransaction, case_id: UUID) -> Case | None:
    """Lock and return a case, or return None if it is locked or does not exist.

    The worker uses this function, because the worker must not wait for a lock. It tries
    again later.
    """
    of_case = select(Case).where(Case.id == case_id)
    free = of_case.with_for_update(key_share=True, skip_locked=True)
    found = tx.session.scalar(free.execution_options(populate_existing=True))
    if found is not None:
        mark_locked(tx.session, case_id)
    return found


def list_without_oversight(
    session: Session, active: Collection[UUID], shut: Collection[UUID], limit: int
) -> Sequence[UUID]:
    """List the ids of at most `limit` cases whose oversight offices are all closed.

    `active` and `shut` are the active and the closed oversight offices. Cases that are
    erased are left out.
    """
    part = (Party.relation == Relation.OVERSIGHT) & Party.until.is_(None)
    watched = select(Party.case_id).where(part, Party.focal_point_id.in_(active))
    was = select(Party.case_id).where(part, Party.focal_point_id.in_(shut))
    lost = Case.id.in_(was) & Case.id.not_in(watched) & (Case.state != State.ERASED)
    found = select(Case.id).where(lost).order_by(Case.number).limit(limit)
    return session.scalars(found).all()


def list_led_without_desk(session: Session, offices: Collection[UUID]) -> Sequence[UUID]:
    """List the ids of open cases that the offices lead and that have no escalation desk."""
    part = Party.until.is_(None) & (Party.record_id == Party.case_id)
    led = (Party.relation == Relation.LEAD) & Party.focal_point_id.in_(offices)
    desk = Party.relation == Relation.ESCALATION_DESK
    alone = Case.id.not_in(select(Party.case_id).where(part, desk))
    of_theirs = Case.id.in_(select(Party.case_id).where(part, led))
    found = select(Case.id).where(of_theirs, alone, Case.state.in_(LED))
    return session.scalars(found.order_by(Case.number)).all()


def lock_for_system(tx: WriteTransaction, case_id: UUID) -> Case | None:
    """Lock and return a case, or return None if no case has this id."""
    found = tx.session.scalar(lock_rows(select(Case).where(Case.id == case_id)))
    if found is not None:
        mark_locked(tx.session, case_id)
    return found
