"""Tests of the page that asks an office for help: the offices, and their sections."""

import re
from html import unescape

from tests.support.console_browser import ConsoleBrowser
from tests.support.world import (
    Json,
    Someone,
    make_consent,
    make_service_consent,
    unwrap,
)

WOMEN, MIXED = "KZ_SHELTER_KOGERSHIN", "KZ_SHELTER_TANSHOLPAN"


def take_case(officer: Someone, lead: Someone, *consents: Json) -> Json:
    return lead.take_lead(officer.submit(consents=[make_consent(), *consents]))


def get_path(case: Json) -> str:
    return f"cases/{case['code']}/ask?service=SHELTER"


def read_candidate(html: str, code: str) -> str:
    """Return the part of the page about an office; fail if the office cannot be asked."""
    before, found, _ = html.partition(f'name="recipient" value="{code}"')
    assert found, f"{code} cannot be asked"
    return before.rpartition("<details")[2]


def test_offices_are_listed_by_what_stands_in_the_way(
    officer: Someone, lead: Someone
) -> None:
    case = take_case(
        officer,
        lead,
        make_consent(focal_point=WOMEN, purposes=["SHELTER"], sections=["needs"]),
    )

    page = unescape(ConsoleBrowser(lead).get(get_path(case)).text)

    could, _, rest = page.partition("Could be asked once the person agrees")
    agreed, _, others = rest.partition("cannot help with this, and why")
    assert f"/console/directory/{WOMEN}" in could
    assert f"/console/directory/{MIXED}" in agreed
    assert f"/console/cases/{case['code']}/consent" in agreed + others
    assert "/console/directory/KZ_LEGAL_AID" in others
    assert "It does not offer the service" in others


def test_only_sections_that_a_consent_names_for_the_office_can_be_chosen(
    officer: Someone, lead: Someone
) -> None:
    sections = ["needs", "contact"]
    consent = make_consent(focal_point=WOMEN, purposes=["SHELTER"], sections=sections)
    case = take_case(officer, lead, consent)

    page = ConsoleBrowser(lead).get(get_path(case)).text

    chosen = re.findall(r'name="sections" value="(\w+)"', read_candidate(page, WOMEN))
    assert chosen == ["contact", "needs"]


def test_a_request_is_sent_and_shown(
    officer: Someone, lead: Someone, shelter: Someone
) -> None:
    case = take_case(officer, lead, make_service_consent())
    browser, path = ConsoleBrowser(lead), f"cases/{case['code']}/ask"
    form = {"recipient": WOMEN, "service": "SHELTER", "sections": "needs", "key": "k1"}

    answers = [browser.post(path, form) for _ in range(2)]

    assert {answer.status_code for answer in answers} == {303}
    [referral] = shelter.list_all("/referrals")
    assert referral["state"] == "sent"
    assert referral["sections"] == ["needs"]
    where = f"/console/referrals/{referral['id']}?done=referral_actions.send"
    assert {answer.headers["Location"] for answer in answers} == {where}


def test_a_request_without_a_consent_is_refused_in_words(
    officer: Someone, lead: Someone
) -> None:
    case = take_case(officer, lead)
    form = {"recipient": WOMEN, "service": "SHELTER", "sections": "needs"}

    answer = ConsoleBrowser(lead).post(f"cases/{case['code']}/ask", form)

    assert answer.status_code == 409
    assert 'class="error-summary"' in answer.text
    assert unwrap(lead.get("/referrals"))["items"] == []


def test_an_office_that_is_not_proposed_is_asked_with_the_summary_alone(
    officer: Someone, lead: Someone
) -> None:
    consent = make_consent(focal_point="UZ_LEAD", purposes=["REINTEGRATION"])
    permitted = {"country_of_origin": "UZ", "origin_contact": "permitted"}
    case = officer.submit(consents=[make_consent(), consent], safeguards=permitted)
    lead.take_lead(case)
    browser, path = ConsoleBrowser(lead), f"cases/{case['code']}/ask?service=REINTEGRATION"
    page = browser.get(path).text
    assert 'name="recipient" value="UZ_LEAD"' not in page
    another = page.partition('id="another"')[2].partition("</form>")[0]
    assert '<option value="UZ_LEAD"' in another
    form = {"recipient": "UZ_LEAD", "service": "REINTEGRATION"}

    refused = browser.post(path, form | {"sections": "identity"})
    answer = browser.post(path, form)

    assert refused.status_code == 409
    tried = refused.text.partition('id="another"')[2].partition("</form>")[0]
    assert '<option value="UZ_LEAD" selected' in tried
    assert answer.status_code == 303
    [referral] = unwrap(lead.get("/referrals"))["items"]
    assert (referral["recipient"], referral["sections"]) == ("UZ_LEAD", [])


def test_the_page_is_drawn_without_a_trace(officer: Someone, lead: Someone) -> None:
    case = take_case(officer, lead, make_service_consent())
    before = officer.get(f"/cases/{case['code']}/evidence").json()
    assert ConsoleBrowser(lead).get(f"cases/{case['code']}/ask").status_code == 200
    assert officer.get(f"/cases/{case['code']}/evidence").json() == before


def test_only_the_holder_can_ask(
    officer: Someone, lead: Someone, stranger: Someone
) -> None:
    case = take_case(officer, lead)
    path = f"cases/{case['code']}/ask"
    assert ConsoleBrowser(stranger).get(path).status_code == 404
    assert ConsoleBrowser(officer).get(path).status_code == 403


def test_request_without_an_office_is_shown_again(officer: Someone, lead: Someone) -> None:
    case = take_case(officer, lead, make_service_consent())
    form = {"recipient": "", "service": "SHELTER", "sections": "needs", "key": "k1"}

    answer = ConsoleBrowser(lead).post(f"cases/{case['code']}/ask", form)

    assert answer.status_code == 422
    assert "Something is missing in the form" in answer.text
    assert lead.list_all("/referrals") == []


def test_office_that_works_everywhere_is_listed_under_several_countries(
    officer: Someone, lead: Someone
) -> None:
    case = take_case(officer, lead)

    page = ConsoleBrowser(lead).get(get_path(case)).text

    *_, last = page.split("<optgroup ")
    assert last.startswith('label="Several countries"')
    assert 'value="IOM"' in last.partition("</select>")[0]
    assert 'label="*"' not in page
