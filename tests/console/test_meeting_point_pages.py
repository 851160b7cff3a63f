"""Tests of the page of follow-up points, which some roles write, complete and delete."""

import re

import pytest

from app.console.meeting_point_pages import STEPS, WRITERS
from app.directory.kinds import OfficeKind
from app.figures import point_queries
from app.kernel.actors import Role
from tests.support.console_browser import ConsoleBrowser, read_hidden
from tests.support.database_faults import lock_table
from tests.support.figure_releases import list_points, write_point
from tests.support.world import Someone, World

PAGE = "figures/points"
REPORT = "figures/report"
FILLED = {"meeting": "2026-05-20", "text": "A second shelter in Osh"}


@pytest.fixture
def desk(world: World) -> Someone:
    return world.add_person("DESK_CENTRAL_ASIA", {Role.COORDINATOR})


@pytest.fixture
def analyst(world: World) -> Someone:
    return world.add_person("UZ_CONSULATE_ALMATY", {Role.ANALYST})


def press(one: Someone, address: str) -> int:
    """Press a button of the page, and return the status of the response."""
    browser = ConsoleBrowser(one)
    hidden = read_hidden(browser.get(PAGE).text, address)
    return browser.post(address, hidden).status_code


def test_desk_writes_a_point_that_the_report_contains(
    desk: Someone, analyst: Someone
) -> None:
    browser = ConsoleBrowser(desk)
    hidden = read_hidden(browser.get(PAGE).text, PAGE)

    answer = browser.post(PAGE, hidden | FILLED)
    text = ConsoleBrowser(analyst).get(REPORT).text

    assert answer.status_code == 303
    assert [point["text"] for point in list_points(desk)] == [FILLED["text"]]
    assert "A second shelter in Osh (meeting of 20 May 2026)" in text


def test_point_is_completed_and_then_deleted(
    world: World, desk: Someone, analyst: Someone
) -> None:
    path = f"{PAGE}/{write_point(world)}"

    completed = press(desk, f"{path}/complete")
    page = ConsoleBrowser(desk).get(PAGE).text
    report = ConsoleBrowser(analyst).get(REPORT).text
    deleted = press(desk, f"{path}/delete")

    assert (completed, deleted) == (303, 303)
    assert "1 point is done" in page
    assert f"{path}/complete" not in page
    assert re.search(r"Osh \(meeting of 20 May 2026, done on [^)]+\)", report)
    assert list_points(desk) == []


def test_step_that_failed_is_sent_again_with_the_same_key(
    world: World, desk: Someone, url: str
) -> None:
    path, other = (f"{PAGE}/{write_point(world)}/complete" for _ in range(2))
    browser = ConsoleBrowser(desk)
    form = read_hidden(browser.get(PAGE).text, path)

    with lock_table(world, url, "meeting_point"):
        failed = browser.post(path, form)

    assert failed.status_code == 503
    assert read_hidden(failed.text, path)["key"] == form["key"]
    assert read_hidden(failed.text, other)["key"] != form["key"]
    assert browser.post(path, form).status_code == 303


def test_point_with_an_error_stays_in_the_form(desk: Someone) -> None:
    browser = ConsoleBrowser(desk)
    hidden = read_hidden(browser.get(PAGE).text, PAGE)

    answer = browser.post(PAGE, hidden | FILLED | {"meeting": ""})

    assert answer.status_code == 422
    assert FILLED["text"] in answer.text
    assert list_points(desk) == []


def test_analyst_reads_points_and_has_no_form(world: World, analyst: Someone) -> None:
    write_point(world)

    text = ConsoleBrowser(analyst).get(PAGE).text

    assert "A second shelter in Osh" in text
    assert f'action="/console/{PAGE}' not in text


def test_office_without_points_gets_no_page(lead: Someone) -> None:
    assert ConsoleBrowser(lead).get(PAGE).status_code == 403


def test_forms_are_offered_to_the_roles_that_may_write() -> None:
    assert {OfficeKind(kind): set(roles) for kind, roles in WRITERS.items()} == {
        kind: set(roles) for kind, roles in point_queries.WRITERS.items()
    }
    assert set(STEPS) == {"complete", "delete"}
