"""Oversight that was replaced: each case is handed on in a transaction of its own."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from time import monotonic
from typing import Final
from uuid import UUID

import structlog

from app.casework.oversight import hand_on, unwatched
from app.kernel.actors import SYSTEM
from app.kernel.problems import Busy
from app.kernel.trouble import described
from app.kernel.work import Ground, reading, writing
from app.worker.endings import follow_endings
from app.worker.loop import Job

log = structlog.get_logger("safe_conduct.worker")
BATCH: Final = 200
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
    return sum(given(ground, case_id) for case_id in found)


def given(ground: Ground, case_id: UUID) -> bool:
    """Hand on one case, whatever is the matter with it."""
    try:
        with writing(ground, SYSTEM) as work:
            return hand_on(work, case_id)
    except Busy:
        return False
    except Exception as error:  # noqa: BLE001 - see above
        log.error("oversight.failed", **described(error.__cause__ or error))  # noqa: TRY400 - a message may repeat what was written
        return False
