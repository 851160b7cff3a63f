"""New MACs for accounts and persons that have none or have altered rows (ADR 80)."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Final
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.access.models import Account, Person
from app.access.protected_tables import (
    KEY_TABLES,
    MEMBERSHIP,
    OWNERS,
    MemberTable,
    list_member_tables,
)
from app.access.row_protection import drop_unmatched, set_entry
from app.access.row_verification import (
    list_members,
    parse_owner,
    read_row,
    require_authentic_account,
)
from app.access.stored_groups import GroupKey, store_entries
from app.access.unreviewed_accesses import list_unreviewed
from app.kernel.actors import SERVICE
from app.kernel.macs import EMPTY, MACS, Group, NotAuthentic, RowMacs
from app.kernel.transactions import Runtime

SAMPLE: Final = 5
"""The number of accounts that are verified to detect a wrong key file."""


def count_unprotected(session: Session) -> int:
    """Return the number of accounts and persons without a MAC."""
    counts = (
        session.scalar(select(func.count()).where(model.mac.is_(None))) for model in OWNERS
    )
    return sum(count or 0 for count in counts)


def has_fitting_key(session: Session) -> bool:
    """Return whether the key file is the one with which the accounts were protected.

    A few accounts are verified. If one of them matches, the key file is right, and accounts
    that do not match were altered outside the service. Returns True if no account is
    protected.
    """
    some = (
        select(Account).where(Account.mac.is_not(None)).order_by(Account.id).limit(SAMPLE)
    )
    accounts = session.scalars(some).all()
    for account in accounts:
        with suppress(NotAuthentic):
            require_authentic_account(session, account)
            return True
    return not accounts


def protect_accounts(runtime: Runtime) -> Iterator[tuple[int, int]]:
    """Protect each account and person that has no MAC, in a transaction of its own.

    Yields the number of finished owners and the total. The rows are taken as they are in
    the database. Owners that have a MAC are not changed, so the command can be run again.
    """
    with runtime.database.begin_read() as session:
        work = [
            (model, owner_id)
            for model in OWNERS
            for owner_id in session.scalars(select(model.id).where(model.mac.is_(None)))
        ]
    for done, key in enumerate(work, 1):
        with runtime.database.begin_write(SERVICE) as session:
            protect_owner(session, key)
        yield done, len(work)


def protect_account_again(runtime: Runtime, account_id: UUID) -> None:
    """Write new MACs for an account and its person, from the rows as they are now.

    The sessions, enrolments and requests for approval of the account end. Its entries of
    unreviewed emergency accesses stay unless its row was altered. A passkey stays valid
    unless it or the row of the person was altered, or the key file is new.
    """
    with runtime.database.begin_write() as session:
        own = select(Account.person_id).where(Account.id == account_id)
        person_id = session.scalar(own)
        unreviewed = find_unreviewed(session, account_id)
        write_mac(session, (Account, account_id), unreviewed, KEY_TABLES)
        if person_id is not None:
            kept = find_authentic_group(session, person_id)
            write_mac(session, (Person, person_id), kept, [MEMBERSHIP])


def find_unreviewed(session: Session, account_id: UUID) -> Group:
    """Return the group of an account with the entries of unreviewed accesses only.

    If the row of the account was altered, or the key file is new, the group is empty.
    """
    try:
        row = read_row(session.connection(), OWNERS[Account], account_id, lock=True)
        group = parse_owner(session.info[MACS], Account, row) or EMPTY
    except NotAuthentic:
        return EMPTY
    return replace(group, entries=list_unreviewed(group))


def find_authentic_group(session: Session, person_id: UUID) -> Group:
    """Return the group of a person, without the entries of altered or missing rows.

    If the row of the person was altered, or the key file is new, the group is empty.
    """
    try:
        drop_unmatched(session, Person, person_id)
        row = read_row(session.connection(), OWNERS[Person], person_id)
        return parse_owner(session.info[MACS], Person, row) or EMPTY
    except NotAuthentic:
        return EMPTY


def protect_owner(session: Session, key: GroupKey) -> None:
    """Write the MAC of one account or person, unless it has one."""
    model, owner_id = key
    row = read_row(session.connection(), OWNERS[model], owner_id, lock=True)
    if row["mac"] is None:
        write_mac(session, key, EMPTY, list_member_tables(model))


def write_mac(
    session: Session, key: GroupKey, group: Group, tables: Iterable[MemberTable]
) -> None:
    """Write the MAC of an owner, for a group and the current rows of `tables`."""
    macs: RowMacs = session.info[MACS]
    connection = session.connection()
    row = read_row(connection, OWNERS[key[0]], key[1], lock=True)
    entries = dict(group.entries)
    for member_table, member in list_members(connection, tables, key[1]):
        set_entry(macs, entries, member_table, member)
    store_entries(session, key, row, group, entries)
