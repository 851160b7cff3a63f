"""A plugin of pytest that writes down how long each test took."""

import json
import os
from collections import defaultdict
from pathlib import Path

import pytest

SPENT: defaultdict[str, float] = defaultdict(float)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Add up what it took to set up, to run and to clear up."""
    SPENT[report.nodeid] += report.duration


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write it beside what is written already, once for all workers."""
    path = Path(os.environ["MUTATION_DURATIONS"])
    if not hasattr(session.config, "workerinput"):
        known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        path.write_text(json.dumps(known | SPENT, indent=0), encoding="utf-8")
