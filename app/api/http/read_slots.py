"""A limit on concurrent reads, so that writes always find a free thread.

Only a limited number of read requests run at the same time. Further read requests wait for
a slot, and get 503 if no slot becomes free in time. Other requests never wait for a slot.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from app.kernel.db import THREADS
from app.kernel.problems import Busy

MAX_READS: Final = THREADS * 2 // 5
"""The maximum number of concurrent reads. Other threads and connections are for writes."""

QUEUE: Final = 2000
"""The maximum number of waiting requests. It is large, because a new event wakes all
requests that poll, and they then wait for a slot."""

PATIENCE: Final = 20.0
"""The maximum number of seconds that a read waits for a slot."""

TRY_LATER: Final = "The service has too many requests now. Try again in a moment."


class ReadSlots:
    """A semaphore for reads with a limited queue, for one event loop."""

    def __init__(
        self, readers: int = MAX_READS, queue: int = QUEUE, patience: float = PATIENCE
    ) -> None:
        self.free, self.queue, self.patience = asyncio.Semaphore(readers), queue, patience
        self.waiting = 0

    @asynccontextmanager
    async def take_slot(self) -> AsyncIterator["ReadSlot"]:
        """Reserve a slot for a `with` block. Raises Busy (503) if `ReadSlot.take` does."""
        turn = ReadSlot(self)
        await turn.take()
        try:
            yield turn
        finally:
            turn.release()


class ReadSlot:
    """The slot of a read request. The request can release it while it waits for events."""

    def __init__(self, turns: ReadSlots) -> None:
        self.turns, self.held = turns, False

    async def take(self) -> None:
        """Wait for a slot. Raises Busy (503) after a timeout, or if the queue is full."""
        turns = self.turns
        if turns.waiting >= turns.queue:
            raise Busy(TRY_LATER)
        turns.waiting += 1
        try:
            async with asyncio.timeout(turns.patience):
                await turns.free.acquire()
        except TimeoutError as error:
            raise Busy(TRY_LATER) from error
        finally:
            turns.waiting -= 1
        self.held = True

    def release(self) -> None:
        """Release the slot for the next request, if this request has it."""
        if self.held:
            self.held = False
            self.turns.free.release()
