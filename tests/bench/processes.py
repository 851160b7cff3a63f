"""Processes on a core of their own, and what each has used of it."""

import os
import resource
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.bench.client import WrongAnswer

ROOT: Final = Path(__file__).parents[2]
PROC: Final = Path("/proc")
TICKS: Final = os.sysconf("SC_CLK_TCK")
CORES: Final = sorted(os.sched_getaffinity(0))
SERVERS, CLIENTS = CORES[0], CORES[-1]
"""Servers have the first core for themselves; clients and PostgreSQL share the last."""
BY_SCHEDULER: Final = 2
"""CPUCLOCK_SCHED: in nanoseconds, as the scheduler counts."""
PATIENCE: Final = 60.0
HOST: Final = "127.0.0.1"


@contextmanager
def on_core(core: int) -> Iterator[None]:
    """Stay on one core meanwhile, with every process that is started."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def stat_of(pid: int) -> list[str]:
    """Read what the kernel knows of a process, from its state on."""
    return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()


def cpu_of(pid: int) -> float:
    """Say how many seconds of CPU a process has used, its threads that ended included.

    By its own clock, as clock_getcpuclockid(3) names it: /proc counts in hundredths of a
    second, which is a fifth of what some loads take.
    """
    return time.clock_gettime((~pid << 3) | BY_SCHEDULER)


def cpu_of_family(pid: int) -> float:
    """Say how much CPU a process and its children have used, those that ended included."""
    fields = stat_of(pid)
    ended = (int(fields[13]) + int(fields[14])) / TICKS
    return cpu_of(pid) + ended + sum(map(cpu_if_there, children_of(pid)))


def cpu_if_there(pid: int) -> float:
    """Say how much CPU a process has used; 0 if it has just ended."""
    try:
        return cpu_of(pid)
    except OSError:
        return 0.0


def children_of(pid: int) -> list[int]:
    """List the children of a process that has one thread."""
    listed = (PROC / str(pid) / "task" / str(pid) / "children").read_text()
    return [int(child) for child in listed.split()]


def memory_of(pid: int) -> float:
    """Say how many megabytes of a process are in memory."""
    pages = int((PROC / str(pid) / "statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


def free_port() -> int:
    """Find a port that nobody has at this moment."""
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        port: int = listener.getsockname()[1]
        return port


@contextmanager
def running(
    command: Sequence[str | Path], core: int, says: Path, **more: str
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program of this working tree on a core, as long as the block lasts.

    What it says goes to a file. It may keep bytecode, as it does where it is installed.
    """
    env = os.environ | more
    env.pop("PYTHONDONTWRITEBYTECODE", None)
    with says.open("ab") as file, on_core(core):
        process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=file, stderr=file)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_until(
    process: subprocess.Popen[bytes], is_ready: Callable[[], object], says: Path
) -> float:
    """Wait until a process is ready, and say how many seconds that took."""
    began = time.perf_counter()
    while (passed := time.perf_counter() - began) < PATIENCE:
        if process.poll() is not None:
            raise WrongAnswer(f"It ended:\n{says.read_text('utf-8')[-2000:]}")
        try:
            is_ready()
        except (OSError, WrongAnswer):
            time.sleep(0.02)
        else:
            return passed
    raise WrongAnswer(f"It is not ready after {PATIENCE:.0f} seconds: {says}")
