"""One line for each request, and headers that keep answers out of caches.

The line holds what is allowed and nothing else: no path, which has ids; no query, no body,
no name (R71). What goes wrong is logged as its class and the database's code, never as its
message, which may repeat what was written.
"""

import time
import traceback

import structlog
from fastapi import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.problems import respond_plainly

log = structlog.get_logger("safe_conduct.api")
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
        except Exception as error:  # noqa: BLE001 - the last to hear of it
            log.error(  # noqa: TRY400 - a message may repeat what was written
                "fault", request_id=request_id, **described(error)
            )
            if not status:
                await respond_plainly(Request(scope), 500)(scope, receive, sent)
        finally:
            if trouble := scope["state"].get("trouble"):
                log.warning("trouble", request_id=request_id, **described(trouble))
            log.info("request", **line(scope, status, began))


def line(scope: Scope, status: int, began: float) -> dict[str, object]:
    """Say what may be said of a request; times in milliseconds."""
    route = scope.get("route")
    return {
        "request_id": scope["state"]["request_id"],
        "method": scope["method"],
        "route": getattr(route, "path_format", None),
        "status": status,
        "ms": round((time.perf_counter() - began) * 1000, 1),
    }


def described(error: BaseException) -> dict[str, object]:
    """Say what went wrong and where, without its message."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "/app/" in frame.filename] or frames
    return {
        "error": type(error).__name__,
        "sqlstate": getattr(getattr(error, "orig", None), "sqlstate", None),
        "where": [f"{frame.name}:{frame.lineno}" for frame in ours[-3:]],
    }
