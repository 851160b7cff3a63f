"""Tests of the page of a referral: its actions, documents, and entered values."""

from html import unescape
from typing import Final

import pytest

from app.console.action_forms import RecordKind
from app.console.forms import LISTS
from app.console.handover_pages import HANDOVERS
from app.console.referral_actions import REFERRALS
from app.console.referral_page import find_sentence
from app.console.return_actions import RETURNS
from app.referrals.lifecycle import State
from tests.support.console_browser import ConsoleBrowser, read_hidden
from tests.support.contract import load_contract
from tests.support.world import (
    Json,
    Someone,
    make_acceptance,
    make_consent,
    make_service_consent,
    unwrap,
)

MEETING: Final = {
    "meeting/place": "Станция «Алматы-1»",
    "meeting/at": "2026-06-01T20:00",
    "meeting/person": "Айгүл",
    "contacts/0/name": "Дежурная 1",
    "contacts/0/phone": "+77010000001",
    "contacts/1/name": "Дежурная 2",
    "contacts/1/phone": "+77010000002",
}


@pytest.fixture
def referral(officer: Someone, lead: Someone) -> Json:
    consents = [make_consent(), make_service_consent()]
    case = lead.take_lead(officer.submit(consents=consents))
    return unwrap(lead.refer(case, "KZ_SHELTER_KOGERSHIN"))


def get_unmet_remedy(who: Someone, referral: Json) -> str:
    """Return the remedy that the API names for an acceptance without contacts."""
    body = {"meeting": make_acceptance()["meeting"]}
    [unmet] = who.does("accept", referral, body).json()["unmet"]
    return str(unmet["remedy"])


def get_page(referral: Json) -> str:
    return f"referrals/{referral['id']}"


def send_form(who: Someone, referral: Json, action: str, **fields: str) -> Json:
    """Take an action on the page of a referral, and return the referral."""
    browser = ConsoleBrowser(who)
    hidden = read_hidden(browser.get(get_page(referral)).text, action)
    answer = browser.post(f"{get_page(referral)}/actions/{action}", hidden | fields)
    assert answer.status_code == 303, answer.text
    assert answer.headers["Location"].endswith(f"?done=referral_actions.{action}")
    return who.read(referral)


def test_a_referral_is_acknowledged_accepted_and_begun_in_forms(
    referral: Json, shelter: Someone
) -> None:
    assert send_form(shelter, referral, "acknowledge")["state"] == "received"
    assert send_form(shelter, referral, "accept", **MEETING)["state"] == "accepted"
    begun = send_form(shelter, referral, "start", person_met="on")
    assert begun["state"] == "in_progress"

    content = shelter.open(f"/referrals/{referral['id']}/arrangement").json()["content"]
    assert content["meeting"]["place"] == MEETING["meeting/place"]
    assert content["meeting"]["at"] == "2026-06-01T20:00:00+05:00"
    assert [one["name"] for one in content["contacts"]] == ["Дежурная 1", "Дежурная 2"]


def test_unmet_requirements_are_shown_with_their_remedy(
    referral: Json, shelter: Someone
) -> None:
    meeting = {name: text for name, text in MEETING.items() if name.startswith("meeting")}
    browser = ConsoleBrowser(shelter)
    hidden = read_hidden(browser.get(get_page(referral)).text, "accept")

    answer = browser.post(f"{get_page(referral)}/actions/accept", hidden | meeting)

    assert answer.status_code == 409
    remedy = get_unmet_remedy(shelter, referral)
    assert remedy
    assert remedy in unescape(answer.text)


def test_a_missing_field_is_marked_and_what_was_typed_stays(
    referral: Json, shelter: Someone
) -> None:
    browser = ConsoleBrowser(shelter)
    hidden = read_hidden(browser.get(get_page(referral)).text, "accept")
    typed = MEETING | {"meeting/at": ""}

    answer = browser.post(f"{get_page(referral)}/actions/accept", hidden | typed)

    assert answer.status_code == 422
    page = unescape(answer.text)
    assert "Fill in this field." in page
    assert all(text in page for text in typed.values())
    assert shelter.read(referral)["state"] == "sent"


def test_an_error_of_the_api_is_shown_at_its_field(
    referral: Json, shelter: Someone
) -> None:
    browser = ConsoleBrowser(shelter)
    hidden = read_hidden(browser.get(get_page(referral)).text, "accept")
    typed = MEETING | {"contacts/1/phone": "not a number"}

    answer = browser.post(f"{get_page(referral)}/actions/accept", hidden | typed)

    assert answer.status_code == 422
    _, _, field = unescape(answer.text).partition('for="accept-contacts-1-phone"')
    assert 'class="error"' in field.partition("</div>")[0]
    assert "not a number" in field


def test_a_stale_form_says_so_and_can_be_sent_again(
    referral: Json, shelter: Someone
) -> None:
    browser = ConsoleBrowser(shelter)
    hidden = read_hidden(browser.get(get_page(referral)).text, "accept")
    unwrap(shelter.does("acknowledge", referral))

    stale = browser.post(f"{get_page(referral)}/actions/accept", hidden | MEETING)

    assert stale.status_code == 412
    assert "This changed while you wrote" in stale.text
    assert MEETING["meeting/place"] in stale.text
    again = read_hidden(stale.text, "accept")
    assert again["tag"] != hidden["tag"]
    assert again["key"] != hidden["key"]
    answer = browser.post(f"{get_page(referral)}/actions/accept", again | MEETING)
    assert answer.status_code == 303


def test_what_was_typed_for_an_action_that_is_gone_is_shown(
    referral: Json, lead: Someone, shelter: Someone
) -> None:
    browser = ConsoleBrowser(shelter)
    hidden = read_hidden(browser.get(get_page(referral)).text, "accept")
    unwrap(lead.does("withdraw", referral, {"reason": "NO_LONGER_NEEDED"}))

    answer = browser.post(f"{get_page(referral)}/actions/accept", hidden | MEETING)

    assert answer.status_code == 412
    assert "This action is not possible any more." in answer.text
    assert MEETING["meeting/place"] in answer.text


def test_the_same_form_twice_is_one_action(referral: Json, shelter: Someone) -> None:
    browser = ConsoleBrowser(shelter)
    hidden = read_hidden(browser.get(get_page(referral)).text, "acknowledge")
    for _ in range(2):
        answer = browser.post(f"{get_page(referral)}/actions/acknowledge", hidden)
        assert answer.status_code == 303
    assert shelter.read(referral)["version"] == referral["version"] + 1


def test_a_section_is_opened_with_a_purpose_on_one_page_only(
    referral: Json, shelter: Someone
) -> None:
    unwrap(shelter.does("accept", referral, make_acceptance()))
    browser, page = ConsoleBrowser(shelter), get_page(referral)
    assert "A safe bed tonight" not in browser.get(page).text

    closed = browser.post(f"{page}/open/needs", {})
    assert closed.status_code >= 400
    assert "A safe bed tonight" not in closed.text
    opened = browser.post(f"{page}/open/needs", {"purpose": "assistance"})

    assert opened.status_code == 200
    assert "A safe bed tonight" in opened.text
    assert "A safe bed tonight" not in browser.get(page).text


def test_a_section_that_the_referral_does_not_name_stays_closed(
    referral: Json, shelter: Someone
) -> None:
    unwrap(shelter.does("accept", referral, make_acceptance()))
    browser = ConsoleBrowser(shelter)
    answer = browser.post(f"{get_page(referral)}/open/identity", {"purpose": "assistance"})
    assert answer.status_code == 404


def test_drawing_the_page_opens_nothing(
    referral: Json, lead: Someone, shelter: Someone
) -> None:
    unwrap(shelter.does("accept", referral, make_acceptance()))
    path = f"/cases/{referral['case']}/access-log"
    before = lead.get(path).json()["items"]
    assert ConsoleBrowser(shelter).get(get_page(referral)).status_code == 200
    assert lead.get(path).json()["items"] == before


def test_former_recipient_sees_the_task_of_the_deletion(
    referral: Json, shelter: Someone
) -> None:
    unwrap(shelter.does("decline", referral, {"reason": "NO_CAPACITY"}))

    todo = ConsoleBrowser(shelter).get("")

    assert todo.status_code == 200
    assert f'href="/console/{get_page(referral)}"' in todo.text
    assert referral["case"] not in todo.text


def test_confirming_the_deletion_leads_home(
    referral: Json, lead: Someone, shelter: Someone
) -> None:
    unwrap(lead.does("withdraw", referral, {"reason": "NO_LONGER_NEEDED"}))
    browser = ConsoleBrowser(shelter)
    hidden = read_hidden(browser.get(get_page(referral)).text, "confirm_deletion")

    answer = browser.post(f"{get_page(referral)}/actions/confirm_deletion", hidden)

    assert answer.headers["Location"] == "/console/?done=ended"
    assert "Your office has no further part in it." in browser.get("?done=ended").text


def test_a_referral_of_others_and_an_unknown_action_are_not_found(
    referral: Json, shelter: Someone, stranger: Someone
) -> None:
    page = get_page(referral)
    assert ConsoleBrowser(stranger).get(page).status_code == 404
    assert (
        ConsoleBrowser(stranger).post(f"{page}/actions/accept", MEETING).status_code == 404
    )
    assert ConsoleBrowser(shelter).post(f"{page}/actions/expire", {}).status_code == 404


@pytest.mark.parametrize("state", State)
def test_each_state_of_a_referral_is_a_sentence_for_both_sides(state: str) -> None:
    for sides in (["sender"], ["recipient"]):
        assert find_sentence({"you_are": sides, "state": state}).endswith(".")


@pytest.mark.parametrize(
    "kind", [REFERRALS, HANDOVERS, RETURNS], ids=lambda kind: kind.path
)
def test_forms_have_the_fields_of_the_contract(kind: RecordKind) -> None:
    contract = load_contract()
    for form in kind.forms.values():
        path = f"/v1/{kind.path}/{{{kind.path[:-1]}_id}}/{form.last_path}"
        operation = contract["paths"][path]["post"]
        names = {field.name.split("/")[0] for field in form.fields}
        if "requestBody" not in operation:
            assert not names
            continue
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        body = contract["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        assert names == set(body["properties"]), form.action
        sent = [field for field in form.fields if field.is_required or field.kind in LISTS]
        required = {field.name.split("/")[0] for field in sent}
        assert set(body.get("required", ())) <= required, form.action
