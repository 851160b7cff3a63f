"""Tests of the short names of offices, in files and in the API."""

import csv
import io
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from pydantic import ValidationError

from app.administration.cell_values import validate_row
from app.administration.directory_load import load
from app.directory.cell_types import format_texts, parse_texts
from app.directory.file_rows import FocalPointRow
from app.directory.files import get_rows, load_sheet
from app.directory.history import ChangeAuthor
from app.kernel import migrations
from app.kernel.db import Database
from app.kernel.languages import LANGUAGES
from tests.rules.test_directory_loading import DEMONSTRATION, OFFICE
from tests.support.administrators import (
    ADMINISTRATOR,
    list_changes,
    read_approval,
    update_row,
    update_row_with,
)
from tests.support.table_rows import fill_tables
from tests.support.world import Someone, World, unwrap

SHELTER = "/focal-points/KZ_SHELTER_KOGERSHIN"
NAMES = {"en": "Kögershin", "uz-Cyrl": "Көгершин", "ru": "Көгершін: приют"}


@pytest.fixture
def admin(world: World) -> Someone:
    return world.add_person("KZ_LEAD", ADMINISTRATOR)


@pytest.fixture
def second(world: World) -> Someone:
    return world.add_person("OVERSIGHT_DEMO", ADMINISTRATOR)


def list_stored(world: World) -> dict[str, dict[str, str]]:
    """Return the short names of each office that has any."""
    reader = world.add_person("KZ_LEAD")
    rows = reader.list_all("/focal-points", limit=30)
    return {row["code"]: row["short_names"] for row in rows if row["short_names"]}


def load_file(world: World, folder: Path, text: str) -> None:
    """Load a file of offices."""
    (folder / "focal_points.csv").write_text(text, "utf-8")
    with world.database.begin_write() as session:
        load(ChangeAuthor(session, uuid4, world.now), folder)


def remove_column(text: str, column: str) -> str:
    """Return a CSV text without one of its columns."""
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    out = io.StringIO(newline="")
    names = [name for name in rows[0] if name != column]
    writer = csv.DictWriter(out, names, extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def test_short_names_of_the_demonstration_are_listed(world: World) -> None:
    rows = get_rows(load_sheet(DEMONSTRATION, "focal_points.csv", FocalPointRow))
    expected = {row.code: row.short_names for row in rows if row.short_names}

    assert list_stored(world) == expected
    assert expected["OVERSIGHT_DEMO"]["ru"] == "Надзорный орган"


def test_short_names_need_two_people(admin: Someone, second: Someone) -> None:
    alone = read_approval(update_row(admin, SHELTER, short_names=NAMES))
    before = unwrap(admin.get(SHELTER))

    together = update_row_with(admin, second, SHELTER, short_names=NAMES)

    assert "Kögershin" in alone["facts"]["short_names"]
    assert before["short_names"]["en"] == "Kögerşın üiı, Almaty"
    assert together["short_names"] == NAMES
    assert unwrap(admin.get(SHELTER))["short_names"] == NAMES
    change = list_changes(admin, "focal-points/KZ_SHELTER_KOGERSHIN")[-1]
    assert change["before"]["short_names"] == before["short_names"]
    assert change["after"]["short_names"] == NAMES


@pytest.mark.parametrize(
    "names",
    [
        {"en": "x" * 41},
        {"en": ""},
        {"en": "one; ru: two"},
        {"en": "two\nlines"},
        {"xx": "No such language"},
        {"EN": "Upper case"},
        {"en": None},
        ["en"],
        None,
    ],
)
def test_unusable_short_names_are_refused(admin: Someone, names: Any) -> None:
    refused = update_row(admin, SHELTER, short_names=names)

    assert refused.status_code == 422
    [error, *_] = refused.json()["errors"]
    assert "/short_names" in error["pointer"]


def test_file_without_the_column_keeps_the_short_names(
    world: World, tmp_path: Path
) -> None:
    whole = DEMONSTRATION.joinpath("focal_points.csv").read_text("utf-8")
    without = remove_column(whole, "short_names")
    before = list_stored(world)

    load_file(world, tmp_path, without.replace("Kögerşın", "Kogershin"))

    assert "short_names" not in without
    assert list_stored(world) == before
    name = unwrap(world.add_person("KZ_LEAD").get(SHELTER))["name"]
    assert "Kogershin" in name


def test_file_with_empty_cells_removes_the_short_names(
    world: World, tmp_path: Path
) -> None:
    text = OFFICE.replace("source,as_of", "source,as_of,short_names")
    lines = [f"{line}," for line in text.replace(",short_names", "").splitlines()[1:]]
    first = "\n".join([text.splitlines()[0], *lines])

    load_file(world, tmp_path, f"{first}en: Post; uz: Vakolatxona\n")
    named = list_stored(world)["UZ_POST"]
    load_file(world, tmp_path, f"{first}\n")

    assert named == {"en": "Post", "uz": "Vakolatxona"}
    assert "UZ_POST" not in list_stored(world)


@pytest.mark.parametrize(
    "cell", ["Post", "en Post", "en: Post; en: Other", "de: Amt", "en:", "en: " + "x" * 41]
)
def test_wrong_cell_is_refused_with_an_example(cell: str) -> None:
    [values] = csv.DictReader(io.StringIO(OFFICE))

    with pytest.raises(ValidationError) as refused:
        FocalPointRow.model_validate(values | {"short_names": cell})

    assert {error["loc"][0] for error in refused.value.errors()} == {"short_names"}


def test_short_names_are_the_same_in_a_cell_and_in_json() -> None:
    names = {tag: f"Name: {tag}" for tag in LANGUAGES}
    [values] = csv.DictReader(io.StringIO(OFFICE))
    values = {name: value for name, value in values.items() if name != "opening"}

    assert parse_texts(format_texts(names)) == names
    assert parse_texts("") == parse_texts(" ; ") == {}
    row = validate_row(FocalPointRow, {**values, "opening": [], "short_names": names})
    assert row.short_names == names


def test_migration_gives_existing_offices_no_short_names(url: str) -> None:
    fill_tables(url)
    migrations.downgrade(url, "0038-1")
    database = Database(url)

    migrations.upgrade(url)

    with database.begin_read() as session:
        found = session.connection().exec_driver_sql("SELECT short_names FROM focal_point")
        names = [row[0] for row in found]
    database.engine.dispose()
    migrations.check(url)
    assert len(names) > 1
    assert {str(name) for name in names} == {"{}"}
