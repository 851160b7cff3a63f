"""Tests of the demo page, which lists the demo users in tour order, with their tasks."""

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import httpx
import pytest
from structlog.testing import capture_logs

from app.access.role_scopes import get_allowed_scopes
from app.cli.demo_command import (
    DemoAddresses,
    build_demo_sign_in,
    format_hint,
    prepare_demo_keys,
)
from app.console.demo_tour import HEADINGS, TASKS, TourPart, TourTask
from app.console.options import ConsoleOptions, DemoSignIn
from app.console.visits import SESSION_COOKIE
from app.demo.demo_accounts import DEMO_ACCOUNTS
from app.demo.tour import TOUR
from app.kernel.actors import Role
from app.main import add_console, create_app
from tests.support.console_browser import SAME_ORIGIN
from tests.support.world import PUBLIC, World

STOPS = [(part, *stop) for part, stops in TOUR.items() for stop in stops]
NEEDED = {
    TourTask.REFER: Role.OFFICER,
    TourTask.LEAD: Role.COORDINATOR,
    TourTask.HELP: Role.COORDINATOR,
    TourTask.CONFIRM: Role.SUPERVISOR,
    TourTask.TRAVEL_DOCUMENT: Role.COORDINATOR,
    TourTask.SEE_NOTHING: Role.OFFICER,
    TourTask.STEP_IN: Role.COORDINATOR,
    TourTask.OVERSEE: Role.PROTECTION_OFFICER,
    TourTask.ANALYSE: Role.ANALYST,
    TourTask.ADMINISTER: Role.ADMINISTRATOR,
}
"""For each task of the tour, the role that a person needs for it."""

type Practice = tuple[World, DemoSignIn]


@pytest.fixture
def practice(url: str) -> Iterator[Practice]:
    """Yield a world with the demo accounts, and the demo sign-in."""
    made = World(url)
    sign_in = build_demo_sign_in(prepare_demo_keys(made.runtime))
    app = create_app(made.runtime, public_url=PUBLIC)
    add_console(app, ConsoleOptions("https://www.example.org/", sign_in))
    made.serve(app)
    yield made, sign_in
    made.close()


def test_the_tour_has_every_account_of_the_demonstration_once() -> None:
    accounts = [account for _, account, _ in STOPS]
    assert sorted(one.label for one in accounts) == sorted(
        one.label for one in DEMO_ACCOUNTS
    )
    assert len({one.label for one in accounts}) == len(accounts)


def test_the_tour_begins_with_the_officer_who_refers_and_the_office_that_receives() -> None:
    assert list(TOUR) == list(HEADINGS) == list(TourPart)
    assert [one.label for _, one, _ in STOPS[:2]] == ["demo officer", "demo coordinator"]


def test_each_person_has_a_role_for_what_the_page_says_there_is_to_try() -> None:
    assert {task for _, _, task in STOPS} == set(TASKS) == set(TourTask) == set(NEEDED)
    wrong = [one.label for _, one, task in STOPS if NEEDED[task] not in one.roles]
    assert wrong == []


def test_the_page_names_each_office_once_in_a_part_and_each_person_with_a_task(
    practice: Practice,
) -> None:
    world, sign_in = practice
    page = world.http.get(f"/console/demo/{sign_in.secret}")
    shown = unescape(page.text)

    offices = len({(part, one.focal_point) for part, one, _ in STOPS})
    assert shown.count("<h3>") == offices
    assert re.findall(r'value="([^"]+)"', cut_main(shown)) == [
        person.id for person in sign_in.people
    ]
    for text in (*HEADINGS.values(), *TASKS.values(), "UZ consulate, Almaty"):
        assert text in shown


@pytest.mark.parametrize("language", ["ru", "es", "fr", "uz"])
def test_the_page_is_in_the_language_of_the_browser(
    practice: Practice, language: str
) -> None:
    world, sign_in = practice
    headers = {"Accept-Language": language}
    page = world.http.get(f"/console/demo/{sign_in.secret}", headers=headers)
    assert f'<html lang="{language}"' in page.text
    assert "UZ consulate, Almaty" not in page.text


@pytest.mark.slow
def test_the_link_signs_in_as_every_person_who_may_see_the_own_pages(
    practice: Practice,
) -> None:
    world, sign_in = practice
    for person in sign_in.people:
        token = choose(world, sign_in, person.id)
        cookie = {"Cookie": f"{SESSION_COOKIE}={token}"}
        home = world.http.get("/console/", headers=cookie)
        assert (home.status_code, person.label in home.text) == (200, True), person.label
        may_read = "cases:read" in get_allowed_scopes(frozenset(map(Role, person.roles)))
        cases = world.http.get("/console/cases", headers=cookie)
        assert cases.status_code == (200 if may_read else 403), person.label


def test_the_session_of_the_last_person_ends_if_another_one_is_chosen(
    practice: Practice,
) -> None:
    world, sign_in = practice
    first, second, *_ = sign_in.people
    before = choose(world, sign_in, first.id)
    after = choose(world, sign_in, second.id, before)
    answers = [
        world.http.get("/v1/me", headers={"Authorization": f"Bearer {token}"})
        for token in (before, after)
    ]
    assert [one.status_code for one in answers] == [401, 200]


def test_the_secret_and_the_keys_are_in_no_log(practice: Practice) -> None:
    world, sign_in = practice
    with capture_logs() as logged:
        choose(world, sign_in, sign_in.people[0].id)
        world.http.get(f"/console/demo/{sign_in.secret}")
        world.http.get(f"/console/demo/{sign_in.secret}?wrong=%ff")
        world.http.put(f"/console/demo/{sign_in.secret}", headers=SAME_ORIGIN)
    assert len(logged) >= 4
    for secret in (sign_in.secret, sign_in.people[0].key):
        assert secret not in str(logged)

    shown = repr(ConsoleOptions("https://www.example.org/", sign_in))
    assert sign_in.secret not in shown
    assert sign_in.people[0].key not in shown


@pytest.mark.parametrize(
    ("local", "warns"),
    [
        ("http://127.0.0.1:8000", False),
        ("http://[::1]:8000", False),
        ("http://0.0.0.0:8000", True),
        ("http://[::]:8000", True),
        ("http://192.0.2.1:8000", True),
    ],
)
def test_the_demonstration_warns_if_other_machines_can_reach_it(
    local: str, warns: bool
) -> None:
    found = DemoAddresses("http://localhost:8000", httpx.URL(local), "link", Path("keys"))
    hint = format_hint(found, dict.fromkeys(DEMO_ACCOUNTS, "key"), 8)
    assert hint.startswith("\nWARNING: other machines") == warns
    assert "Safe Conduct is serving at http://localhost:8000" in hint


@pytest.mark.parametrize(
    ("journeys", "says"), [(8, "8 example cases are played now."), (0, "No example case")]
)
def test_the_demonstration_says_how_many_example_cases_it_plays(
    journeys: int, says: str
) -> None:
    found = DemoAddresses(
        "http://localhost:8000", httpx.URL("http://[::1]:8000"), "link", Path("keys")
    )
    keys = dict.fromkeys(DEMO_ACCOUNTS, "key")
    assert says in format_hint(found, keys, journeys)


def cut_main(page: str) -> str:
    """Return the content of a page, without its header and its footer."""
    return page.partition("<main")[2].partition("</main>")[0]


def choose(world: World, sign_in: DemoSignIn, person: str, before: str = "") -> str:
    """Choose a person on the page, and return the token of the new session."""
    headers = SAME_ORIGIN | {"Cookie": f"{SESSION_COOKIE}={before}" if before else ""}
    answer = world.http.post(
        f"/console/demo/{sign_in.secret}",
        data={"person": person},
        headers=headers,
        follow_redirects=False,
    )
    assert answer.status_code == 303
    [token] = re.findall(rf"{SESSION_COOKIE}=(scs_[^;]+)", answer.headers["Set-Cookie"])
    return str(token)
