"""Dependencies of routes: transactions by scope, headers, paging and path parameters.

Even dependencies that never wait are `async`; otherwise, FastAPI would use a thread.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Final
from uuid import UUID

from fastapi import Depends, Header, Path, Query, Request
from pydantic import AfterValidator, Field
from pydantic.json_schema import SkipJsonSchema

from app.api.http.authentication import Begin, Scoped
from app.cases.sections import EmergencyAccessPurpose
from app.disclosure.access_log import DailyCapReached, record_capped
from app.disclosure.refused_openings import (
    TooManyRefusedOpenings,
    count_refusal,
    record_limit,
)
from app.feed import queries as feed_queries
from app.kernel.actors import SERVICE, Actor, Scope
from app.kernel.codes import CODE_FORMAT, CODE_PATTERN, normalize_case_code
from app.kernel.database_errors import require_recording
from app.kernel.idempotency import KeyedRequest
from app.kernel.paging import PageQuery
from app.kernel.problems import NotFound
from app.kernel.transactions import (
    AuthenticatedRead,
    ReadTransaction,
    Runtime,
    WriteTransaction,
    begin_read,
    begin_write,
)
from app.kernel.versions import ExpectedTag, SeenVersions

KEY_FORM = r"^[!-~]+$"
KeyText = Annotated[str, Field(pattern=KEY_FORM, max_length=100)]
KEY = (
    "A random text that you choose, different for each request. Send the same text when "
    "you retry. The keys of an account are remembered without a time limit, even after the "
    "record is erased: a retry, however late, is never carried out a second time."
)
IF_MATCH = "The ETag of the version that you read last and based your decision on."
REPLACE = "To replace a row: the ETag of the version that you read last."
CREATE = "To create a row: `*`."
IF_NONE_MATCH = "The ETag that you have. The answer is 304 if nothing changed."
PURPOSE = "The purpose of opening the document. It is recorded in the access log."
APPROVAL = "The id of the approval, once a second person has given it."


@contextmanager
def begin_opening(runtime: Runtime, actor: Actor) -> Iterator[WriteTransaction]:
    """Begin a transaction that opens sealed documents (R35).

    Raises Busy (503), and shows no document, if the access log cannot record the opening.
    If the daily cap or the limit of refusals is reached, a separate transaction records
    this, because the transaction of the opening is rolled back. A missing record counts as
    a refusal, so that a caller cannot distinguish missing and refused records.
    """
    try:
        with require_recording(), begin_write(runtime, actor) as tx:
            try:
                yield tx
            except NotFound:
                count_refusal(tx)
                raise
    except DailyCapReached as reached:
        with require_recording(), begin_write(runtime, actor) as tx:
            record_capped(tx, reached.look)
        raise
    except TooManyRefusedOpenings:
        report_limit(runtime, actor)
        raise


def report_limit(runtime: Runtime, actor: Actor) -> None:
    """Report refused openings to the actor's office and oversight at most once an hour."""
    counter, now = runtime.refused_openings, runtime.clock()
    if counter and not counter.was_reported(actor.account_id, now):
        with require_recording(), begin_write(runtime, actor) as tx:
            record_limit(tx)
        counter.record_reported(actor.account_id, now)


@contextmanager
def begin_account_change(runtime: Runtime, actor: Actor) -> Iterator[WriteTransaction]:
    """Begin a transaction that changes an account and ends its approvals.

    The transaction acts for the service, because an approval may be about a case of which
    the caller is not a party. Row security would hide such an approval, which would then
    stay valid although it must end with the account (ADR 21).
    """
    with begin_write(runtime, actor, acts_for=SERVICE) as tx:
        yield tx


async def parse_if_match(
    if_match: Annotated[
        str | SkipJsonSchema[None],
        Header(alias="If-Match", description=IF_MATCH, max_length=400),
    ] = None,
) -> SeenVersions:
    """Return the versions in If-Match, to be compared when the record is locked."""
    return SeenVersions(if_match)


async def parse_expectation(
    if_match: Annotated[
        str | SkipJsonSchema[None],
        Header(alias="If-Match", description=REPLACE, max_length=400),
    ] = None,
    if_none_match: Annotated[
        Annotated[str, Field(pattern=r"^\*$")] | SkipJsonSchema[None],
        Header(alias="If-None-Match", description=CREATE),
    ] = None,
) -> ExpectedTag:
    """Return the expected tag of a row, or the expectation that no row exists."""
    return ExpectedTag(if_match, if_none_match)


async def build_ticket(
    request: Request,
    key: Annotated[
        KeyText | SkipJsonSchema[None], Header(alias="Idempotency-Key", description=KEY)
    ] = None,
) -> KeyedRequest:
    """Return the idempotency key, if any, with the fingerprints of the request."""
    runtime: Runtime = request.app.state.runtime
    target = (request.method, request.scope["path"], request.headers.get("approval", ""))
    body = await request.body()
    parts = (b"request", *(part.encode() for part in target), body)
    return KeyedRequest(key, runtime.vault.list_fingerprints(*parts))


BeginRead = Begin[ReadTransaction]
BeginWrite = Begin[WriteTransaction]

ReadCases = Annotated[BeginRead, Depends(Scoped(begin_read, Scope.CASES_READ))]
ScreenSigns = Annotated[BeginRead, Depends(Scoped(begin_read, Scope.CASES_WRITE))]
WriteCases = Annotated[BeginWrite, Depends(Scoped(begin_write, Scope.CASES_WRITE))]
OpenSections = Annotated[BeginWrite, Depends(Scoped(begin_opening, Scope.SECTIONS_READ))]
ReadSections = Annotated[BeginRead, Depends(Scoped(begin_read, Scope.SECTIONS_READ))]
ReadReferrals = Annotated[BeginRead, Depends(Scoped(begin_read, Scope.REFERRALS_READ))]
WriteReferrals = Annotated[BeginWrite, Depends(Scoped(begin_write, Scope.REFERRALS_WRITE))]
ReadFeed = Annotated[BeginRead, Depends(Scoped(begin_read, Scope.FEED_READ))]
CAN_POLL_FEED: Final = Scoped(
    begin_read, Scope.FEED_READ, queries=feed_queries.CREDENTIAL_QUERIES
)
PollFeed = Annotated[Begin[AuthenticatedRead], Depends(CAN_POLL_FEED)]
Approve = Annotated[BeginWrite, Depends(Scoped(begin_write, Scope.APPROVALS_WRITE))]
ReadApprovals = Annotated[BeginRead, Depends(Scoped(begin_read, Scope.APPROVALS_WRITE))]
ReadStatistics = Annotated[BeginRead, Depends(Scoped(begin_read, Scope.STATISTICS_READ))]
ReadDirectory = Annotated[BeginRead, Depends(Scoped(begin_read, Scope.DIRECTORY_READ))]
ManageSessions = Annotated[BeginWrite, Depends(Scoped(begin_write, Scope.DIRECTORY_READ))]
KeepForms = Annotated[
    BeginWrite,
    Depends(Scoped(begin_write, Scope.DIRECTORY_READ, accepts_ended_session=True)),
]
WriteDirectory = Annotated[BeginWrite, Depends(Scoped(begin_write, Scope.DIRECTORY_WRITE))]
ReadAccounts = Annotated[BeginRead, Depends(Scoped(begin_read, Scope.ACCOUNTS_READ))]
WriteAccounts = Annotated[
    BeginWrite, Depends(Scoped(begin_account_change, Scope.ACCOUNTS_WRITE))
]
ReadWebhooks = Annotated[BeginRead, Depends(Scoped(begin_read, Scope.WEBHOOKS_READ))]
WriteWebhooks = Annotated[BeginWrite, Depends(Scoped(begin_write, Scope.WEBHOOKS_WRITE))]

IfMatch = Annotated[SeenVersions, Depends(parse_if_match)]
Expect = Annotated[ExpectedTag, Depends(parse_expectation)]
IfNoneMatch = Annotated[
    str | SkipJsonSchema[None],
    Header(alias="If-None-Match", description=IF_NONE_MATCH, max_length=4000),
]
Once = Annotated[KeyedRequest, Depends(build_ticket)]
Purpose = Annotated[EmergencyAccessPurpose, Header(alias="Purpose", description=PURPOSE)]
ApprovalId = Annotated[
    UUID | SkipJsonSchema[None], Header(alias="Approval", description=APPROVAL)
]
Paging = Annotated[PageQuery, Query()]
CaseCode = Annotated[
    str,
    Path(
        pattern=CODE_PATTERN,
        description="The code of the case. Its last character is a check character.",
        examples=["SC-7K3F-9QXM-4T2B-3"],
        json_schema_extra=CODE_FORMAT,
    ),
    AfterValidator(normalize_case_code),
]
