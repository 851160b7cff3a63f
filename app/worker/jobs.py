"""The worker: jobs that run repeatedly, each in a thread of its own.

A job that hangs or fails does not delay the others. An error is logged and the job runs
again, because missed deadlines are handled only while the worker runs (R55, R57).
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event, Thread
from typing import Final

import structlog

from app.kernel.database_errors import describe_error
from app.kernel.heartbeat import Part, record_heartbeat
from app.kernel.transactions import Runtime
from app.worker.deadline_job import (
    BATCH,
    delete_old_sessions,
    delete_used_challenges,
    expire_questions,
    handle_missed_deadlines,
)
from app.worker.draft_job import delete_expired_drafts

log = structlog.get_logger("safe_conduct.worker")
PAUSE: Final = 1.0
"""Seconds between two runs. After a run with a full batch there is no pause."""
LONGEST_PAUSE: Final = 30.0
"""The maximum number of seconds between two runs after errors."""
STOP_TIMEOUT: Final = 20.0
"""Seconds that each job has to finish its current run when the worker stops."""


@dataclass(frozen=True)
class Job:
    """A job that runs repeatedly; `run` returns the number of items that it handled."""

    part: Part
    run: Callable[[Runtime], int]
    batch_size: int


def handle_deadlines(runtime: Runtime) -> int:
    """Handle missed deadlines, and expire approval requests and form drafts.

    Returns the number of items that were handled or expired. Old sessions, used challenges
    and old enrolments are deleted too, but are not counted.
    """
    delete_old_sessions(runtime)
    delete_used_challenges(runtime)
    fired = handle_missed_deadlines(runtime)
    if fired.found:
        say = log.info if fired.fired or fired.failed else log.debug
        say("clocks", fired=fired.fired, left=fired.left, failed=fired.failed)
    return fired.fired + expire_questions(runtime) + delete_expired_drafts(runtime)


DEADLINE_JOB: Final = Job(Part.CLOCKS, handle_deadlines, BATCH)


def run_once(runtime: Runtime, job: Job) -> int:
    """Run a job once, record its heartbeat, and return the number of handled items."""
    found = job.run(runtime)
    with runtime.database.begin_write() as session:
        record_heartbeat(session, job.part, runtime.time(session))
    return found


def run_repeatedly(runtime: Runtime, job: Job, stop: Event) -> None:
    """Run a job repeatedly until `stop` is set, with increasing pauses after errors.

    Every exception is caught, because otherwise the thread would end and the job would
    never run again.
    """
    failures, pause = 0, 0.0
    while not stop.wait(pause):
        try:
            found = run_once(runtime, job)
        except Exception as error:  # noqa: BLE001 - see the docstring
            failures += 1
            pause = min(PAUSE * 2 ** min(failures, 10), LONGEST_PAUSE)
            details = describe_error(error.__cause__ or error)
            log.error("worker.failed", part=job.part, failures=failures, **details)  # noqa: TRY400 - the message may contain data
        else:
            failures, pause = 0, 0.0 if found >= job.batch_size else PAUSE


@contextmanager
def start_jobs(runtime: Runtime, jobs: Sequence[Job]) -> Iterator[Event]:
    """Run jobs in threads while the block runs, then wait for their current runs to end."""
    stop = Event()
    threads = [
        Thread(target=run_repeatedly, args=(runtime, job, stop), name=job.part, daemon=True)
        for job in jobs
    ]
    for thread in threads:
        thread.start()
    log.info("worker.begun", parts=[job.part for job in jobs])
    try:
        yield stop
    finally:
        stop.set()
        wait_for_jobs(threads)


def wait_for_jobs(threads: Sequence[Thread]) -> None:
    """Wait for every job to finish its run, and log the jobs that did not finish in time.

    Unfinished work is rolled back by the database, and is repeated by the next worker.
    """
    for thread in threads:
        thread.join(STOP_TIMEOUT)
    unfinished = [thread.name for thread in threads if thread.is_alive()]
    say = log.warning if unfinished else log.info
    say("worker.ended", unfinished=unfinished)
