"""The current and former relations of offices to a case, and the resulting grants."""

from abc import abstractmethod
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Protocol
from uuid import UUID

from app.cases.grants import CaseHistory, Condition, Grant, list_conditions, list_grants
from app.cases.lifecycle import UNLED, State
from app.kernel.actors import HOLDING_RELATIONS, Relation

BEFORE_LEAD: Final = UNLED | {State.VOID}
"""The states before a lead takes a case, and `VOID`: the submitter may read most of it."""


class PartyRow(Protocol):
    """A row of the table `party`, with the columns that rules need."""

    @property
    def record_id(self) -> UUID:
        """The id of the case, or of a referral or handover of the case."""

    @property
    def focal_point_id(self) -> UUID:
        """The office that has the relation."""

    @property
    def relation(self) -> Relation:
        """The relation of the office to the record."""

    @property
    def since(self) -> datetime:
        """When the relation began."""

    @property
    def until(self) -> datetime | None:
        """When the relation ended, or None if it is current."""

    @property
    def as_asked(self) -> Mapping[str, Any] | None:
        """The snapshot of the case that the office reads instead of the case, or None."""


def was_in_force(party: PartyRow, at: datetime) -> bool:
    """Return whether a party row was in force at a time."""
    return party.since <= at and (party.until is None or at <= party.until)


def get_follows(party: PartyRow, at: datetime | None = None) -> set[Condition]:
    """Return which of `FOLLOWS`, `HELPS` and `WORKS` hold for a party row.

    All of them hold for an office that reads the current case, and for data that is not
    newer than the snapshot that the office reads instead (ADR 43, ADR 90).
    """
    asked = party.as_asked or {}
    taken_at = datetime.fromisoformat(asked["at"]) if "at" in asked else party.since
    if not asked or (at is not None and at <= taken_at):
        return {Condition.FOLLOWS, Condition.HELPS, Condition.WORKS}
    works = set() if "completed" in asked else {Condition.WORKS}
    return works | {Condition.HELPS} if "moved" in asked else works


class Relations:
    """The relations of offices to a case; a base class of `Case`."""

    @property
    @abstractmethod
    def id(self) -> UUID:
        """The id of the case."""

    @property
    @abstractmethod
    def state(self) -> State:
        """The state of the case."""

    @property
    @abstractmethod
    def country(self) -> str | None:
        """The country in which the person is now, or None if it is unknown."""

    @property
    @abstractmethod
    def relocated_at(self) -> datetime | None:
        """The time of the first border crossing while the case had no lead, or None."""

    @property
    @abstractmethod
    def parties(self) -> Sequence[PartyRow]:
        """All party rows of the case, current and ended."""

    def list_relations(self, focal_point: UUID) -> frozenset[Relation]:
        """Return an office's current relations to the case, but not to its records."""
        return frozenset(
            p.relation
            for p in self.parties
            if p.focal_point_id == focal_point and p.record_id == self.id and not p.until
        )

    def list_all_relations(self, focal_point: UUID) -> frozenset[Relation]:
        """Return the current relations of an office to the case and to its records."""
        return frozenset(
            p.relation
            for p in self.parties
            if p.focal_point_id == focal_point and not p.until
        )

    def is_open_to(self, focal_point: UUID) -> bool:
        """Return whether an office may see the case as a current party."""
        return Grant.CASE in self.get_grants(focal_point)

    def get_grants(self, focal_point: UUID) -> frozenset[Grant]:
        """Return the grants that an office has by its current relations."""
        return self._get_grants(focal_point, (p for p in self.parties if not p.until))

    def get_grants_as_party(self, focal_point: UUID) -> frozenset[Grant]:
        """Return the grants that an office has by current relations to the case itself."""
        return self._get_grants(focal_point, filter(self.is_open, self.parties))

    def _get_grants(self, focal_point: UUID, rows: Iterable[PartyRow]) -> frozenset[Grant]:
        mine = [row for row in rows if row.focal_point_id == focal_point]
        if not mine:
            return frozenset()
        holds = self.get_conditions(focal_point)
        each = (list_grants(row.relation, holds | get_follows(row)) for row in mine)
        return frozenset[Grant]().union(*each)

    def get_conditions(
        self, focal_point: UUID, at: datetime | None = None
    ) -> frozenset[Condition]:
        """Return the conditions that hold for an office, except `FOLLOWS`.

        If `at` is given, conditions on the history of the case are evaluated for that time.
        """
        holds = self._list_shared_conditions(at)
        if focal_point == self.holder:
            holds.add(Condition.IS_HOLDER)
        return frozenset(holds)

    def _list_shared_conditions(self, at: datetime | None = None) -> set[Condition]:
        """Return the conditions of `get_conditions` that do not depend on the office."""
        course = CaseHistory(self.led_since, self.relocated_at, self.parted_at)
        holds = list_conditions(course, at)
        if self.state in UNLED:
            holds.add(Condition.UNLED)
        if self.state not in UNLED or not self.relocated_at:
            holds.add(Condition.NOT_IN_TRANSIT)
        if self.state in BEFORE_LEAD:
            holds.add(Condition.BEFORE_LEAD)
        return holds

    def is_granted_at(
        self, focal_point: UUID, grant: Grant, at: datetime, *, as_party: bool = True
    ) -> bool:
        """Return whether an office has a grant for data that was recorded at a given time.

        The relation must be current, or must have been in force at that time. If `as_party`
        is false, relations to the records of the case count as well.
        """
        holds = self.get_conditions(focal_point, at)
        return any(
            p.focal_point_id == focal_point
            and (p.record_id == self.id or not as_party)
            and (p.until is None or was_in_force(p, at))
            and grant in list_grants(p.relation, holds | get_follows(p, at))
            for p in self.parties
        )

    @property
    def audience(self) -> frozenset[UUID]:
        """The offices that receive the events of the case itself."""
        return self._with_grant(Grant.STATE)

    @property
    def summary_audience(self) -> frozenset[UUID]:
        """The offices that receive an event when the summary changes."""
        return self._with_grant(Grant.SUMMARY_EVENTS)

    @property
    def write_audience(self) -> frozenset[UUID]:
        """The offices that receive an event, without content, when the case is changed."""
        return self._with_grant(Grant.WRITTEN)

    @property
    def missed_deadline_audience(self) -> frozenset[UUID]:
        """The offices that receive an event when a deadline of the case itself is missed.

        The submitter is included only until a lead takes the case or the person crosses a
        border. Later deadlines would reveal how the lead works, and the holidays of another
        country (R12).
        """
        return self._with_grant(Grant.MISSED_DEADLINES)

    def _with_grant(self, grant: Grant) -> frozenset[UUID]:
        """Return the offices that have this grant now, by a relation to the case itself."""
        shared, holder = self._list_shared_conditions(), self.holder
        held = shared | {Condition.IS_HOLDER}
        return frozenset(
            p.focal_point_id
            for p in filter(self.is_open, self.parties)
            for holds in [held if p.focal_point_id == holder else shared]
            if grant in list_grants(p.relation, frozenset(holds | get_follows(p)))
        )

    def is_open(self, party: PartyRow) -> bool:
        """Return whether a party row is a current relation to the case itself."""
        return not party.until and party.record_id == self.id

    @property
    def is_handed_on(self) -> bool:
        """Whether a lead has taken the case, or the case is closed or erased (R12)."""
        return self.state not in BEFORE_LEAD

    @property
    def submitter_knows_country(self) -> bool:
        """Whether the submitter may learn in which country the person is now (R12)."""
        return self.is_granted_to_submitter(Grant.COUNTRY)

    def is_granted_to_submitter(self, grant: Grant) -> bool:
        """Return whether the relation `submitter` gives a grant now."""
        holds = self.get_conditions(self.submitter)
        return grant in list_grants(Relation.SUBMITTER, holds)

    @property
    def led_since(self) -> datetime | None:
        """When a lead first took the case, or None."""
        return min((p.since for p in self.parties if self.was_lead(p)), default=None)

    @property
    def parted_at(self) -> datetime | None:
        """When the submitter lost the right to know which office has the case, or None.

        The submitter loses this right when a lead leaves the case for the first time, or
        when the person crosses a border before the case has a lead.
        """
        left = [p.until for p in self.parties if self.was_lead(p) and p.until]
        crossed = [self.relocated_at] if self.relocated_at else []
        return min([*left, *crossed], default=None)

    def was_lead(self, party: PartyRow) -> bool:
        """Return whether a party row belongs to a current or former lead of the case."""
        return party.relation == Relation.LEAD and party.record_id == self.id

    @property
    def is_in_sight(self) -> bool:
        """Whether the submitter may learn which office has the case now (R12).

        The submitter may learn who the first lead is, but not who has the case after it.
        """
        return self.parted_at is None

    @property
    def offices(self) -> frozenset[UUID]:
        """All offices that have or had a relation to the case or to one of its records."""
        return frozenset(party.focal_point_id for party in self.parties)

    @property
    def held_by(self) -> frozenset[UUID]:
        """All offices that hold or held the case itself."""
        return frozenset(
            party.focal_point_id
            for party in self.parties
            if party.record_id == self.id and party.relation in HOLDING_RELATIONS
        )

    @property
    def overseers(self) -> frozenset[UUID]:
        """The offices that oversee the case."""
        return frozenset(
            p.focal_point_id for p in self.parties if p.relation == Relation.OVERSIGHT
        )

    def with_relation(self, *relations: Relation) -> UUID | None:
        """Return the office that has one of the relations to the case now, or None."""
        return next(
            (p.focal_point_id for p in self.parties if self.is_current(p, relations)), None
        )

    def is_current(self, party: PartyRow, relations: Collection[Relation]) -> bool:
        """Return whether a party row is current and has one of `relations` to the case."""
        of_these = party.relation in relations and not party.until
        return of_these and party.record_id == self.id

    @property
    def holder(self) -> UUID | None:
        """The holder of the case: its lead, candidate or desk, in this order, or None."""
        holding = [p for p in self.parties if self.is_current(p, HOLDING_RELATIONS)]
        first = min(
            holding, key=lambda p: HOLDING_RELATIONS.index(p.relation), default=None
        )
        return first.focal_point_id if first else None

    @property
    def submitter(self) -> UUID:
        """The office that submitted the case; it never changes."""
        return next(
            p.focal_point_id for p in self.parties if p.relation == Relation.SUBMITTER
        )
