"""One life of the service: a child of a warm process, which runs the command itself.

The command line takes two seconds of processor time to be imported, more than a life here
lasts. So one process imports it, connects to nothing, and is forked for each life; what
runs then is what `safe-conduct serve` and `safe-conduct worker run` run.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from multiprocessing import get_context
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Final
from unittest.mock import patch

from sqlalchemy.orm import Session, configure_mappers

from app.cli import commands, grounds, operating
from app.clock import utc_now
from app.ground import lay_ground
from app.kernel.db import database_now
from tests.torture.planted import PLANTS

WARM: Final = get_context("forkserver")
"""Where children come from: a process with one thread and nothing open."""
WARM.set_forkserver_preload(
    [
        *("tests.torture.service", "uvicorn.loops.uvloop", "uvicorn.lifespan.on"),
        *("tests.support.servers", "pytest"),  # of the children of tests
    ]
)
configure_mappers()


@dataclass(frozen=True)
class Orders:
    """How a process of the service is to live: its settings, its clock, a fault in it."""

    environment: Mapping[str, str]
    log: Path
    wrong_by: int = 0
    """Seconds by which the clock of the machine is wrong."""
    plant: str | None = None


def begin(orders: Orders, run: str) -> ForkServerProcess:
    """Start a process that serves or works until something ends it."""
    process = WARM.Process(target=live, args=(orders, run), daemon=True)
    process.start()
    return process


def live(orders: Orders, run: str) -> None:
    """Be the command, with its settings in the environment and its lines in a file."""
    log = os.open(orders.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    for stream in (1, 2):
        os.dup2(log, stream)
    os.environ.update(orders.environment)
    if orders.wrong_by:
        set_clock(timedelta(seconds=orders.wrong_by))
    if orders.plant:
        PLANTS[orders.plant]()
    {"serve": commands.serve, "work": operating.run_worker}[run]()


def set_clock(off: timedelta) -> None:
    """Let the machine's clock be wrong; on SQLite that is the database's clock too."""

    def clock() -> datetime:
        return utc_now() + off

    def time(session: Session) -> datetime:
        sqlite = session.get_bind().dialect.name == "sqlite"
        return database_now(session) + (off if sqlite else timedelta())

    patch.object(grounds, "lay_ground", partial(lay_ground, clock=clock, time=time)).start()
