"""Carrying a message to a receiver: HTTPS to an address that is outside (R62, R63).

The name is looked up once, and what it leads to is judged, all of it; then this very
address is called, by the name in its certificate. A name that leads elsewhere a moment
later leads nowhere, and nobody sends the message on: a redirection is a failure.
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
from app.webhooks.addresses import Address, Target, is_outside
from app.webhooks.carrying import Parcel
from app.worker.posting import FAILED, NOT_REACHED, Message, post

SUCCESS: Final = 2
"""First digit of the status codes that mean success (RFC 9110, 15)."""

type LookUp = Callable[[str, int], Awaitable[Sequence[Address]]]


async def look_up(host: str, port: int) -> Sequence[Address]:
    """Ask what a name leads to, in the order in which to try; raises OSError."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=SOCK_STREAM)
    return list(dict.fromkeys(ip_address(where[0]) for *_, where in found))


@dataclass(frozen=True)
class Courier:
    """Who carries messages; `whole` is the seconds for all of a try.

    `here_too`: receivers on this very machine are called as well, which only a drill has.
    """

    tls: SSLContext
    here_too: bool = False
    look_up: LookUp = look_up
    whole: float = 10.0

    def carry(self, parcel: Parcel) -> Answer:
        """Carry one message; says what came of it."""
        return asyncio.run(self.try_to(parcel))

    async def try_to(self, parcel: Parcel) -> Answer:
        """Carry it before the time is over, whoever dribbles."""
        try:
            async with asyncio.timeout(self.whole):
                addresses = await self.look_up(parcel.target.host, parcel.target.port)
                if not all(is_outside(a, here_too=self.here_too) for a in addresses):
                    return Answer(Outcome.REFUSED, "address_refused")
                return await self.try_addresses(parcel, addresses)
        except TimeoutError as trouble:
            return Answer(Outcome.REFUSED, type(trouble).__name__)
        except OSError:  # its message names the host
            return Answer(Outcome.REFUSED, "name_not_found")

    async def try_addresses(self, parcel: Parcel, addresses: Sequence[Address]) -> Answer:
        """Post it to the first address that can be reached.

        One that is not takes no more than half of the time; an answer may take all of it.
        """
        answer = Answer(Outcome.REFUSED, "name_not_found")
        for address in addresses:
            try:
                return await self.send_to(parcel, address)
            except NOT_REACHED as trouble:
                answer = Answer(Outcome.REFUSED, type(trouble).__name__)
            except FAILED as trouble:
                return Answer(Outcome.REFUSED, type(trouble).__name__)
        return answer

    async def send_to(self, parcel: Parcel, address: Address) -> Answer:
        """Post it to one address; a status that is not of success is a refusal."""
        target = parcel.target
        headers = {
            **parcel.headers,
            "Host": target.origin,
            "Content-Type": "application/json",
            "User-Agent": "webhooks",
        }
        where = url_at(target, address)
        status = await post(
            Message(where, parcel.body, headers, target.host),
            tls=self.tls,
            connect=self.whole / 2,
            answer=self.whole,
        )
        is_taken = status // 100 == SUCCESS
        outcome = Outcome.DELIVERED if is_taken else Outcome.REFUSED
        return Answer(outcome, str(status))


def url_at(target: Target, address: Address) -> str:
    """Name an address instead of the host: the host is looked up no second time."""
    where = f"[{address}]" if address.version == 6 else str(address)  # noqa: PLR2004
    return f"https://{where}:{target.port}{target.path}"
