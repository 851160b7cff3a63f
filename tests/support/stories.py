"""Stories that play cases in dated steps, and checks of how the cases end.

A story advances the clock of `world` from one date to the next. In between, the worker does
each task at the time when it is due.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from sqlalchemy import func, select

from app.cases.models import Case, CaseKey, Sealed
from app.deadlines.models import Clock
from app.directory.kinds import Confidence, DisclosureLevel, OfficeFunction, OfficeKind
from app.directory.models import Agreement, FocalPoint
from app.kernel.actors import SERVICE, Role
from app.kernel.journal import Mailbox
from tests.support.world import WORKERS, Json, Someone, World

FEWEST, MOST = 8, 30
"""The minimum and the maximum number of dated steps of a story."""
WEEK: Final = timedelta(days=6, hours=20)
"""Almost a week, because a lead has to assess the risk again within 7 days."""


class Ending(StrEnum):
    """The way in which a case ends in a story."""

    CLOSURE = "closure"
    ERASURE = "erasure"
    REST = "rest"


class Story:
    """The course of one or more cases in steps, each with a date in UTC."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.dates: list[datetime] = []
        self.endings: dict[str, Ending] = {}

    def get_person(self, office: str, *roles: Role) -> Someone:
        """Return a person of an office, by default with all roles of `WORKERS`."""
        return self.world.add_person(office, roles or WORKERS)

    def add_office(  # noqa: PLR0913 - an office has many optional attributes
        self,
        code: str,
        kind: OfficeKind,
        *countries: str,
        function: OfficeFunction = OfficeFunction.SOCIAL,
        of_state: str | None = None,
        services: Iterable[str] = (),
        ages: Iterable[str] = (),
        can_lead: bool = False,
    ) -> Someone:
        """Add an office that exists only in this story, and return one of its people."""
        with self.world.database.begin_write() as session:
            session.add(Mailbox(focal_point_id=(made := self.world.ids())))
            session.flush()
            session.add(
                FocalPoint(
                    id=made,
                    code=code,
                    name=code,
                    kind=kind,
                    function=function,
                    of_state=of_state,
                    serves=list(countries),
                    time_zone="UTC",
                    languages=[],
                    services=list(services),
                    sexes=[],
                    ages=list(ages),
                    opening=[],
                    can_lead=can_lead,
                    active=True,
                    confidence=Confidence.FICTITIOUS,
                )
            )
        return self.get_person(code)

    def add_agreement(self, level: DisclosureLevel, *countries: str) -> None:
        """Add an agreement between these countries, for the sections of this level."""
        code = "_".join(["STORY", *countries])
        with self.world.database.begin_write() as session:
            session.add(
                Agreement(
                    code=code,
                    name=code,
                    countries=list(countries),
                    level=level,
                    in_force_from=date(2026, 1, 1),
                    confidence=Confidence.FICTITIOUS,
                    source="invented",
                )
            )

    def on(self, moment: str) -> None:
        """Advance to a later moment (see `advance_to`), and begin a step with this date."""
        until = datetime.fromisoformat(moment).replace(tzinfo=UTC)
        assert until > self.world.now, f"{moment} is not ahead"
        self.advance_to(until)
        self.dates.append(until)

    def advance_to(self, until: datetime) -> None:
        """Advance the clock; run the worker whenever a deadline is due, and at the end."""
        while (due := self.find_next_due()) is not None and due < until:
            self.world.now = due
            self.world.run_worker()
        self.world.now = until
        self.world.run_worker()

    def find_next_due(self) -> datetime | None:
        """Return the next time after now at which the worker handles a running deadline.

        Return None if there is no such time.
        """
        look = func.coalesce(Clock.fires_at, Clock.due_at)
        running = select(func.min(look)).where(Clock.stopped_at.is_(None))
        ahead = running.where(look > self.world.now)
        with self.world.database.begin_read(SERVICE) as session:
            return session.scalar(ahead)

    def run_weekly(self, moment: str, repeat: Callable[[], object]) -> None:
        """Call a function once a week until a moment, and begin a step at that moment.

        The worker also runs only once a week, which takes less time.
        """
        until = datetime.fromisoformat(moment).replace(tzinfo=UTC)
        while self.world.now + WEEK < until:
            repeat()
            self.world.now += WEEK
            self.world.run_worker()
        repeat()
        self.on(moment)

    def require_closure(self, case: Json, reason: str, **waits: str) -> None:
        """Check that a case is closed, and which of its deadlines still run.

        These are the deadline of the retention and, for each office in `waits`, a deadline
        of the given kind, until that office confirms that it deleted the data.
        """
        found = self.find(case)
        assert (found.state, found.closure_reason) == ("closed", reason)
        left = [(kind, office) for office, kind in waits.items()]
        assert set(self.list_deadlines(found.id)) == {("erase", None), *left}
        self.add_ending(case, Ending.CLOSURE)

    def require_erasure(self, case: Json) -> None:
        """Check that a case is erased, and has no keys, sealed documents or deadlines."""
        found = self.find(case)
        assert found.state == "erased"
        assert self.list_deadlines(found.id) == []
        assert self.count_sealed(found.id) == (0, 0)
        self.add_ending(case, Ending.ERASURE)

    def require_rest(self, case: Json, state: str, **waits: str) -> None:
        """Check the state of a case that stays open, and the deadlines of offices."""
        found = self.find(case)
        assert found.state == state
        running = [
            (office, kind) for kind, office in self.list_deadlines(found.id) if office
        ]
        assert sorted(running) == sorted(waits.items())
        self.add_ending(case, Ending.REST)

    def add_ending(self, case: Json, ending: Ending) -> None:
        """Record how a case ended. A case can end only once."""
        assert case["code"] not in self.endings
        self.endings[case["code"]] = ending

    def check(self) -> None:
        """Check the number of dates, and that each case of the story has an ending."""
        assert FEWEST <= len(self.dates) <= MOST, f"{len(self.dates)} dated steps"
        with self.world.database.begin_read(SERVICE) as session:
            codes = set(session.scalars(select(Case.code)))
        assert codes == set(self.endings), "a case of the story has no end"

    def find(self, case: Json) -> Case:
        """Return the stored row of a case."""
        with self.world.database.begin_read(SERVICE) as session:
            return session.scalars(select(Case).where(Case.code == case["code"])).one()

    def list_deadlines(self, case_id: UUID) -> list[tuple[str, str | None]]:
        """Return the running deadlines of a case, each with the office that has to act."""
        clocks = select(Clock.kind, FocalPoint.code)
        joined = clocks.outerjoin(FocalPoint, FocalPoint.id == Clock.waits_on)
        mine = joined.where(Clock.case_id == case_id, Clock.stopped_at.is_(None))
        with self.world.database.begin_read(SERVICE) as session:
            return [(str(kind), office) for kind, office in session.execute(mine)]

    def count_sealed(self, case_id: UUID) -> tuple[int, int]:
        """Return the number of keys and the number of sealed documents of a case."""
        with self.world.database.begin_read(SERVICE) as session:
            return (
                len(session.scalars(select(CaseKey).filter_by(case_id=case_id)).all()),
                len(session.scalars(select(Sealed).filter_by(case_id=case_id)).all()),
            )
