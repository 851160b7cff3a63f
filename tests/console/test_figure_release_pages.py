"""Tests of the pages of released figures: request, list, tables and CSV file."""

import csv
import io
import re

import pytest
from httpx2 import Response

from app.console.figure_names import CODES, LISTS, TABLES
from app.console.formats import load_words
from app.console.release_files import COLUMNS
from app.figures.catalogue import TABLES as CATALOGUE
from app.figures.catalogue import TableName
from app.figures.releases import list_cells
from app.kernel.actors import Role
from tests.support.console_browser import ConsoleBrowser, read_hidden
from tests.support.figure_releases import (
    QUARTER,
    add_overseers,
    release_quarter,
    store_quarter,
)
from tests.support.world import Someone, World, unwrap

PAGE = "figures/releases"


@pytest.fixture
def analyst(world: World) -> Someone:
    return world.add_person("UZ_CONSULATE_ALMATY", {Role.ANALYST})


def ask(one: Someone, quarter: str) -> Response:
    """Fill in the form that asks for a release, and send it."""
    browser = ConsoleBrowser(one)
    hidden = read_hidden(browser.get(PAGE).text, PAGE)
    return browser.post(PAGE, hidden | {"quarter": quarter})


def test_two_people_release_figures_on_the_pages(world: World) -> None:
    store_quarter(world)
    one, second = add_overseers(world)

    asked = ask(one, str(QUARTER))
    [approval] = unwrap(second.get("/approvals"))["items"]
    page = ConsoleBrowser(second).get(f"approvals/{approval['id']}").text

    assert asked.status_code == 303
    assert "Release the figures of a quarter" in page
    assert str(QUARTER) in page
    assert 'href="/console/figures/releases"' in page


def test_quarter_that_is_not_counted_is_refused_on_the_page(world: World) -> None:
    one, _ = add_overseers(world)

    answer = ask(one, "2026Q2")

    assert answer.status_code == 409
    assert "its last weeks are not counted yet" in answer.text
    assert 'value="2026Q2"' in answer.text


def test_analyst_finds_a_release_and_cannot_ask_for_one(
    world: World, analyst: Someone
) -> None:
    release_id = release_quarter(world)
    browser = ConsoleBrowser(analyst)

    text = browser.get(PAGE).text

    assert f'href="/console/{PAGE}/{release_id}"' in text
    assert "Ask for the release" not in text


def test_page_shows_each_number_and_folds_the_other_rows(
    world: World, analyst: Someone
) -> None:
    release_id = release_quarter(world)
    [figures] = unwrap(analyst.get(f"/{PAGE}/{release_id}"))["figures"]
    tables = [[cell["people"] for cell in one["cells"]] for one in figures["tables"]]

    text = ConsoleBrowser(analyst).get(f"{PAGE}/{release_id}").text
    shown = re.findall(r'<td class="n">([^<]+)</td>', text)
    counted = re.findall(r"<summary>([0-9]+) rows? (?:is|are) not shown</summary>", text)
    folded = re.findall(r"</summary><ul>(.*?)</ul></details>", text)

    assert shown == [str(people) for one in tables for people in one if people is not None]
    hidden = [one.count(None) for one in tables if None in one and any(one)]
    assert hidden
    assert counted == [str(number) for number in hidden]
    assert [names.count("<li>") for names in folded] == hidden
    assert "<li>Adults, Another gender</li>" in text
    assert text.count(": no number is shown.") == sum(not any(one) for one in tables) > 0


def test_file_has_each_number_with_its_codes(world: World, analyst: Someone) -> None:
    release_id = release_quarter(world)

    answer = ConsoleBrowser(analyst).get(f"{PAGE}/{release_id}/csv")
    lines = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))

    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert "figures-2026Q1.csv" in answer.headers["content-disposition"]
    assert tuple(lines[0]) == COLUMNS
    assert lines[0]["table"] == "cases"
    assert len(lines) == sum(len(list_cells(table)) for table in CATALOGUE)
    assert {line["people"] for line in lines} > {""}


def test_office_that_may_not_read_releases_gets_no_page(lead: Someone) -> None:
    assert ConsoleBrowser(lead).get(PAGE).status_code == 403


def test_each_table_and_code_has_a_name() -> None:
    assert set(TABLES) == set(TableName)
    for table in CATALOGUE:
        for cell in list_cells(table):
            for axis, code in enumerate(cell):
                words = LISTS.get(table, ())
                listed = load_words(words[axis], "en") if axis < len(words) else {}
                assert (code in CODES) != (code in listed), (table, code)
