"""Free disk space, and the reserve for writes that cannot wait.

Only file systems of this machine can be measured. The disk of a PostgreSQL server is never
measured, even if the server runs on this machine.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import ClassVar, Final

from app.kernel.problems import Problem

MIB: Final = 1024**2
ENOUGH: Final = "enough"
DETAIL: Final = (
    "Tell the operator, and send the same request again later. A new case is still "
    "accepted with `submit`: true; actions on existing cases still work."
)


class DiskSpaceReserved(Problem):
    """The remaining disk space is reserved for urgent writes; nothing was changed."""

    status = 503
    headers: ClassVar[Mapping[str, str]] = {"Retry-After": "60"}


class Place(StrEnum):
    """A file of the service whose file system is measured."""

    DATABASE = "database"
    KEY_FILE = "key_file"
    ERASURE_LEDGER = "erasure_ledger"


@dataclass(frozen=True)
class FreeSpace:
    """The limits of free space, in bytes, on the file systems with files of the service.

    Below `low`, the operator is warned. Below `reserve` on the file system of the database,
    writes that can wait are rejected.
    """

    files: Mapping[Place, Path]
    low: int = 0
    reserve: int = 0

    def measure(self) -> dict[Place, int]:
        """Return the free bytes on the file system of each file that can be measured."""
        found = {place: get_free_bytes(path) for place, path in self.files.items()}
        return {place: free for place, free in found.items() if free is not None}

    def is_in_reserve(self) -> bool:
        """Return whether only the reserve is left for the database."""
        path = self.files.get(Place.DATABASE)
        free = get_free_bytes(path) if path else None
        return free is not None and free < self.reserve

    def require_unreserved(self) -> None:
        """Raise DiskSpaceReserved (503) if only the reserve is left for the database.

        Call this only before writes that can wait for hours.
        """
        if self.is_in_reserve():
            raise DiskSpaceReserved(DETAIL)

    def describe(self) -> str:
        """Describe for an operator where space is low, and whether writes are rejected."""
        low = [
            f"{place} {free // MIB} MiB"
            for place, free in self.measure().items()
            if free < self.low
        ]
        parts = [f"low: {', '.join(low)}"] if low else []
        if self.is_in_reserve():
            parts.append("the reserve is reached: writes that can wait are refused")
        return "; ".join(parts) or ENOUGH


UNWATCHED: Final = FreeSpace({})
"""Limits without any file to measure, so that no write is rejected."""


def get_free_bytes(path: Path) -> int | None:
    """Return the free bytes on the file system of a file, or None if that is unknown."""
    try:
        found = os.statvfs(path.parent)
    except OSError:
        return None
    return found.f_bavail * found.f_frsize
