"""A process of the service, forked from a process that has imported the command line.

The import takes two seconds of CPU, and most processes here run for less time than that.
Therefore one process imports the command line, opens no connection, and is forked for each
start. The child runs the same code as `safe-conduct serve` and `safe-conduct worker run`.
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

from app.cli import commands, operator_commands, startup
from app.clock import get_utc_now
from app.kernel.db import get_database_time
from app.runtime import build_runtime
from tests.torture.planted import PLANTS

WARM: Final = get_context("forkserver")
"""The context whose server process, single-threaded and unconnected, forks children."""
WARM.set_forkserver_preload(
    [
        "tests.torture.service",
        "uvicorn.loops.uvloop",
        "uvicorn.lifespan.on",
        "tests.support.servers",  # for the children of tests
        "pytest",
    ]
)
configure_mappers()


@dataclass(frozen=True)
class ProcessOptions:
    """The settings of a process, the error of its clock, and the fault to plant."""

    environment: Mapping[str, str]
    log: Path
    wrong_by: int = 0
    """Seconds by which the clock of the machine is wrong."""
    plant: str | None = None


def start(options: ProcessOptions, run: str) -> ForkServerProcess:
    """Start a server or worker process that runs until it is stopped."""
    process = WARM.Process(target=run_command, args=(options, run), daemon=True)
    process.start()
    return process


def run_command(options: ProcessOptions, run: str) -> None:
    """Run `serve` or `work` with the given options, and append the output to the log."""
    log = os.open(options.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    for stream in (1, 2):
        os.dup2(log, stream)
    os.environ.update(options.environment)
    if options.wrong_by:
        set_clock(timedelta(seconds=options.wrong_by))
    if options.plant:
        PLANTS[options.plant]()
    {"serve": commands.serve, "work": operator_commands.run_worker}[run]()


def set_clock(off: timedelta) -> None:
    """Shift the service's clock by `off`, and on SQLite also the database's clock."""

    def get_clock() -> datetime:
        return get_utc_now() + off

    def get_time(session: Session) -> datetime:
        sqlite = session.get_bind().dialect.name == "sqlite"
        return get_database_time(session) + (off if sqlite else timedelta())

    patch.object(
        startup, "build_runtime", partial(build_runtime, clock=get_clock, time=get_time)
    ).start()
