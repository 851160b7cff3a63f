"""Response models of approvals by a second person, and the query parameters of the list."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, Field
from pydantic.json_schema import SkipJsonSchema

from app.access.models import ApprovalState
from app.administration.schemas import AccountReference
from app.kernel.paging import Page, PageQuery
from app.kernel.text import ResponseModel

ASKED_BY = (
    "The account that asks. If the request is about a case, null for everybody but this "
    "account and those that may decide."
)
REQUEST = (
    "The exact request. Null if you neither asked nor may decide, if the approval has "
    "ended, or if an earlier version of the service did not keep the request."
)
MAY_CONFIRM = (
    "Whether you can confirm it now. False if the answer to the action contains a secret "
    "for the account that asked: then approve it."
)


class RequestedChange(ResponseModel):
    """The change that an action would make, as the second person may see it."""

    before: Annotated[
        dict[str, Any] | None,
        Field(description="The present values. Null if the action replaces no values."),
    ]
    after: Annotated[
        dict[str, Any],
        Field(
            description="The new values: fields of the request, or columns of a row of the "
            "directory. For an account also its present state (`has`: its roles)."
        ),
    ]
    sealed: Annotated[
        list[str],
        Field(description="The fields with free text, which is stored sealed, not shown."),
    ]


class ActionNotPossibleMembers(BaseModel):
    """The reason why the action of a confirmed request was refused."""

    cause: Annotated[
        str,
        Field(
            description="The type of the problem, such as `/problems/version-stale`.",
            examples=["/problems/version-stale"],
        ),
    ]


class ApprovalOut(ResponseModel):
    """A request for the approval of a second person.

    If the second person confirms it (`/confirm`), the action is carried out. If the second
    person approves it (`/approve`), the account that asked repeats the action with
    `Approval: {id}` and the same body.
    """

    id: UUID
    action: str
    subject: Annotated[str, Field(description="The path of the record under /v1/.")]
    facts: Annotated[
        dict[str, str], Field(description="Details of the request, such as the reason.")
    ]
    request: Annotated[RequestedChange | None, Field(description=REQUEST)]
    decision: ApprovalState
    may_confirm: Annotated[bool, Field(description=MAY_CONFIRM)]
    asked_by_you: bool
    asked_by: Annotated[AccountReference | None, Field(description=ASKED_BY)]
    asked_at: datetime
    expires_at: datetime
    roles: Annotated[list[str], Field(description="Roles that may decide; not who asked.")]


class ApprovalQuery(PageQuery):
    """The query parameters of the list of approvals."""

    state: Annotated[
        ApprovalState | SkipJsonSchema[None],
        Field(description="Only approvals that have this `decision` now."),
    ] = None


class ApprovalPage(Page[ApprovalOut]):
    """A page of approvals that your focal point can decide or that you asked for."""
