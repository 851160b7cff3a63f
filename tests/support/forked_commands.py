"""Commands that run in forked processes, in which every module is already imported.

A command takes more than a second to import its modules and a fifth of a second to run, and
the tests run hundreds of commands. Each command is therefore forked from an idle process
that has imported every module. Like a program started from a shell, a command has its own
memory, environment, folder and files. Programs that serve, are measured or are killed are
not forked.
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


class Command(NamedTuple):
    """A command line, its environment variables and its working directory."""

    words: list[str]
    env: dict[str, str]
    cwd: Path


def run(
    typed: Command, seconds: float, given: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run a command with the input `given`, and return its exit code and its output.

    A command that takes longer than `seconds` is killed, and `TimeoutExpired` is raised.
    """
    with (
        NamedTemporaryFile("w+", encoding="utf-8") as read,
        NamedTemporaryFile("r", encoding="utf-8") as said,
        NamedTemporaryFile("r", encoding="utf-8") as complained,
    ):
        read.write(given)
        read.flush()
        files = (read.name, said.name, complained.name)
        process = WARM.Process(target=run_here, args=(typed, files), daemon=True)
        process.start()
        process.join(seconds)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired(typed.words, seconds)
        return subprocess.CompletedProcess(
            typed.words, process.exitcode, said.read(), complained.read()
        )


def run_here(typed: Command, files: tuple[str, str, str]) -> None:
    """Run the command in the forked process."""
    for stream, name in enumerate(files):
        file = os.open(name, os.O_WRONLY if stream else os.O_RDONLY)
        os.dup2(file, stream)
        os.close(file)
    sys.stdin = os.fdopen(0, closefd=False)  # multiprocessing gives a child an empty one
    os.environ.clear()
    os.environ.update(typed.env)
    os.chdir(typed.cwd)
    sys.argv[:] = typed.words
    for program in (
        "commands",
        *PROGRAMS.values(),
    ):  # run the file, not the imported module
        sys.modules.pop(f"app.cli.{program}", None)
    runpy.run_path(typed.words[0], run_name="__main__")
