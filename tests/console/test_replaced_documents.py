"""A form that replaces a document of a case deletes nothing that it does not show."""

from typing import Final

import pytest

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
