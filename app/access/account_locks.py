"""Account locks, which are taken before locks on persons and on the rows of accounts."""

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from app.access.models import Account


def lock_accounts(session: Session, which: ColumnElement[bool]) -> None:
    """Lock the accounts that meet a condition, in the order of their ids."""
    found = select(Account.id).where(which).order_by(Account.id)
    session.scalars(found.with_for_update(key_share=True)).all()
