"""Tests of the page of a return: a whole return in forms, and what each side sees."""

from collections.abc import Iterator
from typing import Any

import pytest

from app.console.return_actions import SIDES, build_checklist
from app.console.worklist import find_page
from tests.support.console_browser import ConsoleBrowser, read_hidden
from tests.support.returns import (
    CONSULATE,
    WAY,
    Homecoming,
    accept_return_referral,
    begin_return,
)
from tests.support.world import Json, Someone, World, make_consent, unwrap

type Form = dict[str, str | list[str]]


@pytest.fixture
def home(world: World, officer: Someone, lead: Someone) -> Homecoming:
    """Begin the return of an adult from Kazakhstan to Uzbekistan."""
    return begin_return(world, officer, lead)


def fill_fields(value: Any, name: str = "") -> Iterator[tuple[str, str | list[str]]]:
    """Yield the form fields from which the console builds the body `value`."""
    if isinstance(value, dict):
        for key, child in value.items():
            yield from fill_fields(child, f"{name}/{key}".lstrip("/"))
    elif isinstance(value, list) and (name == "visits" or name.endswith("contacts")):
        for number, child in enumerate(value):
            yield from fill_fields(child, f"{name}/{number}")
    elif value is True:
        yield name, "on"
    elif name.startswith("visits") or name.endswith("_at"):
        yield name, value[:16]  # the field has minutes, and no time zone
    elif value is not None and value is not False:
        yield name, value


def take_step(who: Someone, record: Json, action: str, body: Json | None) -> str:
    """Take a step in its form, and return the address to which the form redirects."""
    path = f"returns/{record['id']}"
    browser = ConsoleBrowser(who)
    hidden = read_hidden(browser.get(path).text, action)
    form: Form = {**hidden, **dict(fill_fields(body or {}))}
    answer = browser.post(f"{path}/actions/{action}", form)
    assert answer.status_code == 303, answer.text
    return answer.headers["Location"]


def test_an_adult_goes_home_in_forms(home: Homecoming) -> None:
    for who, action, body in WAY:
        name = action.replace("-", "_")
        person = getattr(home, who)
        where = take_step(person, home.record, name, body)
        if "/approvals/" in where:
            path = where.removeprefix("/console/").partition("?")[0]
            done = ConsoleBrowser(home.supervisor).post(f"{path}/confirm", {})
            assert done.status_code == 303
    assert home.state == "monitoring"
    page = ConsoleBrowser(home.lead).get(f"returns/{home.record['id']}").text
    assert page.count('<li class="done">') == 11  # all but the sixth, for children
    assert page.count('<p class="taken">') == len(WAY)


def test_the_checklist_is_opened_from_the_referral(
    world: World, officer: Someone, lead: Someone
) -> None:
    recipient = world.add_person("ISTIQBOLLI_AVLOD")
    _, referral = accept_return_referral(officer, lead, recipient)
    browser, path = ConsoleBrowser(lead), f"referrals/{referral['id']}"
    assert "Open the checklist of the return" in browser.get(path).text
    assert browser.post(f"{path}/return", {}).status_code == 303
    found = unwrap(lead.get(f"/referrals/{referral['id']}/return"))
    assert f"/console/returns/{found['id']}" in browser.get(path).text


def test_checklist_that_is_refused_says_why_on_the_page_of_the_referral(
    officer: Someone, lead: Someone
) -> None:
    case = lead.take_lead(officer.submit())
    referral = unwrap(lead.refer(case, "KZ_SHELTER_KOGERSHIN"))

    refused = ConsoleBrowser(lead).post(f"referrals/{referral['id']}/return", {})

    assert refused.status_code == 409
    assert "error-summary" in refused.text


def test_the_travel_plan_is_shown_once_with_a_purpose(home: Homecoming) -> None:
    home.advance("plan")
    browser, path = ConsoleBrowser(home.lead), f"returns/{home.record['id']}"
    route = dict(WAY[7][2] or {})["plan"]["route"]
    assert route not in browser.get(path).text
    assert browser.post(f"{path}/travel-plan", {}).status_code >= 400
    opened = browser.post(f"{path}/travel-plan", {"purpose": "assistance"})
    assert route in opened.text
    assert route not in browser.get(path).text


def test_the_consulate_sees_its_task_and_nothing_else(
    world: World, officer: Someone, lead: Someone
) -> None:
    consent = make_consent(
        focal_point=CONSULATE, purposes=["CONSULAR_DOCUMENT"], sections=["identity"]
    )
    home = begin_return(world, officer, lead, consents=[consent])
    home.refer_to_consulate()
    home.advance("permit-contact")
    page = ConsoleBrowser(home.officer).get(f"returns/{home.record['id']}").text
    assert "Check of nationality and travel document" in page
    assert home.case["code"] not in page
    assert "The twelve steps" not in page


def test_a_return_of_others_is_not_found(home: Homecoming, stranger: Someone) -> None:
    path = f"returns/{home.record['id']}"
    assert ConsoleBrowser(stranger).get(path).status_code == 404


def test_the_checklist_has_twelve_steps_and_a_side_for_each_action() -> None:
    gates = build_checklist([])
    assert [gate.number for gate in gates] == list(range(1, 13))
    assert all(SIDES.values())


def test_task_of_a_return_leads_to_its_page() -> None:
    task = {"subject": "returns/6aa45c15-e5c0-4f9c-b7ef-7aba6d09af0e"}

    assert find_page(task) == "/console/returns/6aa45c15-e5c0-4f9c-b7ef-7aba6d09af0e"
