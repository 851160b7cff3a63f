"""Queries for persons and their accounts, which the rules for two people compare (R14)."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, bindparam, func, select
from sqlalchemy.orm import InstrumentedAttribute

from app.access.models import Account, Person
from app.access.protected_tables import MEMBERSHIP
from app.access.row_verification import (
    load_complete_group,
    require_authentic_account,
)
from app.kernel.actors import SYSTEM_ACCOUNT, Role
from app.kernel.macs import raise_alarm
from app.kernel.recall import load_once
from app.kernel.statements import lock_rows
from app.kernel.transactions import ReadTransaction, WriteTransaction


def get_person() -> ColumnElement[UUID]:
    """Return an SQL expression for the person id of an account, or else the account id.

    The account of a machine has no person. An account that the previous version created
    has no person yet, but its person will have the id of the account.
    """
    return func.coalesce(Account.person_id, Account.id)


ACCOUNT: Final = bindparam("account", type_=Account.id.type)
_PERSON: Final = select(Account.person_id).where(Account.id == ACCOUNT).scalar_subquery()
SAME_PERSON: Final = select(Account.id).where(Account.person_id == _PERSON)


def is_same_person(account_id: InstrumentedAttribute[UUID]) -> ColumnElement[bool]:
    """Return an SQL condition: an account is `:account` or belongs to the same person."""
    return (account_id == ACCOUNT) | account_id.in_(SAME_PERSON)


@load_once(Account)
def list_accounts_of_same_person(tx: ReadTransaction, account_id: UUID) -> frozenset[UUID]:
    """List the ids of an account and of all other accounts of the same person.

    Raises NotAuthentic if the account was altered or deleted, or an account of the person
    was added or hidden, outside the service.
    """
    if account_id == SYSTEM_ACCOUNT:
        return frozenset({account_id})
    account = tx.session.get(Account, account_id)
    if account is None:
        raise_alarm(Account.__tablename__, [account_id])
    person_id = require_authentic_account(tx.session, account).person_id
    if person_id is None:
        return frozenset({account_id})
    same = load_complete_group(tx.session, person_id, MEMBERSHIP)
    return frozenset(row["id"] for _, row in same) | {account_id}


def list_own_accounts(tx: ReadTransaction) -> frozenset[UUID]:
    """List the ids of the caller's account and of all other accounts of the same person."""
    return list_accounts_of_same_person(tx, tx.actor.account_id)


def list_offices(tx: ReadTransaction, person_id: UUID) -> frozenset[UUID]:
    """List the offices at which a person has an enabled account."""
    return frozenset(one.focal_point_id for one in list_enabled(tx, person_id))


def list_enabled(tx: ReadTransaction, person_id: UUID) -> Sequence[Account]:
    """List the enabled accounts of a person, at all offices.

    Raises NotAuthentic if an account was altered, added or hidden outside the service. The
    person may not exist yet, if the previous version created the account.
    """
    own = select(Account).where(Account.person_id == person_id)
    accounts = tx.session.scalars(own).all()
    if tx.session.get(Person, person_id) is not None:
        members = load_complete_group(tx.session, person_id, MEMBERSHIP)
        if {row["id"] for _, row in members} != {one.id for one in accounts}:
            raise_alarm(Person.__tablename__, [person_id])
    verified = [require_authentic_account(tx.session, one) for one in accounts]
    return [one for one in verified if one.disabled_at is None]


def lock_roles(tx: WriteTransaction, person_id: UUID) -> frozenset[Role]:
    """Lock a person, and return the roles of all enabled accounts of the person."""
    tx.session.scalar(lock_rows(select(Person).where(Person.id == person_id)))
    accounts = list_enabled(tx, person_id)
    return frozenset(Role(name) for one in accounts for name in one.roles)
