"""The default contacts of an office, used if its acceptance has no `contacts` (ADR 57).

An acceptance stores a copy of them, sealed with the case or the referral. A later change
does not affect earlier acceptances.
"""

from collections.abc import Sequence
from contextlib import suppress
from typing import Final
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlalchemy.orm.attributes import flag_modified

from app.cases.models import DefaultContacts
from app.cases.padding import pad
from app.cases.sections import DutyContact, NamedContacts, Paper
from app.directory import queries as directory_queries
from app.directory.models import FocalPoint
from app.kernel.actors import CASE_ROLES, Role
from app.kernel.db import lock_name
from app.kernel.lifecycle import ActionNotYours, RoleMissing
from app.kernel.recall import load_once
from app.kernel.transactions import ReadTransaction, RecordIdentity, WriteTransaction
from app.kernel.vault import SealedDocument, Unopenable

READERS: Final = CASE_ROLES
WRITERS: Final = frozenset({Role.COORDINATOR})
"""The roles that may set default contacts, which acceptances disclose to other offices."""


def get_office(tx: ReadTransaction, code: str, roles: frozenset[Role]) -> FocalPoint:
    """Return the caller's own office by its code, if the account has one of the roles.

    Raises NotFound (404), ActionNotYours (403) for another office, or RoleMissing (403).
    """
    office = directory_queries.get_by_code(tx, code)
    if office.id != tx.actor.focal_point_id:
        raise ActionNotYours("Only the office itself has access to its contacts.")
    if not roles & tx.actor.roles:
        raise RoleMissing(f"This needs one of the roles {', '.join(sorted(roles))}.")
    return office


def write(tx: WriteTransaction, code: str, contacts: NamedContacts | None) -> FocalPoint:
    """Seal the default contacts of the caller's office, or remove them if None is given.

    The office and oversight get an event, so that colleagues notice a change. Raises the
    errors of `get_office`.
    """
    office = get_office(tx, code, WRITERS)
    lock_name(tx.session, f"default_contacts:{office.id}")
    row = tx.session.get(DefaultContacts, office.id)
    if contacts is not None:
        seal_for_office(tx, row or DefaultContacts(focal_point_id=office.id), contacts)
    elif row is not None:
        tx.session.delete(row)
    tx.session.flush()
    audience = frozenset({office.id}) | directory_queries.list_overseers(tx)
    identity = RecordIdentity(office.id, office.id, f"focal-points/{office.code}")
    tx.record("focal_point.default_contacts_changed", identity, audience)
    return office


def get_place(office_id: UUID) -> tuple[str, str]:
    """Return the table and id to which the encryption of default contacts is bound."""
    return DefaultContacts.__tablename__, str(office_id)


def seal_for_office(
    tx: WriteTransaction, row: DefaultContacts, contacts: NamedContacts
) -> None:
    """Store default contacts in a row, padded and sealed with a new key of their own."""
    plain = pad(Paper.CONTACTS, contacts.model_dump_json().encode())
    place = get_place(row.focal_point_id)
    row.version, (row.sealed, row.wrapped) = tx.vault.seal_alone(plain, *place)
    flag_modified(row, "version")  # another transaction may have rewrapped the key
    row.written_at = tx.now
    tx.session.add(row)


def find(tx: ReadTransaction) -> tuple[DefaultContacts, list[DutyContact]] | None:
    """Return the row and the default contacts of the caller's office, or None.

    The result is also None if the key of the row is lost. The office then has to send its
    contacts with each acceptance, or set them again.
    """
    row = tx.session.get(DefaultContacts, tx.actor.focal_point_id)
    if row is None:
        return None
    place, document = get_place(row.focal_point_id), SealedDocument(row.sealed, row.wrapped)
    with suppress(Unopenable):
        plain = tx.vault.open_alone(row.version, document, *place)
        return row, NamedContacts.model_validate_json(plain).contacts
    return None


def complete(tx: ReadTransaction, given: Sequence[DutyContact] | None) -> list[DutyContact]:
    """Return the given contacts or, if `given` is None, the default contacts.

    The list is empty if `given` is None and the office has no default contacts.
    """
    if given is not None:
        return list(given)
    found = find(tx)
    return found[1] if found else []


@load_once(DefaultContacts)
def has_default(tx: ReadTransaction, office_id: UUID) -> bool:
    """Return whether an office has default contacts."""
    return tx.session.scalar(OF_OFFICE, {"office": office_id}) is not None


OF_OFFICE: Final = select(DefaultContacts.focal_point_id).where(
    DefaultContacts.focal_point_id == bindparam("office")
)
