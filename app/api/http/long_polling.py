"""Long polling: wait for new events without using a thread or a database connection.

Four times a second, one query checks the database for all waiting requests, so that events
from every process are found. The waiting requests exist in memory only: when the service
stops, it answers them and the clients poll again.
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

from app.feed import queries as feed_queries
from app.kernel.database_errors import describe_error
from app.kernel.problems import TooManyRequests
from app.kernel.transactions import Runtime

POLL_SECONDS: Final = 0.25
"""Seconds between two queries for new events."""

MAX_WAIT_SECONDS: Final = 60
"""The maximum wait in seconds. Proxies close connections that are silent for longer."""

MAX_WAITING: Final = 32
"""The maximum number of waiting and streaming requests of an account in one process. A new
event wakes all of them."""

QUERY_SECONDS: Final = 2.0
"""Seconds for which `FeedWatcher.stop` waits for the running query to end."""

RETRY_AFTER: Final = 10
"""Seconds after which a request over the limit may be sent again."""

SECONDS: Final = frozenset("0123456789")
MOST_DIGITS: Final = 9
PREFER: Final = (
    f"`wait=30`: if there is no new event, answer when there is one, or after 30 seconds. "
    f"At most {MAX_WAIT_SECONDS} (RFC 7240). Other preferences are ignored."
)
APPLIED: Final = "Preference-Applied"
APPLIED_HEADER: Final = {
    APPLIED: {
        "description": "The wait that was applied. Absent if the request asked for none.",
        "schema": {"type": "string"},
        "example": "wait=30",
    }
}

log = structlog.get_logger("safe_conduct.api")


@dataclass(eq=False)
class Waiter:
    """A request that waits until the feed of an office has an event after a position."""

    reader: UUID
    position: int
    result: asyncio.Future[bool]

    def finish(self, *, there_is_more: bool) -> None:
        """Wake the request, and tell it whether there are new events."""
        if not self.result.done():
            self.result.set_result(there_is_more)


class FeedWatcher:
    """A watcher of feeds. `held` counts the waiting and streaming requests by account."""

    def __init__(
        self,
        look: Callable[[AbstractSet[UUID]], Mapping[UUID, int]],
        every: float = POLL_SECONDS,
    ) -> None:
        self.load_heads, self.every = look, every
        self.waiters = set[Waiter]()
        self.held = Counter[UUID]()
        self.watch: asyncio.Task[None] | None = None
        self.closed = False

    @contextmanager
    def claim_place(self, account: UUID) -> Iterator[None]:
        """Reserve a waiting place, or raise TooManyRequests (429) if none is free."""
        if self.held[account] >= MAX_WAITING:
            raise TooManyRequests(
                f"{MAX_WAITING} requests of this account are already waiting or streaming. "
                "End some of them, or poll without `Prefer: wait`.",
                wait=RETRY_AFTER,
            )
        self.held[account] += 1
        try:
            yield
        finally:
            self.held[account] -= 1
            if not self.held[account]:
                del self.held[account]

    async def wait_beyond(self, reader: UUID, position: int, seconds: float) -> bool:
        """Wait until a feed has an event after a position, and return True.

        Return False if no event arrives within `seconds`, or if the watcher is closed.
        """
        if self.closed:
            return False
        waiter = Waiter(reader, position, asyncio.get_running_loop().create_future())
        self.waiters.add(waiter)
        self.watch = self.watch or asyncio.create_task(self.poll_feeds())
        try:
            async with asyncio.timeout(seconds):
                return await waiter.result
        except TimeoutError:
            return False
        finally:
            self.waiters.discard(waiter)

    async def poll_feeds(self) -> None:
        """Query the feeds as long as requests wait, and wake requests with new events.

        If a query fails, the requests wait for the next query.
        """
        try:
            while self.waiters:
                await asyncio.sleep(self.every)
                readers = {waiter.reader for waiter in self.waiters}
                try:
                    heads = await run_in_threadpool(self.load_heads, readers)
                except Exception as error:  # noqa: BLE001 - the next query may succeed
                    log.warning("waiting", **describe_error(error))
                    continue
                for waiter in self.waiters:
                    if heads.get(waiter.reader, 0) > waiter.position:
                        waiter.finish(there_is_more=True)
        finally:
            self.watch = None

    def close(self) -> None:
        """Wake all requests. Later requests do not wait, because the service stops."""
        self.closed = True
        for waiter in self.waiters:
            waiter.finish(there_is_more=False)

    async def stop(self) -> None:
        """Close the watcher, and wait at most `QUERY_SECONDS` for its running query."""
        self.close()
        if self.watch is not None:
            await asyncio.wait([self.watch], timeout=QUERY_SECONDS)


def build_feed_watcher(runtime: Runtime) -> FeedWatcher:
    """Build a watcher for the feeds in the database."""

    def load_heads(readers: AbstractSet[UUID]) -> Mapping[UUID, int]:
        with runtime.database.begin_read() as session:
            return feed_queries.get_heads(session, readers)

    return FeedWatcher(load_heads)


async def wait_unless_disconnected(
    request: Request, waiting: Coroutine[Any, Any, bool]
) -> bool:
    """Wait for `waiting`. Raises ClientDisconnect if the client disconnects first."""
    waiting_task = asyncio.create_task(waiting)
    disconnect = asyncio.create_task(wait_for_disconnect(request))
    try:
        await asyncio.wait([waiting_task, disconnect], return_when=asyncio.FIRST_COMPLETED)
        if not waiting_task.done():
            raise ClientDisconnect
        return waiting_task.result()
    finally:
        waiting_task.cancel()
        disconnect.cancel()


async def wait_for_disconnect(request: Request) -> None:
    """Wait until the client disconnects. The body of the request must have been read."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def claim_stream_place(request: Request) -> AsyncIterator[None]:
    """Reserve a place for an event stream. Raises TooManyRequests (429) if none is free."""
    bell: FeedWatcher = request.app.state.bell
    with bell.claim_place(request.state.actor.account_id):
        yield


async def parse_prefer(
    request: Request,
    _: Annotated[
        str | SkipJsonSchema[None],
        Header(alias="Prefer", description=PREFER, examples=["wait=30"], max_length=400),
    ] = None,
) -> int | None:
    """Return the seconds in `Prefer: wait`, or None if the header has no valid `wait`."""
    return parse_wait_seconds(",".join(request.headers.getlist("prefer")))


def parse_wait_seconds(preferences: str) -> int | None:
    """Return the seconds of the first valid `wait`, or None if there is none (RFC 7240).

    The result is at most MAX_WAIT_SECONDS.
    """
    for preference in preferences.split(","):
        name, _, value = preference.partition(";")[0].partition("=")
        digits = value.strip().strip('"')
        if name.strip().lower() == "wait" and SECONDS.issuperset(digits) and digits:
            return min(int(digits[:MOST_DIGITS]), MAX_WAIT_SECONDS)
    return None


WaitSeconds = Annotated[int | None, Depends(parse_prefer)]
