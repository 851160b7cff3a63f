"""Commands in processes of their own, which begin with everything imported.

A command imports for more than a second and works for a fifth of one, and the tests give
hundreds. So one process imports all of it, runs nothing, and forks for each command: what
runs has memory, environment, folder and files of its own, as if it had been started. What
is served, measured or killed is started, as anybody would.
"""

import gc
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
from functools import cache
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryFile
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).parents[1]
PROGRAM: Final = "app.cli.commands"
FILES: Final = 3
"""What a process reads, says, and complains to."""


class Typed(NamedTuple):
    """A command as it is typed: the program and its words, what is set, and where."""

    words: list[str]
    env: dict[str, str]
    cwd: str


def run(typed: Typed, seconds: float) -> subprocess.CompletedProcess[str]:
    """Run a command to its end; raises TimeoutExpired, and kills it, where that is late."""
    ours, theirs = socket.socketpair()
    with (
        Path(os.devnull).open() as nothing,
        TemporaryFile("w+") as said,
        TemporaryFile("w+") as complained,
        ours,
        ours.makefile() as told,
    ):
        with theirs:
            files = [file.fileno() for file in (nothing, said, complained, theirs)]
            socket.send_fds(forking().way, [b"."], files)
        ours.sendall(f"{json.dumps(typed)}\n".encode())
        process = int(told.readline())
        ours.settimeout(seconds)
        try:
            code = int(told.readline())
        except TimeoutError:
            os.kill(process, signal.SIGKILL)
            raise subprocess.TimeoutExpired(typed.words, seconds) from None
        said.seek(0)
        complained.seek(0)
        return subprocess.CompletedProcess(
            typed.words, code, said.read(), complained.read()
        )


class Forking(NamedTuple):
    """The process that forks, and how it is asked: when it cannot be any more, it ends."""

    process: subprocess.Popen[bytes]
    way: socket.socket


@cache
def forking() -> Forking:
    """Start it once."""
    ours, theirs = socket.socketpair()
    with theirs:
        command = [sys.executable, "-m", "tests.warm", str(theirs.fileno())]
        process = subprocess.Popen(command, cwd=ROOT, pass_fds=[theirs.fileno()])
    return Forking(process, ours)


def end() -> None:
    """Let it end, if it was started."""
    if forking.cache_info().currsize:
        forking().way.close()
        forking().process.wait()
        forking.cache_clear()


def asked(way: socket.socket) -> Typed:
    """Fork for each command; return in the process that is to run it, and there alone."""
    while True:
        one, files, _, _ = socket.recv_fds(way, 1, FILES + 1)
        if not one:
            sys.exit()
        *standard, told = files
        if not os.fork():
            return attended(standard, told)
        for file in files:
            os.close(file)


def attended(standard: list[int], told: int) -> Typed:
    """Fork once more; the parent tells which process that is, and how it ended."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    with socket.socket(fileno=told) as way, way.makefile("rw") as talk:
        typed = Typed(*json.loads(talk.readline()))
        if process := os.fork():
            print(process, file=talk, flush=True)
            _, status = os.waitpid(process, 0)
            print(os.waitstatus_to_exitcode(status), file=talk, flush=True)
            os._exit(0)
    for place, file in enumerate(standard):
        os.dup2(file, place)
        os.close(file)
    return typed


def main(way: int) -> None:
    """Import all, then fork; in each process that is forked, do what was typed."""
    import_module(PROGRAM)
    del sys.modules[PROGRAM]  # it is what is run, not what was imported
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(fileno=way) as asking:
        typed = asked(asking)
    os.environ.clear()
    os.environ.update(typed.env)
    os.chdir(typed.cwd)
    sys.argv[:] = typed.words
    runpy.run_path(typed.words[0], run_name="__main__")


if __name__ == "__main__":
    main(int(sys.argv[1]))
