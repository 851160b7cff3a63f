"""Connections that are not kept open for who sends nothing, or half a request.

uvicorn closes one on which a request was answered and no other comes; it waits for ever for
the first, and for the rest of one that began.
"""

import asyncio
from typing import Any, Final, override

from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_SECONDS: Final = 10.0
"""Seconds in which the head of a request has to arrive, from its first byte on."""


class Connection(H11Protocol):
    """Ends where no whole head arrives in time; one byte now and then is not enough."""

    awaited: asyncio.TimerHandle | None = None

    @property
    def awaits_head(self) -> bool:
        """Whether no request is being answered."""
        cycle: Any = self.cycle  # None before the first, whatever its type says
        return cycle is None or bool(cycle.response_complete)

    @override
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.watch()

    @override
    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self.watch()

    @override
    def on_response_complete(self) -> None:
        self.rest()
        super().on_response_complete()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self.rest()
        super().connection_lost(exc)

    def watch(self) -> None:
        """Begin to wait for a head, or go on to; once it is there, no longer."""
        if not self.awaits_head:
            self.rest()
        elif self.awaited is None:
            self.awaited = self.loop.call_later(HEAD_SECONDS, self.gives_up)

    def rest(self) -> None:
        """Wait for nothing."""
        if self.awaited is not None:
            self.awaited.cancel()
            self.awaited = None

    def gives_up(self) -> None:
        """Close it."""
        if self.awaits_head and not self.transport.is_closing():
            self.transport.close()
