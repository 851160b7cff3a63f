"""Queries for enrolments."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.access.account_locks import lock_accounts
from app.access.enrolment_models import Enrolment
from app.access.models import Account
from app.access.protected_tables import ACCOUNT, ENROLMENTS
from app.access.row_protection import drop_unmatched
from app.access.row_verification import (
    get_verified,
    matches_entry,
    parse_owner,
    verify_found,
)
from app.kernel.macs import MACS, NotAuthentic, RowMacs, compute_table_tag
from app.kernel.statements import lock_rows
from app.kernel.transactions import ReadTransaction, WriteTransaction

type Row = Mapping[str, Any]
"""The values of a row by the name of the column."""


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


def list_made_by(tx: WriteTransaction, makers: AbstractSet[UUID]) -> list[Enrolment]:
    """List the open enrolments that one of the accounts `makers` began or confirmed.

    An enrolment that was hidden or altered outside the service becomes invalid, so that it
    cannot be redeemed when it is restored.
    """
    return [
        get_verified(tx.session, Enrolment, row["id"])
        for row in verify_all(tx.session)
        if not makers.isdisjoint({row["created_by"], row["confirmed_by"]})
        and Enrolment(**row).is_open(tx.now)
    ]


def verify_all(session: Session) -> Iterator[Row]:
    """Remove digests that no enrolment matches, and yield the enrolments that match theirs.

    An enrolment can be hidden in any of its columns, so the digests of each account show
    which enrolments exist. Accounts that were altered outside the service are left out,
    because their enrolments cannot be redeemed.
    """
    session.flush()
    connection, rows = session.connection(), defaultdict[UUID, list[Row]](list)
    for row in connection.execute(select(ENROLMENTS.table)).mappings().all():
        rows[row[ENROLMENTS.owner_id]].append(dict(row))
    accounts = select(ACCOUNT.table).order_by(ACCOUNT.table.c.id)
    for account in connection.execute(accounts).mappings().all():
        own = rows[account["id"]]
        with suppress(NotAuthentic):
            if not has_all_enrolments(session.info[MACS], dict(account), own):
                kept = drop_unmatched(session, Account, account["id"])
                own = [row for table, row in kept if table is ENROLMENTS]
            yield from own


def has_all_enrolments(macs: RowMacs, account: Row, rows: Collection[Row]) -> bool:
    """Return whether `rows` are the enrolments of an account, none altered or missing.

    Raises NotAuthentic if the account was altered outside the service.
    """
    group = parse_owner(macs, Account, account)
    if group is None:
        return True
    code = compute_table_tag(ENROLMENTS.name)
    current = group.remove_outdated(macs.clock()).entries
    tags = {tag for tag in current if tag.startswith(code)}
    has_all = tags <= {ENROLMENTS.get_tag(row) for row in rows}
    return has_all and all(matches_entry(macs, group, ENROLMENTS, row) for row in rows)


def list_of_office(tx: ReadTransaction, focal_point_id: UUID) -> Sequence[Enrolment]:
    """List the enrolments of the accounts of a focal point, the newest first."""
    found = select(Enrolment).join(Account, Account.id == Enrolment.account_id)
    of_office = found.where(Account.focal_point_id == focal_point_id)
    newest = of_office.order_by(Enrolment.created_at.desc(), Enrolment.id)
    return tx.session.scalars(newest).all()
