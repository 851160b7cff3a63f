"""Handling missed deadlines, each in a transaction of its own (R55).

The database decides by its own clock which deadlines have passed, without locks. Each
deadline is checked again once its case is locked, so neither different clocks of the
machines nor several workers have it handled twice.
"""

from dataclasses import dataclass
from typing import Final

import structlog

from app.access import queries as access_queries
from app.access.actions import lapse_unanswered
from app.casework.overdue import fire
from app.deadlines import actions as deadline_actions
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
    """The result of one run.

    `left` counts deadlines that another worker had locked or handled, or that had changed.
    """

    fired: int = 0
    left: int = 0
    failed: int = 0

    @property
    def found(self) -> int:
        """The number of deadlines that had passed."""
        return self.fired + self.left + self.failed


def fire_due(ground: Ground, limit: int = BATCH) -> Fired:
    """Handle missed deadlines, the longest overdue first, each by itself.

    Then handle the deadlines of offices that are no longer active, because nobody can
    answer there. One that fails is postponed and logged, so that the others continue.
    """
    with ground.database.reading() as session:
        due = [
            *breaches.overdue(session, ground.time(session), limit),
            *breaches.abandoned(session, limit),
        ]
    outcomes = [fire_one(ground, each) for each in due]
    counts = [outcomes.count(outcome) for outcome in (True, False, None)]
    return Fired(*counts)


def expire_questions(ground: Ground) -> int:
    """Expire unanswered approval requests that belong to no case; return how many."""
    with reading(ground, SYSTEM) as work:
        if not access_queries.has_unanswered(work.session, ground.time(work.session)):
            return 0
    with writing(ground, SYSTEM) as work:
        return lapse_unanswered(work)


def fire_one(ground: Ground, due: Due) -> bool | None:
    """Handle one deadline; return False if another worker has it, None if it failed.

    Every exception is caught, because an unforeseen one must not block the others for ever.
    """
    try:
        with writing(ground, SYSTEM) as work:
            is_fired = fire(work, due.number, due.case_id)
    except Busy:
        return False
    except Exception as error:  # noqa: BLE001 - see the docstring
        return None if put_off(ground, due, error) else False
    if is_fired:
        FIRED.labels(due.kind).inc()
    return is_fired


def put_off(ground: Ground, due: Due, error: Exception) -> bool:
    """Postpone a deadline that failed, log it, and return whether it was still there.

    The log has the deadline's number, which means nothing without the database.
    """
    with ground.database.writing() as session:
        failures = deadline_actions.put_off(session, due, ground.time(session))
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
