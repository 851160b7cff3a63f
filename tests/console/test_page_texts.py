"""Tests that each text of a page comes from a catalogue, a reference list or the CLDR.

The pages are shown in Russian, with marks around the texts of the catalogue. Outside of
the marks, the lists and the CLDR give Cyrillic letters, so Latin letters belong to a text
in a template or in the code that cannot be translated.
"""

import re
from functools import cache
from http import HTTPStatus
from typing import Final

import pytest

from app.kernel.actors import Role
from app.reference.lists import list_items
from tests.support.administrators import ADMINISTRATOR, update_row
from tests.support.console_browser import ConsoleBrowser, read_hidden
from tests.support.page_texts import list_unmarked, mark_texts
from tests.support.passkeys import Office
from tests.support.refer_form import STEPS, ReferBrowser
from tests.support.returns import begin_return
from tests.support.sessions import sign_in
from tests.support.webhook_receivers import create_webhook
from tests.support.world import (
    Json,
    Someone,
    World,
    make_consent,
    make_handover_consent,
    make_service_consent,
    unwrap,
)

LATIN: Final = re.compile(r"[A-Za-z]{2,}")
NAMES: Final = re.compile(r"duty \d+|SC-[A-Z0-9-]+|UTC|GMT|API|HTCDS \w+")
"""Names of accounts, codes of cases, and abbreviations, which no language changes."""
UNTRANSLATED: Final = ("languages", "elements")
RUSSIAN: Final = {"Accept-Language": "ru"}
SHELTER: Final = "KZ_SHELTER_KOGERSHIN"


@pytest.fixture(autouse=True)
def marks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mark the texts of the catalogue on each page."""
    mark_texts(monkeypatch)


@cache
def list_english_names() -> frozenset[str]:
    """Return the English labels of the lists whose items are not all translated."""
    items = (item for name in UNTRANSLATED for item in list_items(name))
    return frozenset(item.labels["en"] for item in items)


def check_texts(html: str, path: str) -> None:
    """Check that a page in Russian has no Latin letters outside of marks."""
    assert '<html lang="ru"' in html
    texts = set(list_unmarked(html)) - list_english_names()
    assert [one for one in texts if LATIN.search(NAMES.sub("", one))] == [], path


def check_pages(who: Someone, *paths: str, status: int = 200) -> None:
    """Check the status and the texts of pages that a person gets in Russian."""
    for path in paths:
        answer = ConsoleBrowser(who, **RUSSIAN).get(path)
        assert answer.status_code == status, path
        check_texts(answer.text, path)


@pytest.fixture
def case(officer: Someone, lead: Someone) -> Json:
    """Return a case that has a lead, with consents to a referral and a handover."""
    consents = [make_consent(), make_service_consent(), make_handover_consent()]
    safeguards = {"country_of_origin": "UZ", "origin_contact": "permitted"}
    return lead.take_lead(officer.submit(safeguards=safeguards, consents=consents))


def test_pages_for_anyone_can_be_translated(world: World) -> None:
    for path in ("sign-in", "ended", "enrol", "no-such-page"):
        answer = world.http.get(f"/console/{path}", headers=RUSSIAN)
        check_texts(answer.text, path)


@pytest.mark.usefixtures("case")
def test_lists_can_be_translated(officer: Someone, lead: Someone) -> None:
    officer.submit()
    check_pages(lead, "", "cases", "approvals", "directory", "directory/KZ_LEAD")
    check_pages(officer, "cases?sent=true", "confirm?next=/console/")
    check_pages(lead, "cases/SC-0000-0000-0000-0", status=404)


def test_settings_can_be_translated(lead: Someone) -> None:
    page = ConsoleBrowser(sign_in(lead), **RUSSIAN).get("settings")
    assert page.status_code == 200
    zones = re.compile(r"<option>[A-Z]\w+/[^<]*</option>")
    assert zones.search(page.text)
    check_texts(zones.sub("", page.text), "settings")


def test_pages_of_a_case_can_be_translated(
    case: Json, officer: Someone, lead: Someone
) -> None:
    page = f"cases/{case['code']}"
    unwrap(lead.open(f"/cases/{case['code']}/sections/needs"))
    parts = ("", "/history", "/access-log", "/ask?service=SHELTER", "/consent")
    check_pages(lead, *(page + part for part in parts))
    check_pages(lead, f"{page}/offer-handover", f"{page}/relocate")
    check_pages(officer, page, f"{page}/emergency-access")


def test_webhooks_can_be_translated(supervisor: Someone, world: World) -> None:
    webhook = f"webhooks/{create_webhook(world, 'KZ_LEAD').id}"
    check_pages(supervisor, "webhooks", webhook)
    browser = ConsoleBrowser(supervisor, **RUSSIAN)
    form = read_hidden(browser.get(webhook).text, "rotate-secret")
    for path in (f"{webhook}/rotate-secret", f"{webhook}/rotate-secret"):
        check_texts(browser.post(path, form).text, path)


def test_answers_to_forms_of_a_case_can_be_translated(
    case: Json, officer: Someone, lead: Someone
) -> None:
    browser, page = ConsoleBrowser(lead, **RUSSIAN), f"cases/{case['code']}"
    for path, form in (
        ("open/contact", {"purpose": "assistance"}),
        ("open/safeguards", {"purpose": "assistance"}),
        ("open/narrative", {"purpose": "assistance"}),
        ("open/contact", {}),
        ("actions/assess_risk", {}),
        ("actions/suspend", {"tag": '"0"', "key": "1", "reason": "SURVIVOR_REQUEST"}),
        ("consent", {}),
        ("consent/print", {"language": "ru"}),
    ):
        check_texts(browser.post(f"{page}/{path}", form).text, path)
    check_pages(officer, f"{page}?done=case_actions.submit")
    discarded = ReferBrowser(officer, **RUSSIAN).post("refer/discard", {})
    check_texts(discarded.text, "discard")


def test_forms_of_actions_can_be_translated(
    case: Json, officer: Someone, lead: Someone
) -> None:
    draft = unwrap(officer.create_case())
    for who, one in ((lead, case), (officer, draft)):
        for step in who.read(one)["available_actions"]:
            path = f"cases/{one['code']}/actions/{step['action']}"
            check_texts(ConsoleBrowser(who, **RUSSIAN).get(path).text, path)


def test_pages_of_referrals_and_handovers_can_be_translated(
    world: World, case: Json, lead: Someone, shelter: Someone
) -> None:
    referral = unwrap(lead.refer(case, SHELTER))
    for who in (lead, shelter):
        check_pages(who, f"referrals/{referral['id']}")
    wrong = ConsoleBrowser(shelter, **RUSSIAN).post(
        f"referrals/{referral['id']}/actions/accept", {"tag": "", "key": "1"}
    )
    check_texts(wrong.text, "accept")
    handover = unwrap(lead.offer(case, "UZ_LEAD"))
    for who in (lead, world.add_person("UZ_LEAD")):
        check_pages(who, f"handovers/{handover['id']}")


def test_the_checklist_of_a_return_can_be_translated(
    world: World, officer: Someone, lead: Someone
) -> None:
    home = begin_return(world, officer, lead)
    for step in ("", "assess-origin", "plan"):
        if step:
            home.advance(step)
        check_pages(home.lead, f"returns/{home.record['id']}")


def test_approvals_and_accounts_can_be_translated(
    world: World, supervisor: Someone
) -> None:
    first = world.add_person("KZ_LEAD", {Role.SUPERVISOR})
    body = {"focal_point": "KZ_LEAD", "label": "duty 8", "roles": ["officer"]}
    asked = first.create("/accounts", body).json()
    for who in (first, supervisor):
        check_pages(who, "approvals", f"approvals/{asked['id']}", "accounts")
    accounts = unwrap(first.get("/accounts"))["items"]
    check_pages(first, *(f"accounts/{one['id']}" for one in accounts))
    one, other = (world.add_person("KZ_LEAD", ADMINISTRATOR) for _ in range(2))
    change = update_row(one, f"/focal-points/{SHELTER}", services=["SHELTER"]).json()
    check_pages(other, "", "approvals", f"approvals/{change['id']}")


def test_pages_of_enrolments_can_be_translated(world: World) -> None:
    office = Office(world)
    check_pages(office.first, "enrolments")
    browser = ConsoleBrowser(office.first, **RUSSIAN)
    path = f"accounts/{office.newcomer.actor.account_id}/enrolments/enrol"
    made = browser.post(path, {"key": "1"})
    assert "sce_" in made.text
    check_texts(re.sub(r"<code .*</code>", "", made.text), path)
    check_texts(browser.post(path, {"key": "1"}).text, path)
    check_texts(browser.post(path, {"key": "2"}).text, path)
    check_pages(office.first, "enrolments", "accounts")
    check_pages(office.second, "enrolments", "accounts")


def test_steps_of_refer_someone_can_be_translated(officer: Someone) -> None:
    browser = ReferBrowser(officer, **RUSSIAN)
    for number, form in enumerate(STEPS, 1):
        path = f"refer/{number}"
        check_texts(browser.get(path).text, path)
        wrong = browser.fill(number, {})
        if wrong.status_code != HTTPStatus.SEE_OTHER:
            check_texts(wrong.text, path)
        if number < len(STEPS):
            assert browser.fill(number, form).status_code == HTTPStatus.SEE_OTHER
    gone = browser.fill(5, {"key": "of a form that was sent", "external_reference": "1"})
    check_texts(gone.text, "refer/5")
    browser.fill(1, {})
    check_pages(officer, "refer", "refer/discard", "refer/refused")
    code = ReferBrowser(officer).send(*STEPS)
    check_pages(officer, f"refer/sent/{code}")
