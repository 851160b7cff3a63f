"""After each test, the changes to a database are undone, or the database is replaced."""

from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

from tests.databases.failpoints.copies import PostgresqlCopies
from tests.support import database_pool
from tests.support.databases import Copy, ask
from tests.support.in_thread import ThreadLoops
from tests.support.world import World

pytestmark = pytest.mark.usefixtures("pg_url")
OWN = "SELECT oid FROM pg_database WHERE datname = current_database()"
COUNTED = "SELECT sequencename, last_value FROM pg_sequences ORDER BY 1"
ENOUGH = 1_000_000
"""A number of uses that no database reaches, so that it is not replaced during a test."""
MINE = "INSERT INTO epoch VALUES ('left')"
END = """SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
    WHERE datname = current_database() AND pid != pg_backend_pid()"""


def read_contents(url: str) -> list[Any]:
    """Return the row count and digest of each table, and the state of the sequences."""
    copies = PostgresqlCopies(create_engine(url))
    try:
        return [copies.rows(), ask(url, COUNTED)]
    finally:
        copies.looking.dispose()


def run_journey(url: str, app: FastAPI, loop: ThreadLoops) -> None:
    """Use a database as a test does."""
    world = World(url, app, loop)
    lead = world.add_person("KZ_LEAD")
    lead.take_lead(world.add_person("UZ_CONSULATE_ALMATY").submit())
    world.close_office("KZ_SHELTER_KOGERSHIN")
    world.wait(days=3)
    world.close()


def test_what_one_wrote_the_next_does_not_find(
    copy: Copy, app: FastAPI, loop: ThreadLoops, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_pool, "MOST", ENOUGH)
    with copy() as url:
        before, own = read_contents(url), ask(url, OWN)
        run_journey(url, app, loop)
        written = read_contents(url)
    with copy() as again:
        after, same = read_contents(again), ask(again, OWN)
        run_journey(again, app, loop)

    assert (again, same) == (url, own)
    assert before[0].keys() == written[0].keys()
    assert written[1] != before[1]
    assert len([name for name, kept in written[0].items() if kept != before[0][name]]) > 15
    assert after == before


@pytest.mark.parametrize(
    "change",
    [
        "CREATE TABLE left_over (id int)",
        "ALTER TABLE sealed RENAME TO sealed_away",
        "DROP TABLE access_token",
        "ALTER TABLE entry DISABLE TRIGGER ALL",
        "DROP TRIGGER entry_kept ON entry",
        "REVOKE SELECT ON country FROM safe_conduct_app",
        "ALTER TABLE sealed DISABLE ROW LEVEL SECURITY",
        "CREATE FUNCTION left_over() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "DROP INDEX ix_party_focal_point_id_number",
    ],
)
def test_one_of_another_shape_is_not_used_again(change: str, copy: Copy) -> None:
    with copy() as url:
        before, own = read_contents(url), ask(url, OWN)
        ask(url, change)
    with copy() as again:
        assert ask(again, OWN) != own
        assert read_contents(again) == before


def test_who_still_writes_does_not_write_to_the_next(copy: Copy) -> None:
    with copy() as url:
        before, own = read_contents(url), ask(url, OWN)
        engine = create_engine(url)
        left = engine.connect()
        left.execute(text(MINE))
    with copy() as again:
        with pytest.raises(OperationalError):
            left.commit()
        assert (ask(again, OWN), read_contents(again)) == (own, before)
    engine.dispose()


def test_one_whose_connections_were_cut_is_not_used_again(
    copy: Copy, app: FastAPI, loop: ThreadLoops
) -> None:
    with copy() as url:
        before, own = read_contents(url), ask(url, OWN)
        run_journey(url, app, loop)
        ask(url, END)
    with copy() as again:
        assert (ask(again, OWN) != own, read_contents(again)) == (True, before)
        run_journey(again, app, loop)
