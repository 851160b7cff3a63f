"""Hosts compute the same values with any time zone, locale, umask and hash seed."""

import os
import subprocess
import sys
import zoneinfo
from pathlib import Path
from typing import Final

import pytest

from app.kernel import time_zones
from tests.support.host_digest import STARTS, ZONES, compute_digest
from tests.support.servers import ROOT
from tests.support.zone_files import build_zone_file, make_zone

NINE_HOURS_AHEAD: Final = "JST-9"


def compute_host_digest(umask: int = 0o022, **environment: str) -> str:
    """Return the digest that a subprocess with this umask and environment computes."""
    run = subprocess.run(
        [sys.executable, "-m", "tests.support.host_digest"],
        env={**os.environ, **environment},
        cwd=ROOT,
        umask=umask,
        capture_output=True,
        text=True,
        check=True,
    )
    return run.stdout


@pytest.fixture
def other_database(tmp_path: Path) -> Path:
    """Write a time zone database in which each of `ZONES` is UTC+9; return its folder."""
    for zone in ZONES.values():
        path = tmp_path / zone
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(build_zone_file(NINE_HOURS_AHEAD))
    return tmp_path


def test_a_host_with_another_time_zone_database_computes_the_same(
    other_database: Path,
) -> None:
    there = STARTS[0].astimezone(make_zone(NINE_HOURS_AHEAD, "America/Havana"))

    assert there.hour == 6
    assert compute_host_digest(PYTHONTZPATH=str(other_database)) == compute_digest()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("zone", "language", "umask"),
    [
        ("UTC", "C", 0o077),
        ("Asia/Tashkent", "ru_RU.KOI8-R", 0o002),
        ("America/Havana", "es_GT.UTF-8", 0o022),
    ],
)
def test_a_host_with_another_clock_zone_locale_and_umask_computes_the_same(
    zone: str, language: str, umask: int
) -> None:
    other = {"TZ": zone, "LC_ALL": language, "LANGUAGE": language[:2]}

    assert compute_host_digest(umask, **other, PYTHONHASHSEED="7") == compute_digest()


def test_this_process_reads_no_time_zone_of_its_host() -> None:
    assert zoneinfo.TZPATH == ()
    assert "localtime" not in time_zones.list_time_zones()


def test_every_zone_of_the_database_in_use_can_be_read() -> None:
    read = {zoneinfo.ZoneInfo(name).key for name in time_zones.list_time_zones()}

    assert read == time_zones.list_time_zones()
    assert len(read) > 500
