"""Tests that `safe-conduct doctor` lists versions, and that old databases are refused."""

from secrets import token_hex

import pytest
from sqlalchemy import create_engine, make_url, update
from sqlalchemy.pool import NullPool

from app.cli.readiness import require_ready
from app.cli.startup import NotReady
from app.cli.versions import (
    list_versions,
    require_recent_postgresql,
    require_recent_sqlite,
    require_supported_database,
)
from app.directory.models import Country, FocalPoint
from app.directory.queries import list_unknown_time_zones
from app.kernel.db import Database, get_database_time
from app.kernel.ledger import Ledger
from app.settings import Environment, Settings
from tests.support.databases import run
from tests.support.directory_changes import update_directory
from tests.support.world import World


def test_the_doctor_lists_the_versions_that_decide(database: Database, url: str) -> None:
    with database.begin_read() as session:
        listed = list(list_versions(session, url))
        require_supported_database(session, url)

    assert listed[0] == "Time zones: IANA 2026f, package tzdata 2026.6."
    assert [line.split()[0] for line in listed[1:]] == [
        "Holidays:",
        "Names",
        "Unicode",
        "Database:",
    ]
    assert ("SQLite" if database.is_sqlite else "PostgreSQL") in listed[-1]


def test_old_databases_are_refused() -> None:
    require_recent_sqlite((3, 40, 0))
    require_recent_postgresql(150000)

    with pytest.raises(NotReady, match=r"SQLite 3\.39\.4; 3\.40 or newer"):
        require_recent_sqlite((3, 39, 4))
    with pytest.raises(NotReady, match=r"PostgreSQL 14; 15 or newer"):
        require_recent_postgresql(140099)


def test_a_database_that_cannot_store_every_name_is_refused(pg_url: str) -> None:
    server = create_engine(pg_url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    name = f"safe_conduct_ascii_{token_hex(4)}"
    run(server, f"CREATE DATABASE {name} TEMPLATE template0 ENCODING SQL_ASCII LOCALE 'C'")
    url = make_url(pg_url).set(database=name).render_as_string(hide_password=False)
    other = Database(url)
    try:
        with other.begin_read() as session, pytest.raises(NotReady, match="SQL_ASCII"):
            require_supported_database(session, url)
    finally:
        other.engine.dispose()
        run(server, f"DROP DATABASE {name}")


def test_a_session_is_in_utc_and_utf_8_whatever_the_server_is_set_to(pg_url: str) -> None:
    settings = "-c timezone=Asia/Kabul -c client_encoding=KOI8R"
    set_up = make_url(pg_url).update_query_dict({"options": settings})
    database = Database(set_up.render_as_string(hide_password=False))
    try:
        with database.begin_read() as session:
            connection = session.connection().connection.driver_connection
            assert connection is not None
            assert connection.info.parameter_status("TimeZone") == "UTC"
            assert connection.info.encoding == "utf-8"
            assert get_database_time(session).utcoffset() is not None
    finally:
        database.engine.dispose()


def test_a_directory_with_a_zone_that_is_not_in_the_database_is_not_served(
    world: World,
) -> None:
    with world.database.begin_write() as session:
        assert list_unknown_time_zones(session) == []
        shelter, country = FocalPoint.code == "KZ_SHELTER_KOGERSHIN", Country.code == "KG"
        update_directory(
            session, update(FocalPoint).where(shelter).values(time_zone="localtime")
        )
        update_directory(
            session, update(Country).where(country).values(time_zone="posix/UTC")
        )
    settings = Settings(environment=Environment.DRILL, database_url=world.url)

    with pytest.raises(NotReady) as refused:
        require_ready(world.runtime, Ledger(settings.erasure_ledger), settings)

    assert str(refused.value).startswith(
        "The time zones of KG, KZ_SHELTER_KOGERSHIN are not in version 2026f of the IANA "
        "database, so deadlines there cannot be computed."
    )
