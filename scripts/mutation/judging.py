"""Running tests against one mutant, until the first that fails."""

import gc
import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import Phase, settings

QUIET: Final = (
    *("-q", "-s", "--tb=no", "--assert=plain"),
    *("-p", "no:xdist", "-p", "no:pytest_cov", "-p", "no:unraisableexception"),
)
PURE: Final = (
    *("-x", "--noconftest", "--disable-plugin-autoload", "-p", "no:logging"),
    *("-m", "not slow"),
)
SURVIVED: Final = ""


class Judge:
    """A plugin: keeps to the tests that were chosen, and remembers the first that fails."""

    def __init__(self, chosen: Sequence[str] | None = None) -> None:
        self.order = None if chosen is None else {test: n for n, test in enumerate(chosen)}
        self.killer, self.failed = SURVIVED, list[str]()
        self.passed: dict[str, float] = {}

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Run the chosen alone, in their order."""
        if self.order is not None:
            items[:] = [item for item in items if item.nodeid in self.order]
            items.sort(key=lambda item: (self.order or {})[item.nodeid])

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Remember who failed, and who passed."""
        if report.failed:
            self.killer = self.killer or report.nodeid
            self.failed.append(report.nodeid)
        elif report.when == "call":
            self.passed[report.nodeid] = report.duration

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Take a file that cannot be read for one whose tests fail."""
        if report.failed:
            self.killer = self.killer or report.nodeid or "collection"


def run(words: Iterable[str], judge: Judge, *more: Any) -> None:
    """Run pytest here: in this process, which is thrown away."""
    gc.disable()
    be_brief()
    code = pytest.main([*QUIET, *words], plugins=[judge, *more])
    if code not in {pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED}:
        judge.killer = judge.killer or f"pytest ended with {code!r}"


def be_brief() -> None:
    """Stop at the first counterexample: the smallest is no better here."""
    phases = (Phase.explicit, Phase.generate)
    settings.register_profile("mutation", phases=phases, database=None, derandomize=True)
    settings.load_profile("mutation")


def be_quiet(log: Path) -> None:
    """Let what the tests print go into a file."""
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    null = os.open(os.devnull, os.O_RDONLY)
    sys.stdout.flush()
    os.dup2(null, 0)
    os.dup2(file, 1)
    os.dup2(file, 2)
