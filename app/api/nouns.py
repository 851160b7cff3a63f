"""Where routes are declared, and found: each noun knows the paths of its own."""

import re
from functools import cached_property
from typing import Final, override

from fastapi import APIRouter, Security
from fastapi.routing import APIRoute
from starlette.routing import Match
from starlette.types import Scope

from app.api.guard import BEARER, Guarded

V1: Final = "/v1"
PARAMETER: Final = re.compile(r"\{[^{}]*\}")


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
    def paths(self) -> re.Pattern[str]:
        """What the path of any of its routes looks like, once all are declared."""
        paths = {route.path for route in self.routes if isinstance(route, APIRoute)}
        forms = (
            "[^/]+".join(map(re.escape, PARAMETER.split(path))) for path in sorted(paths)
        )
        return re.compile(f"{re.escape(V1)}(?:{'|'.join(forms)})")

    @override
    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if self.paths.fullmatch(path_of(scope)) is None:
            return Match.NONE, {}
        return super().matches(scope)


def path_of(scope: Scope) -> str:
    """Take the path below where a proxy has put the service."""
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", ""))
