"""Tests of the pages of enrolments: one person gets the link, another the code."""

import logging
import re

import pytest
from httpx2 import Response
from structlog.testing import capture_logs

from app.administration.account_permissions import OFFICE_ROLES
from app.administration.enrolments import LIFETIME
from app.cli.enrolment_command import format_link
from app.console.account_pages import SUPERVISED
from app.kernel.actors import AccountKind, Role
from app.settings import Settings
from tests.support.administrators import ADMINISTRATOR
from tests.support.console_browser import ConsoleBrowser, read_hidden
from tests.support.database_faults import lock_table
from tests.support.passkeys import Invited, Office, add_passkey, begin_enrolment
from tests.support.world import PUBLIC, Someone, World, unwrap

LINK = re.compile(r"sce_\w{10}_[\w-]{43}")
CODE = re.compile(r"<code [^>]*>(\w{4}-\w{4})</code>")


@pytest.fixture
def office(world: World) -> Office:
    return Office(world)


def get_page(person: Someone) -> str:
    return f"accounts/{person.actor.account_id}"


def begin(office: Office, action: str = "enrol") -> Response:
    """Begin an enrolment as the first person in the form of the account."""
    browser, page = ConsoleBrowser(office.first), get_page(office.newcomer)
    hidden = read_hidden(browser.get(page).text, f"enrolments/{action}")
    return browser.post(f"{page}/enrolments/{action}", hidden)


def get_open(office: Office) -> str:
    """Return the id of the only enrolment of the office."""
    [row] = unwrap(office.first.get("/enrolments"))["items"]
    return str(row["id"])


def decide(who: Someone, enrolment: str, decision: str) -> Response:
    """Confirm or cancel an enrolment in the form of the list."""
    browser, path = ConsoleBrowser(who), f"enrolments/{enrolment}/{decision}"
    hidden = read_hidden(browser.get("enrolments").text, f"{decision}?office=KZ_LEAD")
    return browser.post(path, hidden)


def test_two_people_enrol_a_third_in_the_console(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with capture_logs() as lines:
        made = begin(office)
    assert made.status_code == 200
    [link] = LINK.findall(made.text)
    settings = Settings(public_url=PUBLIC, console=True)
    assert f">{format_link(settings, link)}</code>" in made.text
    assert "no-store" in made.headers["Cache-Control"]
    accounts = ConsoleBrowser(office.second).get("accounts").text
    assert "1 waits for a second person" in accounts

    with capture_logs() as logged:
        confirmed = decide(office.second, get_open(office), "confirm")

    assert confirmed.status_code == 200
    assert "no-store" in confirmed.headers["Cache-Control"]
    [code] = CODE.findall(confirmed.text)
    written = f"{caplog.text}{lines}{logged}"
    assert "api.internal/v1/enrolments" in caplog.text
    assert "/console/enrolments/{id}/confirm" in str(logged)
    assert link not in written
    assert code not in written
    _, opened = Invited(office.world, get_open(office), link, code).redeem()
    assert opened.status_code == 201
    assert "No enrolment is open" in ConsoleBrowser(office.first).get("enrolments").text


def test_link_and_code_are_shown_once(office: Office) -> None:
    first, page = ConsoleBrowser(office.first), get_page(office.newcomer)
    hidden = read_hidden(first.get(page).text, "enrolments/enrol")
    one, again = (first.post(f"{page}/enrolments/enrol", hidden) for _ in range(2))
    assert LINK.search(one.text)
    assert again.status_code == 200
    assert not LINK.search(again.text)
    assert "is not shown again" in again.text

    second, path = ConsoleBrowser(office.second), f"enrolments/{get_open(office)}/confirm"
    hidden = read_hidden(second.get("enrolments").text, "confirm?office=KZ_LEAD")
    one, again = (second.post(path, hidden) for _ in range(2))
    assert CODE.search(one.text)
    assert not CODE.search(again.text)
    assert "is not shown again" in again.text
    listed = second.get("enrolments").text
    assert "Confirmed, wait for the person" in listed
    assert not LINK.search(listed)


def test_confirmation_that_failed_is_sent_again_with_the_same_key(
    office: Office, url: str
) -> None:
    begin(office)
    browser, path = ConsoleBrowser(office.second), f"enrolments/{get_open(office)}/confirm"
    form = read_hidden(browser.get("enrolments").text, "confirm?office=KZ_LEAD")

    with lock_table(office.world, url, "enrolment"):
        failed = browser.post(path, form)

    assert failed.status_code == 503
    assert read_hidden(failed.text, "confirm?office=KZ_LEAD")["key"] == form["key"]
    assert read_hidden(failed.text, "cancel?office=KZ_LEAD")["key"] != form["key"]
    assert CODE.search(browser.post(path, form).text)


def test_person_who_began_cannot_confirm(office: Office) -> None:
    begin(office)
    browser = ConsoleBrowser(office.first)
    page = browser.get("enrolments").text
    assert "begun by you" in page
    assert "/confirm?" not in page

    refused = browser.post(f"enrolments/{get_open(office)}/confirm", {})

    assert refused.status_code == 409
    assert 'class="error-summary"' in refused.text
    assert not CODE.search(refused.text)
    assert "Wait for a second person" in browser.get("enrolments").text


def test_other_person_sees_who_began(office: Office) -> None:
    begin(office)
    page = ConsoleBrowser(office.second).get("enrolments").text
    label = unwrap(office.first.get(f"/{get_page(office.first)}"))["label"]
    assert f"begun by {label}" in page


def test_confirmed_enrolment_is_not_confirmed_again(office: Office) -> None:
    begin(office)
    enrolment = get_open(office)
    assert decide(office.second, enrolment, "confirm").status_code == 200
    late = ConsoleBrowser(office.second).post(f"enrolments/{enrolment}/confirm", {})
    assert late.status_code == 409
    assert not CODE.search(late.text)


def test_expired_enrolment_is_refused_and_leaves_the_list(office: Office) -> None:
    begin(office)
    enrolment = get_open(office)
    office.world.advance(seconds=LIFETIME.total_seconds() + 1)
    browser = ConsoleBrowser(office.second)
    late = browser.post(f"enrolments/{enrolment}/confirm", {})
    assert late.status_code == 409
    assert 'class="error-summary"' in late.text
    assert "No enrolment is open" in browser.get("enrolments").text


def test_one_person_cancels_an_enrolment(office: Office) -> None:
    begin(office)
    cancelled = decide(office.second, get_open(office), "cancel")
    assert cancelled.status_code == 303
    page = f"/console/{get_page(office.newcomer)}"
    assert cancelled.headers["Location"] == f"{page}?done=recorded"
    assert "No enrolment is open" in ConsoleBrowser(office.second).get("enrolments").text


def test_person_with_passkeys_is_recovered_and_not_enrolled(office: Office) -> None:
    add_passkey(office.newcomer)
    refused = begin(office)
    assert refused.status_code == 409
    assert not LINK.search(refused.text)

    assert LINK.search(begin(office, "recover").text)

    page = ConsoleBrowser(office.second).get("enrolments").text
    assert "Recovery: removes all old passkeys" in page


def test_second_open_enrolment_of_a_person_is_refused(office: Office) -> None:
    begin(office)
    refused = begin(office)
    assert refused.status_code == 409
    assert not LINK.search(refused.text)


def test_administrators_confirm_at_another_office(office: Office) -> None:
    begin(office)
    browser = ConsoleBrowser(office.world.add_person("IOM", {Role.ADMINISTRATOR}))
    path = "confirm?office=KZ_LEAD"
    hidden = read_hidden(browser.get("enrolments?office=KZ_LEAD").text, path)
    assert CODE.search(browser.post(f"enrolments/{get_open(office)}/{path}", hidden).text)


def test_machine_has_no_form_of_an_enrolment(office: Office, world: World) -> None:
    machine = world.add_person(office.code, {Role.OFFICER}, kind=AccountKind.INTEGRATION)
    browser = ConsoleBrowser(office.first)
    assert "/enrolments/enrol" not in browser.get(get_page(machine)).text
    refused = browser.post(f"{get_page(machine)}/enrolments/enrol", {})
    assert refused.status_code == 409


def test_enrolments_are_for_people_who_manage_accounts(office: Office) -> None:
    begin(office)
    browser = ConsoleBrowser(office.newcomer)
    assert browser.get("enrolments").status_code == 403
    path = f"enrolments/{get_open(office)}"
    assert browser.post(f"{path}/confirm", {}).status_code == 403
    unknown = f"{get_page(office.newcomer)}/enrolments/forget"
    assert ConsoleBrowser(office.first).post(unknown, {}).status_code == 404


def test_supervisor_sees_enrolment_of_an_administrator_without_buttons(
    office: Office,
) -> None:
    administrators = [office.world.add_person("KZ_LEAD", ADMINISTRATOR) for _ in range(2)]
    assert begin_enrolment(*administrators).status_code == 201
    browser = ConsoleBrowser(office.first)
    page = browser.get("enrolments").text
    assert "Only an administrator can confirm or cancel it." in page
    assert f"enrolments/{get_open(office)}" not in page
    assert "/enrolments/enrol" not in browser.get(get_page(administrators[1])).text
    refused = browser.post(f"{get_page(administrators[1])}/enrolments/enrol", {})
    assert refused.status_code == 403


def test_supervised_roles_are_those_of_the_api() -> None:
    assert SUPERVISED == OFFICE_ROLES
