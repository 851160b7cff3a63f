"""A lane: a process that judges one mutant after the other, each in a child of its own.

Two ways. A change inside of a function is made in a copy of a process that has the service
and its tests in memory, and one test behind it: that takes tenths of a second. Any other,
and whoever survived, is judged by a process that imports everything anew.
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
    *("alembic.command", "babel", "cryptography.hazmat.primitives.ciphers.aead", "fastapi"),
    *("hypothesis", "joserfc.jwt", "pydantic", "sqlalchemy.orm", "starlette.testclient"),
    *("httpx2", "structlog", "typer", "rich.console", "holidays", "pytest"),
)
"""What every fresh process would import; nothing of the service is among it."""
PR_SET_PDEATHSIG: Final = 1
TIMED_OUT: Final = "(it went on for too long)"
LONGEST: Final = 1800.0


@dataclass(frozen=True)
class Task:
    """A mutant, and who may judge it: pure tests by themselves, then any that reach it."""

    mutant: Mutant
    original: str
    pure: Sequence[str]
    tests: Sequence[str]
    seconds: float


class Found(NamedTuple):
    """Who killed a mutant, if anybody; in which way that was found, in how many seconds."""

    killer: str
    way: str
    seconds: float


@contextmanager
def opened(number: int, judges: Sequence[str], folder: Path) -> Iterator[list[Connection]]:
    """Open lanes, each with a connection that takes tasks and answers who killed."""
    ways, processes = list[Connection](), list[int]()
    for _ in range(number):
        mine, theirs = Pipe()
        if not (process := os.fork()):
            apart()
            for way in (*ways, mine):
                way.close()
            with suppress(BrokenPipeError, KeyboardInterrupt):
                serve(theirs, judges, folder)
            os._exit(0)
        theirs.close()
        ways.append(mine)
        processes.append(process)
    try:
        yield ways
    finally:
        for process in processes:
            end(process)


def serve(tasks: Connection, judges: Sequence[str], folder: Path) -> None:
    """Judge what comes, until this process is ended."""
    for name in HEAVY:
        importlib.import_module(name)
    gc.freeze()
    lane = Lane(judges, folder)
    while task := received(tasks):
        tasks.send(lane.judge(task))


def received(tasks: Connection) -> Task | None:
    """Take the next, if whoever gives them is still there."""
    try:
        task: Task | None = tasks.recv()
    except EOFError:
        return None
    return task


def tried(files: Sequence[str], folder: Path) -> tuple[list[str], list[str]]:
    """List those tests of some files that are pure, the quickest first; and the others."""

    def work() -> str:
        judge = Judge()
        judging.run([*files, *judging.PURE, "--maxfail=0"], judge)
        quickest = sorted(judge.passed, key=lambda test: judge.passed[test])
        return json.dumps([quickest, judge.failed])

    passed, failed = json.loads(in_child(work, LONGEST, folder))
    return passed, failed


class Lane:
    """What a lane keeps: the process that has everything in memory, once one is needed."""

    def __init__(self, judges: Sequence[str], folder: Path) -> None:
        self.judges, self.folder = judges, folder
        self.ready: Connection | None = None

    def judge(self, task: Task) -> Found:
        """Say who killed it, or nobody; in which way, and how many seconds it took."""
        began, killer, last = time.monotonic(), SURVIVED, ""
        ways = {
            "pure": (self.by_pure, bool(task.pure)),
            "at once": (self.at_once, bool(task.tests) and task.mutant.body),
            "afresh": (self.afresh, bool(task.tests)),
        }
        for way, (judge, can) in ways.items():
            if can and not killer:
                killer, last = judge(task), way
        return Found(killer, last, round(time.monotonic() - began, 2))

    def by_pure(self, task: Task) -> str:
        """Judge by pure tests: without conftest they import little."""

        def work() -> str:
            swapping.import_instead(task.mutant)
            judge = Judge(task.pure)
            judging.run([*files(task.pure), *judging.PURE], judge)
            return judge.killer

        return in_child(work, task.seconds, self.folder)

    def afresh(self, task: Task) -> str:
        """Judge by any tests, in a process that has imported nothing of the service."""

        def work() -> str:
            swapping.import_instead(task.mutant)
            judge = Judge(task.tests)
            kinds = "sqlite,postgresql" if ON_BOTH & {*files(task.tests)} else "sqlite"
            judging.run([*files(task.tests), "-x", "--databases", kinds], judge)
            return judge.killer

        return in_child(work, task.seconds, self.folder)

    def at_once(self, task: Task) -> str:
        """Judge by any tests, in a copy of the process that has collected them all."""
        if self.ready is None:
            self.ready, theirs = Pipe()
            if not os.fork():
                apart()
                self.ready.close()
                judging.be_quiet(self.folder / "collecting.log")
                words = [*self.judges, "--databases", "sqlite"]
                judging.run(words, Judge(), Copies(theirs, self.folder))
                os._exit(1)
            theirs.close()
        self.ready.send(task)
        killer: str = self.ready.recv()
        return killer


class Copies:
    """A plugin that collects, warms up, and then runs tests in copies of itself."""

    def __init__(self, tasks: Connection, folder: Path) -> None:
        self.tasks, self.folder = tasks, folder

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Judge what comes, until nothing comes any more."""
        items = {item.nodeid: item for item in session.items}
        self.warm_up(session.items)
        while task := received(self.tasks):
            self.tasks.send(
                in_child(lambda: self.judge(task, items), task.seconds, self.folder)
            )
        os._exit(0)

    def warm_up(self, items: list[pytest.Item]) -> None:
        """Run one test of the service, and leave what it made for all tests as it is."""
        warm = next(
            (i for i in items if "world" in getattr(i, "fixturenames", ())), items[0]
        )
        keep = next(node for node in warm.listchain() if node.name == "tests")
        warm.ihook.pytest_runtest_protocol(item=warm, nextitem=keep)

    def judge(self, task: Task, items: dict[str, pytest.Item]) -> str:
        """Run the tests until one fails, never to the end: the process is thrown away."""
        try:
            if task.mutant.text != task.original:
                swapping.exchange(task.mutant, task.original)
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


def files(tests: Sequence[str]) -> list[str]:
    """List the files of some tests, each once."""
    return list(dict.fromkeys(test.partition("::")[0] for test in tests))


def in_child(work: Callable[[], str], seconds: float, folder: Path) -> str:
    """Do it in a copy of this process, and end that when it takes too long."""
    mine, theirs = Pipe(duplex=False)
    child = os.fork()
    if not child:
        apart()
        judging.be_quiet(folder / "children.log")
        try:
            theirs.send(work())
        except BaseException as error:  # noqa: BLE001 - whatever a mutant does
            theirs.send(f"(it broke: {error!r})"[:200])
        finally:
            os._exit(0)
    theirs.close()
    try:
        return answer_of(mine, seconds)
    finally:
        mine.close()
        end(child)


def answer_of(mine: Connection, seconds: float) -> str:
    """Wait for what a child answers."""
    try:
        answer: str = mine.recv() if mine.poll(seconds) else TIMED_OUT
    except EOFError:
        return "(the process ended)"
    return answer


def apart() -> None:
    """Stand apart from whoever made this process, but on Linux not outlive them."""
    os.setpgid(0, 0)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def end(child: int) -> None:
    """End a child and whatever it started."""
    for number in (child, -child):
        try:
            os.kill(number, signal.SIGKILL)
        except ProcessLookupError:
            continue
    os.waitpid(child, 0)
