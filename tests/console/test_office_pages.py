"""Tests of the pages for handovers, approvals, offices and accounts."""

import re
from html import unescape

import pytest

from app.console.approval_pages import list_changes
from app.console.handover_pages import HANDOVERS, SENTENCES
from app.handovers.lifecycle import State
from app.kernel.actors import Role
from tests.support.administrators import ADMINISTRATOR, update_row
from tests.support.console_browser import ConsoleBrowser, read_hidden
from tests.support.world import (
    Json,
    Someone,
    World,
    make_consent,
    make_contacts,
    make_handover_consent,
    unwrap,
)

WOMEN, SUCCESSOR = "KZ_SHELTER_KOGERSHIN", "UZ_LEAD"


@pytest.fixture
def case(officer: Someone, lead: Someone) -> Json:
    """Return a case led by Kazakhstan, with a consent to a handover to Uzbekistan."""
    safeguards = {"country_of_origin": "UZ", "origin_contact": "permitted"}
    consents = [make_consent(), make_handover_consent()]
    return lead.take_lead(officer.submit(safeguards=safeguards, consents=consents))


def test_the_lead_is_offered_and_accepted_in_forms(
    world: World, lead: Someone, case: Json
) -> None:
    browser, page = ConsoleBrowser(lead), f"cases/{case['code']}/offer-handover"
    hidden = read_hidden(browser.get(page).text, "offer-handover")
    form = {"to": SUCCESSOR, "reason": "MIGRATION_OR_CHANGE_OF_LOCATION", "note": "Едет"}

    offered = browser.post(page, hidden | form)

    assert offered.headers["Location"].endswith("?done=case_actions.offer_handover")
    successor = world.add_person(SUCCESSOR)
    [handover] = successor.list_all("/handovers")
    path = f"handovers/{handover['id']}"
    other = ConsoleBrowser(successor)
    hidden = read_hidden(other.get(path).text, "accept")
    contacts = {
        f"contacts/{number}/{name}": text
        for number, contact in enumerate(make_contacts())
        for name, text in contact.items()
    }
    accepted = other.post(
        f"{path}/actions/accept", hidden | {"capacity_confirmed": "on"} | contacts
    )
    assert accepted.status_code == 303, accepted.text
    assert successor.read(case)["lead"] == SUCCESSOR


def test_an_offer_that_is_refused_keeps_what_was_typed(lead: Someone, case: Json) -> None:
    browser, page = ConsoleBrowser(lead), f"cases/{case['code']}/offer-handover"
    hidden = read_hidden(browser.get(page).text, "offer-handover")
    form = {"to": WOMEN, "reason": "OTHER", "note": "Пояснение"}

    refused = browser.post(page, hidden | form)

    assert refused.status_code == 422
    assert "Пояснение" in refused.text
    assert f'value="{WOMEN}" selected' in refused.text


def test_the_other_office_gets_no_form_before_it_is_asked(
    case: Json, officer: Someone, stranger: Someone
) -> None:
    page = f"cases/{case['code']}/offer-handover"
    assert ConsoleBrowser(stranger).get(page).status_code == 404
    assert "Your office cannot do this" in ConsoleBrowser(officer).get(page).text


def test_a_case_is_relocated_in_a_form(lead: Someone, case: Json) -> None:
    browser, page = ConsoleBrowser(lead), f"cases/{case['code']}/relocate"
    hidden = read_hidden(browser.get(page).text, "relocate")

    moved = browser.post(page, hidden | {"country": "UZ"})

    assert moved.status_code == 303, moved.text
    assert lead.read(case)["summary"]["country"] == "UZ"


@pytest.mark.parametrize("state", State)
def test_each_state_of_a_handover_is_a_sentence(state: str) -> None:
    assert SENTENCES[state].endswith(".")


def test_each_action_of_a_handover_has_a_form() -> None:
    assert set(HANDOVERS.forms) == {"accept", "decline", "cancel"}


def ask_for_account(world: World) -> tuple[Someone, str]:
    """Return a supervisor who asked for an account, and the id of the approval."""
    first = world.add_person("KZ_LEAD", {Role.SUPERVISOR})
    body = {"focal_point": "KZ_LEAD", "label": "duty 8", "roles": ["officer"]}
    answer = first.create("/accounts", body)
    assert answer.status_code == 202
    return first, answer.json()["id"]


def test_an_approval_shows_what_is_asked_and_is_confirmed(
    world: World, supervisor: Someone
) -> None:
    first, approval = ask_for_account(world)
    browser, path = ConsoleBrowser(supervisor), f"approvals/{approval}"
    assert "Open an account" in browser.get("approvals").text
    page = browser.get(path).text
    assert "duty 8" in page
    assert "Officer" in page
    assert "Approve, and carry it out now" in page

    assert browser.post(f"{path}/confirm", {}).status_code == 303

    assert "Used" in browser.get(path).text
    labels = [one["label"] for one in unwrap(first.get("/accounts"))["items"]]
    assert "duty 8" in labels


def test_a_request_can_be_refused_once(world: World, supervisor: Someone) -> None:
    _, approval = ask_for_account(world)
    browser, path = ConsoleBrowser(supervisor), f"approvals/{approval}"
    assert browser.post(f"{path}/refuse", {}).status_code == 303
    late = browser.post(f"{path}/confirm", {})
    assert late.status_code == 409
    assert 'class="error-summary"' in late.text


def test_a_person_can_withdraw_the_own_request_and_not_confirm_it(world: World) -> None:
    first, approval = ask_for_account(world)
    browser, path = ConsoleBrowser(first), f"approvals/{approval}"
    page = browser.get(path).text
    assert "Withdraw the request" in page
    assert "Approve, and carry it out now" not in page
    assert browser.post(f"{path}/confirm", {}).status_code == 409
    assert unwrap(first.get(f"/approvals/{approval}"))["decision"] == "pending"
    assert browser.post(f"{path}/withdraw", {}).status_code == 303
    assert "Withdrawn" in browser.get(path).text


def test_a_change_of_the_directory_names_the_office_and_both_values(world: World) -> None:
    first, second = (world.add_person("IOM", ADMINISTRATOR) for _ in range(2))
    asked = update_row(first, f"/focal-points/{WOMEN}", opening=["mo-fr/09:00-18:00"])
    assert asked.status_code == 202, asked.text

    page = unescape(ConsoleBrowser(second).get(f"approvals/{asked.json()['id']}").text)

    assert f"/console/directory/{WOMEN}" in page
    assert "mo-fr/09:00-18:00" in page
    assert "always" in page


def test_changed_fields_come_before_fields_that_stay() -> None:
    request = {"before": {"a": 1, "b": 2}, "after": {"a": 1, "b": 3}, "sealed": []}
    assert list_changes(request) == [("b", 2, 3), ("a", 1, 1)]


def test_an_unknown_decision_is_not_found(world: World, supervisor: Someone) -> None:
    _, approval = ask_for_account(world)
    answer = ConsoleBrowser(supervisor).post(f"approvals/{approval}/forget", {})
    assert answer.status_code == 404


def test_offices_are_filtered_by_country_and_service(officer: Someone) -> None:
    page = ConsoleBrowser(officer).get("directory?country=KZ&service=SHELTER").text
    assert f"/console/directory/{WOMEN}" in page
    assert "/console/directory/KZ_LEGAL_AID" not in page
    assert "/console/directory/TT_SHELTER" not in page


def test_each_office_has_a_page(officer: Someone) -> None:
    offices = officer.list_all("/focal-points", limit=200)
    for office in offices:
        page = ConsoleBrowser(officer).get(f"directory/{office['code']}")
        assert page.status_code == 200, office["code"]


def test_free_places_and_contacts_are_set_for_the_own_office(shelter: Someone) -> None:
    browser, path = ConsoleBrowser(shelter), f"directory/{WOMEN}"
    hidden = read_hidden(browser.get(path).text, "capacity")
    wrong = browser.post(f"{path}/capacity", hidden | {"free": "three"})
    assert wrong.status_code == 422
    assert "Write a whole number." in wrong.text
    higher = browser.post(f"{path}/capacity", hidden | {"free": "21"})
    assert higher.status_code == 422
    assert "more free places than the office has in all" in higher.text
    assert "<dt>Places in all</dt><dd>20</dd>" in higher.text
    assert browser.post(f"{path}/capacity", hidden | {"free": "3"}).status_code == 303

    contacts = {
        "contacts/0/name": "Дежурная",
        "contacts/0/phone": "+77010000001",
        "contacts/1/name": "Сменная",
        "contacts/1/phone": "+77010000002",
    }
    saved = browser.post(f"{path}/default-contacts", contacts)
    assert saved.status_code == 303, saved.text
    assert "Сменная" in browser.get(path).text


def test_form_of_the_contacts_begins_with_all_that_are_stored(shelter: Someone) -> None:
    stored = [
        {"name": f"Дежурный {number}", "phone": f"+7701000000{number}"}
        for number in range(5)
    ]
    path = f"/focal-points/{WOMEN}/default-contacts"
    unwrap(shelter.ask("PUT", path, {"contacts": stored}))
    browser, page = ConsoleBrowser(shelter), f"directory/{WOMEN}"

    inputs = re.findall(r'name="(contacts/[^"]+)" value="([^"]*)"', browser.get(page).text)
    assert len(inputs) == 2 * len(stored)
    changed = dict(inputs) | {"contacts/0/name": "Новый"}
    assert browser.post(f"{page}/default-contacts", changed).status_code == 303

    now = unwrap(shelter.get(path))["contacts"]
    assert now == [stored[0] | {"name": "Новый"}, *stored[1:]]


def test_contacts_of_another_office_are_not_shown(shelter: Someone, lead: Someone) -> None:
    path = f"/focal-points/{WOMEN}/default-contacts"
    unwrap(shelter.ask("PUT", path, {"contacts": make_contacts()}))
    page = ConsoleBrowser(lead).get(f"directory/{WOMEN}").text
    assert make_contacts()[0]["phone"] not in page
    assert "Report free places" not in page


def test_an_account_is_asked_for_and_another_person_approves(
    world: World, supervisor: Someone
) -> None:
    first = world.add_person("KZ_LEAD", {Role.SUPERVISOR})
    browser = ConsoleBrowser(first)
    hidden = read_hidden(browser.get("accounts").text, "accounts")
    form: dict[str, str | list[str]] = {
        **hidden,
        "label": "duty 8",
        "kind": "person",
        "roles": ["officer"],
    }

    asked = browser.post("accounts", form)

    assert asked.headers["Location"].endswith("?done=asked")
    page = asked.headers["Location"].removeprefix("/console/")
    assert "A second person has to approve this first." in browser.get(page).text
    path = page.partition("?")[0]
    assert ConsoleBrowser(supervisor).post(f"{path}/confirm", {}).status_code == 303
    assert "duty 8" in browser.get("accounts").text


def test_roles_are_taken_away_and_an_account_is_disabled(
    world: World, supervisor: Someone
) -> None:
    other = world.add_person("KZ_LEAD", {Role.OFFICER, Role.CASEWORKER})
    browser, path = ConsoleBrowser(supervisor), f"accounts/{other.actor.account_id}"

    assert browser.post(f"{path}/revoke-roles", {"roles": "officer"}).status_code == 303
    assert "Officer" not in browser.get(path).text.partition("About the account")[2]
    assert browser.post(f"{path}/disable", {}).status_code == 303

    assert "cannot be enabled again" not in browser.get(path).text
    assert ConsoleBrowser(other).get("").status_code == 401


def test_accounts_are_for_those_who_manage_them(officer: Someone, lead: Someone) -> None:
    assert ConsoleBrowser(lead).get("accounts").status_code == 403
    assert "/console/accounts" not in ConsoleBrowser(officer).get("").text


def test_a_supervisor_is_offered_no_change_that_only_an_administrator_may_make(
    world: World, supervisor: Someone
) -> None:
    other = world.add_person("KZ_LEAD", {Role.ADMINISTRATOR})
    path = f"accounts/{other.actor.account_id}"

    page = ConsoleBrowser(supervisor).get(path).text

    assert "Only an administrator changes an account with these roles." in page
    assert f"/console/{path}/" not in page
    assert ConsoleBrowser(supervisor).post(f"{path}/disable", {}).status_code == 403
