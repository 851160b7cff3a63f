"""A sweep that lets each database call of a request fail once, and checks the results."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from uuid import UUID

from fastapi import FastAPI

from tests.databases.failpoints.calls import Call, Scene
from tests.databases.failpoints.copies import Copies, copies_of
from tests.databases.failpoints.failing import AFTER, Failing, Way, failing
from tests.databases.failpoints.judging import SuccessfulCall, Tried
from tests.databases.failpoints.stories import STORIES, stages_of
from tests.support.administrators import ADMINISTRATOR
from tests.support.databases import draw_id
from tests.support.raw_requests import Answer, open_wire
from tests.support.world import Someone
from tests.sweeps.matrix import records, stages
from tests.sweeps.matrix.people import people
from tests.sweeps.matrix.stages import Stage


@dataclass
class Ids:
    """A generator of ids. After `begin`, the same seed always gives the same ids."""

    chance: Random = field(default_factory=lambda: Random(0))

    def __call__(self) -> UUID:
        return draw_id(self.chance)

    def begin(self, seed: object) -> None:
        self.chance = Random(str(seed))


@dataclass
class Sweep:
    """A sweep over the points at which the database of a world is made to fail."""

    scene: Scene
    copies: Copies
    watch: Failing
    ids: Ids

    def sends(
        self,
        call: Call,
        drawn: str,
        at: int | None = None,
        way: Way = Way.FULL,
    ) -> Answer:
        """Send a call. If the point `at` is given, the database fails at that point."""
        self.ids.begin(drawn)
        self.watch.begin(at, way)
        answer = call.send(self.scene.wire)
        self.watch.at = None
        return answer

    def told(self, name: str) -> SuccessfulCall:
        """Send the call of a story; return it with its response and its effects."""
        self.copies.back("begun")
        self.ids.begin(name)
        call = STORIES[name](self.scene)
        self.copies.keep("ready")
        self.copies.back("ready")
        before = self.copies.rows()
        answer = self.sends(call, "first")
        points = list(self.watch.points)
        return SuccessfulCall(name, call, answer, points, before, self.copies.rows())

    def faults(self, told: SuccessfulCall, number: int, way: Way) -> list[str]:
        """Let the call fail at one point, and return the broken guarantees."""
        self.copies.back("ready")
        failed = self.sends(told.call, "first", number, way)
        after = self.copies.rows()
        kept = told.points[number] == AFTER and after != told.before
        again = self.sends(told.call, "again" if kept else "first")
        tried = Tried(told, failed, after, again, self.copies.rows())
        what = " ".join(told.points[number].split())[:60]
        found = tried.after_all(kept=kept)
        return [f"{told.name}, point {number} ({what}), {way}: {one}" for one in found]


def build(known: Mapping[str, Someone], needed: set[str]) -> dict[str, Stage]:
    """Build the needed stages. Stages whose events lie in the past are built first."""
    made: dict[str, Stage] = {}
    for table, building in (
        (records.REFERRALS, records.of_referrals),
        (stages.OF_CASES, stages.of_cases),
        (records.HANDOVERS, records.of_handovers),
        (records.UP_TO, records.of_returns),
    ):
        made |= building([name for name in table if name in needed])(known)
    return made | (records.of_the_rest()(known) if "rest" in needed else {})


@contextmanager
def sweeping(url: str, app: FastAPI, folder: Path, names: Iterable[str]) -> Iterator[Sweep]:
    """Build a world for some stories, and yield the sweep that makes its database fail."""
    ids = Ids()
    with open_wire(url, app, ids) as wire:
        world, known = wire.world, people(wire.world)
        known["second"] = world.add_person("DESK_CENTRAL_ASIA", ADMINISTRATOR)
        scene = Scene(wire, known, build(known, stages_of(names)))
        with (
            copies_of(world.database.engine, folder) as copies,
            failing(world.database) as watch,
        ):
            copies.keep("begun")
            yield Sweep(scene, copies, watch, ids)
