"""The worker as a process of its own, or beside what serves."""

import signal
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from datetime import timedelta
from threading import Event
from typing import Final

from app.cli.grounds import NotReady, alone, exposing, ground_of, log_drill
from app.cli.posting import courier_of, senders_of
from app.cli.readiness import log_unknown_settings, log_warnings, must_be_ready
from app.kernel.heartbeat import Part
from app.kernel.ledger import Ledger
from app.kernel.work import Ground
from app.settings import Settings
from app.worker.alarms import raising_alarms
from app.worker.erasing import after_erasures
from app.worker.loop import CLOCKS, Job, working
from app.worker.overseeing import overseeing
from app.worker.pushing import pushing
from app.worker.sending import sending

ALL: Final = frozenset(Part)
WAKES_EVERY: Final = 1.0
"""Seconds between two looks whether a signal came."""


def jobs_of(
    ground: Ground, ledger: Ledger, settings: Settings, parts: Collection[Part] = ALL
) -> tuple[Job, ...]:
    """List the jobs of some parts; raises NotReady for settings that do not go together."""
    delay = timedelta(seconds=settings.webhook_delay_seconds)
    make: dict[Part, Callable[[], Job]] = {
        Part.CLOCKS: lambda: overseeing(CLOCKS),
        Part.NOTICES: lambda: sending(senders_of(settings)),
        Part.WEBHOOKS: lambda: pushing(courier_of(settings), delay),
        Part.ERASURES: lambda: after_erasures(ground, ledger),
    }
    return tuple(make[part]() for part in make if part in parts)


def choose_parts(only: Collection[Part], without: Collection[Part]) -> frozenset[Part]:
    """Return the parts that a worker does; raises NotReady if none is left."""
    parts = frozenset(only or ALL) - frozenset(without)
    if not parts:
        raise NotReady("Nothing is left to do: name fewer parts after --without.")
    return parts


def run(settings: Settings, parts: Collection[Part] = ALL) -> None:
    """Work until told to end, by SIGTERM or Ctrl-C; what was begun is finished."""
    told = Event()
    for end in (signal.SIGTERM, signal.SIGINT):
        signal.signal(end, lambda *_: told.set())
    ground, ledger = ground_of(settings), Ledger(settings.erasure_ledger)
    log_drill(ground)
    log_unknown_settings()
    with alone(settings.database_url):
        log_warnings(must_be_ready(ground, ledger, settings))
        ledger.start(ground)
        jobs = jobs_of(ground, ledger, settings, parts)
        with (
            exposing(ground, settings),
            raising_alarms(ground),
            working(ground, jobs),
        ):
            wait_for(told)
    ground.database.engine.dispose()


def wait_for(told: Event) -> None:
    """Wait until a signal has set the event.

    After a pause (SIGSTOP, SIGCONT) the system may hand a signal to another thread. Its
    handler runs once the main thread wakes up, which it has to do by itself.
    """
    while not told.wait(WAKES_EVERY):
        pass


@contextmanager
def beside(ground: Ground, ledger: Ledger, settings: Settings) -> Iterator[None]:
    """Work in the process that serves, where the settings say so."""
    jobs = jobs_of(ground, ledger, settings) if settings.works_inside else ()
    with raising_alarms(ground), working(ground, jobs):
        yield
