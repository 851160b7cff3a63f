"""Reading request bodies before authentication, with limits on size, time and number.

A request for a token is authenticated by its body, so the body has to be read first. The
limits keep clients that send half a form and then nothing from using up resources.
"""

import asyncio
from http import HTTPStatus
from typing import Final

from fastapi import Request
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from app.kernel.problems import Busy

MAX_BYTES: Final = 8 * 1024
SECONDS: Final = 5.0
"""Seconds within which a body has to arrive."""
PROMPT_SECONDS: Final = 0.2
"""Seconds after which a body that has not arrived counts towards `MAX_SLOW_BODIES`."""
MAX_SLOW_BODIES: Final = 64
"""The maximum number of slow bodies that are read at once; together they need 0.5 MiB."""


class AnonymousBodies:
    """A reader of unauthenticated request bodies that limits the number of slow bodies."""

    def __init__(self, places: int = MAX_SLOW_BODIES) -> None:
        self.free = places

    async def read(self, request: Request) -> bytes:
        """Read the body of a request.

        Raises HTTPException (408, 413) if the body is too slow or too large, Busy (503) if
        it is slow and too many other slow bodies are being read, and ClientDisconnect if
        the client disconnects before the body is complete.
        """
        require_short(request.headers.get("content-length", "0"))
        body = bytearray()
        if await self.receive(request, body, PROMPT_SECONDS):
            return bytes(body)
        if self.free <= 0:
            raise Busy("Send the whole body at once, or try again in a moment.")
        self.free -= 1
        try:
            if await self.receive(request, body, SECONDS - PROMPT_SECONDS):
                return bytes(body)
        finally:
            self.free += 1
        raise HTTPException(HTTPStatus.REQUEST_TIMEOUT)

    async def receive(self, request: Request, body: bytearray, seconds: float) -> bool:
        """Append the data that arrives in time, and return whether the body is complete.

        Raises HTTPException (413) if the body is too large, and ClientDisconnect if the
        client disconnects before it is complete.
        """
        try:
            async with asyncio.timeout(seconds):
                more = True
                while more:
                    message = await request.receive()
                    if message["type"] == "http.disconnect":
                        raise ClientDisconnect
                    body += message.get("body", b"")
                    more = message.get("more_body", False)
                    if len(body) > MAX_BYTES:
                        raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        except TimeoutError:
            return False
        return True


def require_short(length: str) -> None:
    """Raise HTTPException (413) if the Content-Length is over the limit."""
    if length.isdecimal() and int(length) > MAX_BYTES:
        raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
