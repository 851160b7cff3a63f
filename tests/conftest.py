"""Fixtures and options of all tests. Each test gets a copy of a migrated database.

By default a test runs on SQLite and on PostgreSQL; `--databases sqlite` leaves out
PostgreSQL. A test that uses `sqlite_url` or `pg_url` runs only on that database, and is
deselected if that database is left out. A test that uses `before_any_database` runs only
on SQLite, because its requests never reach a database. `--effort` selects how many tests
run (tests/support/effort.py), and `--seed` selects which tests run.
"""

import gc
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Protocol

import pytest
import structlog
from fastapi import FastAPI
from hypothesis import settings
from structlog.typing import EventDict

from app.console.options import ConsoleOptions
from app.kernel.actors import Role
from app.kernel.db import Database
from app.main import add_console, create_app
from app.runtime import build_runtime
from tests.support import databases, event_check, selection
from tests.support.databases import Copy
from tests.support.effort import Effort, Run
from tests.support.in_thread import ThreadLoops, run_in_thread
from tests.support.order import sort_tests
from tests.support.statement_cover import StatementCover, leave_out_statements
from tests.support.world import KEYS, PUBLIC, Someone, World

collect_ignore = ["browser"]
"""`make browser` and `make browser-journeys` run these tests with Playwright, which this
environment does not have."""
SELDOM = 50_000
"""Number of new objects after which the garbage collector runs."""
BESIDE = 1
"""Number of workers in addition to one for each core, because tests sometimes wait.

With two more workers for each core, the API tests take one and a half times as much CPU
time, because workers evict each other's data from the caches.
"""
HOME = pytest.StashKey[Path]()
EXAMPLES = {Effort.FAST: 10, Effort.SAMPLE: 25, Effort.ALL: 25, Effort.NIGHT: 1000}
"""Number of examples that Hypothesis draws for each property, by the effort of the run."""
for effort, examples in EXAMPLES.items():
    settings.register_profile(effort, max_examples=examples, deadline=None, database=None)
IDS = {"sqlite": "sqlite", "postgresql": "pg"}
ONLY = {
    "sqlite_url": "sqlite",
    "sqlite_tried": "sqlite",
    "before_any_database": "sqlite",
    "pg_url": "postgresql",
    "pg_tried": "postgresql",
}


class Node(Protocol):
    """The part of an xdist worker that `pytest_configure_node` uses."""

    config: pytest.Config
    workerinput: dict[str, str]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--databases",
        type=databases.parse_kinds,
        default=",".join(databases.KINDS),
        help="which databases to test on, with commas between (all: %(default)s)",
    )
    parser.addoption(
        "--effort",
        choices=list(Effort),
        default=Effort.ALL,
        help="how much is run (default: %(default)s)",
    )
    parser.addoption(
        "--statements",
        choices=["check", "write"],
        help="check or write which tests issue every SQL statement on PostgreSQL",
    )
    parser.addoption(
        "--all-cells",
        action="store_true",
        help="run each cell of each test, on each database",
    )
    parser.addoption(
        "--seed",
        type=int,
        default=0,
        help="the seed of a sample (default: %(default)s)",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Set the effort, and create a folder that all workers share.

    Only the main process creates this folder, and deletes it at the end.
    """
    Run.effort, Run.seed = Effort(config.option.effort), config.option.seed
    Run.is_complete = config.option.all_cells or Run.effort is Effort.NIGHT
    settings.load_profile(Run.effort)
    event_check.check_recorded_events()
    structlog.configure(processors=[drop_routine, structlog.dev.ConsoleRenderer()])
    given = getattr(config, "workerinput", {}).get("home")
    home = config.stash[HOME] = Path(given) if given else databases.make_home()
    if config.option.statements:
        write = config.option.statements == "write"
        config.pluginmanager.register(StatementCover(home, write=write))
    if not given:
        config.add_cleanup(lambda: databases.clear(home))
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # `timeout` cleans up too
        signal.signal(signal.SIGINT, signal.default_int_handler)  # even under nohup


def drop_routine(_: object, method: str, line: EventDict) -> EventDict:
    """Drop log lines of the levels debug and info, but keep warnings and errors."""
    if method in {"debug", "info"}:
        raise structlog.DropEvent
    return line


def pytest_report_header() -> str:
    """Return the options that run the same sample of tests again."""
    return f"effort: {Run.effort}, seed: {Run.seed} (make test SEED={Run.seed})"


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Collect tests with the garbage collector off, and let it run rarely afterwards.

    Garbage collection takes a twentieth of the time of a whole run.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.set_threshold(SELDOM, 20, 20)
        gc.enable()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Return the number of workers for `-n auto`: the number of CPUs, or one more.

    Unless the effort is `fast`, there is one more, because waiting tests leave a CPU idle.
    """
    beside = 0 if Run.effort is Effort.FAST else BESIDE
    return (os.cpu_count() or 1) + beside


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Node) -> None:
    node.workerinput["home"] = str(node.config.stash[HOME])


def get_databases(config: pytest.Config, fixtures: list[str]) -> list[str]:
    """Return the databases on which a test with these fixtures runs."""
    only = {ONLY[name] for name in fixtures if name in ONLY}
    return [k for k in config.option.databases if not only or only == {k}]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "copy" in metafunc.fixturenames:
        kinds = get_databases(metafunc.config, metafunc.fixturenames)
        ids = [IDS[kind] for kind in kinds]
        if kinds:
            metafunc.parametrize("copy", kinds, ids=ids, indirect=True, scope="session")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> Iterator[None]:
    """Deselect the tests that this run leaves out, and sort the others.

    The tests are sorted last, because pytest itself sorts them by their database.
    """
    names = {item: getattr(item, "fixturenames", []) for item in items}
    out = {
        item
        for item in items
        if "copy" in names[item] and not get_databases(config, names[item])
    }
    out |= selection.select([item for item in items if item not in out])
    config.hook.pytest_deselected(items=list(out))
    items[:] = [item for item in items if item not in out]
    yield
    items[:] = sort_tests(items)


@pytest.fixture(autouse=True)
def known_events() -> Iterator[None]:
    """Fail a test that records an event that the catalogue does not describe."""
    yield
    faults = event_check.take_faults()
    assert faults == [], "app/feed/data/event_types.csv"


@pytest.fixture
def invented_events() -> Iterator[None]:
    """Allow a test to record events that the catalogue does not describe.

    This fixture ends before `known_events`, which pytest starts first because of `autouse`.
    """
    yield
    event_check.take_faults()


@pytest.fixture(scope="session")
def copies(request: pytest.FixtureRequest) -> Iterator[Callable[[str], Copy]]:
    """Yield a function that takes a kind of database and returns a function that copies it.

    For each kind, the database is migrated at the first call, which may be in any test.
    """
    with ExitStack() as stack:

        @cache
        def make_copies(kind: str) -> Copy:
            made = databases.make_copies(kind, request.config.stash[HOME])
            with leave_out_statements():
                return stack.enter_context(made)

        yield make_copies


@pytest.fixture(scope="session")
def copy(request: pytest.FixtureRequest, copies: Callable[[str], Copy]) -> Copy:
    """Return a function that copies the database of one kind: `with copy() as url`."""
    return copies(request.param)


@pytest.fixture
def url(copy: Copy) -> Iterator[str]:
    """Yield the URL of a database that only this test uses."""
    with copy() as made:
        yield made


@pytest.fixture
def sqlite_url(url: str) -> str:
    """Return the URL of a database for a test that is about SQLite."""
    return url


@pytest.fixture
def pg_url(url: str) -> str:
    """Return the URL of a database for a test that is about PostgreSQL."""
    return url


@pytest.fixture
def before_any_database() -> None:
    """Mark a test whose requests are refused before they reach a database."""


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    """Yield this test's database, opened as the service opens it."""
    opened = Database(url)
    yield opened
    opened.engine.dispose()


@pytest.fixture(scope="session")
def app() -> FastAPI:
    """Return the application; all tests share one, as compiling its routes takes time."""
    made = create_app(build_runtime("sqlite:///never-opened.db", KEYS), public_url=PUBLIC)
    add_console(made, ConsoleOptions("https://www.example.org/"))
    return made


@pytest.fixture(scope="session")
def loop() -> Iterator[ThreadLoops]:
    """Yield the event loops that handle each request in the thread that sends it."""
    with run_in_thread() as made:
        yield made


@pytest.fixture
def world(url: str, app: FastAPI, loop: ThreadLoops) -> Iterator[World]:
    """Yield a world with the service and the demonstration directory in a new database."""
    made = World(url, app, loop)
    yield made
    made.close()


@pytest.fixture
def without_macs(world: World) -> Iterator[World]:
    """Yield a world that neither writes nor verifies the MACs of rows and cases."""
    world.runtime.row_macs.is_disabled = True
    yield world
    world.runtime.row_macs.is_disabled = False


@pytest.fixture
def officer(world: World) -> Someone:
    """Return a person of the consulate of Uzbekistan in Almaty, who submits cases."""
    return world.add_person("UZ_CONSULATE_ALMATY")


@pytest.fixture
def lead(world: World) -> Someone:
    """Return a person of the focal point of Kazakhstan."""
    return world.add_person("KZ_LEAD")


@pytest.fixture
def supervisor(world: World) -> Someone:
    """Return a supervisor of the focal point of Kazakhstan, a person other than `lead`."""
    return world.add_person("KZ_LEAD", {Role.SUPERVISOR})


@pytest.fixture
def shelter(world: World) -> Someone:
    """Return a person of a shelter in Kazakhstan."""
    return world.add_person("KZ_SHELTER_KOGERSHIN")


@pytest.fixture
def lawyer(world: World) -> Someone:
    """Return a person of a legal aid office in Kazakhstan."""
    return world.add_person("KZ_LEGAL_AID")


@pytest.fixture
def stranger(world: World) -> Someone:
    """Return a person of an office that has no relation to any case."""
    return world.add_person("JM_CONSULATE_PORT_OF_SPAIN")
