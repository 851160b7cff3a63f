"""Tables of a case, its parties and its sealed documents."""

from datetime import datetime
from enum import StrEnum
from typing import Any, override
from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary, String, false, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.cases.grants import Grant
from app.cases.lifecycle import State
from app.cases.protected_records import (
    RECORD_DOCUMENT,
    CaseRecord,
    ProtectedCase,
    Row,
    Values,
    compute_content_digest,
    get_document_label,
)
from app.cases.sections import Paper, Section
from app.cases.snapshots import Snapshot, Snapshots
from app.deadlines.limits import Priority
from app.directory.models import FocalPoint
from app.kernel.actors import Relation
from app.kernel.db import Base, Counter, Listed
from app.kernel.vault import SealedDocument, WrappedKey

OPEN = text("until IS NULL")
IS_DRAFT = text("state = 'draft'")


class AgeClass(StrEnum):
    """Whether the person is treated as an adult or a child; in doubt, as a child (BR14)."""

    ADULT = "adult"
    CHILD = "child"
    PRESUMED_CHILD = "presumed_child"


class SafeContact(StrEnum):
    """The person's answer to whether they may be contacted safely."""

    YES = "yes"
    NO = "no"
    NOT_KNOWN = "not_known"


class Case(ProtectedCase, Listed, Snapshots, Base):
    """The case of one person, with the summary, which is not encrypted.

    The summary identifies nobody: it has no free text and no place more precise than a
    country (R91). Texts about the person are stored as sealed documents.
    """

    loaded_with = ("party",)

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
    """The id of the case that continues if this one is closed as a duplicate."""
    relocated_at: Mapped[datetime | None]
    """When the person first crossed a border while the case had no lead, or None."""
    visits: Mapped[list[str]] = mapped_column(default=list, server_default="[]")
    suspended_while_referring: Mapped[bool] = mapped_column(
        default=False, server_default=false()
    )
    """Whether a suspended case was in the state `referring` before its suspension."""
    opened_at: Mapped[datetime]
    drafted_by: Mapped[UUID | None]
    """The account that wrote the draft; None if an older version stored the draft."""

    mac: Mapped[bytes | None]
    """The MAC of the case and its records (ADR 81); None in rows of earlier versions."""

    parties: Mapped[list["Party"]] = relationship(
        lazy="selectin", order_by=lambda: Party.number
    )

    @property
    def case_id(self) -> UUID:
        """An alias of `id`, so that a case has the same attribute as its records."""
        return self.id

    @property
    def reference(self) -> str:
        """The path of the case in the API, below `/v1/`."""
        return f"cases/{self.code}"

    @property
    def is_child(self) -> bool:
        """Whether the person is or may be a child; true if the age class is not known."""
        return self.age_class != AgeClass.ADULT

    def may_be_child_to(self, focal_point: UUID) -> bool:
        """Return whether the person may be a child, as far as an office is allowed to know.

        An office that does not read the current summary must not learn that the age class
        has changed, so the result for such an office is always true.
        """
        return self.is_child or Grant.SUMMARY not in self.get_grants(focal_point)

    def add_party(
        self,
        focal_point: UUID,
        relation: Relation,
        now: datetime,
        record: UUID | None = None,
        as_asked: Snapshot | None = None,
    ) -> None:
        """Add a party to the case, or to one of its records, from the time `now` on."""
        party = Party(
            case_id=self.id,
            record_id=record or self.id,
            focal_point_id=focal_point,
            relation=relation,
            since=now,
            as_asked=dict(as_asked) if as_asked else None,
        )
        self.parties.append(party)

    def end_relation(
        self, relation: Relation, now: datetime, record: UUID | None = None
    ) -> None:
        """End a relation to the case, or to one of its records, for every office."""
        for party in self.parties:
            if (
                party.record_id == (record or self.id)
                and party.relation == relation
                and not party.until
            ):
                party.until = now

    def raise_version(self) -> None:
        """Increment the version, so that an earlier `If-Match` no longer matches."""
        self.version += 1


class Party(CaseRecord, Base):
    """A relation of an office to a case, or to one of its records, with start and end."""

    identifying = ("number",)

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
    """The snapshot of the case that the office reads instead (ADR 43, ADR 90), or None."""


class CaseKey(Base):
    """The wrapped data key of a case; deleting it erases all sealed content of the case."""

    __tablename__ = "case_key"

    case_id: Mapped[UUID] = mapped_column(ForeignKey(Case.id), primary_key=True)
    version: Mapped[str]
    wrapped: Mapped[bytes] = mapped_column(LargeBinary)

    def as_wrapped(self) -> WrappedKey:
        """Return the key as a `WrappedKey`, which the vault expects."""
        return WrappedKey(self.case_id, self.version, self.wrapped)


class Sealed(CaseRecord, Base):
    """A sealed document: a section, or another text of the case or of one of its records.

    The MAC of the case protects the columns and, if rules use the document, its content.
    """

    labelling = ("record_id", "kind")

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

    @classmethod
    @override
    def list_labels(cls) -> tuple[str, ...]:
        return (*map(get_document_label, (*Section, *Paper)), RECORD_DOCUMENT)

    @classmethod
    @override
    def get_label(cls, row: Row) -> str:
        of_case = row["record_id"] == row["case_id"]
        return get_document_label(row["kind"]) if of_case else RECORD_DOCUMENT

    @classmethod
    @override
    def get_values(cls, row: Row) -> Values:
        return super().get_values({**row, "sealed": compute_content_digest(row)})

    def replace_document(self, document: SealedDocument) -> None:
        """Replace the sealed content and the key that opens it."""
        self.sealed = document.sealed
        if self.key is None:
            self.key = DocumentKey(case_id=self.case_id, wrapped=document.wrapped_key)
        else:
            self.key.wrapped = document.wrapped_key


class DocumentKey(Base):
    """The key of one sealed document, wrapped by the data key of its case (ADR 44).

    Each write of the document replaces the key. The worker rewrites the table once a day,
    so that no replaced key remains in the files of the table.
    """

    __tablename__ = "document_key"

    document_id: Mapped[UUID] = mapped_column(
        ForeignKey(Sealed.id, ondelete="CASCADE"), primary_key=True
    )
    case_id: Mapped[UUID] = mapped_column(ForeignKey(Case.id))
    wrapped: Mapped[bytes] = mapped_column(LargeBinary)


class DefaultContacts(Base):
    """The contacts that are used when an office accepts without `contacts`.

    `wrapped` is the wrapped key that opens `sealed`. `version` names the key-encryption key
    that wraps this key.
    """

    __tablename__ = "default_contacts"

    focal_point_id: Mapped[UUID] = mapped_column(
        ForeignKey(FocalPoint.id), primary_key=True
    )
    version: Mapped[str]
    wrapped: Mapped[bytes]
    sealed: Mapped[bytes]
    written_at: Mapped[datetime]
