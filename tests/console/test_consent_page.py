"""Tests of the form of a consent: recipients, sections, purposes, and the printed form."""

from typing import Final

import pytest

from tests.console.test_case_forms import CaseBrowser, Form, expect_done, read_hidden
from tests.support.world import Json, Someone, unwrap

TERMS: Final[Form] = {
    "given_by": "person",
    "language": "uz",
    "obtained_on": "2026-06-01",
    "expires_at": "2027-06-01T00:00",
    "form_version": "console-1",
    "evidence": "Signed, in the safe",
}
TICKED: Final[Form] = {
    "purposes:office-KZ_SHELTER_KOGERSHIN": ["SHELTER"],
    "sections:office-KZ_SHELTER_KOGERSHIN": ["needs", "contact"],
    "purposes:class-state-KZ": ["REFER"],
}

SHELTERED: Final[Form] = {"purposes:class-state-KZ": ["REFER", "SHELTER"]}


def list_consents(person: Someone, case: Json) -> list[Json]:
    """Return the consents of a case, those that name one office first."""
    found: list[Json] = unwrap(person.get(f"/cases/{case['code']}/consents"))["items"]
    return sorted(found, key=lambda consent: consent["focal_point"] is None)


def test_consent_is_recorded_as_ticked(officer: Someone) -> None:
    case = unwrap(officer.create_case(consents=[]))
    browser = CaseBrowser(officer, case)

    expect_done(browser.fill("consent", {**TERMS, **TICKED}), case, "record_consent")

    office, states = list_consents(officer, case)
    assert office["focal_point"] == "KZ_SHELTER_KOGERSHIN"
    assert (office["purposes"], set(office["sections"])) == (
        ["SHELTER"],
        {"needs", "contact"},
    )
    assert states["recipient_class"] == {"kind": "state", "country": "KZ", "function": None}
    assert (states["purposes"], states["sections"]) == (["REFER"], [])
    assert office["language"] == "uz"
    assert office["expires_at"] == "2027-05-31T19:00:00Z"


def test_section_without_a_purpose_is_pointed_out(officer: Someone) -> None:
    case = unwrap(officer.create_case(consents=[]))
    row = "office-KZ_SHELTER_KOGERSHIN"
    form: Form = {**TERMS, f"sections:{row}": ["health"]}

    answer = CaseBrowser(officer, case).fill("consent", form)

    assert answer.status_code == 422
    assert f'<a href="#row-{row}">' in answer.text
    assert f'name="sections:{row}" value="health" checked' in answer.text
    assert "Signed, in the safe</textarea>" in answer.text
    assert list_consents(officer, case) == []


def test_consent_of_nobody_and_missing_terms_are_pointed_out(officer: Someone) -> None:
    case = unwrap(officer.create_case(consents=[]))

    answer = CaseBrowser(officer, case).fill("consent", {"language": "uz"})

    assert answer.status_code == 422
    assert "Tick at least one purpose for one recipient." in answer.text
    assert '<a href="#consent-given_by">' in answer.text


def test_problem_of_the_consent_keeps_what_was_ticked(officer: Someone) -> None:
    case = unwrap(officer.create_case(consents=[]))
    form: Form = {**TERMS, **TICKED, "expires_at": "2020-06-01T00:00"}

    answer = CaseBrowser(officer, case).fill("consent", form)

    assert answer.status_code in {409, 422}
    row = "office-KZ_SHELTER_KOGERSHIN"
    assert f'name="sections:{row}" value="contact" checked' in answer.text
    assert 'value="2020-06-01T00:00"' in answer.text


def test_another_office_is_added_and_nothing_is_lost(officer: Someone) -> None:
    case = unwrap(officer.create_case(consents=[]))
    browser = CaseBrowser(officer, case)
    path = f"{browser.path}/consent"
    assert "row-office-UZ_LEAD" not in browser.get(path).text

    added = browser.post(path, {**TERMS, **TICKED, "added": ["UZ_LEAD"], "add": "1"})

    assert added.status_code == 200
    assert 'id="row-office-UZ_LEAD"' in added.text
    assert 'name="purposes:class-state-KZ" value="REFER" checked' in added.text
    assert "Something is missing" not in added.text
    form: Form = {name: read_hidden(added.text, name) for name in ("tag", "key", "added")}
    form |= TERMS | {"purposes:office-UZ_LEAD": ["REFER"]}
    expect_done(browser.post(path, form), case, "record_consent")
    [consent] = list_consents(officer, case)
    assert consent["focal_point"] == "UZ_LEAD"


def test_service_that_the_summary_does_not_ask_for_is_added(officer: Someone) -> None:
    case = unwrap(officer.create_case(consents=[]))
    browser = CaseBrowser(officer, case)
    path, row = f"{browser.path}/consent", "class-state-KZ"
    box = f'name="purposes:{row}" value="SOCIAL_WELFARE"'
    assert box not in browser.get(path).text
    asked: Form = {"service": ["SOCIAL_WELFARE"], "add": "1"}

    added = browser.post(path, {**TERMS, **TICKED, **asked}).text

    assert box in added
    assert f'name="purposes:{row}" value="REFER" checked' in added
    form: Form = {name: read_hidden(added, name) for name in ("tag", "key", "service")}
    form |= TERMS | {f"purposes:{row}": ["SOCIAL_WELFARE"]}
    expect_done(browser.post(path, form), case, "record_consent")
    [consent] = list_consents(officer, case)
    assert consent["purposes"] == ["SOCIAL_WELFARE"]


def test_link_to_a_missing_consent_offers_its_office_and_service(officer: Someone) -> None:
    case = unwrap(officer.create_case(consents=[]))
    browser = CaseBrowser(officer, case)
    path = f"{browser.path}/consent"
    query = "?service=SOCIAL_WELFARE&office=UZ_LEAD&service=UNKNOWN"

    page = browser.get(f"{path}{query}").text

    assert "UNKNOWN" not in page.partition('id="matrix"')[2].partition("<select")[0]
    form: Form = {n: read_hidden(page, n) for n in ("tag", "key", "added")}
    form |= {"service": ["SOCIAL_WELFARE"]}
    ticked = {"office-UZ_LEAD": ["REFER"], "class-state-KZ": ["SOCIAL_WELFARE"]}
    form |= TERMS | {f"purposes:{row}": purposes for row, purposes in ticked.items()}
    expect_done(browser.post(path, form), case, "record_consent")


@pytest.mark.parametrize(("end", "more"), [("", {}), ("", {"add": "1"}), ("/print", {})])
def test_consent_is_refused_if_its_recipients_changed(
    officer: Someone, lead: Someone, end: str, more: Form
) -> None:
    """A form for the offices of a former country is refused, and records no consent."""
    case = officer.submit()
    lead.take_lead(case)
    before = list_consents(lead, case)
    browser = CaseBrowser(lead, case)
    page = browser.get(f"{browser.path}/consent").text
    assert 'id="row-class-state-KZ"' in page
    form: Form = {name: read_hidden(page, name) for name in ("tag", "key")}
    unwrap(lead.does("relocate", case, {"country": "UZ"}))

    form |= {**TERMS, "purposes:class-state-KZ": ["REFER"], **more}
    answer = browser.post(f"{browser.path}/consent{end}", form)

    assert answer.status_code == 422
    assert "The list of recipients changed" in answer.text
    assert 'id="row-class-state-UZ"' in answer.text
    assert "Signed, in the safe</textarea>" in answer.text
    assert list_consents(lead, case) == before


def test_consent_is_refused_if_its_purposes_changed(officer: Someone) -> None:
    case = unwrap(officer.create_case(consents=[]))
    browser = CaseBrowser(officer, case)
    page = browser.get(f"{browser.path}/consent").text
    form: Form = {name: read_hidden(page, name) for name in ("tag", "key")}
    headers = {"If_Match": officer.get_tag(case)}
    change = {"services": ["LEGAL_AID"]}
    unwrap(officer.ask("PATCH", f"/{browser.path}", change, headers=headers))

    answer = browser.post(f"{browser.path}/consent", {**form, **TERMS, **SHELTERED})

    assert answer.status_code == 422
    assert "The list of recipients changed" in answer.text
    assert list_consents(officer, case) == []


def test_form_is_printed_in_the_language_of_the_person(officer: Someone) -> None:
    case = unwrap(officer.create_case(consents=[]))
    browser = CaseBrowser(officer, case)

    printed = browser.post(f"{browser.path}/consent/print", {**TERMS, **TICKED})

    assert printed.status_code == 200
    assert '<html lang="uz"' in printed.text
    assert "Xavfsiz" in printed.text
    assert list_consents(officer, case) == []


def test_form_is_printed_before_its_end_is_known(officer: Someone) -> None:
    browser = CaseBrowser(officer, unwrap(officer.create_case(consents=[])))
    form: Form = {**TERMS, **TICKED, "expires_at": ""}

    printed = browser.post(f"{browser.path}/consent/print", form)

    assert printed.status_code == 200
    assert "signatures" in printed.text


def test_consent_is_withdrawn_alone_and_with_its_purpose(officer: Someone) -> None:
    case = unwrap(officer.create_case(consents=[]))
    browser = CaseBrowser(officer, case)
    expect_done(browser.fill("consent", {**TERMS, **TICKED}), case, "record_consent")
    office, states = list_consents(officer, case)

    one = browser.fill(f"actions/withdraw_consent/{office['id']}")
    expect_done(one, case, "withdraw_consents")
    assert [c["id"] for c in list_consents(officer, case) if c["withdrawn_at"]] == [
        office["id"]
    ]
    every = browser.fill("actions/withdraw_consents", {"purposes": ["REFER"]})
    expect_done(every, case, "withdraw_consents")
    assert all(consent["withdrawn_at"] for consent in list_consents(officer, case))
    assert states["withdrawn_at"] is None
