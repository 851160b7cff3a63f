"""Tests of low disk space: the limits, their description, and the refusal of requests."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from app.kernel.free_space import MIB, DiskSpaceReserved, FreeSpace, Place, get_free_bytes

FILES = {
    Place.DATABASE: Path("/database/own.db"),
    Place.ERASURE_LEDGER: Path("/ledger/erasures"),
}
SPACE = FreeSpace(FILES, low=100 * MIB, reserve=10 * MIB)
REFUSES = "the reserve is reached: writes that can wait are refused"

type Disks = Callable[..., None]


@pytest.fixture
def disks(monkeypatch: pytest.MonkeyPatch) -> Iterator[Disks]:
    """Yield a function that sets the free MiB of folders; any other folder is missing."""
    free: dict[Path, int] = {}

    def statvfs(folder: Path) -> Any:
        if folder not in free:
            raise FileNotFoundError(folder)
        return SimpleNamespace(f_bavail=free[folder] * 256, f_bfree=10**9, f_frsize=4096)

    def set_free(**mib: int) -> None:
        free.clear()
        free.update({Path(f"/{name}"): amount for name, amount in mib.items()})

    monkeypatch.setattr(os, "statvfs", statvfs)
    yield set_free
    monkeypatch.undo()


@pytest.mark.parametrize(
    ("database", "ledger", "said", "refuses"),
    [
        (100, 100, "enough", False),
        (99, 100, "low: database 99 MiB", False),
        (99, 7, "low: database 99 MiB, erasure_ledger 7 MiB", False),
        (10, 100, "low: database 10 MiB", False),
        (9, 100, f"low: database 9 MiB; {REFUSES}", True),
        (0, 0, f"low: database 0 MiB, erasure_ledger 0 MiB; {REFUSES}", True),
    ],
)
def test_what_is_low_is_named_and_under_the_reserve_what_can_wait_is_refused(
    disks: Disks, *, database: int, ledger: int, said: str, refuses: bool
) -> None:
    disks(database=database, ledger=ledger)

    assert SPACE.describe() == said
    assert SPACE.is_in_reserve() is refuses


def test_a_reserve_above_what_is_low_is_told_by_itself(disks: Disks) -> None:
    disks(database=50, ledger=50)

    assert FreeSpace(FILES, low=0, reserve=60 * MIB).describe() == REFUSES


def test_the_reserve_is_of_the_disk_of_the_database_alone(disks: Disks) -> None:
    disks(database=50, ledger=0)
    elsewhere = FreeSpace({Place.ERASURE_LEDGER: FILES[Place.ERASURE_LEDGER]}, 0, 2**62)

    SPACE.require_unreserved()
    elsewhere.require_unreserved()


def test_a_refusal_says_what_goes_on_and_when_to_come_back(disks: Disks) -> None:
    disks(database=9, ledger=9)

    with pytest.raises(DiskSpaceReserved, match="`submit`: true") as refused:
        SPACE.require_unreserved()

    assert (refused.value.status, refused.value.headers) == (503, {"Retry-After": "60"})


def test_a_disk_that_does_not_tell_refuses_nothing(disks: Disks) -> None:
    disks(ledger=500)

    assert SPACE.measure() == {Place.ERASURE_LEDGER: 500 * MIB}
    assert SPACE.describe() == "enough"
    SPACE.require_unreserved()


def test_what_only_root_may_still_write_does_not_count(tmp_path: Path) -> None:
    found, free = os.statvfs(tmp_path), get_free_bytes(tmp_path / "own.db")

    assert free is not None
    assert abs(free - found.f_bavail * found.f_frsize) < 1024 * MIB
