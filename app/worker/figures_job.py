"""The job that counts each finished week for the figures (ADR 73)."""

from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import Final

from app.figures.queries import list_submissions, list_uncounted_weeks
from app.figures.weekly_counts import count_week
from app.kernel.actors import SYSTEM
from app.kernel.heartbeat import Part
from app.kernel.transactions import Runtime, begin_read
from app.worker.jobs import Job

SEARCH_INTERVAL: Final = 3600.0
"""Seconds to wait after a search that found no week to count."""


@dataclass
class WeekCounter:
    """The state of the job that counts the weeks that are not counted yet."""

    elapsed: Callable[[], float] = monotonic
    idle_until: float = 0.0

    def run(self, runtime: Runtime) -> int:
        """Count the oldest uncounted week if a search is due; return the number counted."""
        if self.elapsed() < self.idle_until:
            return 0
        with begin_read(runtime, SYSTEM) as tx:
            weeks = list_uncounted_weeks(tx)[:1]
            submitted = list_submissions(tx, weeks) if weeks else {}
        for monday in weeks:
            count_week(runtime, monday, submitted[monday])
        if not weeks:
            self.idle_until = self.elapsed() + SEARCH_INTERVAL
        return len(weeks)


def create_figures_job() -> Job:
    """Return the job that counts finished weeks."""
    return Job(Part.FIGURES, WeekCounter().run, batch_size=1)
