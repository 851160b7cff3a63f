"""Units of work: who acts, when, and in which transaction."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from uuid import UUID

from sqlalchemy.orm import Session

from app.kernel.actors import Actor
from app.kernel.db import Database, database_now
from app.kernel.free_space import UNWATCHED, FreeSpace
from app.kernel.journal import Entry, Posting, deliver
from app.kernel.problems import Facts
from app.kernel.quotas import Quotas
from app.kernel.vault import Vault


class RefusalCounter(Protocol):
    """Counts refused openings of accounts."""

    def count(self, account: UUID, now: datetime) -> None:
        """Count one, or raise a problem if it is one too many."""

    def was_reported(self, account: UUID, now: datetime) -> bool:
        """Return whether the account was reported lately."""

    def note_reported(self, account: UUID, now: datetime) -> None:
        """Remember that the account was reported."""


@dataclass(frozen=True)
class Ground:
    """What all work stands on: the database, the vault, and where time and ids come from.

    The clock and the ids are given, so that a test can repeat a world exactly. `time` is
    what clocks run out by: the database's own, which is one for all machines (R55). `speed`
    is how many times as fast deadlines run: more than 1 in a drill alone. `drill` is
    whether the environment is a drill, at any speed. `daily_cap` is how many cases one
    account opens in a day of UTC (R18); None: as many as it likes. `hosts` are those that
    webhooks may go to (R62). `refused_openings` counts what accounts asked to open and may
    not; None: nobody counts. `quotas` are what accounts may write. `free_space` measures
    the disks of this machine.
    """

    database: Database
    vault: Vault
    clock: Callable[[], datetime]
    ids: Callable[[], UUID]
    time: Callable[[Session], datetime] = database_now
    speed: int = 1
    daily_cap: int | None = None
    hosts: frozenset[str] = frozenset()
    refused_openings: "RefusalCounter | None" = None
    quotas: Quotas = field(default_factory=Quotas)
    free_space: FreeSpace = UNWATCHED
    drill: bool = False

    @property
    def is_drill(self) -> bool:
        """Return whether no real person may be in the database."""
        return self.drill or self.speed > 1


class Recorded(Protocol):
    """Something the journal can be about."""

    @property
    def id(self) -> UUID:
        """The record's own id."""

    @property
    def case_id(self) -> UUID:
        """The case it belongs to."""

    @property
    def reference(self) -> str:
        """How the outside world names it: `cases/SC-...` or `referrals/...`."""


@dataclass(frozen=True)
class Named:
    """A record as clocks and the journal name it, where it is not at hand itself."""

    id: UUID
    case_id: UUID
    reference: str


@dataclass
class Reading:
    """A unit of work that may look; the database refuses its writes."""

    session: Session
    actor: Actor
    now: datetime
    ground: Ground
    held: set[object] = field(default_factory=set)
    """Records to find again without asking: the session forgets what nobody holds."""

    @property
    def vault(self) -> Vault:
        """Where personal data is sealed and opened."""
        return self.ground.vault


@dataclass
class Writing(Reading):
    """A unit of work that may change things, and says so in the journal."""

    postings: list[Posting] = field(default_factory=list)
    is_exempt_from_quota: bool = False
    """Whether it may seal more than its account may in a day."""

    def new_id(self) -> UUID:
        """Take a fresh random id."""
        return self.ground.ids()

    def record(
        self,
        event: str,
        subject: Recorded,
        audience: frozenset[UUID],
        facts: Facts | None = None,
        *,
        by_system: bool = False,
    ) -> None:
        """Journal a change; it is published if and only if the work commits.

        Facts are codes and ids: no personal data travels in a feed.
        """
        by_system = by_system or self.actor.is_system
        entry = Entry(
            id=self.new_id(),
            at=self.now,
            type=event,
            case_id=subject.case_id,
            record_id=subject.id,
            reference=subject.reference,
            account_id=None if by_system else self.actor.account_id,
            focal_point_id=None if by_system else self.actor.focal_point_id,
            facts=dict(facts or {}),
        )
        self.postings.append(Posting(entry, audience))


@contextmanager
def reading(ground: Ground, actor: Actor) -> Iterator[Reading]:
    """Begin to read."""
    with ground.database.reading(actor.acts_for) as session:
        yield Reading(session, actor, ground.clock(), ground)


@contextmanager
def writing(
    ground: Ground, actor: Actor, *, acts_for: str | None = None
) -> Iterator[Writing]:
    """Begin to write; what was recorded is delivered as the last act.

    What the system does it does by the clock of the database, not of this machine. Within
    reach is what the actor's focal point has, or whoever it is said to act for.
    """
    with ground.database.writing(acts_for or actor.acts_for) as session:
        now = ground.time(session) if actor.is_system else ground.clock()
        work = Writing(session, actor, now, ground)
        yield work
        session.flush()
        deliver(session, work.postings)
