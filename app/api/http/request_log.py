"""The request log, and headers that keep responses out of caches.

A log line has no path (paths contain ids), no query, no body and no name (R71). An error is
logged with its class and SQLSTATE, never with its message, which may repeat stored data.
"""

import time
from typing import Final

import structlog
from fastapi import Request
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.http.problems import render_status
from app.api.http.routers import V1
from app.kernel.database_errors import describe_error
from app.metrics.counters import count_request, normalize_method

log = structlog.get_logger("safe_conduct.api")
GONE: Final = 499
"""The status that is logged if the client disconnected. HTTP does not define it."""
ROUTE_HEADERS: Final = ("rate_headers", "deprecation_headers")
"""Attributes of the request state that contain headers to add to the response."""
DEFAULTS: Final = (
    (b"cache-control", b"no-store"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
)
"""The headers that are added unless the response has its own."""


class RequestLog:
    """The outermost middleware: request ids, the log and the last exception handler."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Assign the request an id, log it, and return 500 after an unhandled exception."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started, status = time.perf_counter(), 0
        prefix = scope.get("root_path", "")
        scope.setdefault("state", {})["request_id"] = request_id = str(
            scope["app"].state.runtime.ids()
        )

        async def send_observed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = int(message["status"])  # pages give a member of HTTPStatus
                own = message["headers"]
                set_by_route = {name.lower() for name, _ in own}
                extra = [(b"x-request-id", request_id.encode())]
                extra += [one for one in DEFAULTS if one[0] not in set_by_route]
                for name in ROUTE_HEADERS:
                    extra += scope["state"].get(name, ())
                message["headers"] = [*own, *extra]
            await send(message)

        try:
            await self.app(scope, receive, send_observed)
        except ClientDisconnect:
            status = GONE
        except Exception as error:  # noqa: BLE001 - the last handler
            log.error(  # noqa: TRY400 - a message may repeat stored data
                "fault", request_id=request_id, **describe_error(error)
            )
            if not status:
                await render_status(Request(scope), 500)(scope, receive, send_observed)
        finally:
            if cause := scope["state"].get("cause"):
                log.warning("trouble", request_id=request_id, **describe_error(cause))
            waited: float = scope["state"].get("waited", 0)
            seconds = time.perf_counter() - started - waited
            log_request(scope, request_id, find_route(scope, prefix), status, seconds)


def find_route(scope: Scope, prefix: str) -> str | None:
    """Return the template of the route that answered, or None if no route did.

    `prefix` is the path under which a proxy serves the application. The template contains
    neither this path nor the version, but it contains the path of a mounted application
    (`/console`).
    """
    route = getattr(scope.get("route"), "path_format", None)
    mount = scope.get("root_path", "").removeprefix(prefix)
    return None if route is None else f"{mount}{route.removeprefix(V1)}"


def log_request(
    scope: Scope, request_id: str, route: str | None, status: int, seconds: float
) -> None:
    """Count a request and log its method, route, status and time in milliseconds."""
    method = normalize_method(scope["method"])
    count_request(method, route, status, seconds)
    log.info(
        "request",
        request_id=request_id,
        method=method,
        route=route,
        status=status,
        ms=round(seconds * 1000, 1),
    )
