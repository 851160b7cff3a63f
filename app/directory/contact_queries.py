"""Queries for the contacts of offices, to which notifications are sent."""

from collections.abc import Iterable
from typing import Final
from uuid import UUID

from sqlalchemy import Select, select

from app.directory.models import Contact, FocalPoint
from app.kernel.transactions import ReadTransaction, WriteTransaction

CONTACTS: Final = select(FocalPoint, Contact).join(
    Contact, Contact.focal_point == FocalPoint.code
)


def lock_contacts(
    tx: WriteTransaction, focal_points: Iterable[UUID]
) -> list[tuple[UUID, Contact]]:
    """Lock and return the active contacts of offices; a fixed order avoids deadlocks."""
    wanted = FocalPoint.id.in_(set(focal_points)) & Contact.active
    held = CONTACTS.where(wanted).order_by(Contact.code)
    return list_contacts(tx, held.with_for_update(of=Contact, key_share=True))


def find_contact(tx: ReadTransaction, code: str) -> tuple[UUID, Contact] | None:
    """Return the id of a contact's office, and the contact as it is now.

    Return None if there is no such contact, or if its row or that of its office was altered
    outside the service.
    """
    return next(iter(list_contacts(tx, CONTACTS.where(Contact.code == code))), None)


def list_contacts(
    tx: ReadTransaction, statement: Select[FocalPoint, Contact]
) -> list[tuple[UUID, Contact]]:
    """List pairs of the id of an office and a contact of the office as it is now.

    A contact is left out if its row or that of its office was altered outside the service.
    """
    rows = tx.session.execute(statement.execution_options(populate_existing=True))
    return [
        (office.id, contact)
        for office, contact in rows
        if not (office.is_altered or contact.is_altered)
    ]
