"""Requests of the coalition that wait for events while another office acts."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from httpx2 import ASGITransport, AsyncClient

from app.api.http.long_polling import FeedWatcher, build_feed_watcher
from tests.support.raw_requests import Answer, Wire

EVERY: Final = 0.002
"""Seconds between two queries for new events."""
LONG_ENOUGH: Final = 0.01
"""Seconds within which a waiting request is woken if there is a new event."""


@dataclass
class LongPolls:
    """An event loop in which requests wait. It runs only before and after an act."""

    wire: Wire
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)
    waiting: list[asyncio.Task[Answer]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.wire.here.made.add(self.loop)
        app = self.wire.world.app
        self.bell: FeedWatcher = build_feed_watcher(self.wire.world.runtime)
        self.bell.every = EVERY
        app.state.bell = self.bell
        transport = ASGITransport(app, raise_app_exceptions=False)
        self.client = AsyncClient(transport=transport, base_url="http://testserver")

    def start(self, headers: Mapping[str, str], path: str) -> None:
        """Send a request that waits for events."""
        self.waiting.append(self.loop.create_task(self.ask(headers, path)))
        self.loop.run_until_complete(asyncio.sleep(0))

    async def ask(self, headers: Mapping[str, str], path: str) -> Answer:
        waits = {**headers, "Prefer": "wait=60"}
        answer = await self.client.get(f"/v1{path}", headers=waits)
        return Answer(answer.status_code, answer.headers.raw, answer.content)

    def finish(self) -> list[tuple[bool, Answer]]:
        """End the requests; return whether each was woken by an event, and its answer."""
        self.loop.run_until_complete(asyncio.sleep(LONG_ENOUGH))
        woken = [one.done() for one in self.waiting]
        for waiter in list(self.bell.waiters):
            waiter.finish(there_is_more=False)
        answers = [self.loop.run_until_complete(one) for one in self.waiting]
        self.waiting = []
        return list(zip(woken, answers, strict=True))
