"""Routes for default contacts. Accepting a case without `contacts` uses them (ADR 57)."""

from typing import Final
from uuid import UUID

from fastapi import Response

from app.api.http.conditional_requests import render
from app.api.http.dependencies import Once, ReadDirectory, WriteDirectory
from app.api.http.problems import KEYED, list_problems
from app.api.http.routers import ResourceRouter
from app.api.idempotent_requests import Headers, View
from app.cases import default_contacts
from app.cases.schemas import DefaultContactsInput, DefaultContactsOut
from app.cases.sections import NamedContacts
from app.directory import queries as directory_queries
from app.directory.models import FocalPoint
from app.kernel.lifecycle import ActionNotYours, RoleMissing
from app.kernel.problems import NotFound
from app.kernel.text import Code
from app.kernel.transactions import ReadTransaction

router = ResourceRouter("directory", "/focal-points/{focal_point}/default-contacts")
REFUSED: Final = (NotFound, ActionNotYours, RoleMissing)


@router.get("", response_model=DefaultContactsOut, responses=list_problems(*REFUSED))
def get_default_contacts(begin: ReadDirectory, focal_point: Code) -> Response:
    """Read the default contacts of your own focal point.

    Other offices can read contacts only after an acceptance has disclosed them.
    """
    with begin() as tx:
        roles = default_contacts.READERS
        office = default_contacts.get_office(tx, focal_point, roles)
        return show_default_contacts(tx, office, 200, {})


@router.put(
    "", response_model=DefaultContactsOut, responses=list_problems(*REFUSED, *KEYED)
)
def write_default_contacts(
    begin: WriteDirectory, key: Once, focal_point: Code, new: DefaultContactsInput
) -> Response:
    """Set the contacts that are used when you accept without `contacts`.

    They apply when you accept a lead, a referral or a handover. Earlier acceptances keep
    their contacts. The latest request wins, and needs no `If-Match` header. If you send an
    Idempotency-Key, a late retry does not restore older contacts.
    """
    contacts = None if new.contacts is None else NamedContacts(contacts=new.contacts)
    return DEFAULT_CONTACTS.run_once(
        begin, key, lambda tx: default_contacts.write(tx, focal_point, contacts)
    )


def show_default_contacts(
    tx: ReadTransaction, office: FocalPoint, status: int, headers: Headers
) -> Response:
    """Return the response with the default contacts of the caller's office."""
    found = default_contacts.find(tx)
    shown = DefaultContactsOut(
        focal_point=office.code,
        contacts=found[1] if found else None,
        written_at=found[0].written_at if found else None,
    )
    return render(shown, status=status, headers=headers)


def find_own_office(tx: ReadTransaction, office_id: UUID) -> FocalPoint:
    """Return the caller's office for a retry.

    Raises ActionNotYours or RoleMissing (403) if the caller may not read the contacts.
    """
    code = directory_queries.by_id(tx, office_id).code
    return default_contacts.get_office(tx, code, default_contacts.READERS)


DEFAULT_CONTACTS: Final = View(find_own_office, show_default_contacts)
