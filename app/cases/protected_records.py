"""Base classes of the rows that the MAC of a case protects (ADR 81)."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from hashlib import blake2b
from operator import itemgetter
from typing import Any, ClassVar, Final, NamedTuple
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Label,
    Select,
    Update,
    and_,
    bindparam,
    inspect,
    select,
    update,
)

from app.cases.sections import Paper
from app.kernel.db import Base
from app.kernel.mac_values import copy_values, encode
from app.kernel.macs import Known

UNPROTECTED: Final = frozenset({"mac"})
"""Columns that the MAC does not cover."""

READ_BY_RULES: Final = frozenset({Paper.SAFEGUARDS, Paper.ROUTING})
"""The kinds of documents whose content is used by rules."""
CODE_BYTES: Final = 2
TAG_BYTES: Final = 8

MAX_TAGS: Final = 8192
"""The maximum number of cached tags of records."""

type Row = Mapping[str, Any]
"""Columns and values of a row."""
type Identity = UUID | int | str
type Values = tuple[Any, ...]
"""The values of the protected columns of a row, in the order of the table."""


class Protected:
    """A base class of the rows that the MAC of a case protects."""

    __tablename__: Any

    @classmethod
    def get_values(cls, row: Row) -> Values:
        """Return the values of the protected columns of a row."""
        return get_columns(cls).read_values(row)

    @classmethod
    def name_values(cls, values: Values) -> dict[str, object]:
        """Return the values that are not null, by column name.

        Therefore, a column that is added later and is null does not change the MAC.
        """
        named = zip(list_protected(cls), values, strict=True)
        return {name: value for name, value in named if value is not None}


class ProtectedCase(Protected):
    """The base class of `Case`, whose row stores the MAC.

    `loaded_with` are the labels of the records that a session loads with each case.
    """

    loaded_with: ClassVar[tuple[str, ...]]


class CaseRecord(Protected):
    """The base class of the records that the MAC of a case protects.

    `identifying` contains the columns that together identify a record. `labelling` contains
    the columns that the label of a record depends on.
    """

    identifying: ClassVar[tuple[str, ...]] = ("id",)
    labelling: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def list_labels(cls) -> tuple[str, ...]:
        """List the labels of the records of this class."""
        return (cls.__tablename__,)

    @classmethod
    def get_label(cls, _: Row) -> str:
        """Return the label of a record. Records with the same label are loaded together."""
        return str(cls.__tablename__)

    @classmethod
    def get_identity(cls, row: Row) -> Identity:
        """Return the value that identifies a record; several values become one text."""
        values: list[Identity] = [row[name] for name in cls.identifying]
        return values[0] if len(values) == 1 else "/".join(map(str, values))

    @classmethod
    def match_identity(cls, row: Row) -> ColumnElement[bool]:
        """Return the condition that selects the record with the identity of a row."""
        return and_(*(getattr(cls, name) == row[name] for name in cls.identifying))

    @classmethod
    def compute_tag(cls, row: Row) -> bytes:
        """Return the tag of a record, by which its digest is found."""
        return compute_tag(cls.get_label(row), cls.get_identity(row))


class Columns(NamedTuple):
    """The columns of a model, labelled with attribute names, and the protected names.

    `read_values` returns the values of the protected columns of a row.
    """

    labelled: tuple[Label[Any], ...]
    protected: tuple[str, ...]
    read_values: Callable[[Row], Values]


COLUMNS: Final[dict[type[Protected], Columns]] = {}


def get_columns(model: type[Protected]) -> Columns:
    """Return the columns of a model, in the order of the table."""
    if model not in COLUMNS:
        keys = [one.key for one in inspect(model).column_attrs]
        labelled = tuple(getattr(model, key).label(key) for key in keys)
        names = tuple(key for key in keys if key not in UNPROTECTED)
        COLUMNS[model] = Columns(labelled, names, itemgetter(*names))
    return COLUMNS[model]


def select_row(model: type[Protected]) -> Select[*tuple[Any, ...]]:
    """Return a statement that selects all columns, with the names of the attributes."""
    return select(*get_columns(model).labelled)


def list_protected(model: type[Protected]) -> tuple[str, ...]:
    """Return the names of the protected columns of a model."""
    return get_columns(model).protected


@lru_cache(MAX_TAGS)
def compute_tag(label: str, key: Identity) -> bytes:
    """Return the tag of a record: a prefix for its label, and a digest of its identity."""
    digest = blake2b(encode([key]), digest_size=TAG_BYTES - CODE_BYTES).digest()
    return compute_code(label) + digest


@cache
def compute_code(label: str) -> bytes:
    """Return the prefix of the tags of all records that have this label."""
    return blake2b(label.encode(), digest_size=CODE_BYTES).digest()


@cache
def compute_codes(labels: frozenset[str]) -> frozenset[bytes]:
    """Return the prefixes of the tags of all records that have one of these labels."""
    return frozenset(map(compute_code, labels))


def compute_content_digest(row: Row) -> bytes:
    """Return a digest of a document's content, or of no content if no rule uses it."""
    content = row["sealed"] if row["kind"] in READ_BY_RULES else b""
    return blake2b(content, digest_size=16).digest()


RECORD_DOCUMENT: Final = "sealed of record"
"""The label of the sealed documents of a referral, a handover or another record."""


def get_document_label(kind: str) -> str:
    """Return the label of the sealed documents of one kind that belong to a case itself."""
    return f"sealed {kind}"


@cache
def build_update() -> Update:
    """Build the UPDATE that sets the MAC of a case. Its parameters are `case` and `new`."""
    table = Base.metadata.tables["case"]
    own = update(table).where(table.c.id == bindparam("case"))
    return own.values(mac=bindparam("new"))


def list_record_models() -> list[Any]:
    """List the models of the records of a case that its MAC protects."""
    models: set[Any] = {
        one.class_ for one in Base.registry.mappers if issubclass(one.class_, CaseRecord)
    }
    return sorted(models, key=lambda one: one.__tablename__)


@dataclass
class CaseGroup:
    """The protected values of a case, and the digests of its records, keyed by tag."""

    values: Values
    digests: dict[bytes, bytes]
    revision: int = 0

    def copy(self) -> "CaseGroup":
        """Return a copy whose digests can be changed."""
        return CaseGroup(self.values, dict(self.digests), self.revision)

    def store_copy(self, groups: Known[UUID, Any], case_id: UUID, stored: bytes) -> None:
        """Cache a copy of the group, so that `stored` is not parsed again."""
        kept = CaseGroup(copy_values(self.values), dict(self.digests), self.revision)
        groups.store(case_id, ((kept.values, stored), kept))


def list_tags(group: CaseGroup, labels: Iterable[str]) -> set[bytes]:
    """Return the tags of the records with the given labels in a group."""
    codes = compute_codes(frozenset(labels))
    return {tag for tag in group.digests if tag[:CODE_BYTES] in codes}


class LoadedRecord(NamedTuple):
    """A record that a session has loaded."""

    case_id: UUID
    model: type[CaseRecord]
    tag: bytes
    digest: bytes
    identity: object


@dataclass
class Pending:
    """The rows of a case that a session has loaded and not verified yet.

    `has_parties` states whether the session has loaded the parties with the case.
    """

    cases: list[Row] = field(default_factory=list)
    records: list[LoadedRecord] = field(default_factory=list)
    has_parties: bool = False
