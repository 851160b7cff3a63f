"""Protection of the accounts and persons of an earlier version, which have no MAC yet."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Final
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.access.models import Account, Person
from app.access.protected_tables import (
    KEY_TABLES,
    MEMBERSHIP,
    OWNERS,
    PASSKEYS,
    Owner,
    ProtectedTable,
    list_member_tables,
)
from app.access.row_protection import compute_entry, drop_unmatched, store_mac
from app.access.row_verification import list_members, parse_owner, read_row
from app.kernel.actors import SERVICE
from app.kernel.macs import MACS, Group, NotAuthentic, RowMacs, compute_table_tag
from app.kernel.transactions import Runtime

SAMPLE: Final = 5
"""The number of accounts by which a wrong key file is noticed."""
KINDS: Final[tuple[type[Owner], ...]] = tuple(OWNERS)


def count_unprotected(session: Session) -> int:
    """Return the number of accounts and persons without a MAC."""
    counts = (
        session.scalar(select(func.count()).where(model.mac.is_(None))) for model in KINDS
    )
    return sum(count or 0 for count in counts)


def has_fitting_key(session: Session) -> bool:
    """Return whether the key file fits the MACs of this database, by a few accounts.

    One of them is enough, because single rows may be forged.
    """
    macs: RowMacs = session.info[MACS]
    some = (
        select(Account).where(Account.mac.is_not(None)).order_by(Account.id).limit(SAMPLE)
    )
    accounts = session.scalars(some).all()
    for account in accounts:
        with suppress(NotAuthentic):
            parse_owner(macs, Account, vars(account))
            return True
    return not accounts


def protect_all(runtime: Runtime) -> Iterator[tuple[int, int]]:
    """Protect each account and person that has no MAC, in a transaction of its own.

    Yields the numbers of finished owners and of all. The rows are taken as they are in the
    database. Rows that have a MAC are not changed, so the command can be run again.
    """
    with runtime.database.begin_read() as session:
        work = [
            (model, owner_id)
            for model in KINDS
            for owner_id in session.scalars(select(model.id).where(model.mac.is_(None)))
        ]
    for done, (model, owner_id) in enumerate(work, 1):
        with runtime.database.begin_write(SERVICE) as session:
            protect_owner(session, model, owner_id)
        yield done, len(work)


def protect_again(runtime: Runtime, account_id: UUID) -> None:
    """Write the MACs of an account and of its person anew, as the rows are now.

    The sessions, enrolments and requests for approval of the account end. A passkey stays
    if it was not changed.
    """
    with runtime.database.begin_write() as session:
        own = select(Account.person_id).where(Account.id == account_id)
        person_id = session.scalar(own)
        write_mac(session, Account, account_id, KEY_TABLES)
        if person_id is not None:
            protect_person_again(session, person_id)


def protect_person_again(session: Session, person_id: UUID) -> None:
    """Write the MAC of a person anew, with the accounts and the unchanged passkeys.

    If the row of the person was changed, or the key file is new, no passkey stays.
    """
    try:
        drop_unmatched(session, Person, person_id)
    except NotAuthentic:
        write_mac(session, Person, person_id, [MEMBERSHIP])
    else:
        write_mac(session, Person, person_id, [MEMBERSHIP], keeps=PASSKEYS)


def protect_owner(session: Session, model: type[Owner], owner_id: UUID) -> None:
    """Write the MAC of one account or person, unless it has one."""
    row = read_row(session.connection(), OWNERS[model], owner_id, lock=True)
    if row["mac"] is None:
        write_mac(session, model, owner_id, list_member_tables(model))


def write_mac(
    session: Session,
    model: type[Owner],
    owner_id: UUID,
    tables: Iterable[ProtectedTable],
    *,
    keeps: ProtectedTable | None = None,
) -> None:
    """Write the MAC of an owner with the rows of some tables, as they are now.

    Of the table `keeps`, the entries that exist stay.
    """
    macs: RowMacs = session.info[MACS]
    connection, now, table = session.connection(), macs.clock(), OWNERS[model]
    row = read_row(connection, table, owner_id, lock=True)
    entries = {
        one.get_tag(member): compute_entry(macs, one, member)
        for one, member in list_members(connection, tables, owner_id)
        if not (one.drops_ended and one.is_ended(member, now))
    }
    old = parse_owner(macs, model, row) if keeps else None
    if old is not None and keeps is not None:
        code = compute_table_tag(keeps.name)
        entries |= {tag: one for tag, one in old.entries.items() if tag[:1] == code}
    group = Group(entries, revision=old.revision + 1 if old else 1)
    mac = macs.format_group(table.name, table.get_values(row), group)
    store_mac(session, (model, owner_id), mac)
