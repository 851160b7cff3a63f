"""Reading the body of somebody who has not signed in: little, soon, and few at once.

A machine that asks for a token proves who it is by the body itself, so the body is read
before anybody is known. Whoever sends half a form and waits must cost next to nothing.
"""

import asyncio
from http import HTTPStatus
from typing import Final

from fastapi import Request
from starlette.exceptions import HTTPException

from app.kernel.problems import Busy

MAX_BYTES: Final = 8 * 1024
SECONDS: Final = 5.0
"""Seconds in which a body has to arrive."""
AT_ONCE: Final = 0.2
"""Seconds in which a body that is sent with its head has arrived. It needs no place."""
PLACES: Final = 64
"""So many bodies may be late at the same time; together they hold half a MiB."""


class AnonymousBodies:
    """The places for those whose body is late; one for each process."""

    def __init__(self, places: int = PLACES) -> None:
        self.free = places

    async def read(self, request: Request) -> bytes:
        """Read a body. Raises HTTPException (408, 413) or Busy (503)."""
        must_be_short(request.headers.get("content-length", "0"))
        body = bytearray()
        if await self.receive(request, body, AT_ONCE):
            return bytes(body)
        if self.free <= 0:
            raise Busy("Send the whole body at once, or try again in a moment.")
        self.free -= 1
        try:
            if await self.receive(request, body, SECONDS - AT_ONCE):
                return bytes(body)
        finally:
            self.free += 1
        raise HTTPException(HTTPStatus.REQUEST_TIMEOUT)

    async def receive(self, request: Request, body: bytearray, seconds: float) -> bool:
        """Add what arrives in time to a body, and return whether that is all of it."""
        try:
            async with asyncio.timeout(seconds):
                more = True
                while more:
                    message = await request.receive()
                    body += message.get("body", b"")
                    more = message.get("more_body", False)
                    if len(body) > MAX_BYTES:
                        raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        except TimeoutError:
            return False
        return True


def must_be_short(length: str) -> None:
    """Raise HTTPException (413) for a body that says it is long."""
    if length.isdecimal() and int(length) > MAX_BYTES:
        raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
