"""What a test begins with is brought about once, kept, and put back for those like it.

Half of what the tests of the API cost is to bring about what they begin with: people, a
case, a lead who has it. Tests of one file that ask for the same fixtures begin with the
same. So after the first of them was set up, what is in the database is kept, with what the
fixtures gave and what time it was; the others find all of it, and share nothing.

Kept is only what surely is the same: what plain fixtures make of the world alone. A test
with any other fixture that touches the world, and what cannot be written down, are set up
anew each time.
"""

import inspect
import io
import os
import pickle
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, override

import pytest

from tests.support.snapshots import Snapshot, copied_from, copied_to, put_back, taken
from tests.support.world import World

MANY: Final = 3
"""Tests that begin with the same, or it is not worth while; ..."""
LONG: Final = 0.03
"""... and seconds that it has to take."""
GIVEN: Final = frozenset({"url", "sqlite_url", "pg_url", "world"})
"""What a database is come to by, and does nothing to it."""

type Key = tuple[str, ...]


@dataclass(frozen=True)
class Stage:
    """The fixtures of a test that make something of the world, and how to name them."""

    key: Key
    names: frozenset[str]


@dataclass(frozen=True)
class Kept:
    """What was brought about: in the database, in what fixtures gave, and when."""

    rows: Path | Snapshot
    values: bytes
    now: datetime


def stage_of(item: pytest.Item) -> Stage | None:
    """Find what a test begins with; None, if it is not sure to be always the same."""
    if not isinstance(item, pytest.Function):
        return None
    known = item._fixtureinfo.name2fixturedefs  # noqa: SLF001 - nothing else tells
    last = {name: defs[-1] for name, defs in known.items()}
    world = last.get("world")
    if world is None or world.func.__module__ != "tests.conftest":
        return None
    given = dict(item.callspec.params) if hasattr(item, "callspec") else {}
    kind = str(given.pop("copy", ""))
    made = {
        name
        for name in item.fixturenames
        if name in last and name not in GIVEN and touches(name, last)
    }
    if not made or not all(is_plain(last[name], made, last, given) for name in made):
        return None
    names = [name for name in item.fixturenames if name not in given]
    return Stage((item.nodeid.partition("::")[0], kind, *names), frozenset(made))


def touches(name: str, last: dict[str, Any]) -> bool:
    """Say whether a fixture may touch a database, by itself or through another one."""
    if name in GIVEN:
        return True
    return name in last and any(touches(one, last) for one in last[name].argnames)


def is_plain(
    fixture: Any, made: set[str], last: dict[str, Any], given: dict[str, Any]
) -> bool:
    """Say whether a fixture just makes something, and of nothing but such."""
    of = set(fixture.argnames) - made - GIVEN
    lasting = all(name in last and last[name].scope == "session" for name in of)
    alone = fixture.params is None and not of & given.keys()
    return lasting and alone and not inspect.isgeneratorfunction(fixture.func)


class Written(pickle.Pickler):
    """Writes down what fixtures gave; raises whatever it likes, if that cannot be."""

    def __init__(self, file: io.BytesIO, world: World) -> None:
        super().__init__(file)
        self.world = world

    @override
    def persistent_id(self, obj: Any) -> str | None:
        return "world" if obj is self.world else None


class Read(pickle.Unpickler):
    """Makes it anew, of another world."""

    def __init__(self, file: io.BytesIO, world: World) -> None:
        super().__init__(file)
        self.world = world

    @override
    def persistent_load(self, pid: str) -> World:
        assert pid == "world"
        return self.world


class Stages:
    """A plugin: knows what is kept for the tests of the file that is at work."""

    def __init__(self, home: Path) -> None:
        self.home, self.file = home, ""
        self.stages: dict[str, Stage] = {}
        self.wanted = Counter[Key]()
        self.kept: dict[Key, Kept | None] = {}
        self.values: dict[str, Any] = {}

    def learn(self, items: list[pytest.Item]) -> None:
        """See how many tests begin with the same."""
        found = {item.nodeid: stage_of(item) for item in items}
        self.stages = {node: stage for node, stage in found.items() if stage}
        self.wanted = Counter(stage.key for stage in self.stages.values())

    def begins(self, item: pytest.Item, world: World) -> None:
        """Put into a world that was just made what is kept for this test."""
        stage = self.stages.get(item.nodeid)
        if stage and (kept := self.kept.get(stage.key)):
            bring_back(kept.rows, world)
            self.values = Read(io.BytesIO(kept.values), world).load()
            world.now = kept.now

    @pytest.hookimpl(tryfirst=True)
    def pytest_fixture_setup(
        self, fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest
    ) -> Any:
        """Give what a fixture gave before; None: it has to be set up."""
        value = self.values.get(fixturedef.argname)
        if value is not None:
            key = fixturedef.cache_key(request)  # type: ignore[arg-type]
            fixturedef.cached_result = (value, key, None)
        return value

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Iterator[None]:
        """Set up a test, and keep what it begins with where others begin with the same."""
        self.turn_to(item.nodeid.partition("::")[0])
        self.values, began = {}, time.perf_counter()
        yield
        stage, took = self.stages.get(item.nodeid), time.perf_counter() - began
        if stage and stage.key not in self.kept and self.wanted[stage.key] >= MANY:
            given: dict[str, Any] = item.funcargs  # type: ignore[attr-defined]
            self.kept[stage.key] = self.keep(stage, given) if took > LONG else None

    def keep(self, stage: Stage, given: dict[str, Any]) -> Kept | None:
        """Write down what there is; None: that cannot be."""
        world, values = given["world"], {name: given[name] for name in stage.names}
        file = io.BytesIO()
        try:
            Written(file, world).dump(values)
            Read(io.BytesIO(file.getvalue()), world).load()
        except (pickle.PicklingError, TypeError, AttributeError, RecursionError):
            return None
        if None in values.values():  # what gives nothing may do something
            return None
        return Kept(self.rows(world), file.getvalue(), world.now)

    def rows(self, world: World) -> Path | Snapshot:
        """Keep what is in the database."""
        engine = world.database.engine
        if not world.database.is_sqlite:
            return taken(engine)
        return copied_to(self.home / f"stage-{os.getpid()}-{len(self.kept)}.db", engine)

    def turn_to(self, file: str) -> None:
        """Forget what was kept for the tests of another file."""
        if file != self.file:
            for kept in self.kept.values():
                if kept and isinstance(kept.rows, Path):
                    kept.rows.unlink()
            self.file, self.kept = file, {}


def bring_back(rows: Path | Snapshot, world: World) -> None:
    """Put what is kept into the database."""
    if isinstance(rows, Path):
        copied_from(rows, world.database.engine)
    else:
        put_back(world.database.engine, rows)
