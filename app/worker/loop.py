"""The worker: jobs that are done again and again, each in a thread of its own.

A job that hangs or fails delays no other. What goes wrong is logged, and tried again: a
worker that dies in silence would be the commonest way to lose a person (R55, R57).
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event, Thread
from typing import Final

import structlog

from app.kernel.heartbeat import Part, beat
from app.kernel.trouble import described
from app.kernel.work import Ground
from app.worker.firing import BATCH, fire_due, lapse_questions

log = structlog.get_logger("safe_conduct.worker")
PAUSE: Final = 1.0
"""Seconds between two looks that found little; after a full one there is none."""
LONGEST_PAUSE: Final = 30.0
"""Seconds between two tries while the database cannot be reached."""
LEAVE: Final = 20.0
"""Seconds that a job is given to finish what it has begun when the worker ends."""


@dataclass(frozen=True)
class Job:
    """Something to do again and again; `work` says how much there was to do."""

    part: Part
    work: Callable[[Ground], int]
    full: int


def fire_clocks(ground: Ground) -> int:
    """Fire what ran out, and say how much that was.

    A look that only found what others have in hand did nothing: that is said to who debugs.
    """
    fired = fire_due(ground)
    if fired.found:
        say = log.info if fired.fired or fired.failed else log.debug
        say("clocks", fired=fired.fired, left=fired.left, failed=fired.failed)
    return fired.fired + lapse_questions(ground)


CLOCKS: Final = Job(Part.CLOCKS, fire_clocks, BATCH)


def once(ground: Ground, job: Job) -> int:
    """Do a job once, and say that it was done."""
    found = job.work(ground)
    with ground.database.writing() as session:
        beat(session, job.part, ground.time(session))
    return found


def keep_at(ground: Ground, job: Job, stop: Event) -> None:
    """Do a job until told to stop; what fails is tried again, ever later.

    Whatever it is that fails: a thread that ended would work for nobody, and say nothing.
    """
    failures, pause = 0, 0.0
    while not stop.wait(pause):
        try:
            found = once(ground, job)
        except Exception as error:  # noqa: BLE001 - see above
            failures += 1
            pause = min(PAUSE * 2 ** min(failures, 10), LONGEST_PAUSE)
            told = described(error.__cause__ or error)
            log.error("worker.failed", part=job.part, failures=failures, **told)  # noqa: TRY400 - a message may repeat what was written
        else:
            failures, pause = 0, 0.0 if found >= job.full else PAUSE


@contextmanager
def working(ground: Ground, jobs: Sequence[Job]) -> Iterator[Event]:
    """Work beside what the block does; at its end, finish what was begun and no more."""
    stop = Event()
    threads = [
        Thread(target=keep_at, args=(ground, job, stop), name=job.part, daemon=True)
        for job in jobs
    ]
    parts = [job.part for job in jobs]
    for thread in threads:
        thread.start()
    log.info("worker.begun", parts=parts)
    try:
        yield stop
    finally:
        stop.set()
        end(threads)


def end(threads: Sequence[Thread]) -> None:
    """Give every job its time to finish, and say which did not.

    What such a one had begun is undone by the database, and done by the next worker.
    """
    for thread in threads:
        thread.join(LEAVE)
    unfinished = [thread.name for thread in threads if thread.is_alive()]
    say = log.warning if unfinished else log.info
    say("worker.ended", unfinished=unfinished)
