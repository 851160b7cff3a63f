"""Run tests against one mutant until the first failure."""

import gc
import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import Phase, settings

QUIET: Final = (
    "-q",
    "-s",
    "--tb=no",
    "--assert=plain",
    "-pno:xdist",
    "-pno:pytest_cov",
    "-pno:unraisableexception",
)
PURE: Final = (
    "-x",
    "--noconftest",
    "--disable-plugin-autoload",
    "-pno:logging",
    "-mnot slow",
)
SURVIVED: Final = ""


class Judge:
    """A pytest plugin that runs the chosen tests and records the first failure."""

    def __init__(self, chosen: Sequence[str] | None = None) -> None:
        self.order = None if chosen is None else {test: n for n, test in enumerate(chosen)}
        self.killer, self.failed = SURVIVED, list[str]()
        self.passed: dict[str, float] = {}

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Select the chosen tests, in the order in which they were chosen."""
        if self.order is not None:
            items[:] = [item for item in items if item.nodeid in self.order]
            items.sort(key=lambda item: (self.order or {})[item.nodeid])

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Record the tests that failed and passed."""
        if report.failed:
            self.killer = self.killer or report.nodeid
            self.failed.append(report.nodeid)
        elif report.when == "call":
            self.passed[report.nodeid] = report.duration

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Treat a file that cannot be collected as a failed test."""
        if report.failed:
            self.killer = self.killer or report.nodeid or "collection"


def run(words: Iterable[str], judge: Judge, *more: Any) -> None:
    """Run pytest in this process. The process must not be used afterwards."""
    gc.disable()
    configure_hypothesis()
    code = pytest.main([*QUIET, *words], plugins=[judge, *more])
    if code not in {pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED}:
        judge.killer = judge.killer or f"pytest ended with {code!r}"


def configure_hypothesis() -> None:
    """Make hypothesis stop at the first counterexample, without shrinking it."""
    phases = (Phase.explicit, Phase.generate)
    settings.register_profile("mutation", phases=phases, database=None, derandomize=True)
    settings.load_profile("mutation")


def log_to(log: Path) -> None:
    """Redirect the output of this process to a file."""
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    null = os.open(os.devnull, os.O_RDONLY)
    sys.stdout.flush()
    os.dup2(null, 0)
    os.dup2(file, 1)
    os.dup2(file, 2)
