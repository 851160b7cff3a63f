"""HTTP POST to servers of other operators. Only the status of the response is read.

A server may send any number of interim responses before the final one (1xx, RFC 9110,
15.2), and each has to be parsed. The number of bytes that are read is therefore limited.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ssl import SSLContext
from typing import Any, Final, override

import httpcore

MAX_BYTES: Final = 32 * 1024
"""The maximum number of bytes that are read from one connection, after decryption."""
NOT_REACHED: Final = (httpcore.ConnectError, httpcore.ConnectTimeout)
FAILED: Final = (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError)
"""Exceptions that a request raises if the server or the network fails."""


class BoundedStream(httpcore.AsyncNetworkStream):
    """A connection that raises ReadError after MAX_BYTES have been read."""

    def __init__(self, stream: httpcore.AsyncNetworkStream) -> None:
        self.stream, self.left = stream, MAX_BYTES

    @override
    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        if self.left <= 0:
            raise httpcore.ReadError("The response is too long.")
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
        secured = await self.stream.start_tls(ssl_context, server_hostname, timeout)
        return BoundedStream(secured)

    @override
    def get_extra_info(self, info: str) -> Any:
        return self.stream.get_extra_info(info)


class BoundedBackend(httpcore.AnyIOBackend):
    """A network backend that opens bounded connections."""

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
    """A message to post. If the URL has an IP address, `host` is the name of the server."""

    url: str
    body: bytes
    headers: Mapping[str, str]
    host: str | None = None


async def send_post(
    message: Message, *, tls: SSLContext, connect: float, answer: float
) -> int:
    """Post a message and return the status of the response. Redirections are not followed.

    The time limits `connect` and `answer` are in seconds. Raises one of the exceptions in
    FAILED if the server or the network fails.
    """
    limits = {"connect": connect, "read": answer, "write": answer, "pool": answer}
    server = {"sni_hostname": message.host} if message.host else {}
    async with (
        httpcore.AsyncConnectionPool(tls, network_backend=BoundedBackend()) as pool,
        pool.stream(
            "POST",
            message.url,
            headers=list(message.headers.items()),
            content=message.body,
            extensions={"timeout": limits, **server},
        ) as response,
    ):
        return response.status
