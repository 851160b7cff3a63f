"""Rate limits: for wrong keys by address and key prefix, and for requests by account.

Wrong keys never block the holder of a valid key. A wrong key is counted for the address
that sent it, and for this address together with the key prefix or client in the request,
even if that does not exist. The table has a fixed size, and each process uses a random
salt, so nobody can fill the table or cause a collision on purpose. Two senders that share
an entry slow each other down, but only with wrong keys.
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

TABLE_SIZE: Final = 4096
ROUNDING: Final = 1e-6
"""The tolerance for rounding errors in floating-point sums, in seconds or requests."""


@dataclass(frozen=True)
class Pace:
    """The number of attempts in a burst, and the seconds until one attempt is restored."""

    free: int
    seconds: float

    def compute_free_at(self, free_at: float, now: float) -> float:
        """Return when all attempts are available again after one more attempt at `now`."""
        return max(free_at, now) + self.seconds

    def compute_wait(self, free_at: float, now: float) -> float:
        """Return the seconds to wait before the next attempt; 0 or less means no wait."""
        return self.compute_free_at(free_at, now) - now - self.free * self.seconds

    def compute_allowance(self, free_at: float, now: float, wait: float) -> "Allowance":
        """Return the attempts left at `now`. All are available again at `free_at`."""
        used = max(0.0, free_at - now)
        return Allowance(
            limit=self.free,
            window=round(self.free * self.seconds),
            remaining=max(0, math.floor(self.free - used / self.seconds + ROUNDING)),
            reset=math.ceil(used - ROUNDING),
            wait=max(0, math.ceil(wait)),
        )


PREFIX_PACE: Final = Pace(10, 10.0)
ADDRESS_PACE: Final = Pace(100, 1.0)


@dataclass(frozen=True)
class Allowance:
    """The requests that an account may send, computed after the current request.

    The account may send `remaining` requests now, and `limit` requests in `reset` seconds.
    `wait` is the number of seconds to wait if the current request was refused, or else 0.
    """

    limit: int
    window: int
    remaining: int
    reset: int
    wait: int


class RequestRate:
    """The rate limit of each account, counted separately for reads and writes.

    All requests of one minute may come in a burst. An account that has reached its limit of
    reads can still write.
    """

    def __init__(
        self, per_minute: int | None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.pace = None if per_minute is None else Pace(per_minute, 60 / per_minute)
        self.clock, self.lock = clock, Lock()
        self.free_at = dict[tuple[UUID, bool], float]()

    def count_request(self, account: UUID, *, writes: bool) -> Allowance | None:
        """Count a request and return the remaining allowance, or None if there is no limit.

        A request that has to wait is not counted.
        """
        if self.pace is None:
            return None
        with self.lock:
            now, key = self.clock(), (account, writes)
            free_at = self.free_at.get(key, now)
            wait = self.pace.compute_wait(free_at, now)
            if wait <= 0:
                free_at = self.free_at[key] = self.pace.compute_free_at(free_at, now)
        return self.pace.compute_allowance(free_at, now, wait)


class WrongKeyLimit:
    """A limit on wrong keys. `free_at` lists when each entry has all attempts again."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock, self.salt, self.lock = clock, secrets.token_bytes(16), Lock()
        self.free_at = [0.0] * TABLE_SIZE

    def count_wrong_key(self, client: str, named: str) -> int:
        """Count a wrong key and return 0, or return the seconds to wait.

        A key that is sent during the wait is not counted, so it does not extend the wait.
        """
        by_name = (self.find_entry(client, named), PREFIX_PACE)
        return self.count((by_name, (self.find_entry(client), ADDRESS_PACE)))

    def count_challenge(self, client: str) -> int:
        """Count a challenge for an address and return 0, or return the seconds to wait.

        Challenges and wrong keys are counted separately, so that one limit does not affect
        the other.
        """
        return self.count(((self.find_entry("challenge", "", client), ADDRESS_PACE),))

    def count(self, counted: tuple[tuple[int, Pace], ...]) -> int:
        """Count an attempt at each entry and return 0, or return the seconds to wait."""
        with self.lock:
            now = self.clock()
            waits = [pace.compute_wait(self.free_at[place], now) for place, pace in counted]
            wait = max(waits)
            if wait <= 0:
                for place, pace in counted:
                    self.free_at[place] = pace.compute_free_at(self.free_at[place], now)
        return max(0, math.ceil(wait))

    def find_entry(self, *parts: str) -> int:
        """Return the index of the entry for an address, or for an address and a name."""
        text = "\0".join(parts).encode("utf-8", "surrogateescape")
        digest = hashlib.blake2b(text, key=self.salt, digest_size=8).digest()
        return int.from_bytes(digest) % TABLE_SIZE


def format_rate_headers(
    allowance: Allowance, *, writes: bool
) -> tuple[tuple[bytes, bytes], ...]:
    """Return the headers RateLimit-Policy and RateLimit (an IETF draft, version 10)."""
    name = "writes" if writes else "reads"
    policy = f'"{name}";q={allowance.limit};w={allowance.window}'
    state = f'"{name}";r={allowance.remaining};t={allowance.reset}'
    return (b"ratelimit-policy", policy.encode()), (b"ratelimit", state.encode())
