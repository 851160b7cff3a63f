"""The sender of webhooks, by HTTPS to hosts outside of the operator's network (R62, R63).

The host name is resolved once, and all of its addresses must be public. The request is sent
to one of these addresses, so that a later change of the DNS has no effect. Redirections
count as failures.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from socket import SOCK_STREAM
from ssl import SSLContext
from typing import Final

from app.outbox.actions import Answer
from app.outbox.pacing import Outcome
from app.webhooks.addresses import Address, Target, is_public
from app.webhooks.delivery import OutgoingMessage
from app.worker.http_post import FAILED, NOT_REACHED, Message, send_post

SUCCESS: Final = 2
"""The first digit of status codes that mean success (RFC 9110, 15)."""

type HostResolver = Callable[[str, int], Awaitable[Sequence[Address]]]


async def resolve_host(host: str, port: int) -> Sequence[Address]:
    """Return the addresses of a host name in the order to try them, or raise OSError."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=SOCK_STREAM)
    return list(dict.fromkeys(ip_address(address[0]) for *_, address in found))


@dataclass(frozen=True)
class Courier:
    """The sender of webhooks.

    `time_limit` is the limit for each attempt in seconds. `allow_local` allows addresses of
    this machine, and is true only in a drill.
    """

    tls: SSLContext
    allow_local: bool = False
    resolve_host: HostResolver = resolve_host
    time_limit: float = 10.0

    def send(self, parcel: OutgoingMessage) -> Answer:
        """Send one message and return the outcome."""
        return asyncio.run(self.send_in_time(parcel))

    async def send_in_time(self, parcel: OutgoingMessage) -> Answer:
        """Send a message within the time limit, and return the outcome."""
        try:
            async with asyncio.timeout(self.time_limit):
                addresses = await self.resolve_host(parcel.target.host, parcel.target.port)
                local = self.allow_local
                if not all(is_public(one, allow_loopback=local) for one in addresses):
                    return Answer(Outcome.REFUSED, "address_refused")
                return await self.send_to_first(parcel, addresses)
        except TimeoutError as error:
            return Answer(Outcome.REFUSED, type(error).__name__)
        except OSError:  # the text of the error contains the host name
            return Answer(Outcome.REFUSED, "name_not_found")

    async def send_to_first(
        self, parcel: OutgoingMessage, addresses: Sequence[Address]
    ) -> Answer:
        """Post to the first address that can be reached, and return the outcome."""
        answer = Answer(Outcome.REFUSED, "name_not_found")
        for address in addresses:
            try:
                return await self.send_to(parcel, address)
            except NOT_REACHED as error:
                answer = Answer(Outcome.REFUSED, type(error).__name__)
            except FAILED as error:
                return Answer(Outcome.REFUSED, type(error).__name__)
        return answer

    async def send_to(self, parcel: OutgoingMessage, address: Address) -> Answer:
        """Post to one address and return the outcome; any status but 2xx is a refusal."""
        target, limit = parcel.target, self.time_limit
        headers = {
            **parcel.headers,
            "Host": target.origin,
            "Content-Type": "application/json",
            "User-Agent": "webhooks",
        }
        message = Message(build_url(target, address), parcel.body, headers, target.host)
        status = await send_post(message, tls=self.tls, connect=limit / 2, answer=limit)
        succeeded = status // 100 == SUCCESS
        outcome = Outcome.DELIVERED if succeeded else Outcome.REFUSED
        return Answer(outcome, str(status))


def build_url(target: Target, address: Address) -> str:
    """Return the URL with the address as its host, so that no name is resolved again."""
    host = f"[{address}]" if address.version == 6 else str(address)  # noqa: PLR2004
    return f"https://{host}:{target.port}{target.path}"
