"""Tell the course of a case with dates, and check how it ends.

A story moves the clock of `world` from one date to the next. In between, the worker does
everything that is due, each thing at its time.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from sqlalchemy import func, select

from app.cases.models import Case, CaseKey, Sealed
from app.deadlines.models import Clock
from app.directory.models import FocalPoint
from app.kernel.actors import SERVICE, Role
from tests.support.world import WORKERS, Json, Someone, World

FEWEST, MOST = 8, 30
"""How many dated steps a story has."""
WEEK: Final = timedelta(days=6, hours=20)
"""A lead assesses the risk again within 7 days."""


class Ending(StrEnum):
    """How a case ends in a story."""

    CLOSURE = "closure"
    ERASURE = "erasure"
    REST = "rest"


class Story:
    """The course of one or more cases, told step by step with dates in UTC."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.dates: list[datetime] = []
        self.endings: dict[str, Ending] = {}

    def person(self, office: str, *roles: Role) -> Someone:
        """Return somebody who works at an office, by default as a case worker."""
        return self.world.someone(office, roles or WORKERS)

    def on(self, moment: str) -> None:
        """Begin a step: pass the time until then, and do what is due meanwhile."""
        until = datetime.fromisoformat(moment).replace(tzinfo=UTC)
        assert until > self.world.now, f"{moment} is not ahead"
        self.passes_until(until)
        self.dates.append(until)

    def passes_until(self, until: datetime) -> None:
        """Stop at each moment at which something is due, and let the worker do it."""
        while (due := self.next_due()) is not None and due < until:
            self.world.now = due
            self.world.works()
        self.world.now = until
        self.world.works()

    def next_due(self) -> datetime | None:
        """Return when the worker looks at a clock next; None if nothing runs."""
        look = func.coalesce(Clock.fires_at, Clock.due_at)
        running = select(func.min(look)).where(Clock.stopped_at.is_(None))
        ahead = running.where(look > self.world.now)
        with self.world.database.reading(SERVICE) as session:
            return session.scalar(ahead)

    def each_week(self, moment: str, repeat: Callable[[], object]) -> None:
        """Begin a step, and repeat something each week until then."""
        until = datetime.fromisoformat(moment).replace(tzinfo=UTC)
        while self.world.now + WEEK < until:
            self.passes_until(self.world.now + WEEK)
            repeat()
        self.on(moment)

    def ends_with_closure(self, case: Json, reason: str) -> None:
        """Check that a case is closed, and that only the time of keeping it runs."""
        found = self.find(case)
        assert (found.state, found.closure_reason) == ("closed", reason)
        assert self.running(found.id) == [("erase", None)]
        self.add_ending(case, Ending.CLOSURE)

    def ends_with_erasure(self, case: Json) -> None:
        """Check that nothing of a case can be opened any more, and that nothing runs."""
        found = self.find(case)
        assert found.state == "erased"
        assert self.running(found.id) == []
        assert self.sealed_of(found.id) == (0, 0)
        self.add_ending(case, Ending.ERASURE)

    def ends_with_rest(self, case: Json, state: str, **waits: str) -> None:
        """Check that a case rests in a state, and which office is waited for with what."""
        found = self.find(case)
        assert found.state == state
        running = [(office, kind) for kind, office in self.running(found.id) if office]
        assert sorted(running) == sorted(waits.items())
        self.add_ending(case, Ending.REST)

    def add_ending(self, case: Json, ending: Ending) -> None:
        """Note how a case ended; each case ends once."""
        assert case["code"] not in self.endings
        self.endings[case["code"]] = ending

    def check(self) -> None:
        """Check that the story has enough dates, and that each of its cases has an end."""
        assert FEWEST <= len(self.dates) <= MOST, f"{len(self.dates)} dated steps"
        with self.world.database.reading(SERVICE) as session:
            codes = set(session.scalars(select(Case.code)))
        assert codes == set(self.endings), "a case of the story has no end"

    def find(self, case: Json) -> Case:
        """Load a case as the database has it."""
        with self.world.database.reading(SERVICE) as session:
            return session.scalars(select(Case).where(Case.code == case["code"])).one()

    def running(self, case_id: UUID) -> list[tuple[str, str | None]]:
        """List the running clocks of a case, each with the office that it waits for."""
        clocks = select(Clock.kind, FocalPoint.code)
        joined = clocks.outerjoin(FocalPoint, FocalPoint.id == Clock.waits_on)
        mine = joined.where(Clock.case_id == case_id, Clock.stopped_at.is_(None))
        with self.world.database.reading(SERVICE) as session:
            return [(str(kind), office) for kind, office in session.execute(mine)]

    def sealed_of(self, case_id: UUID) -> tuple[int, int]:
        """Count the keys of a case, and the sealed texts that are left of it."""
        with self.world.database.reading(SERVICE) as session:
            return (
                len(session.scalars(select(CaseKey).filter_by(case_id=case_id)).all()),
                len(session.scalars(select(Sealed).filter_by(case_id=case_id)).all()),
            )


def tell(world: World) -> Iterator[Story]:
    """Give a test a story, and check it when the test has passed."""
    story = Story(world)
    yield story
    story.check()
