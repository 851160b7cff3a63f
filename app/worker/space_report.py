"""A warning in the log of the worker while disk space is low, at most once an hour."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from time import monotonic
from typing import Final

import structlog

from app.kernel.free_space import ENOUGH, MIB
from app.kernel.work import Ground
from app.worker.loop import Job

log = structlog.get_logger("safe_conduct.worker")
EVERY: Final = 3600.0
"""Seconds between two warnings about low disk space."""


@dataclass
class SpaceReport:
    """Knows when it warned last."""

    elapsed: Callable[[], float] = monotonic
    rests_until: float = 0.0

    def warn(self, ground: Ground) -> None:
        """Log the free space if it is low and nobody was warned lately."""
        space, now = ground.free_space, self.elapsed()
        if now < self.rests_until or space.describe() == ENOUGH:
            return
        self.rests_until = now + EVERY
        free = {f"{place}_mib": free // MIB for place, free in space.measure().items()}
        log.warning("space.low", **free, in_reserve=space.is_in_reserve())


def reporting_space(clocks: Job) -> Job:
    """Look at the free space in the same job as the clocks, before them.

    Before, because on a full disk the clocks fail.
    """
    report = SpaceReport()

    def work(ground: Ground) -> int:
        report.warn(ground)
        return clocks.work(ground)

    return replace(clocks, work=work)
