"""Every test twice, on SQLite and on PostgreSQL, each in a copy of a migrated one.

`--databases sqlite` leaves PostgreSQL out. A test that asks for `sqlite_url` or `pg_url`
is about that database alone: it runs once, and is deselected where that one is left out.
So does one that asks for `before_any_database`: what it sends never comes to one.
`--effort` says how much is run (tests/support/effort.py), `--seed` which share of it.
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

from app.ground import lay_ground
from app.kernel.actors import Role
from app.kernel.db import Database
from app.main import create_app
from tests.support import databases, selection
from tests.support.databases import Copy
from tests.support.effort import Effort, Run
from tests.support.in_thread import Here, here
from tests.support.statement_cover import StatementCover
from tests.support.world import KEYS, PUBLIC, Someone, World

PURE = "tests/rules/"
"""Begins first, so that a broken rule fails within seconds; then what is slow, so that no
worker is left with it when the others are done."""
SELDOM = 50_000
"""Objects made since it was last looked."""
BESIDE = 1
"""Workers more than there are cores, for when a test waits. With two more for each core
the same API tests cost half as much again: workers take each other's caches away."""
HOME = pytest.StashKey[Path]()
EXAMPLES = {Effort.FAST: 10, Effort.SAMPLE: 25, Effort.ALL: 50, Effort.NIGHT: 1000}
"""How many examples Hypothesis draws for each property."""
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
    """What xdist tells of a worker it is about to start."""

    config: pytest.Config
    workerinput: dict[str, str]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--databases",
        type=databases.chosen,
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
        "--seed",
        type=int,
        default=0,
        help="what a sample runs and draws (default: %(default)s)",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Set the effort; give all workers one folder, which their parent removes."""
    Run.effort, Run.seed = Effort(config.option.effort), config.option.seed
    settings.load_profile(Run.effort)
    structlog.configure(processors=[drop_routine, structlog.dev.ConsoleRenderer()])
    given = getattr(config, "workerinput", {}).get("home")
    home = config.stash[HOME] = Path(given) if given else databases.make_home()
    if config.option.statements:
        write = config.option.statements == "write"
        config.pluginmanager.register(StatementCover(home, write=write))
    if not given:
        config.add_cleanup(lambda: databases.clear(home))
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # `timeout` clears up too
        signal.signal(signal.SIGINT, signal.default_int_handler)  # even under nohup


def drop_routine(_: object, method: str, line: EventDict) -> EventDict:
    """Drop the log lines of successful requests; warnings and errors are kept."""
    if method in {"debug", "info"}:
        raise structlog.DropEvent
    return line


def pytest_report_header() -> str:
    """Print what it takes to run the same sample again."""
    return f"effort: {Run.effort}, seed: {Run.seed} (make test SEED={Run.seed})"


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Make thousands of tests without looking for rubbish among them, then or later.

    What the tests leave is looked for seldom: that takes a twentieth of their time off.
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
    """Return the number of workers for `-n auto`: one more than cores if tests wait."""
    beside = 0 if Run.effort is Effort.FAST else BESIDE
    return (os.cpu_count() or 1) + beside


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Node) -> None:
    node.workerinput["home"] = str(node.config.stash[HOME])


def wanted(config: pytest.Config, fixtures: list[str]) -> list[str]:
    """Say on which databases a test runs that asks for these fixtures."""
    only = {ONLY[name] for name in fixtures if name in ONLY}
    return [k for k in config.option.databases if not only or only == {k}]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "copy" in metafunc.fixturenames:
        kinds = wanted(metafunc.config, metafunc.fixturenames)
        ids = [IDS[kind] for kind in kinds]
        if kinds:
            metafunc.parametrize("copy", kinds, ids=ids, indirect=True, scope="session")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what this run does not do, and put the rest in order."""
    names = {item: getattr(item, "fixturenames", []) for item in items}
    out = {
        item for item in items if "copy" in names[item] and not wanted(config, names[item])
    }
    out |= selection.select([item for item in items if item not in out])
    config.hook.pytest_deselected(items=list(out))
    items[:] = [item for item in items if item not in out]
    items.sort(key=order)


def order(item: pytest.Item) -> tuple[bool, bool]:
    """Order the tests: pure rules, what is slow, the rest."""
    return not item.nodeid.startswith(PURE), item.get_closest_marker("slow") is None


@pytest.fixture(scope="session")
def copies(request: pytest.FixtureRequest) -> Iterator[Callable[[str], Copy]]:
    """Migrate a database of each kind once, however often the tests change between them."""
    with ExitStack() as stack:

        @cache
        def copies_of(kind: str) -> Copy:
            made = databases.copies(kind, request.config.stash[HOME])
            return stack.enter_context(made)

        yield copies_of


@pytest.fixture(scope="session")
def copy(request: pytest.FixtureRequest, copies: Callable[[str], Copy]) -> Copy:
    """Make as many databases as a test needs: `with copy() as url`."""
    return copies(request.param)


@pytest.fixture
def url(copy: Copy) -> Iterator[str]:
    """Make a database for this test alone."""
    with copy() as made:
        yield made


@pytest.fixture
def sqlite_url(url: str) -> str:
    """Make a database, for a test that is about SQLite."""
    return url


@pytest.fixture
def pg_url(url: str) -> str:
    """Make a database, for a test that is about PostgreSQL."""
    return url


@pytest.fixture
def before_any_database() -> None:
    """Say that what is sent is refused before it comes to any database."""


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    """Open this test's database as the service does."""
    opened = Database(url)
    yield opened
    opened.engine.dispose()


@pytest.fixture(scope="session")
def app() -> FastAPI:
    """Build the application once: its routes are worked out at the first request."""
    return create_app(lay_ground("sqlite:///never-opened.db", KEYS), public_url=PUBLIC)


@pytest.fixture(scope="session")
def loop() -> Iterator[Here]:
    """Answer requests in the thread that asks."""
    with here() as made:
        yield made


@pytest.fixture
def world(url: str, app: FastAPI, loop: Here) -> Iterator[World]:
    """Open the service around this test's database, with the demo mechanism in it."""
    made = World(url, app, loop)
    yield made
    made.closes()


@pytest.fixture
def officer(world: World) -> Someone:
    """Act for the consular post of Uzbekistan in Almaty, which submits."""
    return world.someone("UZ_CONSULATE_ALMATY")


@pytest.fixture
def lead(world: World) -> Someone:
    """Act for the focal point of Kazakhstan."""
    return world.someone("KZ_LEAD")


@pytest.fixture
def supervisor(world: World) -> Someone:
    """Act as the second person of the focal point of Kazakhstan."""
    return world.someone("KZ_LEAD", {Role.SUPERVISOR})


@pytest.fixture
def shelter(world: World) -> Someone:
    """Act for a shelter in Kazakhstan."""
    return world.someone("KZ_SHELTER_KOGERSHIN")


@pytest.fixture
def lawyer(world: World) -> Someone:
    """Act for a legal aid office in Kazakhstan."""
    return world.someone("KZ_LEGAL_AID")


@pytest.fixture
def stranger(world: World) -> Someone:
    """Act for a focal point that has no part in anything."""
    return world.someone("JM_CONSULATE_PORT_OF_SPAIN")
