"""Routes that create, list, read and change cases."""

from typing import Annotated

from fastapi import Query, Response
from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

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
from app.cases.filters import is_at_stage
from app.cases.lifecycle import Stage, State
from app.cases.models import Party
from app.cases.schemas import RiskInput, SummaryFields
from app.casework import carrying, intake
from app.casework.schemas import CaseInput, CaseOut, CasePage
from app.casework.situation import show_cases
from app.consents.actions import AdultConsentRequired, ConsentEnded
from app.deadlines.limits import Priority
from app.directory.queries import FocalPointUnknown
from app.kernel.actors import Relation
from app.kernel.free_space import DiskSpaceReserved
from app.kernel.idempotency import IdempotencyKeyMissing
from app.kernel.lifecycle import RoleMissing
from app.kernel.paging import CursorUnknown, PageQuery, load_page
from app.kernel.quotas import TooManyDrafts
from app.kernel.requirements import NeedsUnmet
from app.kernel.text import CountryCode

router = ResourceRouter("cases", "/cases")


@router.serve_action(
    "",
    CaseOut,
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

    If no answer arrives, repeat the request with the same Idempotency-Key.
    """
    return CASE.create_once(begin, key, lambda tx: intake.create_case(tx, new))


class CaseQuery(PageQuery):
    """The cursor and the filters of the list of cases."""

    role: Annotated[list[Relation], Field(max_length=8)] = []
    state: Annotated[list[State], Field(max_length=10)] = []
    stage: Annotated[list[Stage], Field(max_length=4)] = []
    priority: Priority | SkipJsonSchema[None] = None
    country: CountryCode | SkipJsonSchema[None] = None


@router.get("", response_model=CasePage, responses=list_problems(CursorUnknown))
def list_cases(
    begin: ReadCases,
    query: Annotated[CaseQuery, Query()],
    if_none_match: IfNoneMatch = None,
) -> Response:
    """List the cases of which your office is a party. To follow changes, use the feed."""
    with begin() as tx:
        states = query.state or State
        statement = case_queries.list_own(
            tx, query.role, states, query.priority, query.country
        )
        if query.stage:
            statement = statement.where(is_at_stage(tx, query.stage))
        rows, after = load_page(tx, statement, (Party.number,), query, name="cases")
        items = show_cases(tx, [case for case, _ in rows])
        page = CasePage(items=items, next=after)
        return render(page, if_none_match=if_none_match)


@router.get("/{code}", response_model=CaseOut, responses=NOT_FOUND)
def get_case(
    begin: ReadCases, code: CaseCode, if_none_match: IfNoneMatch = None
) -> Response:
    """Read one case: the summary, the state and the actions you can take."""
    return show_record(
        begin, lambda tx: case_queries.get(tx, code), show_cases, if_none_match
    )


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
    """Change fields of the summary (RFC 7396), as the submitter or later as the lead."""
    return CASE.run_once(
        begin, key, lambda tx: intake.update_case_summary(tx, code, seen, summary)
    )


@router.serve_action("/{code}/risk-assessments", CaseOut, *CREATION)
def assess_risk(begin: WriteCases, code: CaseCode, key: Once, risk: RiskInput) -> Response:
    """Record how high the risk to the person is now. Any party of the case may do this."""
    return CASE.run_once(
        begin, key, lambda tx: intake.assess_risk(tx, code, risk), key_needed=True
    )
