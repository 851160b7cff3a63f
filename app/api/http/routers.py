"""Routers for authenticated routes, and the index that finds the route of a request."""

from collections.abc import Callable
from typing import Any, Final

from fastapi import APIRouter, FastAPI, Security
from fastapi.routing import APIRoute
from fastapi.types import DecoratedCallable
from starlette.routing import Match
from starlette.types import Receive, Scope, Send

from app.api.http.authorization import BEARER, GuardedRoute
from app.api.http.problems import EVERYWHERE, Answers, list_problems
from app.kernel.problems import Problem

V1: Final = "/v1"


def get_operation_id(route: APIRoute) -> str:
    """Return the operation id of a route, which is the name of its function."""
    return route.name


class ResourceRouter(APIRouter):
    """A router for routes that need a key.

    An application does not include it, but gets its routes with `add_to`. FastAPI would
    analyse each included route a second time, which took a sixth of the start-up time.
    """

    def __init__(self, tag: str, prefix: str = "") -> None:
        super().__init__(
            prefix=f"{V1}{prefix}",
            tags=[tag],
            route_class=GuardedRoute,
            dependencies=[Security(BEARER)],
            responses=EVERYWHERE,
            generate_unique_id_function=get_operation_id,
        )

    def add_to(self, app: FastAPI) -> None:
        """Add the routes to an application."""
        app.router.routes.extend(self.routes)

    def serve_action(
        self,
        path: str,
        model: Any,
        *problems: type[Problem],
        answers: Answers | None = None,
        status: int | None = None,
    ) -> Callable[[DecoratedCallable], DecoratedCallable]:
        """Return a decorator for a POST route with the given problems and responses."""
        responses = (answers or {}) | list_problems(*problems)
        return self.post(
            path, status_code=status, response_model=model, responses=responses
        )


class RouteIndex:
    """The routes that need a key, found without trying the routes of all routers.

    A path without parameters is found by its text, any other by its number of segments and
    its first segment. The application's own router answers all other requests: those for
    other paths, and those with a method that the path does not have.
    """

    def __init__(self, router: APIRouter) -> None:
        self.router = router
        self.fixed = dict[tuple[str, str], GuardedRoute]()
        self.by_shape = dict[tuple[str, int, str], list[GuardedRoute]]()
        for route in router.routes:
            if isinstance(route, GuardedRoute):
                self.add(route)

    def add(self, route: GuardedRoute) -> None:
        """Add a route. Raises ValueError if its path begins with a parameter."""
        path = route.path_format
        if describe_shape(path)[1].startswith("{"):
            raise ValueError("A path begins with a parameter, which an index cannot find.")
        for method in route.methods or ():
            if "{" in path:
                shape = (method, *describe_shape(path))
                self.by_shape.setdefault(shape, []).append(route)
            else:
                self.fixed.setdefault((method, path), route)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Call the route with this path and method, or the router if there is none."""
        found = self.find(scope) if scope["type"] == "http" else None
        if found is None:
            await self.router.app(scope, receive, send)
            return
        route, parts = found
        scope.update(parts, router=self.router, route=route)
        await route.app(scope, receive, send)

    def find(self, scope: Scope) -> tuple[GuardedRoute, Scope] | None:
        """Return the matching route and its scope entries, or None if no route matches."""
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


def describe_shape(path: str) -> tuple[int, str]:
    """Return the number of slashes in a path, and its first segment after the version."""
    _, _, after_version = path.removeprefix("/").partition("/")
    return path.count("/"), after_version.partition("/")[0]


def get_path(scope: Scope) -> str:
    """Return the path without the prefix under which a proxy serves the application."""
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", ""))
