"""Where routes are declared, and found: each noun knows the paths of its own."""

from collections.abc import Mapping
from functools import cached_property
from itertools import groupby
from typing import Final, override

from fastapi import APIRouter, Security
from fastapi.routing import APIRoute
from starlette.routing import Match
from starlette.types import Scope

from app.api.guard import BEARER, Guarded

V1: Final = "/v1"

type Shape = tuple[str, ...]


class Noun(APIRouter):
    """Routes for those who hold a key; whoever asks for none of them passes by at once.

    FastAPI tries all routes of all routers on each request, twice over: of an idle poll
    that was a sixth.
    """

    def __init__(self, tag: str, prefix: str = "") -> None:
        super().__init__(
            prefix=prefix,
            tags=[tag],
            route_class=Guarded,
            dependencies=[Security(BEARER)],
        )

    @cached_property
    def shapes(self) -> Mapping[int, list[Shape]]:
        """What the paths of its routes look like, by their length; once all are there."""
        routes = (route for route in self.routes if isinstance(route, APIRoute))
        shapes = {tuple(f"{V1}{route.path}".split("/")) for route in routes}
        by_length = groupby(sorted(shapes, key=len), len)
        return {length: sorted(those) for length, those in by_length}

    @override
    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        asked = path_of(scope).split("/")
        if not any(fits(shape, asked) for shape in self.shapes.get(len(asked), ())):
            return Match.NONE, {}
        return super().matches(scope)


def fits(shape: Shape, asked: list[str]) -> bool:
    """Say whether a path is of this shape: alike where it names no parameter."""
    pairs = zip(shape, asked, strict=True)
    return all(one == other or one.startswith("{") for one, other in pairs)


def path_of(scope: Scope) -> str:
    """Take the path below where a proxy has put the service."""
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", ""))
