"""Posting to a server of others: HTTP/1.1, of whose answer nothing is read but its status.

A server may send interim responses for as long as it likes before its final one (1xx,
RFC 9110, 15.2), and each of them has to be parsed. So no more than a bound is read.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ssl import SSLContext
from typing import Any, Final, override

import httpcore

MOST_BYTES: Final = 32 * 1024
"""Read of one answer, at the most, until its head has ended."""
NOT_REACHED: Final = (httpcore.ConnectError, httpcore.ConnectTimeout)
FAILED: Final = (
    httpcore.NetworkError,
    httpcore.TimeoutException,
    httpcore.ProtocolError,
)
"""Everything that goes wrong with a server or on the way to it."""


class BoundedStream(httpcore.AsyncNetworkStream):
    """A connection that ends once more was read from it than a bound."""

    def __init__(self, stream: httpcore.AsyncNetworkStream) -> None:
        self.stream, self.left = stream, MOST_BYTES

    @override
    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        if self.left <= 0:
            raise httpcore.ReadError("The answer has no end.")
        found = await self.stream.read(min(max_bytes, self.left), timeout)
        self.left -= len(found)
        return found

    @override
    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        await self.stream.write(buffer, timeout)

    @override
    async def aclose(self) -> None:
        await self.stream.aclose()

    @override
    async def start_tls(
        self,
        ssl_context: SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.AsyncNetworkStream:
        inside = await self.stream.start_tls(ssl_context, server_hostname, timeout)
        return BoundedStream(inside)

    @override
    def get_extra_info(self, info: str) -> Any:
        return self.stream.get_extra_info(info)


class BoundedBackend(httpcore.AnyIOBackend):
    """Opens connections of which no more than a bound is read."""

    @override
    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        opened = await super().connect_tcp(
            host, port, timeout, local_address, socket_options
        )
        return BoundedStream(opened)


@dataclass(frozen=True)
class Message:
    """What is posted, and where to; the certificate has to be of `host`, if it is given."""

    url: str
    body: bytes
    headers: Mapping[str, str]
    host: str | None = None


async def post(message: Message, *, tls: SSLContext, connect: float, answer: float) -> int:
    """Post a message, and return the status of the answer; follow no redirection.

    `connect` and `answer` are the seconds for each. Raises one of FAILED.
    """
    limits = {"connect": connect, "read": answer, "write": answer, "pool": answer}
    named = {"sni_hostname": message.host} if message.host else {}
    async with (
        httpcore.AsyncConnectionPool(tls, network_backend=BoundedBackend()) as pool,
        pool.stream(
            "POST",
            message.url,
            headers=list(message.headers.items()),
            content=message.body,
            extensions={"timeout": limits, **named},
        ) as response,
    ):
        return response.status
