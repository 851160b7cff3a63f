"""Those who read take turns, so that whoever writes finds room.

However many ask at once, only some of them are given a thread; the rest wait a little, and
are then told to come back. A submission never waits behind them: it is the last thing that
this service gives up.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from app.kernel.db import THREADS
from app.kernel.problems import Busy

READERS: Final = THREADS * 2 // 5
"""So many read at once; the other threads, and connections, are for who writes."""

QUEUE: Final = 2000
"""So many wait for a turn at most; news wake everybody who waits for them."""

PATIENCE: Final = 20.0
"""Seconds that a reader waits for its turn."""


class Turns:
    """Lets in so many readers at once; for one event loop."""

    def __init__(
        self, readers: int = READERS, queue: int = QUEUE, patience: float = PATIENCE
    ) -> None:
        self.free, self.queue, self.patience = asyncio.Semaphore(readers), queue, patience
        self.waiting = 0

    @asynccontextmanager
    async def reading(self) -> AsyncIterator["Turn"]:
        """Wait for a turn, and have it; raises Busy (503)."""
        turn = Turn(self)
        await turn.take()
        try:
            yield turn
        finally:
            turn.give()


class Turn:
    """A reader's turn, which it gives to others while it waits for news."""

    def __init__(self, turns: Turns) -> None:
        self.turns, self.held = turns, False

    async def take(self) -> None:
        """Wait for it; raises Busy (503) after a while, or where too many wait."""
        turns = self.turns
        if turns.waiting >= turns.queue:
            raise Busy("Too many ask at this moment. Try again in a moment.")
        turns.waiting += 1
        try:
            async with asyncio.timeout(turns.patience):
                await turns.free.acquire()
        except TimeoutError as error:
            raise Busy("Too many ask at this moment. Try again in a moment.") from error
        finally:
            turns.waiting -= 1
        self.held = True

    def give(self) -> None:
        """Let the next one in."""
        if self.held:
            self.held = False
            self.turns.free.release()
