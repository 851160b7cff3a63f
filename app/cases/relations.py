"""What each office is to a case, was to it, and is granted by that."""

from abc import abstractmethod
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from app.cases.grants import (
    Condition,
    Course,
    Grant,
    list_conditions,
    list_grants,
)
from app.cases.lifecycle import UNLED, State
from app.kernel.actors import HOLDS, Relation


class PartyRow(Protocol):
    """A row of the table `party`, as far as rules need it."""

    @property
    def record_id(self) -> UUID:
        """The case, or a referral or handover of it."""

    @property
    def focal_point_id(self) -> UUID:
        """Whose relation it is."""

    @property
    def relation(self) -> Relation:
        """What the office is to the record."""

    @property
    def since(self) -> datetime:
        """From when on."""

    @property
    def until(self) -> datetime | None:
        """Until when; None: it lasts."""

    @property
    def as_asked(self) -> Mapping[str, Any] | None:
        """The case as it was when the office was asked; None: it reads it as it is."""


def covers(party: PartyRow, at: datetime) -> bool:
    """Return whether a party row counted at a time."""
    return party.since <= at and (party.until is None or at <= party.until)


def follows(party: PartyRow, at: datetime | None = None) -> set[Condition]:
    """Return whether a party row follows the case, or counts for what was before it.

    A State body that is asked for a travel document reads the case as when it was asked: it
    must not follow a person across a border (R12).
    """
    was_before = at is not None and at <= party.since
    return {Condition.FOLLOWS} if party.as_asked is None or was_before else set()


class Relations:
    """The relations of offices to a case; `Case` inherits it and has what it reads."""

    @property
    @abstractmethod
    def id(self) -> UUID:
        """The id of the case."""

    @property
    @abstractmethod
    def state(self) -> State:
        """Where the case is."""

    @property
    @abstractmethod
    def country(self) -> str | None:
        """Where the person is."""

    @property
    @abstractmethod
    def relocated_at(self) -> datetime | None:
        """When the person was first led across a border before a lead had the case."""

    @property
    @abstractmethod
    def parties(self) -> Sequence[PartyRow]:
        """Every party row of the case, of now and before."""

    def relations_of(self, focal_point: UUID) -> frozenset[Relation]:
        """Say what this focal point is to the case itself now."""
        return frozenset(
            p.relation
            for p in self.parties
            if p.focal_point_id == focal_point and p.record_id == self.id and not p.until
        )

    def parts_of(self, focal_point: UUID) -> frozenset[Relation]:
        """Say what it is now to the case or to any record of it."""
        return frozenset(
            p.relation
            for p in self.parties
            if p.focal_point_id == focal_point and not p.until
        )

    def is_open_to(self, focal_point: UUID) -> bool:
        """Return whether it may see the case as it is, and not only its own past."""
        return Grant.CASE in self.grants(focal_point)

    def grants(self, focal_point: UUID) -> frozenset[Grant]:
        """Return what its relations to the case, or to a record of it, grant together."""
        return self._granted(focal_point, (p for p in self.parties if not p.until))

    def grants_as_party(self, focal_point: UUID) -> frozenset[Grant]:
        """Return what its relations to the case itself grant together.

        Events and lists of the case itself are for these relations alone.
        """
        return self._granted(focal_point, filter(self.is_open, self.parties))

    def _granted(self, focal_point: UUID, parties: Iterable[PartyRow]) -> frozenset[Grant]:
        holds = self.conditions(focal_point)
        each = (
            list_grants(p.relation, holds | follows(p))
            for p in parties
            if p.focal_point_id == focal_point
        )
        return frozenset[Grant]().union(*each)

    def conditions(
        self, focal_point: UUID, at: datetime | None = None
    ) -> frozenset[Condition]:
        """Return which conditions of the table of grants hold for an office."""
        course = Course(self.led_since, self.relocated_at, self.parted_at)
        holds = list_conditions(course, at)
        if self.state in UNLED:
            holds |= {Condition.UNLED, Condition.BEFORE_LEAD}
        if self.state == State.VOID:
            holds.add(Condition.BEFORE_LEAD)
        if focal_point == self.holder:
            holds.add(Condition.IS_HOLDER)
        return frozenset(holds)

    def granted_at(
        self, focal_point: UUID, grant: Grant, at: datetime, *, as_party: bool = True
    ) -> bool:
        """Return whether an office may know something of the case from a certain time.

        By a relation that it has now, or had at that time: to the case itself, or, unless
        `as_party`, to any record of it.
        """
        holds = self.conditions(focal_point, at)
        return any(
            p.focal_point_id == focal_point
            and (p.record_id == self.id or not as_party)
            and (p.until is None or covers(p, at))
            and grant in list_grants(p.relation, holds | follows(p, at))
            for p in self.parties
        )

    @property
    def audience(self) -> frozenset[UUID]:
        """The focal points that may know what happens to the case itself."""
        return self._with_grant(Grant.CASE)

    @property
    def readers(self) -> frozenset[UUID]:
        """Those of them who hear that the summary has changed."""
        return self._with_grant(Grant.SUMMARY_EVENTS)

    @property
    def keepers(self) -> frozenset[UUID]:
        """The offices that hear that something was written in the case, but not what.

        The submitter until a lead has it; then the holder. A submitter of the State of
        origin must not follow what the host side learns (R12).
        """
        return self._with_grant(Grant.WRITTEN)

    @property
    def missed_deadline_audience(self) -> frozenset[UUID]:
        """The parties that hear that somebody missed a deadline of the case itself.

        A submitter hears whether its case is taken, and nothing of how a lead works on it
        afterwards, or of working days beyond a border (R12).
        """
        return self._with_grant(Grant.MISSED_DEADLINES)

    def _with_grant(self, grant: Grant) -> frozenset[UUID]:
        """List the parties of the case itself that have a grant now."""
        now = {p.focal_point_id for p in self.parties if self.is_open(p)}
        return frozenset(one for one in now if grant in self.grants_as_party(one))

    def is_open(self, party: PartyRow) -> bool:
        """Return whether a party row gives a relation to the case itself now."""
        return party.record_id == self.id and not party.until

    @property
    def is_handed_on(self) -> bool:
        """Whether its submitter has it out of its hands now (R12)."""
        return self.state not in UNLED | {State.VOID}

    @property
    def submitter_knows_country(self) -> bool:
        """Whether its submitter, as such, may learn where the person is now (R12)."""
        return self.grants_submitter(Grant.COUNTRY)

    def grants_submitter(self, grant: Grant) -> bool:
        """Return whether its submitter is granted something as the submitter."""
        holds = self.conditions(self.submitter)
        return grant in list_grants(Relation.SUBMITTER, holds)

    @property
    def led_since(self) -> datetime | None:
        """When a lead took the case first."""
        return min((p.since for p in self.parties if self.was_lead(p)), default=None)

    @property
    def parted_at(self) -> datetime | None:
        """When its submitter ceased to know who has it: at a border, or with its lead."""
        left = [p.until for p in self.parties if self.was_lead(p) and p.until]
        crossed = [self.relocated_at] if self.relocated_at else []
        return min([*left, *crossed], default=None)

    def was_lead(self, party: PartyRow) -> bool:
        """Say whether a party row is of a lead of the case, of now or before."""
        return party.record_id == self.id and party.relation == Relation.LEAD

    @property
    def is_in_sight(self) -> bool:
        """Whether its submitter, as such, may learn who has the case now (R12).

        A submitter knows who took it, and not where a person went from there.
        """
        return self.parted_at is None

    @property
    def offices(self) -> frozenset[UUID]:
        """Every focal point that has or had a part in it."""
        return frozenset(party.focal_point_id for party in self.parties)

    @property
    def held_by(self) -> frozenset[UUID]:
        """Every office that holds or held the case itself."""
        return frozenset(
            party.focal_point_id
            for party in self.parties
            if party.record_id == self.id and party.relation in HOLDS
        )

    @property
    def overseers(self) -> frozenset[UUID]:
        """The bodies that oversee this case."""
        return frozenset(
            p.focal_point_id for p in self.parties if p.relation == Relation.OVERSIGHT
        )

    def with_relation(self, *relations: Relation) -> UUID | None:
        """Find the focal point that has one of these relations to the case now."""
        return next(
            (p.focal_point_id for p in self.parties if self.is_now(p, relations)), None
        )

    def is_now(self, party: PartyRow, relations: Collection[Relation]) -> bool:
        """Say whether a party row gives one of these relations to the case itself now."""
        of_these = party.relation in relations and not party.until
        return of_these and party.record_id == self.id

    @property
    def holder(self) -> UUID | None:
        """Who holds the case: its lead, else its candidate, else the desk."""
        holding = [p for p in self.parties if self.is_now(p, HOLDS)]
        first = min(holding, key=lambda p: HOLDS.index(p.relation), default=None)
        return first.focal_point_id if first else None

    @property
    def submitter(self) -> UUID:
        """Who submitted it; known as long as the row exists."""
        return next(
            p.focal_point_id for p in self.parties if p.relation == Relation.SUBMITTER
        )
