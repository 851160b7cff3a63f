"""Slowing down who tries wrong keys, and who asks too often with a right one.

Nobody who holds a right key is ever kept out by who guesses. What was tried is counted
where it came from, and for each prefix that it named, or client, known or not. The table
has a fixed size and a salt of its own in each process: nobody can fill it, or choose whom
to share a place with. Two that share one are slowed down together, which costs only who
sends wrong keys.
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

    def taken(self, free_at: float, now: float) -> float:
        """Say when all are free again, once one more is taken."""
        return max(free_at, now) + self.seconds

    def wait(self, free_at: float, now: float) -> float:
        """Say in how many seconds one more is free; 0 or less: it is."""
        return self.taken(free_at, now) - now - self.free * self.seconds


OF_ONE_PREFIX: Final = Pace(10, 10.0)
OF_ONE_ADDRESS: Final = Pace(100, 1.0)


class Rate:
    """How often each account asks, what reads and what writes counted apart.

    A minute's worth may come at once. Who reads too much can still submit.
    """

    def __init__(
        self, per_minute: int | None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.pace = None if per_minute is None else Pace(per_minute, 60 / per_minute)
        self.clock, self.lock = clock, Lock()
        self.free_at = dict[tuple[UUID, bool], float]()

    def asks(self, account: UUID, *, writes: bool) -> int:
        """Count a request; or say in how many seconds there may be another (0: it may)."""
        if self.pace is None:
            return 0
        with self.lock:
            now, key = self.clock(), (account, writes)
            free_at = self.free_at.get(key, now)
            wait = self.pace.wait(free_at, now)
            if wait <= 0:
                self.free_at[key] = self.pace.taken(free_at, now)
        return max(0, math.ceil(wait))


class Throttle:
    """Counts wrong keys; a place holds the moment at which all its tries are free again."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock, self.salt, self.lock = clock, secrets.token_bytes(16), Lock()
        self.free_at = [0.0] * PLACES

    def wrong(self, client: str, named: str) -> int:
        """Count a wrong key; or say in how many seconds it may be tried again.

        One that came too early is not counted, so that waiting always helps.
        """
        counted = (
            (self.place(client, named), OF_ONE_PREFIX),
            (self.place(client), OF_ONE_ADDRESS),
        )
        with self.lock:
            now = self.clock()
            wait = max(pace.wait(self.free_at[place], now) for place, pace in counted)
            if wait <= 0:
                for place, pace in counted:
                    self.free_at[place] = pace.taken(self.free_at[place], now)
        return max(0, math.ceil(wait))

    def place(self, *parts: str) -> int:
        """Find the place of what was tried."""
        spelled = "\0".join(parts).encode("utf-8", "surrogateescape")
        digest = hashlib.blake2b(spelled, key=self.salt, digest_size=8).digest()
        return int.from_bytes(digest) % PLACES
