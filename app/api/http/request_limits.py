"""Limits on the size of a request, and on the time that its body may take to arrive."""

import asyncio
from http import HTTPStatus
from typing import Final

from fastapi import Request
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.http.problems import render_status

BODY_SECONDS: Final = 30.0
"""Seconds that a body may take to arrive: enough for the largest body at 9 KiB a second."""
MAX_URL_BYTES: Final = 8 * 1024
MAX_HEADER_BYTES: Final = 16 * 1024


class BodyLimit:
    """Middleware that rejects large URLs and headers, and large or slow bodies."""

    def __init__(self, app: ASGIApp, *, max_bytes: int) -> None:
        self.app = app
        self.max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Reject a URL or headers over the limit, and limit the body while it is read."""
        left, whole = self.max_bytes, False
        ends_at = asyncio.get_running_loop().time() + BODY_SECONDS

        async def receive_counted() -> Message:
            nonlocal left, whole
            try:
                async with asyncio.timeout_at(None if whole else ends_at):
                    message = await receive()
            except TimeoutError as error:
                raise HTTPException(HTTPStatus.REQUEST_TIMEOUT) from error
            left, whole = left - len(message.get("body", b"")), not message.get("more_body")
            if left < 0:
                raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            return message

        if scope["type"] == "http" and (status := check_head(scope)):
            await render_status(Request(scope), status)(scope, receive, send)
        else:
            await self.app(scope, receive_counted, send)


def check_head(scope: Scope) -> HTTPStatus | None:
    """Return 414 or 431 if the URL or the headers of a request are too large, else None."""
    if len(scope["path"]) + len(scope["query_string"]) > MAX_URL_BYTES:
        return HTTPStatus.REQUEST_URI_TOO_LONG
    if sum(len(name) + len(value) for name, value in scope["headers"]) > MAX_HEADER_BYTES:
        return HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
    return None
