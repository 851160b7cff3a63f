"""Firing clocks: each that ran out in a transaction of its own (R55).

Which have run out is asked of the database, by its own clock, without holding anything:
however the clocks of machines differ, and however many workers look, each is judged again
once its case is held.
"""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

import structlog
from sqlalchemy.exc import DBAPIError

from app.casework.overdue import fire
from app.deadlines import actions as deadlines
from app.deadlines import breaches
from app.kernel.actors import system_for
from app.kernel.problems import Busy, Problem
from app.kernel.work import Ground, writing

log = structlog.get_logger("safe_conduct.worker")
NOBODY: Final = UUID(int=0)
BATCH: Final = 200


@dataclass(frozen=True)
class Fired:
    """What one look came to; `left` were in somebody else's hand, or done by them."""

    fired: int = 0
    left: int = 0
    failed: int = 0

    @property
    def found(self) -> int:
        """How many clocks had run out."""
        return self.fired + self.left + self.failed


def fire_due(ground: Ground, limit: int = BATCH) -> Fired:
    """Fire the clocks that have run out, the longest overdue first, each by itself.

    Then those that wait for an office that is active no longer: nobody is there to answer.
    One that cannot be fired is put off and alarmed of, so that the others go on.
    """
    with ground.database.reading() as session:
        due = [
            *breaches.overdue(session, ground.time(session), limit),
            *breaches.abandoned(session, limit),
        ]
    outcomes = [fire_one(ground, number, case_id) for number, case_id in due]
    counts = [outcomes.count(outcome) for outcome in (True, False, None)]
    return Fired(*counts)


def fire_one(ground: Ground, number: int, case_id: UUID) -> bool | None:
    """Fire one clock; False: it was left to another, None: it failed, and waits."""
    try:
        with writing(ground, system_for(NOBODY)) as work:
            return fire(work, number, case_id)
    except Busy:
        return False
    except (Problem, DBAPIError, LookupError, AssertionError) as error:
        put_off(ground, number, type(error).__name__)
        return None


def put_off(ground: Ground, number: int, why: str) -> None:
    """Look at a clock later, and say that somebody has to look at it now."""
    with ground.database.writing() as session:
        failures = deadlines.put_off(session, number, ground.time(session))
    log.error("clock.failed", clock=number, error=why, failures=failures)
