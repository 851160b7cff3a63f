"""The settings of a PostgreSQL server and of the host do not change what is read."""

import pytest
from sqlalchemy import select

from app.cli.guard_checks import require_guards
from app.cli.startup import NotReady
from app.cli.versions import require_supported_database
from app.deadlines.models import Clock
from app.kernel.actors import SERVICE
from app.kernel.db import Database
from tests.support.world import Someone, World

ODD = ("DateStyle=German,DMY", "quote_all_identifiers=on", "row_security=off")


def set_options(monkeypatch: pytest.MonkeyPatch, *settings: str) -> None:
    """Use these settings for each new connection, as `ALTER DATABASE` would do."""
    options = " ".join(f"-c {one}" for one in settings)
    monkeypatch.setenv("PGOPTIONS", options)


def test_settings_of_the_server_do_not_matter(
    world: World, officer: Someone, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    officer.submit()
    with world.database.begin_read(SERVICE) as session:
        expected = session.scalars(select(Clock.due_at).order_by(Clock.number)).all()
    set_options(monkeypatch, *ODD)
    monkeypatch.setenv("PGDATESTYLE", "SQL, DMY")
    other = Database(url)

    with other.begin_read(SERVICE) as session:
        found = session.scalars(select(Clock.due_at).order_by(Clock.number)).all()
        require_guards(session)
        require_supported_database(session, url)
    other.engine.dispose()

    assert found == expected


def test_database_that_refuses_writes_is_not_ready(
    pg_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_options(monkeypatch, "default_transaction_read_only=on")
    database = Database(pg_url)

    with (
        database.begin_read(SERVICE) as session,
        pytest.raises(NotReady, match="default_transaction_read_only is on"),
    ):
        require_supported_database(session, pg_url)
    database.engine.dispose()
