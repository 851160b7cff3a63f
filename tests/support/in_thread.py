"""Event loops that handle each request in the thread that sends it.

With separate threads for the event loop and the work, context switches would take a fifth
of a test run. Here, work that a server hands to a worker thread is done in the same thread.
Several threads may send requests at the same time, because each has its own event loop. The
tests with a real server cover the event loop and the threads of a server.
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
        """Run a coroutine function until it completes, and return its result."""
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
        """Return whether the loop that is running now is one of these loops."""
        return asyncio.get_running_loop() in self.made


@contextmanager
def run_in_thread() -> Iterator[ThreadLoops]:
    """Yield event loops that run the work of worker threads in the calling thread."""
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
