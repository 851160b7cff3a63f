"""A list of tests that together issue every SQL statement of tests/api on PostgreSQL.

`make test` runs only a part of tests/api on PostgreSQL: the tests in postgresql.txt.
Together they issue every distinct statement that any test of tests/api issues. `make
test-all` records the statements of each test, and fails if the list misses a statement or
names a test that no longer exists. `make statements` writes the list.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any, Final

import pytest
from sqlalchemy import Connection, Engine, QueuePool, event

from tests.support.selection import API, LIST, get_database, list_tests

PLACEHOLDER: Final = re.compile(r"%\(\w+\)s(?:::[\w ]+)?")
OF_TESTS: Final = ("CREATE DATABASE", "DROP DATABASE")
"""Statements that only create or drop databases of tests."""
REPEATED: Final = re.compile(r"(\?|\((?:\?, )*\?\))(?:, \1)+")
is_preparing = ContextVar("is_preparing", default=False)
"""Whether a test prepares its world, with statements that depend on earlier tests."""
HEAD: Final = """\
# Tests that together issue every SQL statement that tests/api issues on PostgreSQL: written
# by `make statements`, and checked by `make test-all`. `make test` runs them there.
"""

type Issued = Mapping[str, frozenset[str]]
"""The statements that each test issued, by the name of the test."""


@contextmanager
def leave_out_statements() -> Iterator[None]:
    """Do not record the statements of a block that prepares the world of a test."""
    before = is_preparing.set(True)
    try:
        yield
    finally:
        is_preparing.reset(before)


def normalize(statement: str) -> str:
    """Return a statement in a form that does not depend on the length of its lists."""
    plain = PLACEHOLDER.sub("?", statement)
    while (shorter := REPEATED.sub(r"\1", plain)) != plain:
        plain = shorter
    return " ".join(plain.split())


def choose_cover(issued: Issued, seconds: Mapping[str, float]) -> list[str]:
    """Choose tests that issue every statement.

    The choice is greedy: the next test is the one with the most new statements per second
    of its duration.
    """
    missing, chosen = frozenset[str]().union(*issued.values()), list[str]()
    while missing:
        best = max(issued, key=lambda one: len(issued[one] & missing) / seconds[one])
        chosen.append(best)
        missing -= issued[best]
    return sorted(chosen)


def find_gaps(issued: Issued, listed: list[str]) -> Iterator[str]:
    """Yield a message for each listed test that is gone, and each uncovered statement."""
    gone = [name for name in listed if name not in issued]
    yield from (f"There is no test {name}." for name in gone)
    covered = frozenset[str]().union(*(issued.get(name, frozenset()) for name in listed))
    for name, statements in issued.items():
        yield from (f"{name} alone issues: {one}" for one in statements - covered)


class StatementCover:
    """A pytest plugin that records the statements of each test of its process."""

    def __init__(self, folder: Path, *, write: bool) -> None:
        self.folder, self.write = folder, write
        self.current: set[str] | None = None
        self.issued: dict[str, list[str]] = {}
        self.seconds: defaultdict[str, float] = defaultdict(float)
        event.listen(Engine, "before_cursor_execute", self.record)

    def record(self, connection: Connection, _: object, statement: str, *__: Any) -> None:
        """Record a statement if the service issued it.

        Engines without a QueuePool belong to the tests, not to the service.
        """
        if self.current is None or is_preparing.get() or statement.startswith(OF_TESTS):
            return
        if isinstance(connection.engine.pool, QueuePool):
            self.current.add(statement)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Record the statements of a test, if it is a test of the API on PostgreSQL."""
        if item.nodeid.startswith(API) and get_database(item) == "postgresql":
            self.current = set()
        try:
            return (yield)
        finally:
            if self.current is not None:
                self.issued[item.nodeid] = sorted({normalize(one) for one in self.current})
                self.current = None

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Add up the time that each test took."""
        self.seconds[report.nodeid] += report.duration

    @pytest.hookimpl(wrapper=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Iterator[None]:
        """Write the records of this process; the main process also checks all records."""
        if self.issued:
            worker = getattr(session.config, "workerinput", {}).get("workerid", "main")
            path = self.folder / f"statements-{worker}.json"
            path.write_text(json.dumps(self.issued), "utf-8")
        yield
        if not hasattr(session.config, "workerinput"):
            self.check_list(session)

    def check_list(self, session: pytest.Session) -> None:
        """Write the list of tests, or fail the run if the list has gaps."""
        issued = {
            name: frozenset(statements)
            for path in self.folder.glob("statements-*.json")
            for name, statements in json.loads(path.read_text("utf-8")).items()
        }
        if self.write:
            chosen = choose_cover(issued, self.seconds)
            LIST.write_text(HEAD + "".join(f"{one}\n" for one in chosen), "utf-8")
            return
        if gaps := list(find_gaps(issued, sorted(list_tests()))):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
            message = "\n".join(
                ["", *gaps[:20], f"{len(gaps)} gaps: run `make statements`."]
            )
            session.config.get_terminal_writer().line(message, red=True)
