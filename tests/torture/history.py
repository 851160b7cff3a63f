"""What clients did and were told: which no service can talk itself out of."""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from threading import Lock
from typing import Any


class Outcome(StrEnum):
    """What a client knows in the end of what it asked for."""

    OK = "ok"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass
class Deed:
    """Something a client wants done once, and repeats under one key until it knows.

    Times are of one monotonic clock. `seen` is the version that it rests on, `version` the
    one in the answer. `lost` counts the tries of which nobody knows what became.
    """

    account: str
    key: str
    what: str
    """The event that it is journaled as; of a reading: `read`."""
    also: tuple[str, ...] = ()
    """What else it is journaled as, where it is two steps at once."""
    subject: str | None = None
    seen: int | None = None
    says: str | None = None
    """What it writes, or reads, where that is compared."""
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
        """Whether it only looked."""
        return self.what == "read"

    @property
    def is_done(self) -> bool:
        """Whether it was acknowledged that it was done."""
        return self.outcome == Outcome.OK and not self.is_read

    def told(self) -> str:
        """Name it in a finding."""
        return f"{self.what} of {self.subject} (key {self.key}, {self.status})"


@dataclass
class History:
    """Everything that clients did, from any thread, and answers that should not be."""

    deeds: list[Deed] = field(default_factory=list)
    trouble: Counter[str] = field(default_factory=Counter)
    lock: Lock = field(default_factory=Lock)

    def begun(self, deed: Deed) -> Deed:
        """Keep what is about to be asked for."""
        with self.lock:
            self.deeds.append(deed)
        return deed

    def troubled(self, what: str) -> None:
        """Keep that something was answered which should never be."""
        with self.lock:
            self.trouble[what] += 1

    def counted(self) -> dict[str, Any]:
        """Say how many of each outcome there are."""
        acts = [deed for deed in self.deeds if not deed.is_read]
        counts = Counter(str(deed.outcome) for deed in acts)
        lost = [deed for deed in acts if deed.lost and deed.outcome != Outcome.UNKNOWN]
        counts["unknown then resolved"] = len(lost)
        counts["of these done already"] = sum(deed.replayed for deed in lost)
        counts["refused"] += 0
        counts["reads"] = len(self.deeds) - len(acts)
        return {"tries": sum(deed.tries for deed in self.deeds), **counts}
