"""Tests that docs/directory.md describes each column of each file, and examples load."""

import csv
import re
from collections.abc import Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, NamedTuple
from uuid import uuid4

import pytest
from pydantic import ValidationError

from app.administration.account_load import AccountRow
from app.administration.directory_load import load
from app.deadlines.limit_bounds import FIXED
from app.deadlines.rows import TimeLimitRow
from app.directory.actions import Count, get_standard_data
from app.directory.file_rows import AgreementRow, ContactRow, CountryRow, FocalPointRow, Row
from app.directory.files import FILES
from app.directory.history import ChangeAuthor
from app.kernel.actors import AccountKind, Role
from app.kernel.db import Base, Database
from tests.rules.test_directory_loading import TODAY
from tests.support.source_code import ROOT

PAGE: Final = (ROOT / "docs" / "directory.md").read_text("utf-8")
MODELS: Final[Mapping[str, type[Row]]] = {
    "countries.csv": CountryRow,
    "focal_points.csv": FocalPointRow,
    "agreements.csv": AgreementRow,
    "contacts.csv": ContactRow,
    "limits.csv": TimeLimitRow,
}
LOADED: Final = (get_standard_data(), files("app.demo").joinpath("data"))
CODE: Final = re.compile(r"`([^`]*)`")


class Column(NamedTuple):
    """A column of a directory file, as a row of a table on the page describes it."""

    name: str
    required: str
    value: str
    example: str


def read_table(file: str) -> dict[str, Column]:
    """Return the columns that the page describes for a file."""
    part = (
        PAGE.partition(f"\n### `{file}`\n")[2].partition("\n## ")[0].partition("\n### ")[0]
    )
    lines = [line for line in part.splitlines() if line.startswith("| `")]
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
    rows = [
        Column(name.strip("` "), required, value, example.strip("` |"))
        for name, required, value, example in cells
    ]
    return {row.name: row for row in rows}


COLUMNS: Final = [(file, column) for file in FILES for column in MODELS[file].model_fields]


def get_example(file: str) -> dict[str, str]:
    """Return the example row of a file on the page, by column."""
    return {name: column.example for name, column in read_table(file).items()}


def is_accepted(file: str, cells: Mapping[str, str]) -> bool:
    """Return whether the cells are a valid row of a file."""
    try:
        MODELS[file].model_validate(cells)
    except ValidationError:
        return False
    return True


def list_loaded_rows(file: str) -> list[dict[str, str]]:
    """Return the rows of a file in the folders that are packaged."""
    paths = [folder.joinpath(file) for folder in LOADED]
    texts = [path.read_text("utf-8") for path in paths if path.is_file()]
    return [row for text in texts for row in csv.DictReader(text.splitlines())]


@pytest.mark.parametrize("file", FILES)
def test_page_names_exactly_the_columns_of_a_file(file: str) -> None:
    assert list(read_table(file)) == list(MODELS[file].model_fields)


@pytest.mark.parametrize(("file", "name"), COLUMNS)
def test_page_says_whether_a_cell_is_required(file: str, name: str) -> None:
    table, example = read_table(file), get_example(file)
    rows = [row for row in (example, *list_loaded_rows(file)) if is_accepted(file, row)]

    emptied = {is_accepted(file, {**row, name: ""}) for row in rows}

    match table[name].required:
        case "yes":
            assert emptied == {False}
        case "no":
            assert emptied == {True}
        case condition:
            others = [one for one in table if table[one].required.startswith("if ")]
            without = {**example, **dict.fromkeys(others, ""), "services": ""}
            assert condition.startswith("if ")
            assert False in emptied
            assert is_accepted(file, {key: without.get(key, "") for key in table})


def list_codes(file: str, name: str) -> set[str]:
    """Return the codes that a column allows, or an empty set if the column has no codes."""
    schema = MODELS[file].model_json_schema()
    codes = set(find_enum(schema["properties"][name], schema.get("$defs", {})))
    return codes - set(FIXED) if name == "deadline" else codes


def find_enum(part: Any, shared: Mapping[str, Any]) -> Iterator[str]:
    """Yield the values of the enum in a part of a schema."""
    if isinstance(part, list):
        for one in part:
            yield from find_enum(one, shared)
    elif isinstance(part, dict):
        yield from part.get("enum", ())
        if "$ref" in part:
            yield from find_enum(shared[part["$ref"].rpartition("/")[2]], shared)
        for key in ("anyOf", "allOf", "items"):
            yield from find_enum(part.get(key, []), shared)


@pytest.mark.parametrize(("file", "name"), COLUMNS)
def test_page_names_all_codes_of_a_column_and_no_other(file: str, name: str) -> None:
    table = read_table(file)
    codes, value = list_codes(file, name), table[name].value

    named = set(CODE.findall(value)) - set(table) - set(FILES)

    if codes:
        assert named == codes
    if MODELS[file].model_json_schema()["properties"][name].get("type") == "boolean":
        assert named == {"true", "false"}


def test_operations_page_names_the_columns_and_roles_of_a_file_of_accounts() -> None:
    page = (ROOT / "docs" / "operations.md").read_text("utf-8")
    part = page.partition("**Many accounts**")[2].partition("\n- ")[0]
    lines = [line.split("|") for line in part.splitlines() if line.startswith("| `")]
    table = {name.strip("` "): value for _, name, _, value, _ in lines}

    assert list(table) == list(AccountRow.model_fields)
    assert f"\n{','.join(table)}\n" in part
    assert CODE.findall(table["roles"]) == list(Role)
    assert CODE.findall(table["kind"]) == list(AccountKind)


def test_examples_of_the_page_load_as_one_folder(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    for file in FILES:
        with (folder / file).open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, list(get_example(file)))
            writer.writeheader()
            writer.writerow(get_example(file))
    database = Database(f"sqlite:///{tmp_path}/t.db")
    Base.metadata.create_all(database.engine)

    with database.begin_write() as session:
        author = ChangeAuthor(session, uuid4, TODAY)
        load(author, get_standard_data())
        loaded = load(author, folder)
    database.engine.dispose()

    assert loaded.countries.changed == 1
    added = (loaded.focal_points, loaded.agreements, loaded.limits, loaded.contacts)
    assert added == (Count(1, 0, 0),) * 4


@pytest.mark.parametrize("moment", ["2026-06-01T09:00:00", "2026-06-01", "soon"])
def test_error_about_a_time_without_a_zone_shows_one_that_is_accepted(moment: str) -> None:
    example = get_example("focal_points.csv")

    with pytest.raises(ValidationError) as refused:
        FocalPointRow.model_validate({**example, "capacity_as_of": moment})

    [error] = refused.value.errors()
    right = error["msg"].rpartition(" ")[2]
    assert error["loc"] == ("capacity_as_of",)
    assert "time zone" in error["msg"]
    assert is_accepted("focal_points.csv", {**example, "capacity_as_of": right})
