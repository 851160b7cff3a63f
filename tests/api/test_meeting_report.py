"""Tests of the report for a meeting: its readers, its figures, and its gaps."""

from typing import Final

import pytest

from app.figures.catalogue import TableName
from app.kernel.actors import Role
from tests.support.figure_releases import (
    PATH,
    add_overseers,
    release_growing_quarters,
    release_quarter,
    store_quarter,
)
from tests.support.world import Json, Someone, World, get_problem, unwrap

REPORT: Final = "/figures/report"


@pytest.fixture
def analyst(world: World) -> Someone:
    return world.add_person("UZ_CONSULATE_ALMATY", {Role.ANALYST})


def read(reader: Someone, **query: str) -> Json:
    return unwrap(reader.get(REPORT, **query))


def test_report_compares_the_released_figures_of_two_quarters(
    world: World, analyst: Someone
) -> None:
    release_growing_quarters(world)
    releases = unwrap(analyst.get(PATH))["items"]
    numbers = []
    for one in releases:
        [figures] = unwrap(analyst.get(f"{PATH}/{one['id']}"))["figures"]
        numbers.append(figures["tables"][0]["cells"][0]["people"])

    found = read(analyst, **{"from": "2026Q2", "to": "2026Q2"})
    [country] = found["figures"]
    [cell] = country["tables"][0]["cells"]

    assert country["country"] == "KZ"
    assert country["tables"][0]["table"] == TableName.CASES
    assert [cell["later"]["people"], cell["earlier"]["people"]] == numbers
    assert cell["change"] == "higher"
    assert found["later"] == {"quarters": ["2026Q2"], "missing": []}
    assert found["earlier"] == {"quarters": ["2026Q1"], "missing": []}
    assert {share["change"] for share in found["shares"]} == {"similar"}


def test_report_ends_with_the_latest_release_and_names_missing_quarters(
    world: World, analyst: Someone
) -> None:
    release_growing_quarters(world)

    found = read(analyst)

    assert found["later"] == {"quarters": ["2026Q1", "2026Q2"], "missing": []}
    assert found["earlier"]["missing"] == ["2025Q3", "2025Q4"]
    [cell] = found["figures"][0]["tables"][0]["cells"]
    assert cell["earlier"] == {"people": None, "not_shown": ["2025Q3", "2025Q4"]}
    assert cell["change"] is None
    assert found["shares"] == []


def test_report_has_no_number_before_a_release(world: World, analyst: Someone) -> None:
    store_quarter(world)

    found = read(analyst, **{"from": "2026Q1", "to": "2026Q1"})

    assert found["figures"] == found["shares"] == []
    assert found["later"]["missing"] == ["2026Q1"]


def test_only_analysts_and_oversight_read_the_report(
    world: World, analyst: Someone, lead: Someone
) -> None:
    one, second = add_overseers(world)

    assert get_problem(lead.get(REPORT)) == (403, "role-missing")
    assert read(analyst) == read(one) == read(second)


@pytest.mark.parametrize(
    "query",
    [
        {"from": "2026Q2", "to": "2026Q1"},
        {"from": "2026Q1", "to": "2026Q2", "compare": "2025Q4"},
    ],
)
def test_reversed_or_overlapping_period_is_refused(
    analyst: Someone, query: dict[str, str]
) -> None:
    answer = analyst.get(REPORT, **query)

    assert get_problem(answer) == (422, "report-period-invalid")


def test_quarter_that_is_none_is_refused_and_not_repeated(analyst: Someone) -> None:
    answer = analyst.get(REPORT, **{"from": "2026Q5"})

    assert get_problem(answer) == (422, "request-invalid")
    assert "from" in answer.text
    assert "2026Q5" not in answer.text


def test_report_names_services_that_no_office_offers_any_more(
    world: World, analyst: Someone
) -> None:
    before = read(analyst)["gaps"]["services"]
    offering = [
        office["code"]
        for office in unwrap(
            analyst.get("/focal-points?country=KZ&service=SHELTER&limit=200")
        )["items"]
    ]
    for code in offering:
        world.close_office(code)

    after = read(analyst)["gaps"]["services"]

    assert offering
    assert "SHELTER" not in find_services(before)
    assert "SHELTER" in find_services(after)


def test_report_of_a_desk_is_about_its_countries_only(
    world: World, analyst: Someone
) -> None:
    release_growing_quarters(world)

    own = read(analyst, desk="DESK_CENTRAL_ASIA")
    other = read(analyst, desk="DESK_CARIBBEAN")
    served = unwrap(analyst.get("/focal-points/DESK_CENTRAL_ASIA"))["serves"]

    assert {*own["countries"]} == {*served}
    assert [country["country"] for country in own["figures"]] == ["KZ"]
    assert {gap["country"] for gap in own["gaps"]["services"]} <= {*served}
    for gap in own["gaps"]["borders"]:
        assert {gap["country"], *gap["others"]} <= {*served}
    assert other["figures"] == []
    assert other["later"] == own["later"]
    assert not {*other["countries"]} & {*served}


@pytest.mark.parametrize("desk", ["KZ_LEAD", "NO_SUCH_DESK"])
def test_report_of_an_office_that_is_no_desk_is_refused(
    analyst: Someone, desk: str
) -> None:
    answer = analyst.get(REPORT, desk=desk)

    assert get_problem(answer) == (422, "desk-unknown")


def find_services(gaps: list[Json]) -> list[str]:
    return [one for gap in gaps if gap["country"] == "KZ" for one in gap["services"]]


def test_report_names_no_office(world: World, analyst: Someone) -> None:
    release_quarter(world)
    text = analyst.get(REPORT).text

    offices = analyst.list_all("/focal-points")
    assert offices
    assert not [office["code"] for office in offices if office["code"] in text]
    assert not [office["name"] for office in offices if office["name"] in text]
