"""Tests of the number of places that an office has in all, and of its limit for reports."""

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from httpx2 import Response
from sqlalchemy import select, update

from app.administration.directory_load import Loaded, load
from app.cli.row_protection import find_altered
from app.directory.files import FilesRefused
from app.directory.history import ChangeAuthor
from app.directory.models import FocalPoint
from app.kernel import migrations
from tests.rules.test_directory_loading import DEMONSTRATION, OFFICE
from tests.support.administrators import (
    ADMINISTRATOR,
    NEW,
    list_changes,
    read_approval,
    replace_row,
    update_row,
    update_row_with,
)
from tests.support.administrators import OFFICE as NEW_OFFICE
from tests.support.directory_changes import update_directory
from tests.support.world import Json, Someone, World, get_problem, unwrap

CODE = "KZ_SHELTER_KOGERSHIN"
SHELTER = f"/focal-points/{CODE}"
PLACES = 20
"""The places of the shelter in the demonstration."""
POST = "UZ_POST"
FULL_FILE = OFFICE.replace("opening,capacity", "opening,places,capacity")
"""A file with the column `places`; `with_places` sets its cell."""


@pytest.fixture
def admin(world: World) -> Someone:
    return world.add_person("KZ_LEAD", ADMINISTRATOR)


@pytest.fixture
def second(world: World) -> Someone:
    return world.add_person("OVERSIGHT_DEMO", ADMINISTRATOR)


def report(who: Someone, free: int | None, **headers: str) -> Response:
    path = f"/focal-points/{who.code}/capacity"
    return who.ask("PUT", path, {"free": free}, headers=headers)


def get_stored(world: World, code: str = CODE) -> tuple[int | None, int | None]:
    """Return the places and the free places of an office, as stored."""
    with world.database.begin_read() as session:
        columns = select(FocalPoint.places, FocalPoint.capacity)
        places, free = session.execute(columns.where(FocalPoint.code == code)).one()
    return places, free


def with_places(cell: str, free: str = "4") -> str:
    """Return a file of one office with the given places and free places."""
    return FULL_FILE.replace("18:00,4,", f"18:00,{cell},{free},")


def load_file(world: World, folder: Path, text: str) -> Loaded:
    (folder / "focal_points.csv").write_text(text, "utf-8")
    with world.database.begin_write() as session:
        return load(ChangeAuthor(session, uuid4, world.now), folder)


@pytest.mark.parametrize("free", [PLACES + 1, 100_000])
def test_report_above_the_places_is_refused_and_not_stored(
    world: World, shelter: Someone, free: int
) -> None:
    unwrap(report(shelter, 3))

    refused = report(shelter, free, Idempotency_Key="monday")

    assert get_problem(refused) == (422, "too-many-free-places")
    assert str(free) not in refused.json()["title"] + refused.json()["detail"]
    assert get_stored(world) == (PLACES, 3)


@pytest.mark.parametrize("free", [0, 1, PLACES, None])
def test_report_of_at_most_the_places_is_stored(
    world: World, shelter: Someone, free: int | None
) -> None:
    assert unwrap(report(shelter, free))["free"] == free
    assert get_stored(world) == (PLACES, free)


def test_only_the_office_learns_whether_a_report_is_too_high(
    world: World, stranger: Someone
) -> None:
    officer = world.add_person(CODE, ADMINISTRATOR)
    body = {"free": PLACES + 1}

    assert get_problem(report(officer, PLACES + 1)) == (403, "role-missing")
    other = stranger.ask("PUT", f"{SHELTER}/capacity", body)
    assert get_problem(other) == (403, "action-not-yours")


def test_list_of_helpers_does_not_depend_on_how_many_places_are_free(
    world: World, officer: Someone, lead: Someone, admin: Someone, second: Someone
) -> None:
    update_row_with(admin, second, SHELTER, places=None)
    case = unwrap(lead.does("acknowledge", officer.submit()))
    shelter, path = world.add_person(CODE), f"/cases/{case['code']}/recipients"
    found = []
    for free in (1, 100_000):
        unwrap(report(shelter, free))
        found.append(lead.get(path, service="SHELTER").json())

    assert found[0] == found[1]
    assert get_stored(world) == (None, 100_000)


def test_places_need_two_people_and_are_recorded(admin: Someone, second: Someone) -> None:
    alone = read_approval(update_row(admin, SHELTER, places=30))
    before = unwrap(admin.get(SHELTER))

    together = update_row_with(admin, second, SHELTER, places=30)

    assert alone["facts"] == {"places": f"{PLACES} -> 30"}
    assert before["places"] == PLACES
    assert together["places"] == unwrap(admin.get(SHELTER))["places"] == 30
    change = list_changes(admin, SHELTER.removeprefix("/"))[-1]
    assert (change["before"]["places"], change["after"]["places"]) == (PLACES, 30)
    assert "capacity" not in {*change["before"], *change["after"]}


def test_office_without_places_in_the_request_has_no_known_number(admin: Someone) -> None:
    body = {name: value for name, value in NEW_OFFICE.items() if name != "places"}

    made = unwrap(replace_row(admin, "/focal-points/KZ_NEW_SHELTER", body, **NEW))

    assert made["places"] is None


@pytest.mark.parametrize("places", [-1, 100_001, "3", 3.5, True, [3]])
def test_what_is_no_number_of_places_is_refused(admin: Someone, places: Any) -> None:
    refused = update_row(admin, SHELTER, places=places)

    assert refused.status_code == 422
    assert {error["pointer"] for error in refused.json()["errors"]} == {"#/places"}


def lower_places(admin: Someone, second: Someone, places: int) -> tuple[Json, Json]:
    """Lower the places, and return what the administrators can read about it."""
    asked = read_approval(update_row(admin, SHELTER, places=places))
    written = update_row_with(admin, second, SHELTER, places=places)
    return asked["facts"], written


@pytest.mark.parametrize("places", [5, 0])
def test_lower_places_limit_the_last_report_without_telling_it(
    world: World, admin: Someone, second: Someone, shelter: Someone, places: int
) -> None:
    unwrap(report(shelter, 0))
    empty = lower_places(admin, second, places)
    update_row_with(admin, second, SHELTER, places=PLACES)
    unwrap(report(shelter, PLACES))

    crowded = lower_places(admin, second, places)

    assert crowded == empty
    assert get_stored(world) == (places, places)


def test_higher_places_keep_the_last_report(
    world: World, admin: Someone, second: Someone, shelter: Someone
) -> None:
    unwrap(report(shelter, 7))

    update_row_with(admin, second, SHELTER, places=30)

    assert get_stored(world) == (30, 7)


def test_row_with_more_free_places_than_places_is_refused(
    world: World, tmp_path: Path
) -> None:
    with pytest.raises(FilesRefused) as refused:
        load_file(world, tmp_path, with_places("3"))

    [fault] = refused.value.faults
    assert (fault.line, fault.column) == (2, "capacity")
    assert load_file(world, tmp_path, with_places("4")).focal_points.added == 1
    assert get_stored(world, POST) == (4, 4)


@pytest.mark.parametrize("cell", ["-1", "100001", "many", "3.5"])
def test_cell_that_is_no_number_of_places_is_refused(
    world: World, tmp_path: Path, cell: str
) -> None:
    with pytest.raises(FilesRefused) as refused:
        load_file(world, tmp_path, with_places(cell))

    assert [fault.column for fault in refused.value.faults] == ["places"]


def test_file_without_the_column_keeps_the_places_and_is_limited_by_them(
    world: World, tmp_path: Path
) -> None:
    load_file(world, tmp_path, with_places("6"))
    later = OFFICE.replace("4,2026-06-01T12", "9,2026-06-02T12")

    first = load_file(world, tmp_path, later)
    again = load_file(world, tmp_path, later)

    assert get_stored(world, POST) == (6, 6)
    assert (first.focal_points.changed, again.focal_points.unchanged) == (1, 1)


def test_file_with_fewer_places_limits_a_newer_report(
    world: World, tmp_path: Path, admin: Someone
) -> None:
    load_file(world, tmp_path, with_places("6"))
    world.advance(hours=1)
    unwrap(report(world.add_person(POST), 6))

    first = load_file(world, tmp_path, with_places("5"))
    again = load_file(world, tmp_path, with_places("5"))

    assert get_stored(world, POST) == (5, 5)
    assert (first.focal_points.changed, again.focal_points.unchanged) == (1, 1)
    change = list_changes(admin, f"focal-points/{POST}")[-1]
    assert (change["before"]["places"], change["after"]["places"]) == (6, 5)


def test_file_with_an_empty_cell_removes_the_places(world: World, tmp_path: Path) -> None:
    load_file(world, tmp_path, with_places("6"))

    load_file(world, tmp_path, with_places(""))

    assert get_stored(world, POST) == (None, 4)


def test_new_office_of_a_file_without_the_column_is_recorded_without_places(
    world: World, tmp_path: Path, admin: Someone
) -> None:
    load_file(world, tmp_path, OFFICE)

    [change] = list_changes(admin, f"focal-points/{POST}")
    assert change["after"]["places"] is None
    assert get_stored(world, POST) == (None, 4)


def test_rows_of_an_earlier_version_match_their_macs_after_the_migration(
    world: World,
) -> None:
    with world.database.begin_write() as session:
        update_directory(session, update(FocalPoint), places=None)
    migrations.downgrade(world.url, "0053")

    migrations.upgrade(world.url)

    with world.database.begin_read() as session:
        assert find_altered(session) == {}
        assert set(session.scalars(select(FocalPoint.places))) == {None}
    shelter = world.add_person(CODE)
    assert unwrap(report(shelter, 100_000))["free"] == 100_000
    with world.database.begin_write() as session:
        load(ChangeAuthor(session, uuid4, world.now), DEMONSTRATION)
        assert find_altered(session) == {}
    assert get_stored(world) == (PLACES, PLACES)
