"""The emergency accesses of an account that nobody has reviewed (R17, ADR 80).

The rows of the accesses belong to cases, whose MACs cover them. The group of an account has
an entry for each access that was granted to the account and is not reviewed yet. With these
entries, a row that was deleted or assigned to another account in any case is noticed.
"""

from collections.abc import Collection
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.access.models import Account
from app.access.protected_tables import ACCOUNT
from app.access.row_verification import parse_owner, read_row
from app.access.stored_groups import store_entries
from app.kernel.macs import (
    MACS,
    Entry,
    Group,
    RowMacs,
    compute_table_tag,
    compute_tag,
    raise_alarm,
)
from app.kernel.transactions import ReadTransaction

LABEL: Final = "unreviewed emergency access"


def add_unreviewed(session: Session, account_id: UUID, access_id: UUID) -> None:
    """Add the entry of a granted access to the group of the account that has the access.

    The account must be locked before the case. Raises NotAuthentic if the account was
    altered outside the service.
    """
    macs: RowMacs = session.info[MACS]
    digest = macs.compute_digest(LABEL, [access_id])
    update_entry(session, account_id, access_id, Entry(digest, None))


def remove_reviewed(session: Session, account_id: UUID, access_id: UUID) -> None:
    """Remove the entry of an access, if any, as `add_unreviewed` adds it."""
    update_entry(session, account_id, access_id, None)


def update_entry(
    session: Session, account_id: UUID, access_id: UUID, entry: Entry | None
) -> None:
    """Set or remove the entry of an access, and write the MAC of the account.

    An account without a MAC, if this is accepted now, gets none.
    """
    session.flush()
    macs: RowMacs = session.info[MACS]
    row = read_row(session.connection(), ACCOUNT, account_id, lock=True)
    group = parse_owner(macs, Account, row)
    if group is None:
        return
    tag = compute_tag(LABEL, access_id)
    current = group.remove_outdated(macs.clock()).entries
    entries = {key: one for key, one in current.items() if key != tag}
    if entry is not None:
        entries[tag] = entry
    store_entries(session, (Account, account_id), row, group, entries)


def require_unreviewed(
    tx: ReadTransaction, account_ids: Collection[UUID], found: Collection[UUID]
) -> None:
    """Raise NotAuthentic if an unreviewed access of one of the accounts is not in `found`.

    Accounts at other offices are verified, but their accesses may be missing, because row
    security hides the cases of those offices.
    """
    macs, known = tx.session.info[MACS], {compute_tag(LABEL, one) for one in found}
    own = select(ACCOUNT.table).where(ACCOUNT.table.c.id.in_(account_ids))
    for row in tx.session.connection().execute(own).mappings().all():
        group = parse_owner(macs, Account, dict(row))
        if group is None or row["focal_point_id"] != tx.actor.focal_point_id:
            continue
        if list_unreviewed(group).keys() - known:
            raise_alarm(ACCOUNT.name, [row["id"]])


def list_unreviewed(group: Group) -> dict[bytes, Entry]:
    """Return the entries of unreviewed accesses in the group of an account, by tag."""
    code = compute_table_tag(LABEL)
    return {tag: one for tag, one in group.entries.items() if tag[:1] == code}
