"""The worker, as its own process or inside the process that serves HTTP."""

import signal
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from datetime import timedelta
from threading import Event
from typing import Final

from app.cli.grounds import NotReady, claim_sqlite_file, ground_of, log_drill, serve_metrics
from app.cli.posting import build_courier, senders_of
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

ALL_PARTS: Final = frozenset(Part)
WAKE_SECONDS: Final = 1.0
"""Seconds between two checks for a signal."""


def build_jobs(
    runtime: Ground, ledger: Ledger, settings: Settings, parts: Collection[Part] = ALL_PARTS
) -> tuple[Job, ...]:
    """Return the jobs of some parts; raises NotReady if settings are not consistent."""
    delay = timedelta(seconds=settings.webhook_delay_seconds)
    make: dict[Part, Callable[[], Job]] = {
        Part.CLOCKS: lambda: overseeing(CLOCKS),
        Part.NOTICES: lambda: sending(senders_of(settings)),
        Part.WEBHOOKS: lambda: pushing(build_courier(settings), delay),
        Part.ERASURES: lambda: after_erasures(runtime, ledger),
    }
    return tuple(make[part]() for part in make if part in parts)


def choose_parts(only: Collection[Part], without: Collection[Part]) -> frozenset[Part]:
    """Return the parts that a worker runs; raises NotReady if none is left."""
    parts = frozenset(only or ALL_PARTS) - frozenset(without)
    if not parts:
        raise NotReady("No part is left to run. Use --without for fewer parts.")
    return parts


def run(settings: Settings, parts: Collection[Part] = ALL_PARTS) -> None:
    """Run the worker until SIGTERM or Ctrl-C; tasks that began are finished."""
    stopped = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    runtime, ledger = ground_of(settings), Ledger(settings.erasure_ledger)
    log_drill(runtime)
    log_unknown_settings()
    with claim_sqlite_file(settings.database_url):
        log_warnings(must_be_ready(runtime, ledger, settings))
        ledger.start(runtime)
        jobs = build_jobs(runtime, ledger, settings, parts)
        with (
            serve_metrics(runtime, settings),
            raising_alarms(runtime),
            working(runtime, jobs),
        ):
            wait_for(stopped)
    runtime.database.engine.dispose()


def wait_for(event: Event) -> None:
    """Wait until a signal handler sets the event.

    The main thread wakes up every second, because after a pause (SIGSTOP, SIGCONT) the
    system may deliver a signal to another thread, and the handler runs in the main thread.
    """
    while not event.wait(WAKE_SECONDS):
        pass


@contextmanager
def run_inside(runtime: Ground, ledger: Ledger, settings: Settings) -> Iterator[None]:
    """Run the worker in the process that serves HTTP, if the settings include it."""
    jobs = build_jobs(runtime, ledger, settings) if settings.works_inside else ()
    with raising_alarms(runtime), working(runtime, jobs):
        yield
