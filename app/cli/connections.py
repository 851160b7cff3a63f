"""HTTP connections, with limits on their number and on the time for a request head.

uvicorn closes a connection that is idle after a response, but waits without limit for the
first request and for the rest of an incomplete request. h11 accepts LF without CR as the
end of a line (RFC 9112, 2.2). A proxy that does not accept a lone LF could see other
requests in the same bytes, so a lone LF is refused.
"""

import asyncio
from typing import Any, Final, override

from h11 import SEND_BODY, RemoteProtocolError
from h11._receivebuffer import ReceiveBuffer
from uvicorn.protocols.http.h11_impl import H11Protocol

from app.settings import MAX_CONNECTIONS

HEAD_SECONDS: Final = 10.0
"""The seconds that an idle connection has to send the complete head of a request."""
GRACE_SECONDS: Final = 1.0
"""Seconds between an early response and the close of the connection, so that the response
can arrive. Also the seconds after which a waiting connection can be replaced."""
END_OF_HEAD: Final = b"\r\n\r\n"


class StrictBuffer(ReceiveBuffer):
    """A receive buffer in which each line of a request head must end with CRLF."""

    @override
    def maybe_extract_lines(self) -> list[bytearray] | None:
        """Return the lines of a complete head, or None if the head is not complete yet.

        Raises RemoteProtocolError if a line ends with LF alone. uvicorn then returns 400.
        """
        end = self._data.find(END_OF_HEAD)
        end = len(self._data) if end < 0 else end
        if self._data.count(b"\n", 0, end) != self._data.count(b"\r\n", 0, end):
            raise RemoteProtocolError("A line of the head ends with LF alone.")
        return super().maybe_extract_lines()


class Connection(H11Protocol):
    """An HTTP connection that is closed if no complete request head arrives in time."""

    awaited: asyncio.TimerHandle | None = None

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.most: int = getattr(self.config, "max_connections", MAX_CONNECTIONS)
        self.waiting: dict[Connection, float] = vars(self.server_state).setdefault(
            "waiting", {}
        )
        self.conn._receive_buffer = StrictBuffer()  # noqa: SLF001 - h11 has no setting

    @property
    def awaits_head(self) -> bool:
        """Whether the connection waits for the head of a request."""
        cycle: Any = self.cycle  # None before the first request, unlike its type
        return cycle is None or bool(cycle.response_complete)

    @override
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.watch()
        if len(self.connections) > self.most:
            self.make_room()

    def make_room(self) -> None:
        """Close an idle connection, or this connection if no other can be closed.

        A connection whose last request was answered is closed first. If there is none, the
        connection that `find_oldest` returns is closed. A request that is being answered is
        never interrupted.
        """
        others = (one for one in self.connections if isinstance(one, Connection))
        answered = (one for one in others if one is not self and one.is_answered)
        found = next(answered, None) or self.find_oldest()
        found.stop_waiting()
        self.connections.discard(found)
        found.transport.abort()

    @property
    def is_answered(self) -> bool:
        """Whether the last request was answered and no other request has begun."""
        cycle: Any = self.cycle  # None before the first request, unlike its type
        return cycle is not None and self.awaits_head and self not in self.waiting

    def find_oldest(self) -> "Connection":
        """Return the connection that has waited longest for the head of a request.

        If that connection has waited for less than GRACE_SECONDS, return this connection.
        """
        oldest = next(iter(self.waiting))
        waited = self.loop.time() - self.waiting[oldest]
        return oldest if waited >= GRACE_SECONDS else self

    @override
    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self.watch()

    @override
    def on_response_complete(self) -> None:
        self.stop_waiting()
        super().on_response_complete()
        if self.conn.their_state is SEND_BODY:
            self.loop.call_later(GRACE_SECONDS, self.transport.close)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self.stop_waiting()
        super().connection_lost(exc)

    def watch(self) -> None:
        """Start the timer for a request head, or stop it if the head has arrived."""
        if not self.awaits_head:
            self.stop_waiting()
        elif self.awaited is None:
            self.waiting[self] = self.loop.time()
            self.awaited = self.loop.call_later(HEAD_SECONDS, self.close_if_waiting)

    def stop_waiting(self) -> None:
        """Stop the timer for a request head, if it is running."""
        self.waiting.pop(self, None)
        if self.awaited is not None:
            self.awaited.cancel()
            self.awaited = None

    def close_if_waiting(self) -> None:
        """Close the connection if it still waits for a request head."""
        if self.awaits_head and not self.transport.is_closing():
            self.transport.close()
