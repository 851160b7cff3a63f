"""Tests of the queries of the directory for routing and for lists."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy import update

from app.administration.directory_load import load
from app.cli.readiness import require_desks
from app.cli.startup import NotReady
from app.directory import agreement_queries
from app.directory import queries as directory_queries
from app.directory.actions import get_standard_data
from app.directory.history import ChangeAuthor
from app.directory.kinds import DisclosureLevel, Service
from app.directory.models import Agreement, FocalPoint
from app.directory.schemas import CountryOut, FocalPointOut
from app.kernel.actors import AccountKind, Actor
from app.kernel.db import Base, Database
from app.kernel.file_keys import FileKeys
from app.kernel.paging import CursorUnknown, PageQuery
from app.kernel.problems import NotFound
from app.kernel.transactions import ReadTransaction, Runtime, begin_read
from app.kernel.vault import Vault
from tests.support.directory_changes import update_directory

ANYONE = Actor(UUID(int=1), UUID(int=2), AccountKind.PERSON, frozenset(), frozenset())
TODAY = datetime(2026, 6, 1, 12, tzinfo=UTC)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path}/t.db")
    Base.metadata.create_all(database.engine)
    with database.begin_write() as session:
        clerk = ChangeAuthor(session, uuid4, TODAY)
        load(clerk, get_standard_data())
        load(clerk, files("app.demo").joinpath("data"))
    yield database
    database.engine.dispose()


@pytest.fixture
def tx(database: Database, tmp_path: Path) -> Iterator[ReadTransaction]:
    vault = Vault(FileKeys.create(tmp_path / "keys"))
    with begin_read(Runtime(database, vault, lambda: TODAY, uuid4), ANYONE) as tx:
        yield tx


def close(database: Database, code: str) -> None:
    with database.begin_write() as session:
        statement = update(FocalPoint).where(FocalPoint.code == code)
        update_directory(session, statement.values(active=False))


def test_a_country_outside_of_the_directory_is_not_an_error(tx: ReadTransaction) -> None:
    found, outside = (
        directory_queries.find_country(tx, "KZ"),
        directory_queries.find_country(tx, "FR"),
    )

    assert found
    assert found.languages == ["kk", "ru"]
    assert outside is None


def test_a_focal_point_is_found_by_code_and_by_id(tx: ReadTransaction) -> None:
    by_code = directory_queries.get_by_code(tx, "UZ_CONSULATE_ALMATY")

    by_id = directory_queries.by_id(tx, by_code.id)

    assert by_id.of_state == "UZ"
    assert directory_queries.get_codes(tx, [by_code.id, UUID(int=9)]) == {
        by_code.id: by_code.code
    }
    assert directory_queries.get_codes(tx, []) == {}


def test_a_focal_point_nobody_knows_is_not_found(tx: ReadTransaction) -> None:
    with pytest.raises(NotFound):
        directory_queries.get_by_code(tx, "NOBODY")
    with pytest.raises(NotFound):
        directory_queries.by_id(tx, UUID(int=9))


def test_nothing_is_sent_to_who_is_not_active(tx: ReadTransaction) -> None:
    codes = [focal_point.code for focal_point in directory_queries.list_active(tx)]

    assert codes == sorted(codes)
    assert "KZ_LEAD" in codes
    assert "AF_LEAD" not in codes


def test_everyone_is_there_for_routing_to_account_for(tx: ReadTransaction) -> None:
    codes = [focal_point.code for focal_point in directory_queries.list_all(tx)]

    assert codes == sorted(codes)
    assert len(codes) == 63
    assert {"KZ_LEAD", "AF_LEAD", "DESK_CARIBBEAN"} <= set(codes)


def test_countries_without_an_active_desk_are_listed_with_their_region(
    database: Database,
) -> None:
    with database.begin_read() as session:
        assert directory_queries.list_countries_without_desk(session) == {}

    close(database, "DESK_CARIBBEAN")

    with database.begin_read() as session:
        found = directory_queries.list_countries_without_desk(session)
        assert set(found.values()) == {"caribbean"}
        assert {"BB", "HT", "JM", "TT"} <= set(found)


def test_service_without_a_desk_names_the_countries_and_the_desks_there_are(
    database: Database,
) -> None:
    with database.begin_write() as session:
        everywhere = update(FocalPoint).where(FocalPoint.code == "DESK_CARIBBEAN")
        update_directory(session, everywhere.values(serves=[]))
        other = update(FocalPoint).where(FocalPoint.code == "DESK_CENTRAL_ASIA")
        update_directory(session, other.values(serves=["KG", "KZ", "TJ", "TM"]))

    with database.begin_read() as session, pytest.raises(NotReady) as refused:
        require_desks(session)

    said = str(refused.value)
    assert said.startswith("No active desk serves AG, BB, BS, CU,")
    assert ", VC (caribbean), AF, UZ (central_asia). Active desks: DESK_CARIBBEAN" in said
    assert "DESK_CARIBBEAN (serves no country), DESK_CENTRAL_AMERICA (serves BZ " in said


@pytest.mark.parametrize("level", DisclosureLevel)
@pytest.mark.parametrize(("one", "other"), [("KZ", "UZ"), ("UZ", "KZ"), ("JM", "TT")])
def test_an_agreement_binds_both_sides(
    tx: ReadTransaction, one: str, other: str, level: DisclosureLevel
) -> None:
    assert agreement_queries.list_agreed_countries(tx, one, level) == {other}


@pytest.mark.parametrize(
    ("agreed", "levels"),
    [("L0", "L0"), ("L1", "L0 L1"), ("L3", "L0 L1 L2 L3"), ("L4", "L0 L1 L2 L3 L4")],
)
def test_no_more_crosses_than_was_agreed(
    database: Database, tx: ReadTransaction, agreed: str, levels: str
) -> None:
    with database.begin_write() as session:
        update_directory(session, update(Agreement).values(level=DisclosureLevel(agreed)))

    with begin_read(tx.runtime, ANYONE) as later:
        reached = [
            level
            for level in DisclosureLevel
            if agreement_queries.list_agreed_countries(later, "KZ", level) == {"UZ"}
        ]

    assert reached == levels.split()


def test_who_did_not_agree_has_no_agreement(tx: ReadTransaction) -> None:
    assert (
        agreement_queries.list_agreed_countries(tx, "KG", DisclosureLevel.SUMMARY)
        == frozenset()
    )
    assert (
        agreement_queries.list_agreed_countries(tx, "FR", DisclosureLevel.SUMMARY)
        == frozenset()
    )


def test_an_agreement_begins_on_its_first_day(tx: ReadTransaction) -> None:
    first = datetime(2026, 1, 1, tzinfo=UTC)

    the_day_before = replace(tx, now=first - timedelta(seconds=1))

    assert agreement_queries.list_agreed_countries(
        replace(tx, now=first), "KZ", DisclosureLevel.NEEDS
    )
    assert not agreement_queries.list_agreed_countries(
        the_day_before, "KZ", DisclosureLevel.NEEDS
    )


def test_an_agreement_ends_with_its_last_day(
    database: Database, tx: ReadTransaction
) -> None:
    with database.begin_write() as session:
        update_directory(
            session, update(Agreement).values(in_force_until=date(2026, 6, 30))
        )
    last = datetime(2026, 6, 30, 23, 59, tzinfo=UTC)

    with begin_read(tx.runtime, ANYONE) as later:
        on_the_day = agreement_queries.list_agreed_countries(
            replace(later, now=last), "KZ", DisclosureLevel.NEEDS
        )
        after = replace(later, now=last + timedelta(minutes=1))
        the_day_after = agreement_queries.list_agreed_countries(
            after, "KZ", DisclosureLevel.NEEDS
        )

    assert on_the_day == {"UZ"}
    assert not the_day_after


def test_pages_hold_every_focal_point_once(tx: ReadTransaction) -> None:
    codes, after, pages = list[str](), None, 0
    while after or not pages:
        query = PageQuery(after=after, limit=7)
        rows, after = directory_queries.list_focal_points(tx, query, None, None)
        codes += [row.code for row in rows]
        pages += 1

    query = PageQuery(after=codes[-1], limit=7)
    beyond = directory_queries.list_focal_points(tx, query, None, None)

    assert len(codes) == 63
    assert codes == sorted(set(codes))
    assert pages == 9  # the last page is full
    assert beyond == ([], None)


def test_a_list_can_be_of_who_offers_a_service_in_a_country(tx: ReadTransaction) -> None:
    rows, after = directory_queries.list_focal_points(
        tx, PageQuery(), "KZ", Service.LEGAL_AID
    )

    assert [row.code for row in rows] == ["KZ_LEGAL_AID", "SANA_SEZIM"]
    assert after is None


def test_who_works_everywhere_is_listed_for_any_country(tx: ReadTransaction) -> None:
    rows, *_ = directory_queries.list_focal_points(tx, PageQuery(), "FR", Service.RETURN)

    assert [row.code for row in rows] == ["IOM"]


def test_a_cursor_of_another_list_is_refused(tx: ReadTransaction) -> None:
    with pytest.raises(CursorUnknown):
        directory_queries.list_focal_points(tx, PageQuery(after="NOBODY"), None, None)


def test_a_focal_point_is_shown_by_its_code_alone(tx: ReadTransaction) -> None:
    shown = FocalPointOut.model_validate(
        directory_queries.get_by_code(tx, "IOM")
    ).model_dump(mode="json")

    assert shown["code"] == "IOM"
    assert shown["serves"] == ["*"]
    assert "id" not in shown


def test_every_country_and_focal_point_can_be_shown(tx: ReadTransaction) -> None:
    countries = [
        CountryOut.model_validate(row) for row in directory_queries.list_countries(tx)
    ]
    rows, *_ = directory_queries.list_focal_points(tx, PageQuery(limit=200), None, None)

    assert len(countries) == 28
    assert len([FocalPointOut.model_validate(row) for row in rows]) == 63
