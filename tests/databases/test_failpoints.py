"""An operation during which the database fails has all of its effects or none of them.

For every operation that writes, each call to the database fails once. A normal run tests a
share of these failures on SQLite, and only some operations on PostgreSQL. `make soak` tests
every failure on both databases, and every way of each failure on SQLite.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from zlib import crc32

import pytest
from fastapi import FastAPI
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from app.kernel import journal, transactions
from tests.databases.failpoints.copies import changed
from tests.databases.failpoints.failing import AFTER, COMMIT, WAYS, Way
from tests.databases.failpoints.judging import SuccessfulCall
from tests.databases.failpoints.stories import STORIES
from tests.databases.failpoints.sweeping import Sweep, sweeping
from tests.support import results
from tests.support.databases import Copy
from tests.support.effort import Run, choose_number, is_night
from tests.support.full_world import fill_path
from tests.support.operation_calls import ALL, DOCUMENT, PUBLIC_WRITES
from tests.support.raw_requests import Operation, list_writes
from tests.support.servers import ROOT, report
from tests.sweeps.matrix.stages import Stage

pytestmark = pytest.mark.slow
EACH = choose_number(72, sample=144, night=1)
"""One in this many calls fails; so do the first, the last and both points of a COMMIT."""
FEW = (
    "create_case.submitted",
    "accept_referral",
    "open_section.needs",
    "get_case",
    "close_case.by two",
    "list_events",
    "replace_country",
    "issue_token",
)
ON_POSTGRESQL = tuple(STORIES) if is_night() else FEW
RESULTS = ROOT / ".torture"


@dataclass
class Tally:
    """The number of failures that were tested on one database, and the faults found."""

    database: str
    began: float = field(default_factory=time.monotonic)
    told: dict[str, SuccessfulCall] = field(default_factory=dict)
    failed: dict[str, int] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def spelled(self) -> dict[str, object]:
        called = {told.call.operation.name for told in self.told.values()}
        return {
            "database": self.database,
            "operations": len(called),
            "operations_that_write": len(
                {t.call.operation.name for t in self.told.values() if t.writes}
            ),
            "calls": len(self.told),
            "points": sum(len(told.points) for told in self.told.values()),
            "one_point_in": EACH,
            "failures": sum(self.failed.values()),
            "all_points": EACH == 1,
            "all_calls": set(self.told) == set(STORIES),
            "faults": self.faults,
            "seconds": round(time.monotonic() - self.began, 1),
        }

    def keep(self) -> None:
        """Print the tally, and store it if the effort is `night`."""
        numbers = self.spelled()
        print(f"failpoints: {numbers}")  # noqa: T201 - `pytest -s` shows it
        if is_night():
            results.write_result(RESULTS / f"failpoints-{self.database}.json", numbers)


@dataclass
class Tried:
    """A world, and the tally of the failures that were tested in it."""

    sweep: Sweep
    tally: Tally

    @property
    def ways(self) -> int:
        """Return the number of ways in which the test lets each chosen call fail."""
        return len(WAYS) if is_night() and self.tally.database == "sqlite" else 1

    def each(self, name: str) -> list[str]:
        """Let the database fail during the call of one story, and return the faults."""
        success = self.tally.told[name] = self.sweep.told(name)
        assert success.answer.status < 300, (success.answer.status, success.answer.content)
        chosen = list(choose_points(success, self.ways))
        found = [
            f for number, way in chosen for f in self.sweep.faults(success, number, way)
        ]
        self.tally.failed[name] = len(chosen)
        self.tally.faults += found
        report(name, [f"{len(chosen)} failures at {len(success.points)} points"])
        return found


def choose_points(told: SuccessfulCall, ways: int) -> Iterator[tuple[int, Way]]:
    """Yield the numbers of calls that must fail, each with a way; the seed selects both."""
    last = len(told.points) - 1
    for number, what in enumerate(told.points):
        drawn = crc32(f"{Run.seed} {told.name} {number}".encode())
        if drawn % EACH == 0 or number in {0, last} or what in {COMMIT, AFTER}:
            yield from ((number, WAYS[(drawn + way) % len(WAYS)]) for way in range(ways))


@contextmanager
def open_sweep(
    copy: Copy, app: FastAPI, folder: Path, names: Iterable[str]
) -> Iterator[Tried]:
    with copy() as url, sweeping(url, app, folder, names) as sweep:
        tally = Tally(sweep.copies.engine.dialect.name)
        yield Tried(sweep, tally)
        tally.keep()


@pytest.fixture(scope="module")
def sqlite_tried(
    copy: Copy, app: FastAPI, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Tried]:
    with open_sweep(copy, app, tmp_path_factory.mktemp("copies"), STORIES) as tried:
        yield tried


@pytest.fixture(scope="module")
def pg_tried(
    copy: Copy, app: FastAPI, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Tried]:
    with open_sweep(copy, app, tmp_path_factory.mktemp("copies"), ON_POSTGRESQL) as tried:
        yield tried


def test_every_operation_that_changes_or_opens_something_is_called() -> None:
    opening = {one.name for one in ALL if "Purpose" in one.list_parameters("header")}
    due_ = {one.name for one in list_writes(DOCUMENT)} | opening | PUBLIC_WRITES

    assert due_ - list_operations() == set()


def list_operations() -> set[str]:
    """Return the names of the operations of all stories."""
    return {name.partition(".")[0] for name in STORIES}


@pytest.mark.soak
@pytest.mark.sweep
@pytest.mark.parametrize("name", STORIES)
def test_what_fails_on_sqlite_is_told_and_undone_and_can_be_done_again(
    name: str, sqlite_tried: Tried
) -> None:
    assert sqlite_tried.each(name) == []


@pytest.mark.soak
@pytest.mark.sweep
@pytest.mark.parametrize("name", ON_POSTGRESQL)
def test_what_fails_on_postgresql_is_told_and_undone_and_can_be_done_again(
    name: str, pg_tried: Tried
) -> None:
    assert pg_tried.each(name) == []


@pytest.mark.whole
def test_nothing_else_that_is_read_leaves_anything(sqlite_tried: Tried) -> None:
    sweep = sqlite_tried.sweep
    others = [
        one for one in ALL if one.method == "GET" and one.name not in list_operations()
    ]
    sweep.copies.back("begun")
    before = sweep.copies.rows()

    statuses = Counter(status for one in others for status in read_by_all(sweep, one))

    assert changed(before, sweep.copies.rows()) == []
    assert statuses[200] > len(others)


def read_by_all(sweep: Sweep, operation: Operation) -> Iterator[int]:
    """Call a read operation as every account, and yield the status of each response."""
    named = (one.ids for one in sweep.scene.stages.values() if has_ids(one, operation))
    target = fill_path(operation.path, next(named, {"name": "services", "form": "refer"}))
    for one in sweep.scene.people.values():
        yield sweep.scene.wire.send("GET", target, dict(one.make_headers())).status


def has_ids(stage: Stage, operation: Operation) -> bool:
    return set(operation.path_names) <= stage.ids.keys()


# Planted faults, which the checks must find.


def deliver_ignoring_errors(session: Session, postings: list[journal.Posting]) -> None:
    """Deliver events and ignore errors of the database; this is a planted fault."""
    with suppress(DBAPIError):
        journal.deliver(session, postings)


def deliver_in_two(session: Session, postings: list[journal.Posting]) -> None:
    """Deliver events in a second transaction; this is a planted fault."""
    session.connection().exec_driver_sql("COMMIT")
    session.connection().exec_driver_sql("BEGIN IMMEDIATE")
    journal.deliver(session, postings)


PLANTS = {deliver_ignoring_errors: "answered 200", deliver_in_two: "left something in"}


@pytest.mark.sweep
@pytest.mark.parametrize("plant", PLANTS)
def test_an_act_that_is_not_whole_is_found(
    plant: Callable[..., None], sqlite_tried: Tried, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transactions, "deliver", plant)
    sweep = sqlite_tried.sweep
    success = sweep.told("acknowledge_referral")
    every = ((number, way) for way in WAYS for number in range(len(success.points)))

    found = (fault for number, way in every for fault in sweep.faults(success, number, way))

    assert any(PLANTS[plant] in fault for fault in found)
