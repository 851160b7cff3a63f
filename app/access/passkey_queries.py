"""Queries for passkeys. Only `get_passkey` returns passkeys that were removed."""

from collections.abc import Sequence
from contextlib import suppress
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from app.access.models import Account, Passkey
from app.access.protected_tables import PASSKEYS
from app.access.row_verification import (
    load_complete_group,
    require_authentic_account,
    verify_found,
)
from app.kernel.actors import AccountKind
from app.kernel.macs import NotAuthentic
from app.kernel.problems import NotFound
from app.kernel.statements import lock_rows


def is_usable_by(person_id: UUID | None) -> ColumnElement[bool]:
    """Return an SQL condition for the passkeys of a person that are not removed."""
    return (Passkey.person_id == person_id) & Passkey.removed_at.is_(None)


def find_passkey(session: Session, credential_id: bytes) -> Passkey | None:
    """Return the passkey with this credential id, or None if it is unknown or removed.

    A passkey that was altered outside the service is not returned.
    """
    known = (Passkey.credential_id == credential_id) & Passkey.removed_at.is_(None)
    found = session.scalar(select(Passkey).where(known))
    return verify_found(session, found)


def lock_passkey(session: Session, passkey_id: UUID) -> Passkey | None:
    """Lock and return a passkey; None if it was removed or altered outside the service."""
    kept = (Passkey.id == passkey_id) & Passkey.removed_at.is_(None)
    found = session.scalar(lock_rows(select(Passkey).where(kept)))
    return verify_found(session, found)


def list_passkeys(session: Session, person_id: UUID | None) -> Sequence[Passkey]:
    """List the passkeys of a person, oldest first. A machine has none."""
    found = select(Passkey).where(is_usable_by(person_id))
    return session.scalars(found.order_by(Passkey.created_at, Passkey.id)).all()


def get_passkey(session: Session, passkey_id: UUID, person_id: UUID | None) -> Passkey:
    """Return a passkey of a person, even if it was removed, or raise NotFound (404)."""
    own = (Passkey.id == passkey_id) & (Passkey.person_id == person_id)
    found = session.scalar(select(Passkey).where(own))
    if found is None:
        raise NotFound("There is no such passkey, or it is of another person.")
    return found


def has_passkey(session: Session, person_id: UUID) -> bool:
    """Return whether a person has a passkey that is not removed.

    Raises NotAuthentic if one of the person's passkeys was altered or hidden outside the
    service.
    """
    verified = load_complete_group(session, person_id, PASSKEYS)
    return any(row["removed_at"] is None for _, row in verified)


def find_account(
    session: Session, person_id: UUID, account_id: UUID | None
) -> Account | None:
    """Return an enabled account of a person, by default the one that was created first.

    Returns None if there is none. An account that was altered outside the service is
    skipped.
    """
    own = (Account.person_id == person_id) & (Account.kind == AccountKind.PERSON)
    enabled = select(Account).where(own, Account.disabled_at.is_(None))
    if account_id is not None:
        enabled = enabled.where(Account.id == account_id)
    for account in session.scalars(enabled.order_by(Account.opened_at, Account.id)).all():
        with suppress(NotAuthentic):
            return require_authentic_account(session, account)
    return None
