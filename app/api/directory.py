"""Routes for reading the directory, the life cycles and the caller's own account."""

from typing import Annotated, Final
from uuid import UUID

from fastapi import Query, Response
from pydantic import ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

from app.access import queries as access_queries
from app.access.session_schemas import CurrentSession
from app.api.http.conditional_requests import render
from app.api.http.dependencies import IfNoneMatch, Once, ReadDirectory, WriteDirectory
from app.api.http.problems import KEYED, NOT_FOUND, list_problems
from app.api.http.routers import ResourceRouter
from app.api.idempotent_requests import Headers, View
from app.cases.lifecycle import TABLE as CASE
from app.deadlines.worker_health import is_worker_silent
from app.directory import actions as directory_actions
from app.directory import queries as directory_queries
from app.directory.kinds import Service
from app.directory.models import FocalPoint
from app.directory.schemas import (
    CapacityInput,
    CapacityOut,
    CountryList,
    CountryOut,
    FocalPointOut,
    FocalPointPage,
)
from app.handovers.lifecycle import TABLE as HANDOVER
from app.kernel.actors import AccountKind, Role, Scope
from app.kernel.lifecycle import ActionNotYours, AnyOf, RoleMissing, Table
from app.kernel.paging import CursorUnknown, PageQuery
from app.kernel.problems import NotFound
from app.kernel.text import Code, CountryCode, ResponseModel
from app.kernel.transactions import ReadTransaction
from app.referrals.lifecycle import TABLE as REFERRAL
from app.returns.lifecycle import TABLE as RETURN

router = ResourceRouter("directory")
WORKER_SILENT: Final = (
    "Whether notifications and missed deadlines wait because no worker has run for a "
    "minute. Nobody is told of new tasks: call the office of an urgent case."
)


class PersonOut(ResponseModel):
    """The person to whom an account belongs."""

    id: UUID


class Me(ResponseModel):
    """The account with which you are signed in."""

    account: Annotated[str, Field(description="Your staff number or duty post.")]
    kind: AccountKind
    focal_point: str
    roles: list[Role]
    scopes: list[Scope]
    person: Annotated[PersonOut | None, Field(description="Null for a machine.")]
    session: Annotated[
        CurrentSession | None,
        Field(description="Null if you sent an API key or an access token."),
    ]
    worker_silent: Annotated[bool, Field(description=WORKER_SILENT)]


class StepOut(ResponseModel):
    """One step of a life cycle. `to` is null if the step does not change the state.

    `states` is empty if the step creates a record.
    """

    action: str
    states: list[str]
    to: str | None
    by: list[str]
    roles: list[str]
    needs: Annotated[
        list[list[str]],
        Field(description="At least one requirement of each list must be met."),
    ]


class Lifecycles(ResponseModel):
    """The life cycles of cases, referrals, handovers and returns, as they are enforced."""

    model_config = ConfigDict(serialize_by_alias=True)

    case: list[StepOut]
    referral: list[StepOut]
    handover: list[StepOut]
    return_: Annotated[list[StepOut], Field(serialization_alias="return")]


@router.get("/me", response_model=Me)
def get_me(begin: ReadDirectory) -> Response:
    """Read your account, its focal point and roles, and the scopes of your credential."""
    with begin() as tx:
        person, session = tx.actor.person_id, tx.actor.session
        account = access_queries.get_own_account(tx)
        focal_point = directory_queries.by_id(tx, account.focal_point_id).code
        me = Me(
            account=account.label,
            kind=account.kind,
            focal_point=focal_point,
            roles=sorted(tx.actor.roles),
            scopes=sorted(tx.actor.scopes),
            person=None if person is None else PersonOut(id=person),
            session=None if session is None else CurrentSession.from_actor(session),
            worker_silent=is_worker_silent(tx),
        )
        return render(me)


class FocalPointQuery(PageQuery):
    """The cursor and the filters of the list of focal points."""

    country: CountryCode | SkipJsonSchema[None] = None
    service: Service | SkipJsonSchema[None] = None


@router.get(
    "/focal-points", response_model=FocalPointPage, responses=list_problems(CursorUnknown)
)
def list_focal_points(
    begin: ReadDirectory,
    query: Annotated[FocalPointQuery, Query()],
    if_none_match: IfNoneMatch = None,
) -> Response:
    """List the focal points, each with the quality of its source."""
    with begin() as tx:
        chosen = (query.country, query.service)
        rows, after = directory_queries.list_focal_points(tx, query, *chosen)
        items = [FocalPointOut.model_validate(row) for row in rows]
        page = FocalPointPage(items=items, next=after)
        return render(page, if_none_match=if_none_match)


@router.get(
    "/focal-points/{focal_point}", response_model=FocalPointOut, responses=NOT_FOUND
)
def get_focal_point(begin: ReadDirectory, focal_point: Code) -> Response:
    """Read one focal point."""
    with begin() as tx:
        found = directory_queries.get_by_code(tx, focal_point)
        return render(FocalPointOut.model_validate(found))


@router.put(
    "/focal-points/{focal_point}/capacity",
    response_model=CapacityOut,
    responses=list_problems(
        NotFound, ActionNotYours, RoleMissing, directory_actions.TooManyFreePlaces, *KEYED
    ),
)
def write_capacity(
    begin: WriteDirectory, key: Once, focal_point: Code, new: CapacityInput
) -> Response:
    """Report the number of free places at your own focal point.

    The number is used for seven days, or until the next report. It must not be greater
    than the `places` of the office; administrators change these. The request needs no
    `If-Match` header. If you send an Idempotency-Key, a late retry does not restore an
    older number.
    """
    return CAPACITY.run_once(
        begin, key, lambda tx: directory_actions.set_capacity(tx, focal_point, new.free)
    )


def show_capacity(
    _: ReadTransaction, office: FocalPoint, status: int, headers: Headers
) -> Response:
    """Return the response with the capacity that an office reported last."""
    return render(CapacityOut.from_focal_point(office), status=status, headers=headers)


CAPACITY: Final = View(directory_queries.by_id, show_capacity)


@router.get("/countries", response_model=CountryList)
def list_countries(begin: ReadDirectory, if_none_match: IfNoneMatch = None) -> Response:
    """List the countries. Fields for which there is no source are empty."""
    with begin() as tx:
        rows = directory_queries.list_countries(tx)
        items = [CountryOut.model_validate(row) for row in rows]
        return render(CountryList(items=items), if_none_match=if_none_match)


@router.get("/lifecycles", response_model=Lifecycles)
def get_lifecycles(begin: ReadDirectory) -> Response:
    """Read the life cycles of a case, a referral, a handover and a return as tables."""
    with begin():
        tables = Lifecycles(
            case=list_steps(CASE),
            referral=list_steps(REFERRAL),
            handover=list_steps(HANDOVER),
            return_=list_steps(RETURN),
        )
        return render(tables)


def list_steps(table: Table) -> list[StepOut]:  # type: ignore[type-arg]  # any life cycle
    """Return the steps of a life cycle as the API shows them."""
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
