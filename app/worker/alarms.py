"""Warnings in the log for gauges above their limits, and for jumps of the clock.

The checks run in a thread of their own, in `serve` and in each worker, because a worker
that hangs or is not running cannot log anything itself. The thread also compares the clock
of the database with the monotonic clock of the machine.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from math import inf, isfinite
from threading import Event, Thread
from typing import Final

import structlog

from app.kernel.clock_jumps import record_clock_jump
from app.kernel.database_errors import describe_error
from app.kernel.transactions import Runtime
from app.metrics.gauges import CLOCK_JUMP_LIMIT, CLOCK_JUMPED, list_gauge_groups
from app.metrics.measurement import GaugeValue, measure

log = structlog.get_logger("safe_conduct.alarms")
CHECK_INTERVAL: Final = 15.0
"""Seconds between two checks, and before the first check, so that a worker can start."""
REPEAT_INTERVAL: Final = 3600.0
"""Seconds between two warnings of the same alarm while it lasts."""


@dataclass
class Alarms:
    """The current alarms, each with the time at which it was last logged.

    `seen` is the reading of both clocks at the last check, or None before the first check.
    """

    elapsed: Callable[[], float] = time.monotonic
    logged: dict[tuple[str, str | None], float] = field(default_factory=dict)
    seen: tuple[datetime, float] | None = None
    jump: int | None = None
    """The length in seconds of a clock jump that is not stored yet, or None."""

    def check(self, runtime: Runtime) -> None:
        """Compare the clocks, check all gauges, and log clock jumps and alarms."""
        with runtime.database.begin_read() as session:
            self.compare_clocks(runtime.time(session))
        self.record_jump(runtime)
        with runtime.database.begin_read() as session:
            measured = measure(list_gauge_groups(runtime), session, runtime.time(session))
        self.log_changes(measured)

    def compare_clocks(self, now: datetime) -> None:
        """Log a jump of the database's clock since the last check, and keep its length."""
        before, self.seen = self.seen, (now, self.elapsed())
        if before is None:
            return
        went, elapsed = (now - before[0]).total_seconds(), self.seen[1] - before[1]
        if abs(went - elapsed) > CLOCK_JUMP_LIMIT:
            self.jump = round(went - elapsed)
            log.warning("clock.jumped", seconds=self.jump, to_do=CLOCK_JUMPED)

    def record_jump(self, runtime: Runtime) -> None:
        """Store the clock jump that is not stored yet, if any, for status and metrics."""
        if self.jump is None:
            return
        with runtime.database.begin_write() as session:
            record_clock_jump(session, runtime.time(session), seconds=self.jump)
        self.jump = None

    def log_changes(self, measured: Iterable[GaugeValue]) -> None:
        """Log each alarm when it begins, once an hour while it lasts, and when it ends."""
        for value in measured:
            name = (value.gauge.name, value.label_value)
            if value.is_within_limit:
                if self.logged.pop(name, None) is not None:
                    log.info("alarm.over", gauge=value.gauge.name, of=value.label_value)
            elif self.elapsed() - self.logged.get(name, -inf) >= REPEAT_INTERVAL:
                self.logged[name] = self.elapsed()
                log.warning(
                    "alarm",
                    gauge=value.gauge.name,
                    of=value.label_value,
                    value=round(value.value) if isfinite(value.value) else None,
                    limit=value.gauge.limit,
                    **({"detail": value.detail} if value.detail else {}),
                    to_do=value.gauge.remedy,
                )


def watch_alarms(runtime: Runtime, stop: Event, alarms: Alarms, interval: float) -> None:
    """Check the alarms repeatedly until `stop` is set. A check that fails is logged."""
    while not stop.wait(interval):
        try:
            alarms.check(runtime)
        except Exception as error:  # noqa: BLE001 - the thread has no caller
            log.error("alarms.failed", **describe_error(error.__cause__ or error))  # noqa: TRY400 - the message may contain data


@contextmanager
def start_alarms(runtime: Runtime, interval: float = CHECK_INTERVAL) -> Iterator[None]:
    """Check for alarms in a thread while the block runs."""
    stop = Event()
    arguments = (runtime, stop, Alarms(), interval)
    thread = Thread(target=watch_alarms, args=arguments, name="alarms", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(interval)
