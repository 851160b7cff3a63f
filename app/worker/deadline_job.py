"""The job that handles missed deadlines, each in a transaction of its own (R55).

A query without locks finds the deadlines that are due by the clock of the database. Each
deadline is checked again once its case is locked. It is therefore handled only once, even
if the clocks of the machines differ or several workers run.
"""

from dataclasses import dataclass
from typing import Final

import structlog

from app.access import passkey_actions, session_queries, sessions
from app.access import queries as access_queries
from app.access.approvals import expire_unanswered
from app.casework.overdue import handle_missed_deadline
from app.deadlines import actions as deadline_actions
from app.deadlines import missed_deadlines
from app.deadlines.missed_deadlines import DueClock
from app.kernel.actors import SYSTEM
from app.kernel.database_errors import describe_error
from app.kernel.problems import Busy
from app.kernel.transactions import Runtime, begin_read, begin_write
from app.metrics.counters import FAILED, HANDLED

log = structlog.get_logger("safe_conduct.worker")
BATCH: Final = 200


@dataclass(frozen=True)
class HandledCounts:
    """The numbers of deadlines that one run handled, skipped or failed to handle.

    `left` counts deadlines that were skipped, because another worker had locked or handled
    them, because they had changed, or because the person is still travelling.
    """

    fired: int = 0
    left: int = 0
    failed: int = 0

    @property
    def found(self) -> int:
        """The number of deadlines that the run found."""
        return self.fired + self.left + self.failed


def handle_missed_deadlines(runtime: Runtime, limit: int = BATCH) -> HandledCounts:
    """Handle missed deadlines, each in its own transaction, the longest overdue first.

    Then handle the deadlines of offices that are no longer active, because nobody there can
    act. Each of the two steps handles at most `limit` deadlines. A deadline that could not
    be handled is postponed and logged.
    """
    with runtime.database.begin_read() as session:
        now = runtime.time(session)
        overdue = missed_deadlines.list_overdue(session, now, limit)
        abandoned = missed_deadlines.list_abandoned(session, now, limit)
    due = dict.fromkeys((*overdue, *abandoned))
    outcomes = [handle_deadline(runtime, each) for each in due]
    counts = [outcomes.count(outcome) for outcome in (True, False, None)]
    return HandledCounts(*counts)


def expire_questions(runtime: Runtime) -> int:
    """Expire unanswered approval requests that belong to no case; return their number.

    The sealed requests of all approvals that have expired are deleted.
    """
    with begin_read(runtime, SYSTEM) as tx:
        session, now = tx.session, runtime.time(tx.session)
        found = access_queries.has_unanswered(session, now)
        if not found and not access_queries.has_ended_request(session, now):
            return 0
    with begin_write(runtime, SYSTEM) as tx:
        return expire_unanswered(tx)


def delete_old_sessions(runtime: Runtime) -> int:
    """Delete the sessions that expired more than a week ago; return their number."""
    with runtime.database.begin_read() as session:
        if not session_queries.has_old_session(session, runtime.time(session)):
            return 0
    with runtime.database.begin_write() as session:
        return sessions.delete_old_sessions(session, runtime.time(session))


def delete_used_challenges(runtime: Runtime) -> None:
    """Delete used challenges and enrolments that expired long enough ago."""
    with runtime.database.begin_read() as session:
        if not passkey_actions.has_outdated(session, runtime.time(session)):
            return
    with runtime.database.begin_write() as session:
        passkey_actions.delete_outdated(session, runtime.time(session))


def handle_deadline(runtime: Runtime, due: DueClock) -> bool | None:
    """Handle one deadline; return False if it was skipped, or None if it was postponed.

    Every exception is caught, because one deadline must not block the others. After an
    exception, the deadline is postponed or, if it has changed in the meantime, skipped.
    """
    try:
        with begin_write(runtime, SYSTEM) as tx:
            is_fired = handle_missed_deadline(tx, due.number, due.case_id)
    except Busy:
        return False
    except Exception as error:  # noqa: BLE001 - see the docstring
        return None if retry_later(runtime, due, error) else False
    if is_fired:
        HANDLED.labels(due.kind).inc()
    return is_fired


def retry_later(runtime: Runtime, due: DueClock, error: Exception) -> bool:
    """Postpone and log a deadline after an error; return False if it has changed."""
    with runtime.database.begin_write() as session:
        failures = deadline_actions.retry_later(session, due, runtime.time(session))
    if not failures:
        return False
    FAILED.labels(due.kind).inc()
    log.error(
        "clock.failed",
        clock=due.number,
        kind=due.kind,
        failures=failures,
        **describe_error(error),
    )
    return True
