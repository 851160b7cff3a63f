"""Slowing down who tries wrong API keys, and who asks too often with a right one.

Nobody who holds a right key is ever kept out by who guesses. What was tried is counted
where it came from, and for each prefix that it named, known or not. The table has a fixed
size and a salt of its own in each process: nobody can fill it, or choose whom to share a
place with. Two that share one are slowed down together, which costs only who sends wrong
keys.
"""

import hashlib
import math
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Final
from uuid import UUID

PLACES: Final = 4096


@dataclass(frozen=True)
class Pace:
    """How many tries are free, and how many seconds each takes to be so again."""

    free: int
    seconds: float


OF_ONE_PREFIX: Final = Pace(10, 10.0)
OF_ONE_ADDRESS: Final = Pace(100, 1.0)


class Rate:
    """How often each account asks, what reads and what writes counted apart.

    A minute's worth may come at once. Who reads too much can still submit.
    """

    def __init__(
        self, per_minute: int | None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.per_minute, self.clock, self.lock = per_minute, clock, Lock()
        self.free_at = dict[tuple[UUID, bool], float]()

    def asks(self, account: UUID, *, writes: bool) -> int:
        """Count a request; or say in how many seconds there may be another (0: it may)."""
        if self.per_minute is None:
            return 0
        with self.lock:
            now, key = self.clock(), (account, writes)
            taken = max(self.free_at.get(key, now), now) + 60 / self.per_minute
            wait = taken - now - 60
            if wait <= 0:
                self.free_at[key] = taken
        return max(0, math.ceil(wait))


class Throttle:
    """Counts wrong keys; a place holds the moment at which all its tries are free again."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock, self.salt, self.lock = clock, secrets.token_bytes(16), Lock()
        self.free_at = [0.0] * PLACES

    def wrong(self, client: str, prefix: str) -> int:
        """Count a wrong key; or say in how many seconds it may be tried again.

        One that came too early is not counted, so that waiting always helps.
        """
        counted = (
            (self.place(client, prefix), OF_ONE_PREFIX),
            (self.place(client), OF_ONE_ADDRESS),
        )
        with self.lock:
            now = self.clock()
            wait = max(self.wait(place, pace, now) for place, pace in counted)
            if wait <= 0:
                for place, pace in counted:
                    start = max(self.free_at[place], now)
                    self.free_at[place] = start + pace.seconds
        return max(0, math.ceil(wait))

    def place(self, *parts: str) -> int:
        """Find the place of what was tried."""
        spelled = "\0".join(parts).encode("utf-8", "surrogateescape")
        digest = hashlib.blake2b(spelled, key=self.salt, digest_size=8).digest()
        return int.from_bytes(digest) % PLACES

    def wait(self, place: int, pace: Pace, now: float) -> float:
        """Say how many seconds are left until one more try is free; 0 or less: it is."""
        taken = max(self.free_at[place], now) + pace.seconds - now
        return taken - pace.free * pace.seconds
