"""Free disk space where the service writes, and what is kept of it for what cannot wait.

Only file systems of this machine can be measured. The disk of a PostgreSQL server is not
among them, even where it happens to be the same one.
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
    "Tell the operator, and send the same again later. A case is taken if it is submitted "
    "in the same request (`submit`: true); the steps of cases go on."
)


class SpaceReserved(Problem):
    """Little disk space is left, kept for what cannot wait; nothing was changed."""

    status = 503
    headers: ClassVar[Mapping[str, str]] = {"Retry-After": "60"}


class Place(StrEnum):
    """A file that the service writes."""

    DATABASE = "database"
    KEY_FILE = "key_file"
    ERASURE_LEDGER = "erasure_ledger"


@dataclass(frozen=True)
class FreeSpace:
    """Measures the free space on the file systems of some files.

    `low` and `reserve` are in bytes. Under `low` an operator is told. Under `reserve`, on
    the file system of the database, writes that can wait are refused.
    """

    files: Mapping[Place, Path]
    low: int = 0
    reserve: int = 0

    def measure(self) -> dict[Place, int]:
        """Return the free bytes beside each file, where the file system tells them."""
        found = {place: free_bytes(path) for place, path in self.files.items()}
        return {place: free for place, free in found.items() if free is not None}

    def is_in_reserve(self) -> bool:
        """Return whether only the reserve is left for the database."""
        path = self.files.get(Place.DATABASE)
        free = free_bytes(path) if path else None
        return free is not None and free < self.reserve

    def require_unreserved(self) -> None:
        """Raise SpaceReserved (503) if only the reserve is left for the database.

        For what can wait for hours. Nothing that a person's safety depends on calls it.
        """
        if self.is_in_reserve():
            raise SpaceReserved(DETAIL)

    def describe(self) -> str:
        """Say for an operator where little is left, and what follows."""
        low = [
            f"{place} {free // MIB} MiB"
            for place, free in self.measure().items()
            if free < self.low
        ]
        said = [f"low: {', '.join(low)}"] if low else []
        if self.is_in_reserve():
            said.append("the reserve is reached: writes that can wait are refused")
        return "; ".join(said) or ENOUGH


UNWATCHED: Final = FreeSpace({})
"""Measures nothing, and refuses nothing."""


def free_bytes(path: Path) -> int | None:
    """Return how much this process may still write beside a file; None: nobody knows.

    What is not known refuses nothing: a database that cannot be written says so itself.
    """
    try:
        found = os.statvfs(path.parent)
    except OSError:
        return None
    return found.f_bavail * found.f_frsize
