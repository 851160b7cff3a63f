"""Commands in processes of their own, which begin with everything imported.

A command imports for more than a second and works for a fifth of one, and the tests give
hundreds. So each is forked from a process that imported all of it and runs nothing: what
runs has memory, environment, folder and files of its own, as if it had been started. What
is served, measured or killed is started, as anybody would.
"""

import os
import runpy
import subprocess
import sys
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import NamedTuple

from app.cli import PROGRAMS
from tests.torture.service import WARM


class Typed(NamedTuple):
    """A command as it is typed: the program and its words, what is set, and where."""

    words: list[str]
    env: dict[str, str]
    cwd: Path


def run(typed: Typed, seconds: float, given: str = "") -> subprocess.CompletedProcess[str]:
    """Run a command to its end; raises TimeoutExpired, and kills it, where that is late."""
    with (
        NamedTemporaryFile("w+", encoding="utf-8") as read,
        NamedTemporaryFile("r", encoding="utf-8") as said,
        NamedTemporaryFile("r", encoding="utf-8") as complained,
    ):
        read.write(given)
        read.flush()
        files = (read.name, said.name, complained.name)
        process = WARM.Process(target=perform, args=(typed, files), daemon=True)
        process.start()
        process.join(seconds)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired(typed.words, seconds)
        return subprocess.CompletedProcess(
            typed.words, process.exitcode, said.read(), complained.read()
        )


def perform(typed: Typed, files: tuple[str, str, str]) -> None:
    """Be the command, in the process that was forked."""
    for stream, name in enumerate(files):
        file = os.open(name, os.O_WRONLY if stream else os.O_RDONLY)
        os.dup2(file, stream)
        os.close(file)
    sys.stdin = os.fdopen(0, closefd=False)  # the library gives a child another, empty one
    os.environ.clear()
    os.environ.update(typed.env)
    os.chdir(typed.cwd)
    sys.argv[:] = typed.words
    for program in ("commands", *PROGRAMS.values()):  # run, and not what was imported
        sys.modules.pop(f"app.cli.{program}", None)
    runpy.run_path(typed.words[0], run_name="__main__")
