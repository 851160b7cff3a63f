"""The application that serves the console at /console."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final, override

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Scope

from app.console import case_lists, case_page, settings, sign_in, worklist
from app.console.faults import EXCEPTION_HANDLERS
from app.console.options import ConsoleOptions
from app.console.protection import PageProtection
from app.console.rendering import STATIC
from app.console.visits import Offices, allow_anyone, require_session

IMMUTABLE: Final = "public, max-age=31536000, immutable"


class Files(StaticFiles):
    """The static files, which browsers may cache, because their addresses change."""

    @override
    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return a file, which is never different under the same address."""
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = IMMUTABLE
        return response


def build_routes() -> Sequence[BaseRoute]:
    """Return the routes of the console; paths are relative to /console."""
    return [
        Mount("/static", Files(directory=str(STATIC))),
        Route("/", require_session(worklist.show_worklist)),
        Route("/sign-in", allow_anyone(sign_in.show_sign_in)),
        Route("/sign-out", allow_anyone(sign_in.sign_out), methods=["POST"]),
        Route("/leave", allow_anyone(sign_in.leave), methods=["POST"]),
        Route("/stay", allow_anyone(sign_in.renew_session), methods=["POST"]),
        Route("/ended", allow_anyone(sign_in.show_session_ended)),
        Route("/demo/{secret}", allow_anyone(sign_in.show_demo_people)),
        Route("/demo/{secret}", allow_anyone(sign_in.sign_in_for_demo), methods=["POST"]),
        Route("/language", allow_anyone(settings.choose_language), methods=["POST"]),
        Route("/settings", require_session(settings.show_settings)),
        Route("/settings/zone", allow_anyone(settings.choose_zone), methods=["POST"]),
        Route("/cases", require_session(case_lists.show_cases)),
        Route("/cases/{code}", require_session(case_page.show_case)),
    ]


def build_console(
    api: ASGIApp, options: ConsoleOptions, clock: Callable[[], datetime]
) -> Starlette:
    """Build the console, which calls `api` in the same process."""
    console = Starlette(
        routes=build_routes(),
        middleware=[Middleware(PageProtection)],
        exception_handlers=EXCEPTION_HANDLERS,
    )
    console.state.api = api
    console.state.options, console.state.clock = options, clock
    console.state.offices = Offices()
    return console
