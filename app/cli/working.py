"""The worker as a process of its own, and what an operator sees of it."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event

from app.cli.posting import senders_of
from app.cli.serving import alone, ground_of, must_be_ready
from app.deadlines.keeping import LATE_AFTER, Keeping, look
from app.kernel.heartbeat import Part
from app.kernel.ledger import Ledger
from app.kernel.work import Ground
from app.settings import Settings
from app.worker.erasing import after_erasures
from app.worker.loop import CLOCKS, Job, working
from app.worker.sending import sending


def jobs_of(ground: Ground, ledger: Ledger, settings: Settings) -> tuple[Job, ...]:
    """Name what a worker does; raises NotReady for settings that do not go together."""
    return CLOCKS, sending(senders_of(settings)), after_erasures(ground, ledger)


def run(settings: Settings) -> None:
    """Work until told to end, by SIGTERM or Ctrl-C; what was begun is finished."""
    told = Event()
    for end in (signal.SIGTERM, signal.SIGINT):
        signal.signal(end, lambda *_: told.set())
    ground, ledger = ground_of(settings), Ledger(settings.erasure_ledger)
    with alone(settings.database_url):
        must_be_ready(ground, ledger)
        ledger.start(ground)
        with working(ground, jobs_of(ground, ledger, settings)):
            told.wait()
    ground.database.engine.dispose()


@contextmanager
def beside(ground: Ground, ledger: Ledger, settings: Settings) -> Iterator[None]:
    """Work in the process that serves, where the settings say so."""
    jobs = jobs_of(ground, ledger, settings) if settings.works_inside else ()
    with working(ground, jobs):
        yield


def kept(ground: Ground) -> Keeping:
    """Look how the clocks are kept."""
    with ground.database.reading() as session:
        return look(session, ground.time(session))


def is_well(keeping: Keeping) -> bool:
    """Say whether nobody has to be called."""
    return not keeping.silent and not keeping.is_late


def told(keeping: Keeping) -> Iterator[str]:
    """Say it in lines."""
    for part in Part:
        at = keeping.beats.get(part)
        ago = f"{(keeping.now - at).total_seconds():.0f} s ago" if at else "never"
        state = "silent" if part in keeping.silent else "alive"
        yield f"{part}: {state}, last heard of {ago}"
    if keeping.oldest is None:
        yield "No clock waits."
    else:
        waits = (keeping.now - keeping.oldest).total_seconds()
        late = "late" if keeping.is_late else "in time"
        yield f"A clock ran out {waits:.0f} s ago: {late} (late after {LATE_AFTER})"
