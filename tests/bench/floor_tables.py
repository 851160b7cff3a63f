"""The tables of the floor. A request writes few rows, and each query has an index."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Protocol
from uuid import UUID, uuid4

READER: Final = "KZ_LEAD"
"""The code of the only office with a mailbox. In Safe Conduct, it is the national lead."""

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
"""  # noqa: E501 - one line for each table
WAITING: Final = 60
"""Number of deadlines of the reader, which fill more than one page."""

type Row = tuple[Any, ...]


def get_now() -> str:
    """Return the current time in ISO 8601."""
    return datetime.now(UTC).isoformat()


@dataclass(frozen=True)
class Submission:
    """The values that a submission writes."""

    summary: str
    sealed: bytes
    case: UUID = field(default_factory=uuid4)
    entry: UUID = field(default_factory=uuid4)
    at: str = field(default_factory=get_now)

    @property
    def subject(self) -> str:
        """The path of the case, as it is stored in the entry."""
        return f"cases/{self.case.hex}"


@dataclass(frozen=True)
class Act:
    """An action on a case, with the version that the client has seen."""

    code: str
    version: int
    entry: UUID = field(default_factory=uuid4)
    at: str = field(default_factory=get_now)

    @property
    def subject(self) -> str:
        """The path of the case, as it is stored in the entry."""
        return f"cases/{self.code}"


class Tables(Protocol):
    """The storage of the floor, with an implementation for each kind of database."""

    def submit(self, new: Submission) -> None:
        """Write four rows and the counter in a durable transaction."""

    def apply_act(self, act: Act) -> bool:
        """Increase the version of a case, deliver an entry, and return True.

        If the case no longer has the version of the action, do nothing and return False.
        """

    def get_head(self) -> int:
        """Return the counter, which is the newest position of the feed."""

    def list_events(self, after: int, limit: int) -> list[Row]:
        """Return at most `limit` entries that were delivered after a position."""

    def list_work(self, limit: int) -> list[Row]:
        """Return at most `limit` entries of the worklist, the most urgent first."""
