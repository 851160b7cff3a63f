"""Tests that forms which replace a document delete nothing that they do not show."""

from typing import Final

import pytest

from app.console.sealed_documents import OpenedDocument, open_document
from app.console.visits import Visit
from tests.console.test_case_forms import CaseBrowser, expect_done
from tests.support.page_forms import Form, read_form_of
from tests.support.world import Json, Someone, World, make_contacts, unwrap

PURPOSE: Final = {"purpose": "correction"}
FEARED: Final = ["UZ_LEAD", "KZ_LEGAL_AID"]
FEARS: Final[Json] = {"country_of_origin": "UZ", "unsafe_focal_points": FEARED}
PEOPLE: Final = ("Айгүл", "Ильяс", "Гүлнар", "Серік", "Lola")


def write(person: Someone, case: Json, document: str, content: Json) -> None:
    """Write a document of a case as a machine would."""
    headers = {"If_Match": person.get_tag(case)}
    path = f"/cases/{case['code']}/{document}"
    unwrap(person.ask("PUT", path, content, headers=headers))


def open_to_change(browser: CaseBrowser, document: str, action: str) -> Form:
    """Open a document, and return the form that changes it."""
    page = browser.post(f"{browser.path}/open/{document}", PURPOSE)
    assert page.status_code == 200, page.text
    return read_form_of(page.text, f"actions/{action}")


def test_safeguards_saved_unchanged_keep_a_closed_office(
    world: World, officer: Someone
) -> None:
    case = unwrap(officer.create_case())
    write(officer, case, "safeguards", FEARS)
    world.close_office("KZ_LEGAL_AID")
    browser = CaseBrowser(officer, case)

    form = open_to_change(browser, "safeguards", "write_safeguards")
    saved = browser.post(f"{browser.path}/actions/write_safeguards", {**form})

    expect_done(saved, case, "write_safeguards")
    stored = unwrap(officer.open(f"/cases/{case['code']}/safeguards"))["content"]
    assert set(stored["unsafe_focal_points"]) == set(FEARED)


@pytest.mark.parametrize("count", [2, 5])
def test_contacts_saved_unchanged_keep_every_person(
    officer: Someone, lead: Someone, count: int
) -> None:
    case = officer.submit()
    lead.take_lead(case)
    people = make_contacts(*PEOPLE[:count])
    write(lead, case, "contacts", {"contacts": people})
    browser = CaseBrowser(lead, case)

    form = open_to_change(browser, "contacts", "write_contacts")
    saved = browser.post(f"{browser.path}/actions/write_contacts", {**form})

    expect_done(saved, case, "write_contacts")
    stored = unwrap(lead.open(f"/cases/{case['code']}/contacts"))["contacts"]
    assert stored == people


def test_safeguards_of_a_colleague_are_not_replaced_by_an_old_form(
    officer: Someone,
) -> None:
    case = unwrap(officer.create_case())
    browser = CaseBrowser(officer, case)
    path = f"{browser.path}/actions/write_safeguards"
    form = read_form_of(browser.get(path).text, path)
    write(officer, case, "safeguards", FEARS)
    form |= {"unsafe_people": ["Cousin"]}

    incomplete = browser.post(path, {**form})
    sent = read_form_of(incomplete.text, path) | {"origin_contact": ["blocked"]}
    stale = browser.post(path, {**sent})

    assert (incomplete.status_code, stale.status_code) == (422, 412)
    assert "It could replace what a colleague wrote" in stale.text
    assert "Cousin</textarea>" in stale.text
    assert f'action="/console/{path}"' not in stale.text
    assert f'action="/console/{browser.path}/open/safeguards"' in stale.text
    assert 'name="tag"' not in stale.text
    stored = unwrap(officer.open(f"/cases/{case['code']}/safeguards"))["content"]
    assert FEARS.items() <= stored.items()


def test_summary_of_a_colleague_is_read_before_it_is_replaced(officer: Someone) -> None:
    case = unwrap(officer.create_case())
    browser = CaseBrowser(officer, case)
    path = f"{browser.path}/actions/update_summary"
    form = read_form_of(browser.get(path).text, path)
    headers = {"If_Match": officer.get_tag(case)}
    change = {"priority": "emergency"}
    unwrap(officer.ask("PATCH", f"/{browser.path}", change, headers=headers))

    stale = browser.post(path, {**form})

    assert stale.status_code == 412
    assert f'<a class="btn" href="/console/{path}"' in stale.text
    assert 'name="tag"' not in stale.text
    assert officer.read(case)["summary"]["priority"] == "emergency"


@pytest.mark.parametrize("action", ["write_safeguards", "write_section/needs"])
def test_form_that_replaces_a_document_begins_with_opening_it(
    officer: Someone, action: str
) -> None:
    case = unwrap(officer.create_case())

    page = CaseBrowser(officer, case).get(f"cases/{case['code']}/actions/{action}").text

    before, _, _ = page.partition(f'action="/console/cases/{case["code"]}/actions/')
    assert "Open it first" in before
    assert before.rindex("<details>") > before.rindex("</details>")


def test_document_that_changes_while_it_is_opened_is_not_replaced(
    officer: Someone, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = unwrap(officer.create_case())
    write(officer, case, "safeguards", {"unsafe_people": "Uncle"})
    browser, tag = CaseBrowser(officer, case), officer.get_tag(case)

    async def open_before_a_colleague_writes(
        visit: Visit, name: str, path: str
    ) -> OpenedDocument:
        opened = await open_document(visit, name, path)
        headers = {"If-Match": tag, "Idempotency-Key": "colleague"}
        await visit.api.send("PUT", path, FEARS, headers=headers)
        return opened

    target = "app.console.case_documents.open_document"
    monkeypatch.setattr(target, open_before_a_colleague_writes)
    form = open_to_change(browser, "safeguards", "write_safeguards")
    stale = browser.post(f"{browser.path}/actions/write_safeguards", {**form})

    assert form["unsafe_people"] == ["Uncle"]
    assert stale.status_code == 412
    stored = unwrap(officer.open(f"/cases/{case['code']}/safeguards"))["content"]
    assert FEARS.items() <= stored.items()
