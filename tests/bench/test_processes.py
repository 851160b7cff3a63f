"""Tests of the functions that run processes on a core, and measure their CPU and memory."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.bench.client import WrongAnswer
from tests.bench.processes import (
    CORES,
    measure_cpu,
    measure_family_cpu,
    measure_memory,
    on_core,
    run_program,
    wait_until,
)

BUSY = """
import sys, threading, time
def burn():
    end = time.process_time() + 0.2
    while time.process_time() < end:
        pass
thread = threading.Thread(target=burn)
thread.start()
thread.join()
print("done", flush=True)
sys.stdin.read()
"""


def start(program: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", program]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, text=True, stdin=pipe, stdout=pipe)


def test_cpu_includes_ended_threads() -> None:
    with start(BUSY) as process:
        assert process.stdout
        assert process.stdin
        assert process.stdout.readline() == "done\n"
        used = measure_cpu(process.pid)
        later = measure_cpu(process.pid)
        process.stdin.close()

    assert 0.2 <= used < 5
    assert later - used < 0.05  # the process is idle


def test_family_cpu_includes_ended_children() -> None:
    before = measure_family_cpu(os.getpid())

    with start(BUSY) as process:
        assert process.stdout
        assert process.stdin
        process.stdout.readline()
        assert measure_family_cpu(os.getpid()) - before >= 0.2
        process.stdin.close()

    assert measure_family_cpu(os.getpid()) - before >= 0.2


def test_program_runs_on_given_core(tmp_path: Path) -> None:
    core = CORES[-1]
    wait = [sys.executable, "-c", "import time; time.sleep(60)"]

    with run_program(wait, core, tmp_path / "log") as process:
        assert os.sched_getaffinity(process.pid) == {core}

    assert process.poll() is not None
    assert 10 < measure_memory(os.getpid()) < 10_000
    assert os.sched_getaffinity(0) == set(CORES)


def test_on_core_restores_affinity() -> None:
    with on_core(CORES[0]):
        assert os.sched_getaffinity(0) == {CORES[0]}

    assert os.sched_getaffinity(0) == set(CORES)


def test_ended_server_raises_with_its_log(tmp_path: Path) -> None:
    log = tmp_path / "log"

    def fail() -> None:
        raise ConnectionRefusedError

    with (
        run_program(
            [sys.executable, "-c", "raise SystemExit('no key')"], CORES[0], log
        ) as it,
        pytest.raises(WrongAnswer, match="no key"),
    ):
        wait_until(it, fail, log)


def test_wait_until_returns_seconds(tmp_path: Path) -> None:
    ready_at = time.perf_counter() + 0.2
    wait = [sys.executable, "-c", "import time; time.sleep(60)"]

    def connect() -> None:
        if time.perf_counter() < ready_at:
            raise ConnectionRefusedError

    with run_program(wait, CORES[0], tmp_path / "log") as process:
        assert 0.1 < wait_until(process, connect, tmp_path / "log") < 5
