"""A pytest plugin that writes the duration of each test."""

import json
import os
from collections import defaultdict
from pathlib import Path

import pytest

SPENT: defaultdict[str, float] = defaultdict(float)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Add up the durations of set-up, call and tear-down."""
    SPENT[report.nodeid] += report.duration


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Merge the durations into the file. Only the main process does this."""
    path = Path(os.environ["MUTATION_DURATIONS"])
    if not hasattr(session.config, "workerinput"):
        known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        path.write_text(json.dumps(known | SPENT, indent=0), encoding="utf-8")
