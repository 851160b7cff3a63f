"""Account locks, which are taken before locks on persons and on the rows of accounts."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from app.access.models import Account


def lock_accounts(session: Session, which: ColumnElement[bool]) -> Sequence[UUID]:
    """Lock the accounts that meet a condition, sorted by id, and return the ids."""
    found = select(Account.id).where(which).order_by(Account.id)
    return session.scalars(found.with_for_update(key_share=True)).all()
