"""What a route can ask for."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Header, Path, Query, Request
from pydantic import AfterValidator, Field
from pydantic.json_schema import SkipJsonSchema
from pydantic_core import PydanticCustomError

from app.api.guard import Begin, May
from app.disclosure.policy import ReadingPurpose
from app.kernel.actors import Scope
from app.kernel.codes import FORM, read_code
from app.kernel.idempotency import Ticket
from app.kernel.paging import PageQuery
from app.kernel.versions import Seen
from app.kernel.work import Ground, Reading, Writing, reading, writing

KEY_FORM = r"^[!-~]+$"
KeyText = Annotated[str, Field(pattern=KEY_FORM, max_length=100)]
KEY = "A random text of your choice; the same one if you must retry."
IF_MATCH = "The ETag you last read: your decision rests on it."
IF_NONE_MATCH = "The ETag you have: 304 if nothing changed."
PURPOSE = "What you open it for; kept with who, when and what."
APPROVAL = "The approval by a second person, once it is given."


def known(text: str) -> str:
    """Read a case code as people type it."""
    code = read_code(text)
    if code is None:
        raise PydanticCustomError("case_code_mistyped", "Its check character does not fit.")
    return code


def seen(
    if_match: Annotated[
        str | SkipJsonSchema[None],
        Header(alias="If-Match", description=IF_MATCH, max_length=400),
    ] = None,
) -> Seen:
    """Take the versions the caller has seen; the unit of work judges them."""
    return Seen(if_match)


async def ticket(
    request: Request,
    key: Annotated[
        KeyText | SkipJsonSchema[None],
        Header(alias="Idempotency-Key", description=KEY),
    ] = None,
) -> Ticket:
    """Take the idempotency key; the unit of work claims it."""
    ground: Ground = request.app.state.ground
    said = (request.method, request.scope["path"], request.headers.get("approval", ""))
    body = await request.body()
    parts = (b"request", *(part.encode() for part in said), body)
    return Ticket(key, ground.vault.fingerprint(*parts))


ReadCases = Annotated[Begin[Reading], Depends(May(reading, Scope.CASES_READ))]
WriteCases = Annotated[Begin[Writing], Depends(May(writing, Scope.CASES_WRITE))]
OpenSections = Annotated[Begin[Writing], Depends(May(writing, Scope.SECTIONS_READ))]
ReadReferrals = Annotated[Begin[Reading], Depends(May(reading, Scope.REFERRALS_READ))]
WriteReferrals = Annotated[Begin[Writing], Depends(May(writing, Scope.REFERRALS_WRITE))]
ReadFeed = Annotated[Begin[Reading], Depends(May(reading, Scope.FEED_READ))]
Approve = Annotated[Begin[Writing], Depends(May(writing, Scope.APPROVALS_WRITE))]
ReadApprovals = Annotated[Begin[Reading], Depends(May(reading, Scope.APPROVALS_WRITE))]
WriteDirectory = Annotated[Begin[Writing], Depends(May(writing, Scope.DIRECTORY_WRITE))]
ReadDirectory = Annotated[Begin[Reading], Depends(May(reading, Scope.DIRECTORY_READ))]

IfMatch = Annotated[Seen, Depends(seen)]
IfNoneMatch = Annotated[
    str | SkipJsonSchema[None],
    Header(alias="If-None-Match", description=IF_NONE_MATCH, max_length=4000),
]
Once = Annotated[Ticket, Depends(ticket)]
Purpose = Annotated[ReadingPurpose, Header(alias="Purpose", description=PURPOSE)]
ApprovalId = Annotated[
    UUID | SkipJsonSchema[None], Header(alias="Approval", description=APPROVAL)
]
Paging = Annotated[PageQuery, Query()]
CaseCodeText = Annotated[
    str, Field(pattern=FORM, description="The code of a case."), AfterValidator(known)
]
CaseCode = Annotated[
    str,
    Path(
        pattern=FORM, description="The code of the case.", examples=["SC-7K3F-9QXM-4T2B-3"]
    ),
    AfterValidator(known),
]
