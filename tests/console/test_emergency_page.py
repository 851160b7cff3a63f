"""Tests of the page of emergency accesses to a case, from the request to the review."""

from app.kernel.actors import Role
from tests.support.console_browser import ConsoleBrowser, read_hidden
from tests.support.world import Json, Someone, World, make_consent, unwrap

ASKED: dict[str, str | list[str]] = {
    "reason": "RISK_TO_LIFE",
    "sections": ["health"],
    "purpose": "protection",
    "note": "Она не отвечает",
}


def test_an_access_is_asked_for_granted_used_and_ended(
    world: World, officer: Someone, lead: Someone
) -> None:
    case = lead.take_lead(officer.submit(consents=[make_consent()]))
    page = f"cases/{case['code']}/emergency-access"
    browser = ConsoleBrowser(lead)
    hidden = read_hidden(browser.get(page).text, "emergency-access")
    asked = browser.post(page, {**hidden, **ASKED})
    assert asked.status_code == 303, asked.text
    assert "Grant the access" not in browser.get(page).text

    officers = {Role.PROTECTION_OFFICER}
    other, reviewer = (
        ConsoleBrowser(world.add_person("OVERSIGHT_DEMO", officers)) for _ in range(2)
    )
    [access] = list_accesses(lead, case)
    assert "Grant the access" in other.get(page).text
    granted = other.post(f"{page}/{access['id']}/grant", {})
    assert granted.status_code == 303, granted.text

    assert "Open: Health" in browser.get(page).text
    opened = browser.post(f"cases/{case['code']}/open/health", {"purpose": "protection"})
    assert "Болит спина" in opened.text
    assert browser.post(f"{page}/{access['id']}/stop", {}).status_code == 303
    assert list_accesses(lead, case)[0]["state"] == "ended"
    assert browser.post(f"{page}/{access['id']}/inform", {}).status_code == 303
    review = f"{page}/{access['id']}/review"
    assert other.post(review, {"justified": "yes"}).status_code == 409
    assert reviewer.post(review, {"justified": "yes"}).status_code == 303
    assert list_accesses(lead, case)[0]["justified"] is True


def list_accesses(who: Someone, case: Json) -> list[Json]:
    path = f"/cases/{case['code']}/emergency-access"
    items: list[Json] = unwrap(who.get(path))["items"]
    return items


def test_what_was_typed_stays_if_a_field_is_missing(
    officer: Someone, lead: Someone
) -> None:
    case = lead.take_lead(officer.submit(consents=[make_consent()]))
    page = f"cases/{case['code']}/emergency-access"
    answer = ConsoleBrowser(lead).post(page, {**ASKED, "sections": []})
    assert answer.status_code == 422
    assert "Она не отвечает" in answer.text
    assert list_accesses(lead, case) == []


def test_an_unknown_step_and_a_foreign_case_are_not_found(
    officer: Someone, lead: Someone, stranger: Someone
) -> None:
    case = lead.take_lead(officer.submit(consents=[make_consent()]))
    page = f"cases/{case['code']}/emergency-access"
    identity = "00000000-0000-0000-0000-000000000000"
    assert ConsoleBrowser(stranger).get(page).status_code == 404
    assert ConsoleBrowser(lead).post(f"{page}/{identity}/open", {}).status_code == 404
