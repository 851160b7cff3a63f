"""What the floor keeps: as many rows as are counted, and an index for each question."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Protocol
from uuid import UUID, uuid4

READER: Final = "KZ_LEAD"
"""One mailbox, as the product's national lead has one."""

TABLES: Final = """
CREATE TABLE "case" (id {id} PRIMARY KEY, version INTEGER, state TEXT, notice TEXT, sealed {bytes});
CREATE TABLE party (case_id {id}, focal_point TEXT, relation TEXT);
CREATE TABLE entry (id {id} PRIMARY KEY, at TEXT, type TEXT, subject TEXT, by TEXT, facts TEXT);
CREATE TABLE mailbox (focal_point_id TEXT PRIMARY KEY, head INTEGER);
CREATE TABLE delivery (focal_point_id TEXT, position INTEGER, entry_id {id}, PRIMARY KEY (focal_point_id, position));
CREATE TABLE clock (number INTEGER PRIMARY KEY, subject TEXT, kind TEXT, waits_on TEXT, due_at TEXT, set_at TEXT);
CREATE INDEX party_case ON party (case_id);
CREATE INDEX clock_worklist ON clock (waits_on, due_at, number);
INSERT INTO mailbox VALUES ('KZ_LEAD', 0)
"""  # noqa: E501 - a table is read as a table
WAITING: Final = 60
"""Clocks that wait for the reader: more than one page."""

type Row = tuple[Any, ...]


def now() -> str:
    """Spell this moment."""
    return datetime.now(UTC).isoformat()


@dataclass(frozen=True)
class Submission:
    """What is written of a case."""

    notice: str
    sealed: bytes
    case: UUID = field(default_factory=uuid4)
    entry: UUID = field(default_factory=uuid4)
    at: str = field(default_factory=now)

    @property
    def subject(self) -> str:
        """How the entry names it."""
        return f"cases/{self.case.hex}"


@dataclass(frozen=True)
class Act:
    """What is changed of a case, by whoever saw this version of it."""

    code: str
    version: int
    entry: UUID = field(default_factory=uuid4)
    at: str = field(default_factory=now)

    @property
    def subject(self) -> str:
        """How the entry names it."""
        return f"cases/{self.code}"


class Tables(Protocol):
    """Where it is kept."""

    def submit(self, new: Submission) -> None:
        """Write four rows and the counter; durable once it returns."""

    def act(self, act: Act) -> bool:
        """Move a version on; False: another one is there."""

    def head(self) -> int:
        """Read the counter."""

    def events(self, after: int, limit: int) -> list[Row]:
        """Read what was delivered after a position."""

    def worklist(self, limit: int) -> list[Row]:
        """Read what waits, the most urgent first."""
