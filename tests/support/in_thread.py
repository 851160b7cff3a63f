"""Requests that are answered in the thread that sends them.

An event loop in another thread, with a worker thread beside it, costs a fifth of a test run
in context switches. Here, work that a server would hand to a thread is done at once.
Several threads may send requests at the same time; each uses its own loop. The tests with a
real server cover a server's own loop and threads.
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
class ThreadLoops:
    """Event loops that run coroutines in the calling thread."""

    idle: list[Loop] = field(default_factory=list)
    made: set[Loop] = field(default_factory=set)

    def call[**P, T](
        self,
        function: Callable[P, Coroutine[Any, Any, T]],
        *args: P.args,
        **more: P.kwargs,
    ) -> T:
        """Run a coroutine function to its end."""
        try:
            loop = self.idle.pop()
        except IndexError:
            loop = asyncio.new_event_loop()
            self.made.add(loop)
        try:
            return loop.run_until_complete(function(*args, **more))
        finally:
            self.idle.append(loop)

    def close(self) -> None:
        """Close all loops."""
        for loop in self.made:
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.close()

    def is_running(self) -> bool:
        """Return whether the running loop is one of these."""
        return asyncio.get_running_loop() in self.made


@contextmanager
def run_in_thread() -> Iterator[ThreadLoops]:
    """Yield loops whose requests do thread work at once; other loops are not affected."""
    made, hand_over = ThreadLoops(), anyio.to_thread.run_sync

    async def run_at_once(function: Callable[..., Any], *args: Any, **more: Any) -> Any:
        if made.is_running():
            return function(*args)
        handed: Awaitable[Any] = hand_over(function, *args, **more)
        return await handed

    try:
        with patch.object(anyio.to_thread, "run_sync", run_at_once):
            yield made
    finally:
        made.close()
