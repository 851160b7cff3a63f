"""Routers for authenticated routes. A router matches only the paths of its own routes."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import Any, Final, override

from fastapi import APIRouter, Security
from fastapi.routing import APIRoute, RouteContext, iter_route_contexts
from fastapi.types import DecoratedCallable
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Receive, Scope, Send

from app.api.http.authorization import BEARER, GuardedRoute
from app.api.http.problems import Answers, list_problems
from app.kernel.problems import Problem

V1: Final = "/v1"

type Shape = tuple[str, ...]


class ResourceRouter(APIRouter):
    """A router for routes that need a key. It quickly skips requests for other paths.

    Otherwise FastAPI would try all routes of all routers twice for each request. That took
    a sixth of the time of a poll without new events.
    """

    def __init__(self, tag: str, prefix: str = "") -> None:
        super().__init__(
            prefix=prefix,
            tags=[tag],
            route_class=GuardedRoute,
            dependencies=[Security(BEARER)],
        )

    def serve_action(
        self,
        path: str,
        model: Any,
        *problems: type[Problem],
        answers: Answers | None = None,
        status: int | None = None,
    ) -> Callable[[DecoratedCallable], DecoratedCallable]:
        """Return a decorator for a POST route with the given problems and answers."""
        responses = (answers or {}) | list_problems(*problems)
        return self.post(
            path, status_code=status, response_model=model, responses=responses
        )

    @cached_property
    def shapes(self) -> Mapping[int, list[Shape]]:
        """The path templates of the routes by number of segments, computed at first use."""
        routes = (route for route in self.routes if isinstance(route, APIRoute))
        shapes = {tuple(f"{V1}{route.path}".split("/")) for route in routes}
        by_length = groupby(sorted(shapes, key=len), len)
        return {length: sorted(those) for length, those in by_length}

    @override
    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        segments = get_path(scope).split("/")
        shapes = self.shapes.get(len(segments), ())
        if not any(matches_shape(shape, segments) for shape in shapes):
            return Match.NONE, {}
        return super().matches(scope)


@dataclass(frozen=True)
class IndexedRoute:
    """A route as the application includes it. `matches` compares a path with it."""

    app: ASGIApp
    route: BaseRoute
    endpoint: Callable[..., Any] | None
    path: str
    matches: Callable[[Scope], tuple[Match, Scope]]

    @classmethod
    def build(cls, found: RouteContext) -> "IndexedRoute":
        """Return an included route. Raises ValueError if a parameter begins its path."""
        path = found.path_format or ""
        if describe_shape(path)[1].startswith("{"):
            raise ValueError("A path begins with a parameter, which an index cannot find.")
        return cls(found.app, found.original_route, found.endpoint, path, found.matches)


class RouteIndex:
    """The routes that need a key, found without trying the routes of all routers.

    A path without parameters is found by its text, any other by its number of segments and
    its first segment. The application's own router answers what no indexed route does:
    other paths, and methods that a path does not have.
    """

    def __init__(self, router: APIRouter) -> None:
        self.router = router
        self.fixed = dict[tuple[str, str], IndexedRoute]()
        self.by_shape = dict[tuple[str, int, str], list[IndexedRoute]]()
        for found in iter_route_contexts(filter_indexed(router.routes)):
            route = IndexedRoute.build(found)
            for method in found.methods or ():
                if "{" in route.path:
                    shape = (method, *describe_shape(route.path))
                    self.by_shape.setdefault(shape, []).append(route)
                else:
                    self.fixed.setdefault((method, route.path), route)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the route answer that has the path and the method, or else the router."""
        found = self.find(scope) if scope["type"] == "http" else None
        if found is None:
            await self.router.app(scope, receive, send)
            return
        route, parts = found
        scope.update(parts, router=self.router, route=route.route)
        await route.app(scope, receive, send)

    def find(self, scope: Scope) -> tuple[IndexedRoute, Scope] | None:
        """Return the route for a path and a method, and what it adds to the scope."""
        method, path = scope["method"], get_path(scope)
        if path.endswith("\n"):  # the pattern of a route ignores a line break at the end
            return None
        route = self.fixed.get((method, path))
        if route is not None:
            return route, {"endpoint": route.endpoint, "path_params": {}}
        for route in self.by_shape.get((method, *describe_shape(path)), ()):
            match, parts = route.matches(scope)
            if match == Match.FULL:
                return route, parts
        return None


def filter_indexed(routes: Iterable[BaseRoute]) -> list[BaseRoute]:
    """Return the routers, as an application includes them, whose routes need a key."""
    routers = ((one, getattr(one, "original_router", None)) for one in routes)
    return [one for one, router in routers if isinstance(router, ResourceRouter)]


def describe_shape(path: str) -> tuple[int, str]:
    """Return the number of slashes in a path, and its first segment after the version."""
    _, _, after_version = path.removeprefix("/").partition("/")
    return path.count("/"), after_version.partition("/")[0]


def matches_shape(shape: Shape, segments: list[str]) -> bool:
    """Return whether a path equals a template in each segment that is not a parameter."""
    pairs = zip(shape, segments, strict=True)
    return all(one == other or one.startswith("{") for one, other in pairs)


def get_path(scope: Scope) -> str:
    """Return the path without the prefix under which a proxy serves the application."""
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", ""))
