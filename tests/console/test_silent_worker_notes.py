"""Notes of the console while no worker sends notifications (ADR 92)."""

from html import unescape

import pytest
from sqlalchemy import update

from app.directory.models import Contact
from app.kernel.actors import Role
from tests.support.console_browser import ConsoleBrowser
from tests.support.directory_changes import update_directory
from tests.support.refer_form import STEPS, ReferBrowser
from tests.support.world import Someone, World, get_path, make_consent

BANNER = "Messages and missed deadlines are waiting"
NOT_TOLD = "No message was sent to the office that is asked"
NUMBER = '<a href="tel:+447700900101" dir="ltr">+447700900101</a>'
NO_NUMBER = "The directory has no telephone number of it."
ALSO_CALL = "also call the people who have to grant it"


def give_number_to_lead(world: World) -> None:
    """Change the telephone of the shelter to a telephone of the lead in Kazakhstan."""
    shelters = update(Contact).where(Contact.code == "KZ_SHELTER_KOGERSHIN_SMS")
    with world.write_as_service() as tx:
        update_directory(tx.session, shelters, focal_point="KZ_LEAD")


@pytest.mark.parametrize(
    ("role", "is_told"),
    [
        (Role.SUPERVISOR, True),
        (Role.PROTECTION_OFFICER, True),
        (Role.CASEWORKER, False),
        (Role.COORDINATOR, False),
    ],
)
def test_every_page_of_a_supervisor_and_of_oversight_has_a_banner(
    world: World, role: Role, is_told: bool
) -> None:
    browser = ConsoleBrowser(world.add_person("OVERSIGHT_DEMO", {role}))

    silent = [BANNER in browser.get(page).text for page in ("", "cases", "cases?sent=true")]
    world.run_worker()

    assert silent == [is_told] * 3
    assert BANNER not in browser.get("").text


def test_sent_page_says_that_nobody_was_told_and_whom_to_call(
    world: World, officer: Someone
) -> None:
    browser = ReferBrowser(officer)
    page = f"refer/sent/{browser.send(*STEPS)}"

    without = unescape(browser.get(page).text)
    give_number_to_lead(world)
    with_number = unescape(browser.get(page).text)
    world.run_worker()
    at_work = unescape(browser.get(page).text)

    assert NOT_TOLD in without
    assert NO_NUMBER in without
    assert NOT_TOLD in with_number
    assert NUMBER in with_number
    assert NOT_TOLD not in at_work
    assert NUMBER not in at_work


def test_delivery_of_a_case_shows_whom_to_call_until_the_office_answers(
    world: World, officer: Someone, lead: Someone
) -> None:
    case, browser = officer.submit(), ConsoleBrowser(officer)
    page = f"cases/{case['code']}"
    give_number_to_lead(world)

    before = browser.get(page).text
    lead.does("acknowledge", case)

    assert NUMBER in before
    assert NUMBER not in browser.get(page).text


def test_page_of_emergency_accesses_says_to_call_as_well(
    world: World, officer: Someone, lead: Someone
) -> None:
    case = lead.take_lead(officer.submit(consents=[make_consent()]))
    browser, page = ConsoleBrowser(lead), f"{get_path(case)[1:]}/emergency-access"

    silent = browser.get(page).text
    world.run_worker()

    assert ALSO_CALL in silent
    assert ALSO_CALL not in browser.get(page).text
