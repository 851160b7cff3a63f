"""The case, who is party to it, and what is sealed in it."""

from collections.abc import Collection
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.cases.lifecycle import UNLED, State
from app.deadlines.limits import Priority
from app.directory.models import FocalPoint
from app.kernel.actors import FOLLOWS, HOLDS, REMEMBERS, Relation
from app.kernel.db import Base, Counter, Listed
from app.kernel.vault import WrappedKey

OPEN = text("until IS NULL")


class AgeClass(StrEnum):
    """Whether a child's path is taken: doubt means child (BR14)."""

    ADULT = "adult"
    CHILD = "child"
    PRESUMED_CHILD = "presumed_child"


class SafeContact(StrEnum):
    """The person's answer to whether they may be contacted safely."""

    YES = "yes"
    NO = "no"
    NOT_KNOWN = "not_known"


class Case(Listed, Base):
    """One person's case: the notice in clear, everything else sealed.

    The notice identifies nobody: no free text, no place below country (R91).
    """

    __tablename__ = "case"

    code: Mapped[str] = mapped_column(String(19), unique=True)
    state: Mapped[State] = mapped_column(default=State.DRAFT)
    version: Mapped[int] = mapped_column(default=1)
    country: Mapped[str | None] = mapped_column(String(2))
    age_class: Mapped[AgeClass | None]
    language: Mapped[str | None]
    priority: Mapped[Priority | None]
    services: Mapped[list[str]]
    urgent_needs: Mapped[list[str]]
    safe_contact: Mapped[SafeContact | None]
    external_digest: Mapped[str | None] = mapped_column(unique=True)
    closure_reason: Mapped[str | None]
    relocated_at: Mapped[datetime | None]
    """When the person was first led across a border before a lead had the case."""
    visits: Mapped[list[str]] = mapped_column(default=list, server_default="[]")
    opened_at: Mapped[datetime]

    parties: Mapped[list["Party"]] = relationship(
        lazy="selectin", order_by=lambda: Party.number
    )

    @property
    def case_id(self) -> UUID:
        """The case this belongs to: itself."""
        return self.id

    @property
    def reference(self) -> str:
        """How the outside world names it."""
        return f"cases/{self.code}"

    @property
    def is_child(self) -> bool:
        """Whether the person is, or may be, a child; not known yet counts as may be."""
        return self.age_class != AgeClass.ADULT

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
        """Say whether it may see the case as it is, and does not only remember it."""
        return bool(self.parts_of(focal_point) - REMEMBERS)

    @property
    def audience(self) -> frozenset[UUID]:
        """The focal points that may know what happens to the case itself."""
        return frozenset(
            p.focal_point_id
            for p in self.parties
            if p.record_id == self.id and not p.until and p.relation not in REMEMBERS
        )

    @property
    def readers(self) -> frozenset[UUID]:
        """Those of them who read the notice as it is, and not as they handed it on."""
        return frozenset(one for one in self.audience if not self.has_handed_on(one))

    @property
    def keepers(self) -> frozenset[UUID]:
        """Who may know that something was written in the case, and never what.

        The submitter until a lead has it; then the holder. A submitter of the State of
        origin must not follow what the host side learns (R12).
        """
        holder = self.holder
        held = frozenset({holder} if holder else set())
        return held | {self.submitter} if self.state in UNLED else held

    def only_submitted(self, focal_point: UUID) -> bool:
        """Say whether it submitted the case, at any time, and does not follow it now."""
        follows = self.parts_of(focal_point) & FOLLOWS
        return focal_point == self.submitter and not follows

    def has_handed_on(self, focal_point: UUID) -> bool:
        """Say whether it submitted the case, and has it out of its hands now (R12)."""
        own = UNLED | {State.VOID}
        return self.only_submitted(focal_point) and self.state not in own

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

    def was_lead(self, party: "Party") -> bool:
        """Say whether a party row is of a lead of the case, of now or before."""
        return party.record_id == self.id and party.relation == Relation.LEAD

    def follows(self, focal_point: UUID) -> bool:
        """Say whether this focal point may learn who has the case now (R12).

        A submitter knows who took it, and not where a person went from there.
        """
        return self.parted_at is None or not self.only_submitted(focal_point)

    def knows_country(self, focal_point: UUID) -> bool:
        """Say whether it may learn in which country the person is now (R12)."""
        moved = self.relocated_at is not None and self.only_submitted(focal_point)
        return not moved and not self.has_handed_on(focal_point)

    def tells(self, focal_point: UUID, at: datetime) -> bool:
        """Say whether it may know who acted in the case itself at that time (R12)."""
        before = self.parted_at is None or at < self.parted_at
        return before or self.follows(focal_point)

    @property
    def offices(self) -> frozenset[UUID]:
        """Every focal point that has or had a part in it."""
        return frozenset(party.focal_point_id for party in self.parties)

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

    def is_now(self, party: "Party", relations: Collection[Relation]) -> bool:
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

    def admit(
        self,
        focal_point: UUID,
        relation: Relation,
        now: datetime,
        record: UUID | None = None,
    ) -> None:
        """Make a focal point party to the case, or to one of its records, from now on."""
        party = Party(
            record_id=record or self.id,
            focal_point_id=focal_point,
            relation=relation,
            since=now,
        )
        self.parties.append(party)

    def dismiss(
        self, relation: Relation, now: datetime, record: UUID | None = None
    ) -> None:
        """End what holds this relation to the case itself, or to one of its records."""
        for party in self.parties:
            if (
                party.record_id == (record or self.id)
                and party.relation == relation
                and not party.until
            ):
                party.until = now

    def touch(self) -> None:
        """Make every earlier reading of this case out of date."""
        self.version += 1


class Party(Base):
    """What a focal point is to a case, or to one of its records, from when until when.

    The one source for who may see the record, who hears of its changes, and whose turn a
    step is: three questions that must never get two answers.
    """

    __tablename__ = "party"
    __table_args__ = (
        Index("ix_party_focal_point_id_number", "focal_point_id", "number"),
        Index("ix_party_case_id_focal_point_id", "case_id", "focal_point_id"),
        Index(
            "uq_party_open",
            "record_id",
            "focal_point_id",
            "relation",
            unique=True,
            sqlite_where=OPEN,
            postgresql_where=OPEN,
        ),
        {"sqlite_autoincrement": True},
    )

    number: Mapped[int] = mapped_column(Counter, primary_key=True)
    case_id: Mapped[UUID] = mapped_column(ForeignKey(Case.id))
    record_id: Mapped[UUID]
    focal_point_id: Mapped[UUID] = mapped_column(ForeignKey(FocalPoint.id))
    relation: Mapped[Relation]
    since: Mapped[datetime]
    until: Mapped[datetime | None]


class CaseKey(Base):
    """A case's data key, wrapped; destroying this row erases what was sealed."""

    __tablename__ = "case_key"

    case_id: Mapped[UUID] = mapped_column(ForeignKey(Case.id), primary_key=True)
    version: Mapped[str]
    wrapped: Mapped[bytes] = mapped_column(LargeBinary)

    def as_wrapped(self) -> WrappedKey:
        """Hand it to the vault."""
        return WrappedKey(self.case_id, self.version, self.wrapped)


class Sealed(Base):
    """Something sealed: a section of the case, or a paper of one of its records."""

    __tablename__ = "sealed"
    __table_args__ = (Index("ix_sealed_record_id_kind", "record_id", "kind"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    case_id: Mapped[UUID] = mapped_column(ForeignKey(Case.id), index=True)
    record_id: Mapped[UUID]
    kind: Mapped[str]
    about: Mapped[str | None]
    author: Mapped[UUID] = mapped_column(ForeignKey(FocalPoint.id))
    written_at: Mapped[datetime]
    key_version: Mapped[str]
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
