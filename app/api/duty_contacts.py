"""Routes for duty contacts: the addresses to which notifications to offices are sent."""

from typing import Final

from fastapi import Response

from app.administration import actions as administration_actions
from app.administration import queries as administration_queries
from app.administration.actions import PutRow
from app.administration.schemas import ContactList, ContactOut, PutContact
from app.api.administration import NEW, PUT, replace_row, require_same_code
from app.api.http.conditional_requests import render
from app.api.http.dependencies import (
    ApprovalId,
    Expect,
    IfNoneMatch,
    ReadDirectory,
    WriteDirectory,
)
from app.api.http.problems import Answers, list_problems
from app.api.http.routers import ResourceRouter
from app.kernel.lifecycle import RoleMissing
from app.kernel.problems import NotFound
from app.kernel.text import Code

router = ResourceRouter("administration", "/contacts")
CREATED: Final[Answers] = {201: {"model": ContactOut, "description": NEW}}


@router.get("", response_model=ContactList, responses=list_problems(RoleMissing))
def list_duty_contacts(begin: ReadDirectory, if_none_match: IfNoneMatch = None) -> Response:
    """List the contacts that are notified when their office has a task.

    Administrators see all contacts; coordinators see only the contacts of their own office.
    """
    with begin() as tx:
        rows = administration_queries.list_contacts(tx)
        items = [ContactOut.model_validate(row) for row in rows]
        return render(ContactList(items=items), if_none_match=if_none_match)


@router.get(
    "/{contact}", response_model=ContactOut, responses=list_problems(NotFound, RoleMissing)
)
def get_duty_contact(begin: ReadDirectory, contact: Code) -> Response:
    """Read one contact, as an administrator or a coordinator of its office."""
    with begin() as tx:
        found = administration_queries.get_contact(tx, contact)
        return render(ContactOut.model_validate(found))


@router.put("/{contact}", response_model=ContactOut, responses=CREATED | PUT)
def replace_duty_contact(
    begin: WriteDirectory,
    contact: Code,
    expected: Expect,
    body: PutContact,
    approval: ApprovalId = None,
) -> Response:
    """Replace or create a contact.

    A new active contact, or a change of more than label or language, needs the approval of
    a second administrator. Contacts cannot be deleted. Contacts of an office with the same
    label and different channels reach the same duty post: if one fails, another is used.
    """
    require_same_code(contact, body.code)
    row = PutRow(contact, body, expected, approval)
    with begin() as tx:
        return replace_row(tx, administration_actions.CONTACTS, row)
