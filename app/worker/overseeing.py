"""The job that replaces oversight offices that are no longer active, case by case."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from time import monotonic
from typing import Final

from app.casework.oversight import hand_on, unwatched
from app.kernel.actors import SYSTEM
from app.kernel.work import Ground, reading
from app.worker.case_steps import BATCH, run_for_case
from app.worker.endings import follow_endings
from app.worker.loop import Job

EVERY: Final = 600.0
"""Seconds between two searches after one that found nothing; a search reads many cases."""


@dataclass
class Watch:
    """Finds cases that need another oversight office, or in which something ended.

    While it finds some, it runs at once again; otherwise seldom.
    """

    elapsed: Callable[[], float] = monotonic
    rests_until: float = 0.0

    def look(self, ground: Ground) -> int:
        """Update some cases, and return how many."""
        if self.elapsed() < self.rests_until:
            return 0
        count = replace_oversight(ground) + follow_endings(ground)
        if not count:
            self.rests_until = self.elapsed() + EVERY
        return count


def overseeing(clocks: Job) -> Job:
    """Return the job of the deadlines, extended to replace oversight after them."""
    watch = Watch()
    return replace(clocks, work=lambda ground: clocks.work(ground) + watch.look(ground))


def replace_oversight(ground: Ground, limit: int = BATCH) -> int:
    """Assign active oversight to cases without one, and return how many.

    A case that is in use, or that fails, is tried again in the next run.
    """
    with reading(ground, SYSTEM) as work:
        found = unwatched(work, limit)
    return sum(
        run_for_case(ground, case_id, hand_on, failure="oversight.failed")
        for case_id in found
    )
