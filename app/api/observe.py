"""One line for each request, and headers that keep answers out of caches.

The line holds what is allowed and nothing else: no path, which has ids; no query, no body,
no name (R71). What goes wrong is logged as its class and the database's code, never as its
message, which may repeat what was written.
"""

import time
from typing import Final

import structlog
from fastapi import Request
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.problems import respond_plainly
from app.kernel.trouble import described
from app.metrics.counters import count_request, method_of

log = structlog.get_logger("safe_conduct.api")
GONE: Final = 499
"""How it is logged that nobody waited for an answer: there is no such status."""
HEADERS = (
    (b"cache-control", b"no-store"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
)


class Observe:
    """The outermost layer of our own."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Give the request an id, watch it, and answer 500 if nobody else could."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began, status = time.perf_counter(), 0
        scope.setdefault("state", {})["request_id"] = request_id = str(
            scope["app"].state.ground.ids()
        )

        async def sent(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                extra = (*HEADERS, (b"x-request-id", request_id.encode()))
                message["headers"] = [*message["headers"], *extra]
            await send(message)

        try:
            await self.app(scope, receive, sent)
        except ClientDisconnect:
            status = GONE
        except Exception as error:  # noqa: BLE001 - the last to hear of it
            log.error(  # noqa: TRY400 - a message may repeat what was written
                "fault", request_id=request_id, **described(error)
            )
            if not status:
                await respond_plainly(Request(scope), 500)(scope, receive, sent)
        finally:
            if trouble := scope["state"].get("trouble"):
                log.warning("trouble", request_id=request_id, **described(trouble))
            waited: float = scope["state"].get("waited", 0)
            tell(scope, request_id, status, time.perf_counter() - began - waited)


def tell(scope: Scope, request_id: str, status: int, seconds: float) -> None:
    """Count a request, and say what may be said of it; times in milliseconds."""
    method = method_of(scope["method"])
    route = getattr(scope.get("route"), "path_format", None)
    count_request(method, route, status, seconds)
    log.info(
        "request",
        request_id=request_id,
        method=method,
        route=route,
        status=status,
        ms=round(seconds * 1000, 1),
    )
