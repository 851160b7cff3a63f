"""Firing clocks: each that ran out in a transaction of its own (R55).

Which have run out is asked of the database, by its own clock, without holding anything:
however the clocks of machines differ, and however many workers look, each is judged again
once its case is held.
"""

from dataclasses import dataclass
from typing import Final

import structlog

from app.access import queries as access
from app.access.actions import lapse_unanswered
from app.casework.overdue import fire
from app.deadlines import actions as deadlines
from app.deadlines import breaches
from app.deadlines.breaches import Due
from app.kernel.actors import SYSTEM
from app.kernel.problems import Busy
from app.kernel.trouble import described
from app.kernel.work import Ground, reading, writing
from app.metrics.counters import FAILED, FIRED

log = structlog.get_logger("safe_conduct.worker")
BATCH: Final = 200


@dataclass(frozen=True)
class Fired:
    """What one look came to.

    `left` were in somebody else's hand, or done by them, or moved on without being fired.
    """

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
    outcomes = [fire_one(ground, each) for each in due]
    counts = [outcomes.count(outcome) for outcome in (True, False, None)]
    return Fired(*counts)


def lapse_questions(ground: Ground) -> int:
    """Let questions about no case, which have no clock, be over; say how many were."""
    with reading(ground, SYSTEM) as work:
        if not access.has_unanswered(work.session, ground.time(work.session)):
            return 0
    with writing(ground, SYSTEM) as work:
        return lapse_unanswered(work)


def fire_one(ground: Ground, due: Due) -> bool | None:
    """Fire one clock; False: it was left to another, None: it failed, and waits.

    Whatever goes wrong with it: a fault nobody foresaw must not stop the others for ever.
    """
    try:
        with writing(ground, SYSTEM) as work:
            is_fired = fire(work, due.number, due.case_id)
    except Busy:
        return False
    except Exception as error:  # noqa: BLE001 - see above
        return None if put_off(ground, due, error) else False
    if is_fired:
        FIRED.labels(due.kind).inc()
    return is_fired


def put_off(ground: Ground, due: Due, error: Exception) -> bool:
    """Look at a clock later, and say that somebody has to look at it now.

    Its number is told, not its case: it leads nobody anywhere who has no database. False:
    another was done with it before we came to that.
    """
    with ground.database.writing() as session:
        failures = deadlines.put_off(session, due, ground.time(session))
    if not failures:
        return False
    FAILED.labels(due.kind).inc()
    log.error(
        "clock.failed",
        clock=due.number,
        kind=due.kind,
        failures=failures,
        **described(error),
    )
    return True
