"""The operations of clients and their outcomes, which the test records."""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from threading import Lock
from typing import Any


class Outcome(StrEnum):
    """The outcome of an operation, as the client knows it."""

    OK = "ok"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass
class Operation:
    """An operation of a client, which must take effect exactly once.

    The client repeats the operation with one key until the outcome is certain. All times
    come from the same monotonic clock. `base_version` is the version on which the operation
    is based, and `version` is the version in the response. `lost` counts the attempts with
    an unknown outcome.
    """

    account: str
    key: str
    event: str
    """The type of the event that the journal records, or `read`."""
    more_events: tuple[str, ...] = ()
    """Further events, if one request takes two steps."""
    subject: str | None = None
    base_version: int | None = None
    text: str | None = None
    """The text that the operation writes, if it is compared with the stored text."""
    invoked: float = 0.0
    answered: float = 0.0
    outcome: Outcome = Outcome.UNKNOWN
    status: int = 0
    problem: str | None = None
    replayed: bool = False
    version: int | None = None
    lost: int = 0
    tries: int = 0

    @property
    def is_read(self) -> bool:
        """Whether the operation only reads."""
        return self.event == "read"

    @property
    def is_done(self) -> bool:
        """Whether the operation is a write that was acknowledged."""
        return self.outcome == Outcome.OK and not self.is_read

    def describe(self) -> str:
        """Return a description of the operation for findings."""
        return f"{self.event} of {self.subject} (key {self.key}, {self.status})"


@dataclass
class History:
    """The operations of all threads, and the number of server errors of each kind."""

    deeds: list[Operation] = field(default_factory=list)
    trouble: Counter[str] = field(default_factory=Counter)
    lock: Lock = field(default_factory=Lock)

    def add(self, operation: Operation) -> Operation:
        """Record an operation before its first attempt, and return the operation."""
        with self.lock:
            self.deeds.append(operation)
        return operation

    def add_error(self, what: str) -> None:
        """Record a server error."""
        with self.lock:
            self.trouble[what] += 1

    def count_outcomes(self) -> dict[str, Any]:
        """Return the numbers of writes by outcome, of reads and of all attempts."""
        acts = [operation for operation in self.deeds if not operation.is_read]
        counts = Counter(str(operation.outcome) for operation in acts)
        lost = [
            operation
            for operation in acts
            if operation.lost and operation.outcome != Outcome.UNKNOWN
        ]
        counts["unknown then resolved"] = len(lost)
        counts["of these done already"] = sum(operation.replayed for operation in lost)
        counts["refused"] += 0
        counts["reads"] = len(self.deeds) - len(acts)
        return {"tries": sum(operation.tries for operation in self.deeds), **counts}
