"""Oversight that was replaced: each case is handed on in a transaction of its own."""

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
"""Seconds between two looks that found nothing: each reads all that a shut body watched."""


@dataclass
class Watch:
    """Looks for cases to hand on, and for what ended beside cases that run.

    Again at once while there are some, then seldom.
    """

    elapsed: Callable[[], float] = monotonic
    rests_until: float = 0.0

    def look(self, ground: Ground) -> int:
        """Hand on some, and say how many."""
        if self.elapsed() < self.rests_until:
            return 0
        count = replace_oversight(ground) + follow_endings(ground)
        if not count:
            self.rests_until = self.elapsed() + EVERY
        return count


def overseeing(clocks: Job) -> Job:
    """See to oversight in the same job as the clocks, after them."""
    watch = Watch()
    return replace(clocks, work=lambda ground: clocks.work(ground) + watch.look(ground))


def replace_oversight(ground: Ground, limit: int = BATCH) -> int:
    """Give cases that nobody active watches to who does; say how many were given.

    What is in somebody's hand comes again with the next look, and so does what failed: no
    case keeps the others waiting.
    """
    with reading(ground, SYSTEM) as work:
        found = unwatched(work, limit)
    return sum(
        run_for_case(ground, case_id, hand_on, failure="oversight.failed")
        for case_id in found
    )
