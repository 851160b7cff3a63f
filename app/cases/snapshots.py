"""Snapshots of a case for offices that help or helped (ADR 43, ADR 90).

The office reads the snapshot instead of the current case, so that it cannot follow a person
across a border. The party row of the office stores the snapshot. A State body that is asked
for a travel document gets it with the request. A helping office gets it when the person
crosses a border, and then still reads the current state and summary, except the country.
When the help is completed, each office gets it.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Protocol, cast
from uuid import UUID

from app.cases.grants import Grant
from app.cases.lifecycle import OPEN, State
from app.cases.relations import PartyRow, Relations
from app.kernel.actors import Relation

type Snapshot = Mapping[str, Any]
"""An object with `notice` (the summary), `state`, `lead` and `holder` (ids of offices).

`at` is the time of the snapshot, if it is later than the start of the relation. `moved` is
true if it was taken because the person crossed a border, and `completed` if the help of the
office is completed.
"""


SUMMARY_FIELDS: Final = (
    "country",
    "age_class",
    "language",
    "priority",
    "services",
    "urgent_needs",
    "safe_contact",
)
"""The fields of the summary."""


class SnapshotRow(PartyRow, Protocol):
    """A row of the table `party`, whose snapshot can be replaced."""

    as_asked: dict[str, Any] | None


class Snapshots(Relations):
    """Methods that take and read the snapshots of a case; a base class of `Case`."""

    def take_snapshot(self) -> Snapshot:
        """Return a snapshot of the case as it is now."""
        lead, holder = self.with_relation(Relation.LEAD), self.holder
        return {
            "notice": {name: getattr(self, name) for name in SUMMARY_FIELDS},
            "state": self.state,
            "lead": str(lead) if lead else None,
            "holder": str(holder) if holder else None,
        }

    def take_later_snapshot(
        self, kind: str, now: datetime, earlier: Snapshot | None
    ) -> dict[str, Any]:
        """Return a snapshot of the kind `moved` or `completed`.

        If the office has an earlier snapshot, the country, the lead and the holder are
        taken from it.
        """
        taken = dict(self.take_snapshot())
        if earlier:
            country = {"country": earlier["notice"]["country"]}
            taken |= {name: earlier[name] for name in ("lead", "holder")}
            taken["notice"] |= country
        return taken | {"at": now.isoformat(), kind: True}

    def _list_rows(self) -> Sequence[SnapshotRow]:
        return cast("Sequence[SnapshotRow]", self.parties)

    def store_moved_snapshots(self, now: datetime, still_at: Collection[UUID]) -> None:
        """Let recipients read the country and the lead as they are before a relocation.

        Recipients in `still_at` continue to read the current case.
        """
        for party in self._list_rows():
            helps = party.relation == Relation.RECIPIENT and not party.until
            if helps and not party.as_asked and party.focal_point_id not in still_at:
                party.as_asked = self.take_later_snapshot("moved", now, None)

    def complete_part(self, record: UUID, now: datetime) -> None:
        """Let the recipient of a record read the case as it is when its help is completed.

        A State body that read a snapshot from the start keeps this snapshot.
        """
        for party in self._list_rows():
            asked, helps = party.as_asked, party.relation == Relation.RECIPIENT
            is_done = asked is not None and "completed" in asked
            if party.record_id != record or party.until or not helps or is_done:
                continue
            if asked and not asked.get("moved"):
                party.as_asked = asked | {"completed": True}
            else:
                party.as_asked = self.take_later_snapshot("completed", now, asked)

    def show_end_to_completed_parts(self) -> None:
        """If the case has ended, store this in the snapshots of completed parts.

        Otherwise, these offices would be offered actions that an ended case refuses.
        """
        for party in self._list_rows() if self.state not in OPEN else ():
            if party.as_asked and "completed" in party.as_asked:
                party.as_asked = party.as_asked | {"state": self.state}

    def renew_snapshots(self, focal_point: UUID) -> None:
        """Replace the summary in an office's snapshots of the case by the current one.

        Otherwise, a submitter that loses the right to read the current summary would get a
        summary that is older than the last one it read.
        """
        for party in self._list_rows():
            if party.focal_point_id == focal_point and party.as_asked:
                now = {"notice": self.take_snapshot()["notice"]}
                party.as_asked = party.as_asked | now

    def get_shown_state(self, focal_point: UUID, granted: Collection[Grant]) -> State:
        """Return the state of the case as an office with these grants sees it.

        The submitter of a case whose person crossed a border sees that no office leads the
        case yet, but not what offices in the next country do. The times at which they act,
        or miss a deadline by their calendar, would reveal the country.
        """
        if Grant.STATE in granted:
            return self.state
        asked = self.get_snapshot(focal_point) if Grant.AS_ASKED in granted else None
        return State(asked["state"]) if asked else State.SUBMITTED

    def get_snapshot(self, focal_point: UUID) -> Snapshot | None:
        """Return the latest snapshot that this office reads of the case, or None."""
        rows = [p for p in self.parties if p.focal_point_id == focal_point and p.as_asked]
        return rows[-1].as_asked if rows else None

    def get_recipient_snapshot(self, record: UUID) -> Snapshot | None:
        """Return the snapshot of the case that the recipient of a record reads, or None.

        The result is None if no current recipient of the record reads a snapshot, or if the
        recipient is allowed to know which office leads the case. Events and deadlines must
        not reveal to the reader of a snapshot that another office holds the case now.
        """
        asked = [p for p in self.parties if p.record_id == record and p.as_asked]
        mine = [p.focal_point_id for p in asked if not p.until]
        if not mine or Grant.LEAD in self.get_grants(mine[-1]):
            return None
        return self.get_snapshot(mine[-1])

    def may_know_lead(self, focal_point: UUID) -> bool:
        """Return whether the lead of the case is the one that an office may see."""
        asked = self.get_snapshot(focal_point)
        lead = self.with_relation(Relation.LEAD)
        same = asked is not None and read_lead_and_holder(asked)[0] == lead
        return same or Grant.LEAD in self.get_grants(focal_point)

    def get_known_country(self, focal_point: UUID | None) -> str | None:
        """Return the country where the person is, as an office may see it.

        If the office reads a snapshot and must not learn the current country, return the
        country in the snapshot. Return None if the country is not recorded.
        """
        asked = self.get_snapshot_without(Grant.COUNTRY, focal_point)
        return asked["notice"]["country"] if asked else self.country

    def is_seen_suspended(self, focal_point: UUID | None) -> bool:
        """Return whether the case is suspended and an office may see this."""
        hidden = self.get_snapshot_without(Grant.STATE, focal_point)
        return self.state == State.SUSPENDED and hidden is None

    def get_summary_snapshot(self, focal_point: UUID | None) -> Snapshot | None:
        """Return the snapshot that an office reads instead of the current summary."""
        return self.get_snapshot_without(Grant.SUMMARY, focal_point)

    def get_snapshot_without(
        self, grant: Grant, focal_point: UUID | None
    ) -> Snapshot | None:
        """Return the snapshot that an office reads because it lacks a grant, or None.

        The result is None for an office that has the grant, or has no snapshot.
        """
        asked = self.get_snapshot(focal_point) if focal_point else None
        if focal_point is None or asked is None:
            return None
        return None if grant in self.get_grants(focal_point) else asked


def read_lead_and_holder(snapshot: Snapshot) -> tuple[UUID | None, UUID | None]:
    """Return the ids of the lead and the holder in a snapshot of a case."""
    lead, holder = snapshot["lead"], snapshot["holder"]
    return UUID(lead) if lead else None, UUID(holder) if holder else None
