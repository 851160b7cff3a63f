"""The directory's answers for routing and for lists."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy import update

from app.administration.directory_load import load
from app.directory import queries
from app.directory.actions import get_standard_data
from app.directory.history import ChangeAuthor
from app.directory.kinds import Level, Service
from app.directory.models import Agreement, FocalPoint
from app.directory.schemas import CountryOut, FocalPointOut
from app.kernel.actors import AccountKind, Actor
from app.kernel.db import Base, Database
from app.kernel.keyfile import FileKeys
from app.kernel.paging import CursorUnknown, PageQuery
from app.kernel.problems import NotFound
from app.kernel.transactions import Reading, Runtime, begin_read
from app.kernel.vault import Vault

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
def work(database: Database, tmp_path: Path) -> Iterator[Reading]:
    vault = Vault(FileKeys.create(tmp_path / "keys"))
    with begin_read(Runtime(database, vault, lambda: TODAY, uuid4), ANYONE) as work:
        yield work


def close(database: Database, code: str) -> None:
    with database.begin_write() as session:
        statement = update(FocalPoint).where(FocalPoint.code == code)
        session.execute(statement.values(active=False))


def test_a_country_outside_of_the_directory_is_not_an_error(work: Reading) -> None:
    found, outside = queries.find_country(work, "KZ"), queries.find_country(work, "FR")

    assert found
    assert found.languages == ["kk", "ru"]
    assert outside is None


def test_a_focal_point_is_found_by_code_and_by_id(work: Reading) -> None:
    by_code = queries.get_by_code(work, "UZ_CONSULATE_ALMATY")

    by_id = queries.by_id(work, by_code.id)

    assert by_id.of_state == "UZ"
    assert queries.get_codes(work, [by_code.id, UUID(int=9)]) == {by_code.id: by_code.code}
    assert queries.get_codes(work, []) == {}


def test_a_focal_point_nobody_knows_is_not_found(work: Reading) -> None:
    with pytest.raises(NotFound):
        queries.get_by_code(work, "NOBODY")
    with pytest.raises(NotFound):
        queries.by_id(work, UUID(int=9))


def test_nothing_is_sent_to_who_is_not_active(work: Reading) -> None:
    codes = [focal_point.code for focal_point in queries.list_active(work)]

    assert codes == sorted(codes)
    assert "KZ_LEAD" in codes
    assert "AF_LEAD" not in codes


def test_everyone_is_there_for_routing_to_account_for(work: Reading) -> None:
    codes = [focal_point.code for focal_point in queries.list_all(work)]

    assert codes == sorted(codes)
    assert len(codes) == 63
    assert {"KZ_LEAD", "AF_LEAD", "DESK_CARIBBEAN"} <= set(codes)


def test_a_region_without_an_active_desk_is_named(database: Database) -> None:
    with database.begin_read() as session:
        assert queries.list_regions_without_desk(session) == []

    close(database, "DESK_CARIBBEAN")

    with database.begin_read() as session:
        assert queries.list_regions_without_desk(session) == ["caribbean"]


@pytest.mark.parametrize("level", Level)
@pytest.mark.parametrize(("one", "other"), [("KZ", "UZ"), ("UZ", "KZ"), ("JM", "TT")])
def test_an_agreement_binds_both_sides(
    work: Reading, one: str, other: str, level: Level
) -> None:
    assert queries.list_agreed_countries(work, one, level) == {other}


@pytest.mark.parametrize(
    ("agreed", "levels"),
    [("L0", "L0"), ("L1", "L0 L1"), ("L3", "L0 L1 L2 L3"), ("L4", "L0 L1 L2 L3 L4")],
)
def test_no_more_crosses_than_was_agreed(
    database: Database, work: Reading, agreed: str, levels: str
) -> None:
    with database.begin_write() as session:
        session.execute(update(Agreement).values(level=Level(agreed)))

    with begin_read(work.runtime, ANYONE) as later:
        reached = [
            level
            for level in Level
            if queries.list_agreed_countries(later, "KZ", level) == {"UZ"}
        ]

    assert reached == levels.split()


def test_who_did_not_agree_has_no_agreement(work: Reading) -> None:
    assert queries.list_agreed_countries(work, "KG", Level.NOTICE) == frozenset()
    assert queries.list_agreed_countries(work, "FR", Level.NOTICE) == frozenset()


def test_an_agreement_begins_on_its_first_day(work: Reading) -> None:
    first = datetime(2026, 1, 1, tzinfo=UTC)

    the_day_before = replace(work, now=first - timedelta(seconds=1))

    assert queries.list_agreed_countries(replace(work, now=first), "KZ", Level.NEEDS)
    assert not queries.list_agreed_countries(the_day_before, "KZ", Level.NEEDS)


def test_an_agreement_ends_with_its_last_day(database: Database, work: Reading) -> None:
    with database.begin_write() as session:
        session.execute(update(Agreement).values(in_force_until=date(2026, 6, 30)))
    last = datetime(2026, 6, 30, 23, 59, tzinfo=UTC)

    with begin_read(work.runtime, ANYONE) as later:
        on_the_day = queries.list_agreed_countries(
            replace(later, now=last), "KZ", Level.NEEDS
        )
        after = replace(later, now=last + timedelta(minutes=1))
        the_day_after = queries.list_agreed_countries(after, "KZ", Level.NEEDS)

    assert on_the_day == {"UZ"}
    assert not the_day_after


def test_pages_hold_every_focal_point_once(work: Reading) -> None:
    codes, query, more = list[str](), PageQuery(limit=7), True
    while more:
        rows, after, more = queries.list_focal_points(work, query, None, None)
        codes += [row.code for row in rows]
        query = PageQuery(after=after, limit=7)

    beyond = queries.list_focal_points(work, query, None, None)

    assert len(codes) == 63
    assert codes == sorted(set(codes))
    assert beyond == ([], codes[-1], False)


def test_a_list_can_be_of_who_offers_a_service_in_a_country(work: Reading) -> None:
    rows, _, more = queries.list_focal_points(work, PageQuery(), "KZ", Service.LEGAL_AID)

    assert [row.code for row in rows] == ["KZ_LEGAL_AID", "SANA_SEZIM"]
    assert not more


def test_who_works_everywhere_is_listed_for_any_country(work: Reading) -> None:
    rows, *_ = queries.list_focal_points(work, PageQuery(), "FR", Service.RETURN)

    assert [row.code for row in rows] == ["IOM"]


def test_a_cursor_of_another_list_is_refused(work: Reading) -> None:
    with pytest.raises(CursorUnknown):
        queries.list_focal_points(work, PageQuery(after="NOBODY"), None, None)


def test_a_focal_point_is_shown_by_its_code_alone(work: Reading) -> None:
    shown = FocalPointOut.model_validate(queries.get_by_code(work, "IOM")).model_dump(
        mode="json"
    )

    assert shown["code"] == "IOM"
    assert shown["serves"] == ["*"]
    assert "id" not in shown


def test_every_country_and_focal_point_can_be_shown(work: Reading) -> None:
    countries = [CountryOut.model_validate(row) for row in queries.list_countries(work)]
    rows, *_ = queries.list_focal_points(work, PageQuery(limit=200), None, None)

    assert len(countries) == 28
    assert len([FocalPointOut.model_validate(row) for row in rows]) == 63
