"""Routers for authenticated routes. A router matches only the paths of its own routes."""

from collections.abc import Callable, Mapping
from functools import cached_property
from itertools import groupby
from typing import Any, Final, override

from fastapi import APIRouter, Security
from fastapi.routing import APIRoute
from fastapi.types import DecoratedCallable
from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send

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

    def list_first_segments(self) -> list[str]:
        """List the first segments of the paths. Raises ValueError for a parameter."""
        firsts = {shape[2] for those in self.shapes.values() for shape in those}
        if any(first.startswith("{") for first in firsts):
            raise ValueError("A path begins with a parameter, which an index cannot find.")
        return sorted(firsts)

    @override
    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        segments = get_path(scope).split("/")
        shapes = self.shapes.get(len(segments), ())
        if not any(matches_shape(shape, segments) for shape in shapes):
            return Match.NONE, {}
        return super().matches(scope)


class RouteIndex:
    """The routers of an application, found by the first segment of a path under `/v1`.

    The order of the routers decides, as without the index. The application's own router
    answers what no indexed router does.
    """

    def __init__(self, router: APIRouter) -> None:
        self.router = router
        self.by_segment = dict[str, list[BaseRoute]]()
        for included in router.routes:
            inner = getattr(included, "original_router", None)
            if isinstance(inner, ResourceRouter):
                for segment in inner.list_first_segments():
                    self.by_segment.setdefault(segment, []).append(included)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the router answer that has a route for the path and the method."""
        found = self.find(scope) if scope["type"] == "http" else None
        if found is None:
            await self.router.app(scope, receive, send)
        else:
            scope["router"] = self.router
            await found.handle(scope, receive, send)

    def find(self, scope: Scope) -> BaseRoute | None:
        """Return the indexed router with a route for the path and method of a request."""
        _, _, path = get_path(scope).removeprefix("/").partition("/")
        routers = self.by_segment.get(path.partition("/")[0], ())
        full = (one for one in routers if one.matches(scope)[0] == Match.FULL)
        return next(full, None)


def matches_shape(shape: Shape, segments: list[str]) -> bool:
    """Return whether a path equals a template in each segment that is not a parameter."""
    pairs = zip(shape, segments, strict=True)
    return all(one == other or one.startswith("{") for one, other in pairs)


def get_path(scope: Scope) -> str:
    """Return the path without the prefix under which a proxy serves the application."""
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", ""))
