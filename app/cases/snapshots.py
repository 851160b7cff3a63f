"""Snapshots of a case for a State body that is asked for a travel document (ADR 43).

The State body reads the snapshot instead of the current case, so that a State of origin
cannot follow a person across a border. The party row of this body stores the snapshot.
"""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from app.cases.grants import Grant
from app.cases.relations import Relations
from app.kernel.actors import Relation

type Snapshot = Mapping[str, Any]
"""An object with `notice` (the summary), `state`, `lead` and `holder` (ids of offices)."""


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

    def get_known_country(self, focal_point: UUID | None) -> str | None:
        """Return the country where the person is, as an office may see it.

        If the office reads a snapshot and must not learn the current country, return the
        country in the snapshot. Return None if the country is not recorded.
        """
        asked = self.get_snapshot(focal_point) if focal_point else None
        if focal_point is None or asked is None:
            return self.country
        knows = Grant.COUNTRY in self.get_grants(focal_point)
        country: str | None = asked["notice"]["country"]
        return self.country if knows else country


def read_lead_and_holder(snapshot: Snapshot) -> tuple[UUID | None, UUID | None]:
    """Return the ids of the lead and the holder in a snapshot of a case."""
    lead, holder = snapshot["lead"], snapshot["holder"]
    return UUID(lead) if lead else None, UUID(holder) if holder else None
