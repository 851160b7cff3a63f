"""Tests of the report for a meeting as a page and as a file."""

import gzip
import re

import pytest

from app.console.figure_names import TABLES
from app.console.meeting_report import CHANGES, MEASURES
from app.console.meeting_report_file import render_file
from app.figures.comparison import Change
from app.figures.report_schemas import Measure
from app.kernel.actors import Role
from tests.support.console_browser import ConsoleBrowser
from tests.support.figure_releases import release_growing_quarters, release_quarter
from tests.support.world import Someone, World, unwrap

PAGE = "figures/report"
LAST = f"{PAGE}?from=2026Q2&to=2026Q2"
MOST_HTML = 12_000
ROW = re.compile(r'<tr><th scope="row">(.+?)</th>(.+?)</tr>')
NUMBER = re.compile(r'<td class="n"[^>]*>([^<]*)</td>')


@pytest.fixture
def analyst(world: World) -> Someone:
    return world.add_person("UZ_CONSULATE_ALMATY", {Role.ANALYST})


def test_report_without_releases_names_the_missing_quarters(analyst: Someone) -> None:
    text = ConsoleBrowser(analyst).get(PAGE).text

    assert "not released, so they are missing: 2025Q2, 2025Q3, 2025Q4, 2026Q1." in text
    assert "Nothing is better by more than the errors of the numbers." in text
    assert "Nothing is worse by more than the errors of the numbers." in text
    assert "<option selected>2026Q1</option>" in text


@pytest.mark.parametrize("language", ["en", "ru", "es", "fr", "uz"])
def test_each_line_has_both_numbers_beside_its_bars(
    world: World, analyst: Someone, language: str
) -> None:
    release_growing_quarters(world)

    text = ConsoleBrowser(analyst, **{"Accept-Language": language}).get(LAST).text
    rows = ROW.findall(text)

    assert len(rows) > 5
    for _, cells in rows:
        assert len([number for number in NUMBER.findall(cells) if number]) == 2
        widths = [int(one) for one in re.findall(r'<rect [^>]*width="(\d+)%"', cells)]
        assert len(widths) == 2
        assert max(widths) <= 100
    assert "style=" not in text
    assert len(gzip.compress(text.encode())) < MOST_HTML


def test_report_shows_the_numbers_of_the_api(world: World, analyst: Someone) -> None:
    release_growing_quarters(world)
    found = unwrap(analyst.get("/figures/report", **{"from": "2026Q2", "to": "2026Q2"}))
    cell = found["figures"][0]["tables"][0]["cells"][0]

    rows = dict(ROW.findall(ConsoleBrowser(analyst).get(LAST).text))

    people = rows["People who were referred"]
    expected = [str(cell["earlier"]["people"]), str(cell["later"]["people"])]
    assert NUMBER.findall(people) == expected
    assert '<td data-label="Change">more</td>' in people


def test_number_that_is_partly_not_shown_says_so(world: World, analyst: Someone) -> None:
    release_quarter(world)

    text = ConsoleBrowser(analyst).get(f"{PAGE}?from=2026Q1&to=2026Q2").text

    assert re.search(r">\d+, without 2026Q2</td>", text)
    assert ">not shown</td>" in text


def test_wrong_period_is_refused_and_stays_in_the_form(analyst: Someone) -> None:
    answer = ConsoleBrowser(analyst).get(f"{PAGE}?from=2026Q1&to=2026Q2&compare=2026Q1")

    assert answer.status_code == 422
    assert "Compare with `2025Q3` or earlier quarters" in answer.text
    assert answer.text.count("<option selected>2026Q1</option>") == 2


def test_report_of_a_desk_names_its_countries(analyst: Someone) -> None:
    text = ConsoleBrowser(analyst).get(f"{PAGE}?desk=DESK_CENTRAL_ASIA").text

    assert (
        "Countries: Afghanistan, Kazakhstan, Kyrgyzstan, Tajikistan, Turkmenistan, "
        "Uzbekistan." in text
    )
    assert re.search(r'<option value="DESK_CENTRAL_ASIA" selected>[^<]+</option>', text)


def test_office_that_may_not_read_the_report_gets_no_page(lead: Someone) -> None:
    assert ConsoleBrowser(lead).get(PAGE).status_code == 403


@pytest.mark.parametrize("language", ["en", "ru", "es", "fr", "uz"])
def test_file_has_the_lines_of_the_page_and_needs_no_other_file(
    world: World, analyst: Someone, language: str
) -> None:
    release_growing_quarters(world)
    report = unwrap(analyst.get("/figures/report"))

    text = render_file(report, language, world.now)
    page = ConsoleBrowser(analyst, **{"Accept-Language": language}).get(PAGE).text

    assert ROW.findall(text) == ROW.findall(page) != []
    assert not re.search(r"\b(?:href|src)=|url\(|@import", text)
    assert f'<html lang="{language}"' in text
    assert "<details>" not in text
    assert ".figures .bar {" in text


def test_each_measure_and_change_has_a_name() -> None:
    assert set(MEASURES) == set(Measure)
    assert set(CHANGES) == set(Change)
    assert len(TABLES) > 5
