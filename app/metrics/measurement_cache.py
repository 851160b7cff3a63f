"""A cache of the latest measurement of the database, which scrapes read.

A database that hangs must neither block a scrape nor use a connection for each scrape.
"""

import time
from collections.abc import Sequence
from threading import Event, Lock, Thread
from typing import Any, Final

import structlog

from app.kernel.database_errors import describe_error
from app.kernel.transactions import Runtime
from app.metrics.measurement import GaugeGroup, GaugeValue, measure

log = structlog.get_logger("safe_conduct.metrics")
MAX_AGE: Final = 5.0
"""Seconds for which a measurement is reused."""
SCRAPE_TIMEOUT: Final = 2.0
"""Seconds that a scrape waits for the database."""


class Measurement:
    """A measurement of all gauges in a separate thread, which starts at once."""

    def __init__(self, runtime: Runtime, watches: Sequence[GaugeGroup[Any]]) -> None:
        self.over = Event()
        self.ended = 0.0
        self.measured: list[GaugeValue] | None = None
        Thread(target=self._measure, args=(runtime, watches), daemon=True).start()

    def _measure(self, runtime: Runtime, watches: Sequence[GaugeGroup[Any]]) -> None:
        try:
            with runtime.database.begin_read() as session:
                now = runtime.time(session)
                self.measured = measure(watches, session, now)
        except Exception as error:  # noqa: BLE001 - the thread has no caller
            log.error("metrics.failed", **describe_error(error.__cause__ or error))  # noqa: TRY400 - the message may contain data
        finally:
            self.ended = time.monotonic()
            self.over.set()

    @property
    def is_stale(self) -> bool:
        """Whether the measurement ended more than MAX_AGE seconds ago."""
        return self.over.is_set() and time.monotonic() - self.ended > MAX_AGE


class MeasurementCache:
    """The cache of the latest measurement. Two measurements never run at the same time."""

    def __init__(self, runtime: Runtime, watches: Sequence[GaugeGroup[Any]]) -> None:
        self._ground, self._watches = runtime, watches
        self._lock = Lock()
        self._latest: Measurement | None = None

    def get_values(self) -> list[GaugeValue] | None:
        """Return recent values, or None if the database failed or was too slow."""
        with self._lock:
            if self._latest is None or self._latest.is_stale:
                self._latest = Measurement(self._ground, self._watches)
            latest = self._latest
        latest.over.wait(SCRAPE_TIMEOUT)
        return latest.measured
