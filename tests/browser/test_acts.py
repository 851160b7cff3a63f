"""Tests that people can do their work in the console, with and without JavaScript."""

from datetime import datetime, timedelta
from typing import Final

import pytest
from playwright.sync_api import expect

from tests.browser.cases import (
    ALIAS,
    CONTACTS,
    LEAD,
    NEEDED,
    OFFICER,
    SHELTER,
    Casework,
)
from tests.browser.conftest import OpenAs
from tests.browser.referring import refer_person
from tests.browser.windows import NARROW, Window

MOST_INTERACTIONS: Final = 40
BOTH: Final = pytest.mark.parametrize("has_script", [True, False])


def list_statuses(casework: Casework, code: str) -> list[str]:
    """Return the delivery statuses of the office that is asked to lead a case."""
    [evidence] = casework.read_evidence(code)["items"]
    return [one["name"] for one in evidence["statuses"]]


def open_section(window: Window, title: str, name: str) -> None:
    """Open a sealed section for a purpose."""
    window.unfold(title)
    found = window.page.locator(f'main form[action$="/open/{name}"]')
    found.locator("select").select_option("assistance")
    window.follow(found.get_by_role("button", name="Open"))


@BOTH
def test_officer_refers_a_person_in_five_steps(
    open_as: OpenAs, casework: Casework, has_script: bool
) -> None:
    window = open_as(OFFICER, NARROW, java_script_enabled=has_script)
    code = refer_person(window)
    case = casework.officer.get(f"/cases/{code}")

    assert window.interactions <= MOST_INTERACTIONS
    assert (case["state"], case["holder"]) == ("submitted", "KZ_LEAD")
    assert case["summary"]["services"] == ["SHELTER"]
    assert casework.officer.get(f"/cases/{code}/consents")["items"] != []
    waiting = casework.lead.get("/worklist?limit=200")["items"]
    assert f"cases/{code}" in [item["subject"] for item in waiting]


@BOTH
def test_lead_acknowledges_accepts_and_opens_a_section(
    open_as: OpenAs, casework: Casework, has_script: bool
) -> None:
    code = casework.submit()
    window = open_as(LEAD, NARROW, java_script_enabled=has_script)
    link = window.page.locator(f'.tasks a[href$="{code}"]')
    window.follow(link)
    window.press("Confirm receipt")
    assert list_statuses(casework, code)[-1] == "acknowledged"
    window.press("Accept the lead")
    for number, contact in enumerate(CONTACTS):
        window.fill(f"contacts/{number}/name", contact["name"])
        window.fill(f"contacts/{number}/phone", contact["phone"])
    window.press("Accept the lead")
    assert list_statuses(casework, code)[-1] == "decided"
    before = len(casework.lead.get(f"/cases/{code}/access-log")["items"])
    open_section(window, "Contact", "contact")

    expect(window.page.locator("main")).to_contain_text(ALIAS)
    log = casework.lead.get(f"/cases/{code}/access-log")["items"]
    assert len(log) == before + 1


@BOTH
def test_lead_asks_a_shelter_which_accepts_with_a_meeting(
    open_as: OpenAs, casework: Casework, has_script: bool
) -> None:
    code = casework.submit_led()
    referral = casework.refer(code)
    window = open_as(SHELTER, NARROW, java_script_enabled=has_script)
    window.visit(f"/console/referrals/{referral}")
    window.press("Confirm receipt")
    window.unfold("Accept the referral")
    tomorrow = datetime.now().astimezone() + timedelta(days=1)
    window.fill("meeting/place", "Demo street 1, side door")
    window.fill("meeting/at", f"{tomorrow:%Y-%m-%dT%H:%M}")
    window.fill("meeting/person", "Demo One")
    for number, contact in enumerate(CONTACTS):
        window.fill(f"contacts/{number}/name", contact["name"])
        window.fill(f"contacts/{number}/phone", contact["phone"])
    window.press("Accept the referral")

    assert casework.lead.get(f"/referrals/{referral}")["state"] == "accepted"
    open_section(window, "Needs", "needs")
    expect(window.page.locator("main")).to_contain_text(NEEDED)


def test_form_keeps_what_was_typed_if_the_case_has_changed(
    open_as: OpenAs, casework: Casework
) -> None:
    code = casework.submit()
    window = open_as(LEAD)
    window.visit(f"/console/cases/{code}")
    window.press("Decline to lead the case")
    window.choose("reason", "NO_CAPACITY")
    window.fill("note", "Typed before (synthetic)")
    casework.lead.act(f"/cases/{code}", "acknowledge")
    window.press("Decline to lead the case")

    expect(window.page.get_by_role("alert")).to_contain_text("changed while you wrote")
    expect(window.page.locator('main [name="reason"]')).to_have_value("NO_CAPACITY")
    note = window.page.locator('main [name="note"]')
    expect(note).to_have_value("Typed before (synthetic)")
    assert casework.lead.get(f"/cases/{code}")["state"] == "under_review"
    window.check("form-stale")


def test_form_with_a_problem_shows_it_and_keeps_what_was_typed(
    open_as: OpenAs, casework: Casework
) -> None:
    code = casework.submit_acknowledged()
    window = open_as(LEAD)
    window.visit(f"/console/cases/{code}/actions/accept_lead")
    window.fill("contacts/0/name", "Typed before")
    window.press("Accept the lead")

    expect(window.page.get_by_role("alert")).to_be_visible()
    expect(window.page.locator('[name="contacts/0/name"]')).to_have_value("Typed before")
    assert casework.lead.get(f"/cases/{code}")["state"] == "under_review"
    window.check("form-problem")
