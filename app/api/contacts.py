"""Where offices are called on: for administrators, and for each office its own."""

from typing import Final

from fastapi import Response

from app.administration import actions, queries
from app.administration.actions import Wish
from app.administration.schemas import ContactOut, ContactPage, PutContact
from app.api.administration import NEW, PUT, must_be_of, put
from app.api.approvals import Answers
from app.api.conditional import answer
from app.api.deps import ApprovalId, Expect, IfNoneMatch, ReadDirectory, WriteDirectory
from app.api.nouns import Noun
from app.api.problems import problems
from app.kernel.lifecycle import RoleMissing
from app.kernel.problems import NotFound
from app.kernel.text import Code

router = Noun("administration", "/contacts")
CREATED: Final[Answers] = {201: {"model": ContactOut, "description": NEW}}


@router.get("", response_model=ContactPage, responses=problems(RoleMissing))
def list_duty_contacts(begin: ReadDirectory, if_none_match: IfNoneMatch = None) -> Response:
    """List where offices are called on when something waits there.

    For administrators; a coordinator is shown those of its own office.
    """
    with begin() as work:
        items = [ContactOut.model_validate(row) for row in queries.contacts(work)]
        page = ContactPage(items=items, next=None, more=False)
        return answer(page, if_none_match=if_none_match)


@router.get(
    "/{contact}", response_model=ContactOut, responses=problems(NotFound, RoleMissing)
)
def get_duty_contact(begin: ReadDirectory, contact: Code) -> Response:
    """Read one contact: as an administrator, or as a coordinator of its office."""
    with begin() as work:
        return answer(ContactOut.model_validate(queries.contact(work, contact)))


@router.put("/{contact}", response_model=ContactOut, responses=CREATED | PUT)
def replace_duty_contact(
    begin: WriteDirectory,
    contact: Code,
    expected: Expect,
    said: PutContact,
    approval: ApprovalId = None,
) -> Response:
    """Write a contact, in place of what it was, or anew.

    As for a focal point: what could silence an office takes a second administrator, and
    nothing is ever deleted. Two contacts of one office with the same label are two ways to
    the same duty post: if one of them fails, the other is used.
    """
    must_be_of(contact, said.code)
    with begin() as work:
        return put(work, actions.CONTACTS, Wish(contact, said, expected, approval))
