"""Lanes: processes that run the tests of mutants, each mutant in a child process.

If a mutant survives its pure tests, there are two ways to test it. A change inside a
function is made in a fork of a process that has already imported the service and run one
test. A fork takes tenths of a second. Other mutants, and mutants that survive, are tested
in a process that imports the service again.
"""

import ctypes
import gc
import importlib
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, Pipe
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from mutation import judging, swapping
from mutation.judging import SURVIVED, Judge
from mutation.modules import ON_BOTH
from mutation.mutants import Mutant

HEAVY: Final = (
    "alembic.command",
    "babel",
    "cryptography.hazmat.primitives.ciphers.aead",
    "fastapi",
    "hypothesis",
    "joserfc.jwt",
    "pydantic",
    "sqlalchemy.orm",
    "starlette.testclient",
    "httpx2",
    "structlog",
    "typer",
    "rich.console",
    "holidays",
    "pytest",
)
"""Libraries that every child would import. The service itself is not among them."""
PR_SET_PDEATHSIG: Final = 1
TIMED_OUT: Final = "(it went on for too long)"
LONGEST: Final = 1800.0


@dataclass(frozen=True)
class Task:
    """A mutant and its tests: first the pure tests, then other tests that reach it."""

    mutant: Mutant
    original: str
    pure: Sequence[str]
    tests: Sequence[str]
    seconds: float


class Found(NamedTuple):
    """The result for a mutant.

    `killer` is the test that killed it, or an empty string. `way` is the way in which the
    test ran, as in `Lane.assess`.
    """

    killer: str
    way: str
    seconds: float


@contextmanager
def start_lanes(
    number: int, judges: Sequence[str], folder: Path
) -> Iterator[list[Connection]]:
    """Start lanes, and yield a connection to each, for its tasks and results."""
    connections, processes = list[Connection](), list[int]()
    for _ in range(number):
        own, other = Pipe()
        if not (process := os.fork()):
            split_process_group()
            for connection in (*connections, own):
                connection.close()
            with suppress(BrokenPipeError, KeyboardInterrupt):
                serve(other, judges, folder)
            os._exit(0)
        other.close()
        connections.append(own)
        processes.append(process)
    try:
        yield connections
    finally:
        for process in processes:
            kill(process)


def serve(tasks: Connection, judges: Sequence[str], folder: Path) -> None:
    """Process the tasks of a connection until it is closed."""
    for name in HEAVY:
        importlib.import_module(name)
    gc.freeze()
    lane = Lane(judges, folder)
    while task := receive(tasks):
        tasks.send(lane.assess(task))


def receive(tasks: Connection) -> Task | None:
    """Return the next task, or None if the sender has closed the connection."""
    try:
        task: Task | None = tasks.recv()
    except EOFError:
        return None
    return task


def split_pure(files: Sequence[str], folder: Path) -> tuple[list[str], list[str]]:
    """Return the tests that pass without a conftest, fastest first, and those that fail."""

    def run_tests() -> str:
        judge = Judge()
        judging.run([*files, *judging.PURE, "--maxfail=0"], judge)
        quickest = sorted(judge.passed, key=lambda test: judge.passed[test])
        return json.dumps([quickest, judge.failed])

    passed, failed = json.loads(run_in_child(run_tests, LONGEST, folder))
    return passed, failed


class Lane:
    """A lane. It starts a process with collected tests when a task first needs one."""

    def __init__(self, judges: Sequence[str], folder: Path) -> None:
        self.judges, self.folder = judges, folder
        self.ready: Connection | None = None

    def assess(self, task: Task) -> Found:
        """Test a mutant in each way until a test kills it, and return the result."""
        began, killer, last = time.monotonic(), SURVIVED, ""
        ways = {
            "pure": (self.run_pure, bool(task.pure)),
            "at once": (self.run_in_copy, bool(task.tests) and task.mutant.body),
            "afresh": (self.run_afresh, bool(task.tests)),
        }
        for way, (judge, can) in ways.items():
            if can and not killer:
                killer, last = judge(task), way
        return Found(killer, last, round(time.monotonic() - began, 2))

    def run_pure(self, task: Task) -> str:
        """Return the first failing pure test, or SURVIVED. Pure tests need no conftest."""

        def run_tests() -> str:
            swapping.import_instead(task.mutant)
            judge = Judge(task.pure)
            judging.run([*list_files(task.pure), *judging.PURE], judge)
            return judge.killer

        return run_in_child(run_tests, task.seconds, self.folder)

    def run_afresh(self, task: Task) -> str:
        """Run the tests with a new import; return the first failing test, or SURVIVED."""

        def run_tests() -> str:
            swapping.import_instead(task.mutant)
            judge = Judge(task.tests)
            kinds = "sqlite,postgresql" if ON_BOTH & {*list_files(task.tests)} else "sqlite"
            judging.run([*list_files(task.tests), "-x", "--databases", kinds], judge)
            return judge.killer

        return run_in_child(run_tests, task.seconds, self.folder)

    def run_in_copy(self, task: Task) -> str:
        """Return the first test that fails in a fork with collected tests, or SURVIVED."""
        if self.ready is None:
            self.ready, other = Pipe()
            if not os.fork():
                split_process_group()
                self.ready.close()
                judging.log_to(self.folder / "collecting.log")
                words = [*self.judges, "--databases", "sqlite"]
                judging.run(words, Judge(), Copies(other, self.folder))
                os._exit(1)
            other.close()
        self.ready.send(task)
        killer: str = self.ready.recv()
        return killer


class Copies:
    """A pytest plugin that collects tests, runs one, and runs others in forks."""

    def __init__(self, tasks: Connection, folder: Path) -> None:
        self.tasks, self.folder = tasks, folder

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Process tasks until the connection is closed."""
        items = {item.nodeid: item for item in session.items}
        self.prepare(session.items)
        while task := receive(self.tasks):
            self.tasks.send(
                run_in_child(lambda: self.assess(task, items), task.seconds, self.folder)
            )
        os._exit(0)

    def prepare(self, items: list[pytest.Item]) -> None:
        """Run one test of the service, and keep the session's fixtures set up."""
        warm = next(
            (i for i in items if "world" in getattr(i, "fixturenames", ())), items[0]
        )
        keep = next(node for node in warm.listchain() if node.name == "tests")
        warm.ihook.pytest_runtest_protocol(item=warm, nextitem=keep)

    def assess(self, task: Task, items: dict[str, pytest.Item]) -> str:
        """Return the first test that fails, or SURVIVED.

        The result is also SURVIVED if the mutant cannot be applied. The process must not be
        used afterwards.
        """
        try:
            if task.mutant.text != task.original:
                swapping.apply_mutant(task.mutant, task.original)
        except swapping.Cannot:
            return SURVIVED
        chosen = [items[test] for test in task.tests if test in items]
        for item, following in zip(chosen, [*chosen[1:], chosen[0]], strict=True):
            item.ihook.pytest_runtest_protocol(item=item, nextitem=following)
            [judge] = [
                p for p in item.config.pluginmanager.get_plugins() if isinstance(p, Judge)
            ]
            if judge.killer:
                return judge.killer
        return SURVIVED


def list_files(tests: Sequence[str]) -> list[str]:
    """Return the files that contain some tests, without duplicates."""
    return list(dict.fromkeys(test.partition("::")[0] for test in tests))


def run_in_child(function: Callable[[], str], seconds: float, folder: Path) -> str:
    """Run a function in a child process; return its result, or why there is no result."""
    receiver, sender = Pipe(duplex=False)
    child = os.fork()
    if not child:
        split_process_group()
        judging.log_to(folder / "children.log")
        try:
            sender.send(function())
        except BaseException as error:  # noqa: BLE001 - a mutant may raise anything
            sender.send(f"(failed: {error!r})"[:200])
        finally:
            os._exit(0)
    sender.close()
    try:
        return wait_for_answer(receiver, seconds)
    finally:
        receiver.close()
        kill(child)


def wait_for_answer(receiver: Connection, seconds: float) -> str:
    """Return the answer of a child process, or the reason why there is none."""
    try:
        answer: str = receiver.recv() if receiver.poll(seconds) else TIMED_OUT
    except EOFError:
        return "(the process ended)"
    return answer


def split_process_group() -> None:
    """Give this process its own process group and, on Linux, end it with its parent."""
    os.setpgid(0, 0)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def kill(child: int) -> None:
    """Kill a child process and its process group."""
    for number in (child, -child):
        try:
            os.kill(number, signal.SIGKILL)
        except ProcessLookupError:
            continue
    os.waitpid(child, 0)
