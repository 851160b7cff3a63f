"""The description of the machine and its limits."""

import os
import platform
import sqlite3
import time
from datetime import UTC, datetime
from itertools import repeat
from pathlib import Path
from statistics import median

from tests.bench.client import load
from tests.bench.processes import CLIENTS, SERVERS
from tests.bench.sides import Side, render


def describe() -> str:
    """Return a description of the machine that does not contain its name."""
    found = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines()
        if line.startswith("model name")
    ]
    cpu = found[0] if found else platform.machine()
    shared = (
        "one core" if SERVERS == CLIENTS else "servers on one core, the rest on another"
    )
    return (
        f"{cpu}, {os.cpu_count()} cores, {shared}; Linux {platform.release()}, "
        f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"
    )


def get_date() -> str:
    """Return the current date in UTC, such as 2026-11-30."""
    return f"{datetime.now(UTC):%Y-%m-%d}"


def measure_fsync(folder: Path, times: int = 20) -> float:
    """Return the median time of an fsync after writing a page, in milliseconds."""
    took = []
    with (folder / "fsync").open("wb", buffering=0) as file:
        for _ in range(times):
            file.write(b"x" * 4096)
            began = time.perf_counter()
            os.fsync(file.fileno())
            took.append(time.perf_counter() - began)
    (folder / "fsync").unlink()
    return median(took) * 1000


def measure_client(floor: Side, folder: Path) -> dict[str, float]:
    """Return the client's limits for trivial requests, and the milliseconds of an fsync.

    `rps` is in requests per second, and `cpu` in microseconds per request.
    """
    trivial, began = render("GET", ""), time.process_time()
    sample = load(floor.port, repeat(trivial), 200, clients=8, seconds=2)
    used = time.process_time() - began
    count = len(sample.waits)
    return {
        "rps": count / sample.seconds,
        "cpu": used / count * 1e6,
        "fsync": measure_fsync(folder),
    }
