"""The worker, in a process of its own or in the process that serves HTTP."""

import signal
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from datetime import timedelta
from threading import Event
from typing import Final

from app.cli.readiness import log_unknown_settings, log_warnings, require_ready
from app.cli.sender_wiring import build_courier, build_senders
from app.cli.startup import (
    NotReady,
    claim_sqlite_file,
    load_runtime,
    log_drill,
    serve_metrics,
)
from app.kernel.heartbeat import Part
from app.kernel.ledger import Ledger
from app.kernel.transactions import Runtime
from app.settings import Settings
from app.worker.alarms import start_alarms
from app.worker.erasure_job import create_erasure_job
from app.worker.figures_job import create_figures_job
from app.worker.jobs import DEADLINE_JOB, Job, start_jobs
from app.worker.outbox_job import create_send_job
from app.worker.oversight_job import add_oversight
from app.worker.webhook_job import create_webhook_job

ALL_PARTS: Final = frozenset(Part)
WAKE_SECONDS: Final = 1.0
"""Seconds between two checks for a signal."""


def build_jobs(
    runtime: Runtime,
    ledger: Ledger,
    settings: Settings,
    parts: Collection[Part] = ALL_PARTS,
) -> tuple[Job, ...]:
    """Return the jobs of the given parts, or raise NotReady for inconsistent settings."""
    delay = timedelta(seconds=settings.webhook_delay_seconds)
    make: dict[Part, Callable[[], Job]] = {
        Part.CLOCKS: lambda: add_oversight(DEADLINE_JOB),
        Part.NOTICES: lambda: create_send_job(build_senders(settings)),
        Part.WEBHOOKS: lambda: create_webhook_job(build_courier(settings), delay),
        Part.ERASURES: lambda: create_erasure_job(runtime, ledger),
        Part.FIGURES: create_figures_job,
    }
    return tuple(make[part]() for part in make if part in parts)


def choose_parts(only: Collection[Part], without: Collection[Part]) -> frozenset[Part]:
    """Return the parts that a worker runs, or raise NotReady if no part is left."""
    parts = frozenset(only or ALL_PARTS) - frozenset(without)
    if not parts:
        raise NotReady("No part is left to run. Exclude fewer parts with --without.")
    return parts


def run(settings: Settings, parts: Collection[Part] = ALL_PARTS) -> None:
    """Run the worker until SIGTERM or Ctrl-C. Tasks that have begun are finished."""
    stopped = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    runtime, ledger = load_runtime(settings), Ledger(settings.erasure_ledger)
    log_drill(runtime)
    log_unknown_settings()
    with claim_sqlite_file(settings.database_url):
        log_warnings(require_ready(runtime, ledger, settings))
        ledger.start(runtime)
        jobs = build_jobs(runtime, ledger, settings, parts)
        with (
            serve_metrics(runtime, settings),
            start_alarms(runtime),
            start_jobs(runtime, jobs),
        ):
            wait_for(stopped)
    runtime.database.engine.dispose()


def wait_for(event: Event) -> None:
    """Wait until a signal handler sets the event.

    The main thread checks for signals every second, because after a pause (SIGSTOP,
    SIGCONT) the system may deliver a signal to another thread.
    """
    while not event.wait(WAKE_SECONDS):
        pass


@contextmanager
def run_inside(runtime: Runtime, ledger: Ledger, settings: Settings) -> Iterator[None]:
    """Run the alarms and, if `settings.works_inside` is set, the worker in this process."""
    jobs = build_jobs(runtime, ledger, settings) if settings.works_inside else ()
    with start_alarms(runtime), start_jobs(runtime, jobs):
        yield
