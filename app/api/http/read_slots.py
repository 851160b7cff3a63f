"""A limit on concurrent reads, so that writes always find a free thread.

Only some read requests get a thread at the same time. The others wait, and get 503 after a
while. Submissions do not wait behind them.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from app.kernel.db import THREADS
from app.kernel.problems import Busy

MAX_READS: Final = THREADS * 2 // 5
"""Reads that run at the same time. The other threads and connections are for writes."""

QUEUE: Final = 2000
"""Requests that may wait for a turn. A new event wakes all requests that poll for it."""

PATIENCE: Final = 20.0
"""Seconds that a read waits for its turn."""

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
        """Hold a turn. Raises Busy (503) if none becomes free in time."""
        turn = ReadSlot(self)
        await turn.take()
        try:
            yield turn
        finally:
            turn.release()


class ReadSlot:
    """The turn of one read, which it can give up while it waits for events."""

    def __init__(self, turns: ReadSlots) -> None:
        self.turns, self.held = turns, False

    async def take(self) -> None:
        """Wait for the turn. Raises Busy (503) after `patience` or if the queue is full."""
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
        """Release the turn to the next request, if it is held."""
        if self.held:
            self.held = False
            self.turns.free.release()
