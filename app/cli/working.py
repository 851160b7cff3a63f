"""The worker as a process of its own, or beside what serves."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event

from app.cli.posting import senders_of
from app.cli.serving import alone, exposing, ground_of, must_be_ready
from app.kernel.work import Ground
from app.settings import Settings
from app.worker.loop import CLOCKS, Job, working
from app.worker.sending import sending


def jobs_of(settings: Settings) -> tuple[Job, ...]:
    """Name what a worker does; raises NotReady for settings that do not go together."""
    return CLOCKS, sending(senders_of(settings))


def run(settings: Settings) -> None:
    """Work until told to end, by SIGTERM or Ctrl-C; what was begun is finished."""
    told = Event()
    for end in (signal.SIGTERM, signal.SIGINT):
        signal.signal(end, lambda *_: told.set())
    ground = ground_of(settings)
    with alone(settings.database_url):
        must_be_ready(ground)
        with exposing(ground, settings), working(ground, jobs_of(settings)):
            told.wait()
    ground.database.engine.dispose()


@contextmanager
def beside(ground: Ground, settings: Settings) -> Iterator[None]:
    """Work in the process that serves, where the settings say so."""
    if not settings.works_inside:
        yield
        return
    with working(ground, jobs_of(settings)):
        yield
