"""The case, who is party to it, and what is sealed in it."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary, String, false, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.cases.grants import Grant
from app.cases.lifecycle import State
from app.cases.snapshots import Snapshot, Snapshots
from app.deadlines.limits import Priority
from app.directory.models import FocalPoint
from app.kernel.actors import Relation
from app.kernel.db import Base, Counter, Listed
from app.kernel.vault import SealedDocument, WrappedKey

OPEN = text("until IS NULL")
IS_DRAFT = text("state = 'draft'")


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


class Case(Listed, Snapshots, Base):
    """One person's case: the notice in clear, everything else sealed.

    The notice identifies nobody: no free text, no place below country (R91).
    """

    __tablename__ = "case"
    __table_args__ = (
        Index(
            "ix_case_open_draft",
            "drafted_by",
            sqlite_where=IS_DRAFT,
            postgresql_where=IS_DRAFT,
        ),
        {"sqlite_autoincrement": True},
    )

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
    continues_in: Mapped[UUID | None]
    """The case of the same person that goes on, where this one is a duplicate."""
    relocated_at: Mapped[datetime | None]
    """When the person was first led across a border before a lead had the case."""
    visits: Mapped[list[str]] = mapped_column(default=list, server_default="[]")
    suspended_while_referring: Mapped[bool] = mapped_column(
        default=False, server_default=false()
    )
    """Whether help was still sought when the case was suspended, as long as it is."""
    opened_at: Mapped[datetime]
    drafted_by: Mapped[UUID | None]
    """The account that wrote the draft; unknown of drafts of older versions."""

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

    def may_be_child_to(self, focal_point: UUID) -> bool:
        """Return whether the person may be a child, as far as an office may know it.

        One that does not read the summary as it is must not learn that the age changed.
        """
        return self.is_child or Grant.SUMMARY not in self.grants(focal_point)

    def admit(
        self,
        focal_point: UUID,
        relation: Relation,
        now: datetime,
        record: UUID | None = None,
        as_asked: Snapshot | None = None,
    ) -> None:
        """Make a focal point party to the case, or to one of its records, from now on."""
        party = Party(
            record_id=record or self.id,
            focal_point_id=focal_point,
            relation=relation,
            since=now,
            as_asked=dict(as_asked) if as_asked else None,
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

    def renew_snapshots(self, focal_point: UUID) -> None:
        """Keep the summary as it is now in the snapshots that an office reads.

        For a submitter, when it ceases to read the case as it is: nothing goes back for it.
        """
        for party in self.parties:
            if party.focal_point_id == focal_point and party.as_asked:
                now = {"notice": self.take_snapshot()["notice"]}
                party.as_asked = party.as_asked | now

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
    as_asked: Mapped[dict[str, Any] | None]
    """The case as it was when a State body was asked for a travel document (ADR 43)."""


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

    key: Mapped["DocumentKey | None"] = relationship(
        lazy="joined", cascade="all, delete-orphan", passive_deletes=True
    )

    def replace_document(self, document: SealedDocument) -> None:
        """Replace what is sealed, and the key it opens with."""
        self.sealed = document.sealed
        if self.key is None:
            self.key = DocumentKey(case_id=self.case_id, wrapped=document.wrapped_key)
        else:
            self.key.wrapped = document.wrapped_key


class DocumentKey(Base):
    """The key of one sealed document, wrapped by the data key of its case (ADR 44).

    It is replaced whenever the document is written again. The worker writes the table anew
    once a day, so that no replaced key stays in its files.
    """

    __tablename__ = "document_key"

    document_id: Mapped[UUID] = mapped_column(
        ForeignKey(Sealed.id, ondelete="CASCADE"), primary_key=True
    )
    case_id: Mapped[UUID] = mapped_column(ForeignKey(Case.id))
    wrapped: Mapped[bytes] = mapped_column(LargeBinary)
