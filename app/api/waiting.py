"""Waiting for something new in a mailbox, with no thread and no connection held meanwhile.

One question to the database a quarter of a second asks for all who wait, however many they
are, and hears of what any process wrote. Who waits is in memory alone: when the service
ends, everybody is let go, and asks again.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any, Final
from uuid import UUID

import structlog
from fastapi import Depends, Header, Request
from pydantic.json_schema import SkipJsonSchema
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from app.feed import queries
from app.kernel.problems import TooManyRequests
from app.kernel.trouble import described
from app.kernel.work import Ground

EVERY: Final = 0.25
"""Seconds between two looks at the mailboxes."""

LONGEST: Final = 60
"""Seconds that anybody waits at most: those between us close what is silent for longer."""

MOST: Final = 32
"""So many wait or listen at once for one account, in each process: news wake them all."""

SOON: Final = 2.0
"""Seconds in which a look that has begun is over, unless the database hangs."""

LATER: Final = 10
"""Seconds after which one that was too many may ask again."""

SECONDS: Final = frozenset("0123456789")
MOST_DIGITS: Final = 9
PREFER: Final = (
    f"`wait=30`: if there is nothing new, answer once there is, or after so many seconds; "
    f"at most {LONGEST} (RFC 7240). Others are not heeded."
)
APPLIED: Final = "Preference-Applied"
SAYS_APPLIED: Final = {
    APPLIED: {
        "description": "How long it would have waited; absent: nobody asked it to.",
        "schema": {"type": "string"},
        "example": "wait=30",
    }
}

log = structlog.get_logger("safe_conduct.api")


@dataclass(eq=False)
class Waiter:
    """Somebody who waits until a mailbox has more than they know of."""

    reader: UUID
    position: int
    heard: asyncio.Future[bool]

    def hears(self, *, there_is_more: bool) -> None:
        """Let them go on."""
        if not self.heard.done():
            self.heard.set_result(there_is_more)


class Bell:
    """Wakes who waits; for one event loop. `held`: how many places each account has."""

    def __init__(
        self,
        look: Callable[[AbstractSet[UUID]], Mapping[UUID, int]],
        every: float = EVERY,
    ) -> None:
        self.look, self.every = look, every
        self.waiters = set[Waiter]()
        self.held = Counter[UUID]()
        self.watch: asyncio.Task[None] | None = None
        self.closed = False

    @contextmanager
    def place(self, account: UUID) -> Iterator[None]:
        """Have one of the places of an account; raises TooManyRequests (429)."""
        if self.held[account] >= MOST:
            raise TooManyRequests(
                f"{MOST} requests of this account wait or listen already. End some of "
                "them, or poll without `Prefer: wait`.",
                wait=LATER,
            )
        self.held[account] += 1
        try:
            yield
        finally:
            self.held[account] -= 1
            if not self.held[account]:
                del self.held[account]

    async def beyond(self, reader: UUID, position: int, seconds: float) -> bool:
        """Wait until a mailbox goes beyond a position; False: it did not, go on anyway."""
        if self.closed:
            return False
        waiter = Waiter(reader, position, asyncio.get_running_loop().create_future())
        self.waiters.add(waiter)
        self.watch = self.watch or asyncio.create_task(self.watches())
        try:
            async with asyncio.timeout(seconds):
                return await waiter.heard
        except TimeoutError:
            return False
        finally:
            self.waiters.discard(waiter)

    async def watches(self) -> None:
        """Look at the mailboxes as long as somebody waits.

        Where that fails, who waits goes on when their time is over, and is told then.
        """
        try:
            while self.waiters:
                await asyncio.sleep(self.every)
                readers = {waiter.reader for waiter in self.waiters}
                try:
                    heads = await run_in_threadpool(self.look, readers)
                except Exception as error:  # noqa: BLE001 - it goes on to look
                    log.warning("waiting", **described(error))
                    continue
                for waiter in self.waiters:
                    if heads.get(waiter.reader, 0) > waiter.position:
                        waiter.hears(there_is_more=True)
        finally:
            self.watch = None

    def close(self) -> None:
        """Let everybody go, and nobody wait any more: the service is about to end."""
        self.closed = True
        for waiter in self.waiters:
            waiter.hears(there_is_more=False)

    async def rests(self) -> None:
        """Let a look at the database end before that is closed, if it does so soon."""
        self.close()
        if self.watch is not None:
            await asyncio.wait([self.watch], timeout=SOON)


def bell_over(ground: Ground) -> Bell:
    """Hang up a bell for the mailboxes of a database."""

    def look(readers: AbstractSet[UUID]) -> Mapping[UUID, int]:
        with ground.database.reading() as session:
            return queries.heads(session, readers)

    return Bell(look)


async def unless_gone(request: Request, waiting: Coroutine[Any, Any, bool]) -> bool:
    """Wait for as long as the caller does; raises ClientDisconnect."""
    heard, gone = asyncio.create_task(waiting), asyncio.create_task(leaves(request))
    try:
        await asyncio.wait([heard, gone], return_when=asyncio.FIRST_COMPLETED)
        if not heard.done():
            raise ClientDisconnect
        return heard.result()
    finally:
        heard.cancel()
        gone.cancel()


async def leaves(request: Request) -> None:
    """Wait until the caller hangs up; all that they sent was read before."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def listening(request: Request) -> AsyncIterator[None]:
    """Have a place until the last word of the answer; raises TooManyRequests (429)."""
    bell: Bell = request.app.state.bell
    with bell.place(request.state.actor.account_id):
        yield


async def patience(
    request: Request,
    _: Annotated[
        str | SkipJsonSchema[None],
        Header(alias="Prefer", description=PREFER, examples=["wait=30"], max_length=400),
    ] = None,
) -> int | None:
    """Read for how many seconds the caller would rather wait than hear of nothing."""
    return seconds_of(",".join(request.headers.getlist("prefer")))


def seconds_of(preferences: str) -> int | None:
    """Read the first wait that is a number of seconds, as RFC 7240 spells them."""
    for preference in preferences.split(","):
        name, _, value = preference.partition(";")[0].partition("=")
        digits = value.strip().strip('"')
        if name.strip().lower() == "wait" and SECONDS.issuperset(digits) and digits:
            return min(int(digits[:MOST_DIGITS]), LONGEST)
    return None


Patience = Annotated[int | None, Depends(patience)]
