"""Tests of the spreadsheet of a release: its sheets, its numbers, and its languages."""

import io
from xml.etree import ElementTree as ET
from zipfile import ZipFile

import pytest

from app.console.release_files import COLUMNS, METHOD, name_sheet
from app.figures.catalogue import TABLES
from app.kernel.actors import Role
from tests.support.console_browser import ConsoleBrowser
from tests.support.figure_releases import release_quarter
from tests.support.world import Someone, World, unwrap

NAMESPACE = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
RELEASES = "figures/releases"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
LANGUAGES = ("en", "es", "fr", "ru", "uz")

type Sheet = list[list[str]]


@pytest.fixture
def analyst(world: World) -> Someone:
    return world.add_person("UZ_CONSULATE_ALMATY", {Role.ANALYST})


def read_sheets(content: bytes) -> dict[str, Sheet]:
    """Return the rows of each sheet of an XLSX file, by its name."""
    with ZipFile(io.BytesIO(content)) as archive:

        def parse(name: str) -> ET.Element:
            return ET.fromstring(archive.read(f"xl/{name}.xml"))

        texts = [
            "".join(one.itertext()) for one in parse("sharedStrings").iter(f"{NAMESPACE}si")
        ]
        names = [one.attrib["name"] for one in parse("workbook").iter(f"{NAMESPACE}sheet")]
        sheets = [parse(f"worksheets/sheet{n}") for n in range(1, len(names) + 1)]
    return {
        name: [
            [read_cell(cell, texts) for cell in row]
            for row in sheet.iter(f"{NAMESPACE}row")
        ]
        for name, sheet in zip(names, sheets, strict=True)
    }


def read_cell(cell: ET.Element, texts: list[str]) -> str:
    """Return the value of a cell, or an empty string; fail if the cell has a formula."""
    value = cell.findtext(f"{NAMESPACE}v", "")
    assert cell.find(f"{NAMESPACE}f") is None, "a cell contains a formula"
    return texts[int(value)] if cell.get("t") == "s" else value


def test_spreadsheet_has_each_table_and_each_number(world: World, analyst: Someone) -> None:
    release_id = release_quarter(world)
    [figures] = unwrap(analyst.get(f"/{RELEASES}/{release_id}"))["figures"]

    answer = ConsoleBrowser(analyst).get(f"{RELEASES}/{release_id}/xlsx")
    about, *tables, everything = read_sheets(answer.content).values()

    assert answer.headers["content-type"] == XLSX
    assert "figures-2026Q1.xlsx" in answer.headers["content-disposition"]
    assert len(about) == len(METHOD) + 3
    assert "does not mean zero" in str(about)
    assert len(tables) == len(TABLES)
    for rows, table in zip(tables, figures["tables"], strict=True):
        assert [row[1:] for row in rows[1:]] == [
            [str(cell["people"])] if cell["people"] is not None else []
            for cell in table["cells"]
        ]
    assert tuple(everything[0]) == COLUMNS
    assert len(everything) == 1 + sum(len(table["cells"]) for table in figures["tables"])


@pytest.mark.parametrize("language", LANGUAGES)
def test_spreadsheet_is_in_the_language_of_the_reader(
    world: World, analyst: Someone, language: str
) -> None:
    release_id = release_quarter(world)
    browser = ConsoleBrowser(analyst, **{"Accept-Language": language})

    names = list(read_sheets(browser.get(f"{RELEASES}/{release_id}/xlsx").content))

    assert len(set(names)) == len(TABLES) + 2
    assert all(0 < len(name) <= 31 for name in names)
    assert ("All figures" in names) == (language == "en")


def test_release_without_countries_has_no_tables(analyst: Someone, world: World) -> None:
    release_id = release_quarter(world, counts={})

    found = read_sheets(
        ConsoleBrowser(analyst).get(f"{RELEASES}/{release_id}/xlsx").content
    )

    assert len(found) == 2
    assert list(found.values())[1] == [list(COLUMNS)]


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("1 People: those who [were] met/helped", "1 People  those who  were  met"),
        ("'Quoted'", "Quoted"),
        ("1 Присутствие торговли людьми в странах", "1 Присутствие торговли людьми в"),
    ],
)
def test_names_of_sheets_are_those_that_programs_accept(name: str, kept: str) -> None:
    assert name_sheet(name) == kept
