"""Requests that are answered in the very thread that asks.

A loop in a thread of its own, and a worker beside it, cost a fifth of a test run in being
woken up. What is asked here waits for nobody: the work that a server hands to a thread is
done at once. Several threads may ask at the same time; each takes a loop of its own. How
it goes with a server's own loop and threads, the tests with a real server say.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

import anyio.to_thread

type Loop = asyncio.AbstractEventLoop


@dataclass
class Here:
    """Runs what would wait for a loop, in this thread."""

    idle: list[Loop] = field(default_factory=list)
    made: set[Loop] = field(default_factory=set)

    def call[**P, T](
        self,
        function: Callable[P, Coroutine[Any, Any, T]],
        *args: P.args,
        **more: P.kwargs,
    ) -> T:
        """Run it to its end."""
        try:
            loop = self.idle.pop()
        except IndexError:
            loop = asyncio.new_event_loop()
            self.made.add(loop)
        try:
            return loop.run_until_complete(function(*args, **more))
        finally:
            self.idle.append(loop)

    def closes(self) -> None:
        """End all loops."""
        for loop in self.made:
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.close()

    def is_running(self) -> bool:
        """Whether it is one of its loops that asks."""
        return asyncio.get_running_loop() in self.made


@contextmanager
def here() -> Iterator[Here]:
    """Answer in this thread whoever asks this way; a server's own loop goes on as ever."""
    made, hand_over = Here(), anyio.to_thread.run_sync

    async def at_once(function: Callable[..., Any], *args: Any, **more: Any) -> Any:
        if made.is_running():
            return function(*args)
        handed: Awaitable[Any] = hand_over(function, *args, **more)
        return await handed

    try:
        with patch.object(anyio.to_thread, "run_sync", at_once):
            yield made
    finally:
        made.closes()
