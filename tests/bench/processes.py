"""Processes that run on a chosen core, and their use of CPU and memory."""

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
"""Servers have the first core to themselves. Clients and PostgreSQL share the last."""
BY_SCHEDULER: Final = 2
"""CPUCLOCK_SCHED, the clock of the scheduler in nanoseconds."""
PATIENCE: Final = 60.0
HOST: Final = "127.0.0.1"


@contextmanager
def on_core(core: int) -> Iterator[None]:
    """Pin this process and its child processes to one core while the context is active."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def read_stat(pid: int) -> list[str]:
    """Return the fields in the `stat` file of a process, beginning with its state."""
    return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()


def measure_cpu(pid: int) -> float:
    """Return the seconds of CPU that a process has used, including ended threads.

    The value comes from the CPU clock of the process, as in clock_getcpuclockid(3). The
    unit of /proc is a hundredth of a second, which is too coarse for some loads.
    """
    return time.clock_gettime((~pid << 3) | BY_SCHEDULER)


def measure_family_cpu(pid: int) -> float:
    """Return the seconds of CPU of a process and all its children, ended or running."""
    fields = read_stat(pid)
    ended = (int(fields[13]) + int(fields[14])) / TICKS
    return measure_cpu(pid) + ended + sum(map(measure_cpu_or_zero, list_children(pid)))


def measure_cpu_or_zero(pid: int) -> float:
    """Return the seconds of CPU that a process has used, or 0 if it has just ended."""
    try:
        return measure_cpu(pid)
    except OSError:
        return 0.0


def list_children(pid: int) -> list[int]:
    """Return the ids of the child processes of a single-threaded process."""
    listed = (PROC / str(pid) / "task" / str(pid) / "children").read_text()
    return [int(child) for child in listed.split()]


def measure_memory(pid: int) -> float:
    """Return the megabytes of main memory that a process uses."""
    pages = int((PROC / str(pid) / "statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


def find_free_port() -> int:
    """Return a port that is free at this time."""
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        port: int = listener.getsockname()[1]
        return port


@contextmanager
def run_program(
    command: Sequence[str | Path], core: int, log: Path, root: Path = ROOT, **more: str
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program of a working tree on one core while the context is open.

    The output is appended to `log`. The program may write bytecode, as an installed program
    does. `root` is the folder of the working tree whose modules are imported.
    """
    env = os.environ | {"PYTHONPATH": str(root)} | more
    env.pop("PYTHONDONTWRITEBYTECODE", None)
    with log.open("ab") as file, on_core(core):
        process = subprocess.Popen(command, cwd=root, env=env, stdout=file, stderr=file)
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
    process: subprocess.Popen[bytes], is_ready: Callable[[], object], log: Path
) -> float:
    """Wait until a process is ready, and return the waiting time in seconds.

    Raises WrongAnswer if the process ends, or is not ready after `PATIENCE` seconds.
    """
    began = time.perf_counter()
    while (passed := time.perf_counter() - began) < PATIENCE:
        if process.poll() is not None:
            raise WrongAnswer(f"The process ended:\n{log.read_text('utf-8')[-2000:]}")
        try:
            is_ready()
        except (OSError, WrongAnswer):
            time.sleep(0.02)
        else:
            return passed
    raise WrongAnswer(f"The process is not ready after {PATIENCE:.0f} seconds: {log}")
