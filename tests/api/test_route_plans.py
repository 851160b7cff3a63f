"""A plan calls a route as FastAPI does: with the same arguments and the same errors."""

import re
from collections.abc import AsyncIterator, Callable
from typing import Annotated, Any, override

import pytest
from fastapi import APIRouter, Cookie, Depends, FastAPI, Header, Query, Request, Response
from fastapi.dependencies.utils import get_dependant
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute, RouteContext, iter_route_contexts
from httpx2 import ASGITransport, AsyncClient
from pydantic import BaseModel
from pydantic_core import PydanticUndefined
from starlette.routing import Match

from app.api.http.authentication import Scoped
from app.api.http.authorization import GuardedRoute
from app.api.http.route_plan import PlanUnsupportedError, RoutePlan
from app.api.http.routers import ResourceRouter, RouteIndex
from app.kernel.actors import Scope
from app.kernel.transactions import begin_read
from app.main import ROUTERS

EVENTS: list[str] = []


class Page(BaseModel):
    """A model of query parameters."""

    limit: int = 5
    after: str | None = None


class Note(BaseModel):
    """A model of a request body."""

    text: str
    count: int = 1


async def read_tag(if_match: Annotated[str | None, Header()] = None) -> str:
    return f"tag {if_match}"


async def read_nested(
    tag: Annotated[str, Depends(read_tag)],
    of: int,
    kind: Annotated[list[str] | None, Query()] = None,
) -> str:
    return f"{tag} of {of} {kind}"


async def hold_place(request: Request) -> AsyncIterator[str]:
    EVENTS.append("taken")
    yield request.url.path
    EVENTS.append("released")


def answer(
    number: int,
    page: Annotated[Page, Query()],
    note: Note,
    nested: Annotated[str, Depends(read_nested)],
    place: Annotated[str, Depends(hold_place)],
) -> Response:
    EVENTS.append("answered")
    parts = (number, page.limit, page.after, note.text, note.count, nested, place)
    return Response(repr(parts))


class PlannedRoute(APIRoute):
    """A route that uses a plan, but authenticates nobody."""

    @override
    def get_route_handler(self) -> Callable[[Request], Any]:
        plan = RoutePlan(self.dependant, embeds_body=self._embed_body_fields)

        async def handle(request: Request) -> Response:
            body = await request.json() if await request.body() else PydanticUndefined
            return await plan.run(request, body)

        return handle


def build_app(route_class: type[APIRoute]) -> FastAPI:
    app, router = FastAPI(), APIRouter(route_class=route_class)
    router.post("/numbers/{number}")(answer)
    app.include_router(router)

    @app.exception_handler(RequestValidationError)
    async def _(_: Request, error: RequestValidationError) -> Response:
        return Response(repr((error.errors(), error.body)), 422)

    return app


REQUESTS: dict[str, tuple[str, Any, dict[str, str]]] = {
    "all": (
        "/numbers/7?limit=3&after=x&kind=a&kind=b&of=2",
        {"text": "x", "count": 4},
        {"If-Match": '"1"'},
    ),
    "defaults": ("/numbers/7?of=2", {"text": "x"}, {}),
    "path": ("/numbers/seven?of=2", {"text": "x"}, {}),
    "query": ("/numbers/7?of=2&limit=many", {"text": "x"}, {}),
    "dependency": ("/numbers/7?of=two", {"text": "x"}, {}),
    "missing": ("/numbers/7", {"text": "x"}, {}),
    "body": ("/numbers/7?of=2", {"count": "many"}, {}),
    "no body": ("/numbers/7?of=2", None, {}),
    "list": ("/numbers/7?of=2", [1], {}),
    "several": ("/numbers/x?of=y&limit=z", {"count": "many"}, {}),
}


@pytest.mark.anyio
@pytest.mark.parametrize("name", REQUESTS)
async def test_plan_answers_as_fastapi_does(name: str) -> None:
    path, body, headers = REQUESTS[name]
    answers = []
    for route_class in (APIRoute, PlannedRoute):
        EVENTS.clear()
        transport = ASGITransport(app=build_app(route_class))
        async with AsyncClient(transport=transport, base_url="http://test") as client:
            sent = await client.post(path, json=body, headers=headers)
        answers.append((sent.status_code, sent.text, list(EVENTS)))

    assert answers[0] == answers[1]


def use_cookie(session: Annotated[str, Cookie()]) -> Response:
    raise NotImplementedError(session)


def use_response(response: Response) -> Response:
    return response


def read_in_a_thread() -> str:
    return ""


def use_thread(text: Annotated[str, Depends(read_in_a_thread)]) -> Response:
    return Response(text)


def use_twice(
    one: Annotated[str, Depends(read_tag)], other: Annotated[str, Depends(read_tag)]
) -> Response:
    return Response(one + other)


async def read_note(note: Note) -> str:
    return note.text


def use_body_of_dependency(text: Annotated[str, Depends(read_note)]) -> Response:
    return Response(text)


def use_early_end(
    place: Annotated[str, Depends(hold_place, scope="function")],
) -> Response:
    return Response(place)


@pytest.mark.parametrize(
    "call",
    [
        use_cookie,
        use_response,
        use_thread,
        use_twice,
        use_body_of_dependency,
        use_early_end,
    ],
)
def test_feature_that_plans_lack_is_refused_when_the_route_is_made(
    call: Callable[..., Response],
) -> None:
    with pytest.raises(PlanUnsupportedError):
        RoutePlan(get_dependant(path="/", call=call), embeds_body=False)


def test_no_router_is_included_with_dependencies(app: FastAPI) -> None:
    """A plan ignores dependencies that are passed to `include_router`."""
    included = [
        one.include_context for one in app.routes if hasattr(one, "include_context")
    ]

    assert len(included) > 4
    assert [one for one in included if one.dependencies] == []


def test_routes_are_analysed_once(app: FastAPI) -> None:
    """The application contains the routes of the routers, not copies of them."""
    own = [one for group in ROUTERS for module in group for one in module.router.routes]

    assert [one for one in app.routes if isinstance(one, GuardedRoute)] == own


def test_index_finds_the_route_that_the_application_would(app: FastAPI) -> None:
    index, count = RouteIndex(app.router), 0
    for path, operations in app.openapi()["paths"].items():
        for method in operations:
            scope = {
                "type": "http",
                "method": method.upper(),
                "path": re.sub(r"\{[a-z_]+\}", "x", path),
            }
            matches = ((one, one.matches(scope)) for one in list_routes(app))
            first, (_, parts) = next(one for one in matches if one[1][0] == Match.FULL)
            found = index.find(scope)
            if not isinstance(first.original_route, GuardedRoute):
                assert found is None, path
                continue
            assert found is not None, path
            assert (found[0].path, found[0]) == (path, first.original_route)
            assert {**found[1], "route": found[0]} == parts
            count += 1

    assert count > 150


def list_routes(app: FastAPI) -> list[RouteContext]:
    """Return the routes of an application and its routers, in matching order."""
    return list(iter_route_contexts(app.router.routes))


@pytest.mark.parametrize("path", ["/v1/cases", "/v1/cases/x/y/z", "/v1", "/", "/v1/x"])
def test_index_leaves_other_paths_and_methods_to_the_application(
    app: FastAPI, path: str
) -> None:
    scope = {"type": "http", "method": "DELETE", "path": path}

    assert RouteIndex(app.router).find(scope) is None


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/v1/sessions/end-all"), ("GET", "/v1/cases/x/evidence")]
)
def test_index_does_not_ignore_a_line_break_at_the_end(
    app: FastAPI, method: str, path: str
) -> None:
    index, scope = RouteIndex(app.router), {"type": "http", "method": method}

    assert index.find({**scope, "path": path}) is not None
    assert index.find({**scope, "path": f"{path}\n"}) is None


def test_path_that_begins_with_a_parameter_is_refused() -> None:
    router = ResourceRouter("things")
    can_read = Depends(Scoped(begin_read, Scope.CASES_READ))
    router.add_api_route("/{thing}", read_in_a_thread, dependencies=[can_read])
    app = FastAPI()
    router.add_to(app)

    with pytest.raises(ValueError, match="begins with a parameter"):
        RouteIndex(app.router)


def test_every_route_that_needs_a_key_uses_a_plan() -> None:
    routes = [
        route for group in ROUTERS for module in group for route in module.router.routes
    ]

    assert len(routes) > 150
    assert {type(route) for route in routes} == {GuardedRoute}
