"""Tests of the responses of a standby, and of the responses during a failover (R51)."""

import time
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.exc import DBAPIError, OperationalError

from app.kernel.database_errors import is_transient, map_transient_errors
from app.kernel.db import Database
from app.kernel.problems import Busy
from tests.processes.drill.sites import ARCHIVING, Archiving, Postgresql, archiving, stop
from tests.support.databases import ask, clear, make_home
from tests.support.world import World, make_case

STANDING_BY = "hot_standby = on\n"
PATIENCE = 20.0
"""Number of seconds that the standby may take to replicate a transaction."""


@pytest.fixture
def pair(pg_url: str) -> Iterator[tuple[Postgresql, Archiving]]:
    """Yield a PostgreSQL server with the directory, and a standby that replicates it."""
    assert pg_url, "needs a run on PostgreSQL; starts two servers of its own"
    home = make_home()
    try:
        with archiving(home / "site") as site:
            assert isinstance(site, Postgresql)
            folder = site.folder / "standby"
            uri = site.server.get_uri()
            words = ("-d", uri, "-D", str(folder), "-c", "fast", "-R")
            site.runs("pg_basebackup", *words)
            (folder / ".s.PGSQL.5432.lock").unlink()  # the first server's socket lock
            settings = ARCHIVING.format(archive=site.folder / "second")
            follow = (folder / "postgresql.auto.conf").read_text()
            standby = Archiving(folder, settings + STANDING_BY + follow)
            standby.get_uri()
            yield site, standby
            stop(standby)
    finally:
        clear(home)


def wait_for_copy(url: str, standby: str) -> None:
    """Wait until a standby has the API keys of the primary."""
    last, keys = time.monotonic() + PATIENCE, "SELECT prefix, hash FROM api_key"
    while ask(standby, keys) != ask(url, keys):
        assert time.monotonic() < last
        time.sleep(0.02)


@pytest.mark.slow
@pytest.mark.whole
def test_a_standby_is_not_ready_and_answers_writes_with_503(
    pair: tuple[Postgresql, Archiving],
) -> None:
    site, standby = pair
    primary = World(site.url)
    key = primary.add_person("UZ_CONSULATE_ALMATY").key
    primary.close()
    wait_for_copy(site.url, standby.get_uri("safe_conduct"))
    following = Database(standby.get_uri("safe_conduct"))
    world = World(standby.get_uri("safe_conduct"))
    said = {"Authorization": f"Bearer {key}", "Idempotency-Key": "one-and-only"}
    with TestClient(world.app, raise_server_exceptions=False) as asked:
        ready = asked.get("/readyz")
        written = asked.post("/v1/cases", json=make_case(submit=True), headers=said)

    assert following.is_standby()
    assert ready.status_code == 503
    assert ready.json()["database"] == "a standby: it takes no writes"
    assert (written.status_code, written.headers["Retry-After"]) == (503, "1")
    following.engine.dispose()
    world.close()


def test_what_is_written_while_only_reading_stays_a_fault_of_ours(pg_url: str) -> None:
    database = Database(pg_url)
    with pytest.raises(DBAPIError), database.begin_read() as session:
        session.connection().exec_driver_sql("DELETE FROM excluded")

    assert not database.is_standby()
    database.engine.dispose()


class RefusedError(Exception):
    """An error of the driver, with an error code of PostgreSQL."""

    def __init__(self, sqlstate: str) -> None:
        super().__init__(sqlstate)
        self.sqlstate = sqlstate


@pytest.mark.parametrize("code", ["08000", "08003", "08006", "08P01", "57P01", "57P02"])
def test_a_lost_connection_or_a_crash_of_the_server_can_be_tried_again(code: str) -> None:
    assert is_transient(OperationalError("", {}, RefusedError(code)))


@pytest.mark.parametrize("code", ["25006", "0A000", "42501", "23505"])
def test_what_is_no_passing_trouble_is_not_called_so(code: str) -> None:
    assert not is_transient(DBAPIError("", {}, RefusedError(code)))


def test_a_standby_answers_a_reader_that_writes_by_503() -> None:
    refused = DBAPIError("", {}, RefusedError("25006"))
    with pytest.raises(Busy), map_transient_errors(lambda: True):
        raise refused
    with pytest.raises(DBAPIError), map_transient_errors(lambda: False):
        raise refused
