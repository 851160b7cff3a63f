"""Routes that create, list, read and change cases."""

from collections.abc import Collection, Sequence
from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Query, Response
from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

from app.api.case_parts import (
    CasePage,
    CasePart,
    CaseWithParts,
    load_listed_parts,
    load_parts,
)
from app.api.http.conditional_requests import render
from app.api.http.dependencies import (
    CaseCode,
    IfMatch,
    IfNoneMatch,
    Once,
    ReadCases,
    WriteCases,
)
from app.api.http.problems import CREATION, KEYED, NOT_FOUND, VERSIONED, list_problems
from app.api.http.routers import ResourceRouter
from app.api.idempotent_requests import CASE
from app.api.read_receipts import show_record
from app.cases import queries as case_queries
from app.cases.filters import is_at_stage, is_sent, select_due_at
from app.cases.lifecycle import Stage, State
from app.cases.models import Case, Party
from app.cases.schemas import RiskInput, SummaryFields
from app.casework import carrying, case_files, intake
from app.casework.schemas import CaseInput, CaseOut, CaseSearch
from app.casework.situation import show_cases
from app.consents.actions import AdultConsentRequired, ConsentEnded
from app.deadlines.limits import Priority
from app.directory.queries import FocalPointUnknown
from app.kernel.actors import Relation
from app.kernel.free_space import DiskSpaceReserved
from app.kernel.idempotency import IdempotencyKeyMissing
from app.kernel.lifecycle import RoleMissing
from app.kernel.paging import CursorUnknown, Keys, PageQuery, load_page
from app.kernel.problems import NotFound
from app.kernel.quotas import TooManyDrafts
from app.kernel.requirements import NeedsUnmet
from app.kernel.text import CountryCode
from app.kernel.transactions import ReadTransaction

router = ResourceRouter("cases", "/cases")


@router.serve_action(
    "",
    CaseOut,
    NotFound,
    IdempotencyKeyMissing,
    *KEYED,
    RoleMissing,
    FocalPointUnknown,
    NeedsUnmet,
    ConsentEnded,
    AdultConsentRequired,
    intake.ExternalReferenceTaken,
    carrying.DeskMissing,
    TooManyDrafts,
    DiskSpaceReserved,
    status=201,
)
def create_case(begin: WriteCases, key: Once, new: CaseInput) -> Response:
    """Create a case, and submit it in the same transaction if `submit` is true.

    If no response arrives, repeat the request with the same Idempotency-Key. The response
    to a repeated request is 404 if your office can no longer read the case, for example
    because the case was erased. The request is not carried out again.
    """
    return CASE.create_once(begin, key, lambda tx: intake.create_case(tx, new))


SENT = "Only cases that your focal point submitted, without its drafts."
SORT = "`due_at`: earliest `due_at` first, then the cases without `due_at`."
WITH_TASKS = "`tasks`: add the tasks of your focal point in each case."
INCLUDE = (
    "Parts to add in `included`. Each equals the answer of its own operation; `refused` "
    "lists the parts that you may not read. With `include`, no read receipt is recorded."
)


class CaseSort(StrEnum):
    """The order of the list of cases."""

    ADDED = "added"
    DUE_AT = "due_at"


class CaseQuery(PageQuery):
    """The cursor and the filters of the list of cases."""

    role: Annotated[list[Relation], Field(max_length=8)] = []
    state: Annotated[list[State], Field(max_length=10)] = []
    stage: Annotated[list[Stage], Field(max_length=4)] = []
    priority: Priority | SkipJsonSchema[None] = None
    country: CountryCode | SkipJsonSchema[None] = None
    sent: Annotated[bool, Field(description=SENT)] = False
    sort: Annotated[CaseSort, Field(description=SORT)] = CaseSort.ADDED
    include: Annotated[
        list[Literal[CasePart.TASKS]], Field(max_length=1, description=WITH_TASKS)
    ] = []


@router.get("", response_model=CasePage, responses=list_problems(CursorUnknown))
def list_cases(
    begin: ReadCases,
    query: Annotated[CaseQuery, Query()],
    if_none_match: IfNoneMatch = None,
) -> Response:
    """List the cases of which your office is a party. To follow changes, use the feed.

    Listing a case does not count as reading it, so the delivery evidence does not change.
    """
    with begin() as tx:
        ids, after = load_case_ids(tx, query)
        found = case_files.list_cases(tx, ids)
        page = build_page(tx, found, query.include, after)
        return render(page, if_none_match=if_none_match)


def load_case_ids(tx: ReadTransaction, query: CaseQuery) -> tuple[list[UUID], str | None]:
    """Return the ids of a page of the caller's cases, and the cursor of the next page."""
    states = query.state or State
    statement = case_queries.list_own(tx, query.role, states, query.priority, query.country)
    if query.stage:
        statement = statement.where(is_at_stage(tx, query.stage))
    if query.sent:
        statement = statement.where(is_sent(tx))
    keys: Keys = (Party.number,)
    name = "cases"
    if query.sort == CaseSort.DUE_AT:
        keys, name = (select_due_at(tx), Party.number), "cases by due time"
    page = statement.with_only_columns(Case.id, *keys)
    rows, after = load_page(tx, page, keys, query, name=name)
    return [case_id for case_id, *_ in rows], after


def build_page(
    tx: ReadTransaction,
    found: Sequence[Case],
    include: Collection[CasePart] = (),
    after: str | None = None,
) -> CasePage:
    """Return a page of cases, each as the caller may see it."""
    parts = load_listed_parts(tx, found, include)
    items = [
        CaseWithParts.from_case(shown, included)
        for shown, included in zip(show_cases(tx, found), parts, strict=True)
    ]
    return CasePage(items=items, next=after)


@router.post("/search", response_model=CasePage)
def find_cases(begin: ReadCases, search: CaseSearch) -> Response:
    """Find one of your cases by its code, or by your own number for the case.

    The response is a list with one case, or an empty list. The list is also empty if you
    may not see the case. A search does not count as reading the case. Nothing is stored, so
    you can repeat the request.
    """
    with begin() as tx:
        return render(build_page(tx, intake.find_cases(tx, search)))


class PartsQuery(BaseModel):
    """The parts to read together with a case."""

    model_config = ConfigDict(extra="forbid")

    include: Annotated[
        list[CasePart], Field(max_length=len(CasePart), description=INCLUDE)
    ] = []


@router.get("/{code}", response_model=CaseWithParts, responses=NOT_FOUND)
def get_case(
    begin: ReadCases,
    code: CaseCode,
    query: Annotated[PartsQuery, Query()],
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Read one case: the summary, the state and the actions you can take.

    If your focal point was asked to act, the first request is recorded: the delivery
    evidence is then `retrieved`. A request with `include` records nothing. A client that
    shows a case to a person must also send the request without `include`.
    """
    if not query.include:
        return show_record(
            begin, lambda tx: case_files.get_case(tx, code), show_cases, if_none_match
        )
    with begin() as tx:
        case = case_queries.get(tx, code)
        [shown] = show_cases(tx, [case])
        whole = CaseWithParts.from_case(shown, load_parts(tx, case, query.include))
        return render(whole, version=whole.version, if_none_match=if_none_match)


@router.patch(
    "/{code}",
    response_model=CaseOut,
    responses=list_problems(
        *VERSIONED, intake.CountryNotChangeable, intake.SummaryIncomplete
    ),
)
def update_case(
    begin: WriteCases, code: CaseCode, seen: IfMatch, key: Once, summary: SummaryFields
) -> Response:
    """Change fields of the summary (RFC 7396).

    Only the lead can do this, or the submitter if there is no lead.
    """
    return CASE.run_once(
        begin, key, lambda tx: intake.update_case_summary(tx, code, seen, summary)
    )


@router.serve_action("/{code}/risk-assessments", CaseOut, *CREATION)
def assess_risk(begin: WriteCases, code: CaseCode, key: Once, risk: RiskInput) -> Response:
    """Record the current risk to the person, as any party except a handover candidate."""
    return CASE.run_once(
        begin, key, lambda tx: intake.assess_risk(tx, code, risk), key_needed=True
    )
