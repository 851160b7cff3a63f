"""The directory, the life cycles, and who I am."""

from typing import Annotated

from fastapi import APIRouter, Query, Response, Security
from pydantic import ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

from app.access import queries as access
from app.api.conditional import answer
from app.api.deps import CaseCode, IfNoneMatch, ReadCases, ReadDirectory
from app.api.guard import BEARER, Guarded
from app.api.problems import problems
from app.cases import queries as cases
from app.cases.lifecycle import TABLE as CASE
from app.cases.models import Case
from app.directory import queries
from app.directory.kinds import Service
from app.directory.schemas import CountryOut, CountryPage, FocalPointOut, FocalPointPage
from app.kernel.actors import AccountKind, Relation, Role, Scope
from app.kernel.lifecycle import AnyOf, Table
from app.kernel.paging import CursorUnknown, PageQuery
from app.kernel.problems import NotFound
from app.kernel.text import Code, CountryCode, Shown
from app.kernel.work import Reading
from app.referrals.lifecycle import TABLE as REFERRAL
from app.returns.lifecycle import TABLE as RETURN
from app.routing import queries as routing
from app.routing.schemas import CandidateOut, LeftOutOut, RoutingOut

router = APIRouter(tags=["directory"], route_class=Guarded, dependencies=[Security(BEARER)])


class Me(Shown):
    """Who you are here."""

    account: Annotated[str, Field(description="Your staff number or duty post.")]
    kind: AccountKind
    focal_point: str
    roles: list[Role]
    scopes: list[Scope]


class StepOut(Shown):
    """One row of a life cycle. `to` is null where the state stays as it is."""

    action: str
    states: list[str]
    to: str | None
    by: list[str]
    roles: list[str]
    needs: Annotated[list[list[str]], Field(description="All of these; any one of each.")]


class Lifecycles(Shown):
    """The rules of the mechanism, as the service enforces them."""

    model_config = ConfigDict(serialize_by_alias=True)

    case: list[StepOut]
    referral: list[StepOut]
    return_: Annotated[list[StepOut], Field(serialization_alias="return")]


@router.get("/me", response_model=Me)
def get_me(begin: ReadDirectory) -> Response:
    """Read who you are, for which focal point, with which roles and scopes."""
    with begin() as work:
        account = access.account(work)
        focal_point = queries.by_id(work, account.focal_point_id).code
        return answer(
            Me(
                account=account.label,
                kind=account.kind,
                focal_point=focal_point,
                roles=sorted(work.actor.roles),
                scopes=sorted(work.actor.scopes),
            )
        )


class FocalPointQuery(PageQuery):
    """Where to start, and which focal points."""

    country: CountryCode | SkipJsonSchema[None] = None
    service: Service | SkipJsonSchema[None] = None


@router.get(
    "/focal-points", response_model=FocalPointPage, responses=problems(CursorUnknown)
)
def list_focal_points(
    begin: ReadDirectory,
    query: Annotated[FocalPointQuery, Query()],
    if_none_match: IfNoneMatch = None,
) -> Response:
    """List the focal points, with how well each is sourced."""
    with begin() as work:
        chosen = (query.country, query.service)
        rows, after, more = queries.page_focal_points(work, query, *chosen)
        items = [FocalPointOut.model_validate(row) for row in rows]
        page = FocalPointPage(items=items, next=after, more=more)
        return answer(page, if_none_match=if_none_match)


@router.get(
    "/focal-points/{focal_point}",
    response_model=FocalPointOut,
    responses=problems(NotFound),
)
def get_focal_point(begin: ReadDirectory, focal_point: Code) -> Response:
    """Read one focal point."""
    with begin() as work:
        return answer(FocalPointOut.model_validate(queries.find(work, focal_point)))


@router.get("/countries", response_model=CountryPage)
def list_countries(begin: ReadDirectory, if_none_match: IfNoneMatch = None) -> Response:
    """List the countries; what no source said is empty."""
    with begin() as work:
        items = [CountryOut.model_validate(row) for row in queries.countries(work)]
        page = CountryPage(items=items, next=None, more=False)
        return answer(page, if_none_match=if_none_match)


@router.get("/lifecycles", response_model=Lifecycles)
def get_lifecycles(begin: ReadDirectory) -> Response:
    """Read the life cycles of a case, a referral and a return as tables."""
    with begin():
        return answer(
            Lifecycles(case=spell(CASE), referral=spell(REFERRAL), return_=spell(RETURN))
        )


def spell(table: Table) -> list[StepOut]:  # type: ignore[type-arg]  # any life cycle
    """Spell a table."""
    return [
        StepOut(
            action=step.action,
            states=sorted(step.sources),
            to=step.target,
            by=sorted(step.sides),
            roles=sorted(step.roles),
            needs=[list(n.needs) if isinstance(n, AnyOf) else [n] for n in step.needs],
        )
        for step in table.steps
    ]


def left_out(work: Reading, case: Case) -> list[LeftOutOut]:
    """Say why others may not lead, to those who may know what the person fears."""
    mine = case.relations_of(work.actor.focal_point_id)
    may_know = mine & {Relation.CANDIDATE, Relation.LEAD, Relation.SUBMITTER}
    if not may_know or work.actor.focal_point_id not in case.keepers:
        return []
    return [LeftOutOut.model_validate(row) for row in routing.left_out(work, case.id)]


@router.get(
    "/cases/{code}/routing", response_model=RoutingOut, responses=problems(NotFound)
)
def get_routing(
    begin: ReadCases, code: CaseCode, if_none_match: IfNoneMatch = None
) -> Response:
    """Read who is asked to lead, in which order and why, and why others are not.

    For the parties of the case itself.
    """
    with begin() as work:
        case = cases.get(work, code)
        if not case.relations_of(work.actor.focal_point_id):
            raise NotFound("There is no routing here that is yours to see.")
        rows = routing.shortlist(work, case.id)
        people = [row.focal_point_id for row in rows]
        codes = queries.codes(work, [*people, *([case.holder] if case.holder else [])])
        shown = RoutingOut(
            holder=codes[case.holder] if case.holder else None,
            candidates=[
                CandidateOut(
                    place=row.place,
                    focal_point=codes[row.focal_point_id],
                    reasons=row.reasons,
                    asked_at=row.asked_at,
                    declined_at=row.left_at,
                )
                for row in rows
            ],
            left_out=left_out(work, case),
        )
        return answer(shown, if_none_match=if_none_match)
