"""Queries for enrolments."""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app.access.account_locks import lock_accounts
from app.access.enrolment_models import Enrolment
from app.access.models import Account
from app.access.row_verification import verify_found
from app.kernel.statements import lock_rows
from app.kernel.transactions import ReadTransaction


def find(session: Session, enrolment_id: UUID, *, lock: bool = False) -> Enrolment | None:
    """Return an enrolment, or None if it is unknown or was altered outside the service.

    If `lock` is true, the enrolment is locked. Its account is locked first, as in other
    changes to accounts.
    """
    query = select(Enrolment).where(Enrolment.id == enrolment_id)
    found = session.scalar(query)
    if lock and found is not None:
        lock_accounts(session, Account.id == found.account_id)
        found = session.scalar(lock_rows(query))
    return verify_found(session, found)


def find_by_link(session: Session, link_prefix: str) -> Enrolment | None:
    """Return the enrolment whose link has this prefix, or None if it is unknown.

    The row is not verified here. `find` verifies it after the link has been compared.
    """
    known = Enrolment.link_prefix == link_prefix
    return session.scalar(select(Enrolment).where(known))


def list_of_person(tx: ReadTransaction, person_id: UUID) -> Sequence[Enrolment]:
    """List the enrolments of all accounts of a person."""
    found = select(Enrolment).join(Account, Account.id == Enrolment.account_id)
    return tx.session.scalars(found.where(Account.person_id == person_id)).all()


def list_made_by(tx: ReadTransaction, accounts: Collection[UUID]) -> Sequence[Enrolment]:
    """List the enrolments that one of the accounts began or confirmed."""
    made = or_(Enrolment.created_by.in_(accounts), Enrolment.confirmed_by.in_(accounts))
    return tx.session.scalars(select(Enrolment).where(made)).all()


def list_of_office(tx: ReadTransaction, focal_point_id: UUID) -> Sequence[Enrolment]:
    """List the enrolments of the accounts of a focal point, the newest first."""
    found = select(Enrolment).join(Account, Account.id == Enrolment.account_id)
    of_office = found.where(Account.focal_point_id == focal_point_id)
    newest = of_office.order_by(Enrolment.created_at.desc(), Enrolment.id)
    return tx.session.scalars(newest).all()
