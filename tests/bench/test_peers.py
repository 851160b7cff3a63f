"""Tests of the comparison with Django REST framework that need no Django."""

import importlib
import json
import re
import sqlite3
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest
from sqlalchemy import make_url

from tests.bench.checks import Lost
from tests.bench.figures import Comparison, Round, Slice
from tests.bench.goals import Verdict
from tests.bench.peers.comparison import PeerResult, format_peers
from tests.bench.peers.server import (
    NotInstalled,
    describe_database,
    get_environment,
    get_program,
    require_stored,
)
from tests.bench.places import POSTGRESQL_SETTINGS
from tests.bench.processes import ROOT
from tests.bench.sides import BODY, Kind, Side

SQLITE = make_url("sqlite:////data/peer.db")
POSTGRESQL = make_url("postgresql://me:secret@/peer?host=/run/server")


def load_settings(url: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Return the settings of Django for a database."""
    for name, value in get_environment(make_url(url)).items():
        monkeypatch.setenv(name, value)
    name = "tests.bench.peers.drf.settings"
    monkeypatch.delitem(sys.modules, name, raising=False)
    return importlib.import_module(name)


def make_slice(micro: float) -> Slice:
    return Slice(1.0, (0.01,) * 100, 100 * micro / 1e6, 0.0)


def make_result(product: float, peer: float, *, again: float = 400) -> PeerResult:
    floor, other = make_slice(400), make_slice(again)
    ours, its = (
        Comparison((Round(floor, make_slice(cost), other),)) for cost in (product, peer)
    )
    return PeerResult("SQLite", Kind.P, ours, its)


def test_sqlite_settings_make_commits_durable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = load_settings(f"sqlite:///{tmp_path / 'peer.db'}", monkeypatch)
    [database] = settings.DATABASES.values()

    with closing(sqlite3.connect(database["NAME"])) as connection:
        connection.executescript(database["OPTIONS"]["init_command"])
        [synchronous] = connection.execute("PRAGMA synchronous").fetchone()
        [journal] = connection.execute("PRAGMA journal_mode").fetchone()

    assert (synchronous, journal) == (2, "wal")  # 2 is FULL
    assert database["OPTIONS"]["transaction_mode"] == "IMMEDIATE"


def test_postgresql_settings_make_commits_durable(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load_settings(str(POSTGRESQL), monkeypatch)
    [database] = settings.DATABASES.values()

    assert database["OPTIONS"] == {"options": "-c synchronous_commit=on"}
    assert "fsync = on" in POSTGRESQL_SETTINGS.splitlines()


@pytest.mark.parametrize("url", [SQLITE, POSTGRESQL], ids=["sqlite", "postgresql"])
def test_service_keeps_its_connections(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    [database] = load_settings(str(url), monkeypatch).DATABASES.values()

    assert database["CONN_MAX_AGE"] is None


def test_database_is_described_as_django_names_its_parts() -> None:
    assert describe_database(POSTGRESQL) == {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "peer",
        "USER": "me",
        "PASSWORD": "secret",
        "HOST": "/run/server",
        "PORT": "",
    }
    assert describe_database(SQLITE)["NAME"] == "/data/peer.db"
    assert json.loads(get_environment(SQLITE)["PEER_DATABASE"]) == describe_database(SQLITE)


def test_missing_environment_names_the_command_that_installs_it(tmp_path: Path) -> None:
    with pytest.raises(NotInstalled, match="make bench-peers"):
        get_program("gunicorn", tmp_path)


def test_summary_of_the_service_has_the_fields_of_the_request() -> None:
    source = (ROOT / "tests/bench/peers/drf/serializers.py").read_text("utf-8")
    summary = re.search(r"^SUMMARY = \((.+?)^\)", source, re.MULTILINE | re.DOTALL)

    assert summary
    assert re.findall(r'"(\w+)"', summary[1]) == list(BODY["summary"])


@pytest.mark.parametrize(("stored", "is_lost"), [(2, False), (1, True), (3, True)])
def test_each_confirmed_case_must_be_stored(
    tmp_path: Path, stored: int, *, is_lost: bool
) -> None:
    url = make_url(f"sqlite:///{tmp_path / 'peer.db'}")
    with closing(sqlite3.connect(str(url.database))) as connection:
        connection.executescript("CREATE TABLE drf_case (id); CREATE TABLE drf_event (id)")
        connection.executemany("INSERT INTO drf_case VALUES (?)", [(0,)] * stored)
        connection.executemany("INSERT INTO drf_event VALUES (?)", [(0,)] * stored)
        connection.commit()
    side = Side("DRF", 0, "none", "none", float, made=2)

    if is_lost:
        with pytest.raises(Lost):
            require_stored(url, side)
    else:
        require_stored(url, side)


@pytest.mark.parametrize(
    ("product", "verdict"), [(1990, Verdict.REACHED), (2010, Verdict.MISSED)]
)
def test_poll_may_cost_half_of_the_service(product: float, verdict: Verdict) -> None:
    assert make_result(product, 4000).reached == verdict


def test_noisy_comparison_has_no_verdict() -> None:
    assert make_result(1000, 4000, again=440).reached == Verdict.NOISY


def test_submission_has_no_goal() -> None:
    assert replace(make_result(9000, 4000), kind=Kind.S).reached == Verdict.FREE


def test_row_has_all_costs_and_the_ratio() -> None:
    row = format_peers([make_result(1000, 4000)]).splitlines()[2]

    assert [cell.strip() for cell in row.strip("|").split("|")] == [
        "SQLite",
        "P poll",
        "100",
        "100",
        "100",
        "400",
        "4000",
        "1000",
        "0.25",
        "0.50",
        "yes",
        "0.0%",
    ]
