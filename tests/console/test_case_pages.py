"""Tests of the pages of a case: its states, opened documents, and what is recorded."""

import re
from typing import Final

import pytest

from app.cases.lifecycle import State
from app.console.case_sentences import SENTENCES
from app.kernel.actors import Role, Scope
from tests.support.console_browser import ConsoleBrowser
from tests.support.world import (
    SIGNS,
    Json,
    Someone,
    World,
    make_consent,
    make_contacts,
    make_service_consent,
    unwrap,
)

SECRET: Final = "Signal, never calls"
REVIEW: Final = {"reason": "SURVIVOR_REQUEST", "review_at": "2026-06-10T12:00:00Z"}


def reach(state: str, officer: Someone, lead: Someone, supervisor: Someone) -> Json:
    """Return a case in the given state."""
    if state == "draft":
        return unwrap(officer.create_case())
    if state == "void":
        return unwrap(officer.does("discard", unwrap(officer.create_case())))
    case = officer.submit()
    if state == "submitted":
        return case
    unwrap(lead.does("acknowledge", case))
    if state == "under_review":
        return case
    unwrap(lead.does("accept-lead", case, {"contacts": make_contacts()}))
    steps = {"suspended": ("suspend", REVIEW), "monitoring": ("monitor", {})}
    if state in steps:
        unwrap(lead.does(steps[state][0], case, steps[state][1]))
    if state == "closed":
        closing = {"reason": "GOALS_MET", "person_informed": True}
        unwrap(lead.does_with(supervisor, "close", case, closing))
    return case


@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        ("draft", "Draft"),
        ("submitted", "Submitted"),
        ("under_review", "Under review"),
        ("referring", "Help is being looked for"),
        ("suspended", "Suspended"),
        ("monitoring", "Visits after the help"),
        ("closed", "Closed"),
        ("void", "Discarded or withdrawn"),
    ],
)
def test_page_of_a_case_shows_each_state(
    state: str, sentence: str, officer: Someone, lead: Someone, supervisor: Someone
) -> None:
    case = reach(state, officer, lead, supervisor)
    for person in (officer, lead):
        answer = ConsoleBrowser(person).get(f"cases/{case['code']}")
        if person is lead and state in {"draft", "void"}:
            assert answer.status_code == 404
        else:
            assert answer.status_code == 200
            assert f"<h1>{sentence}</h1>" in answer.text


def test_every_page_of_an_action_opens(officer: Someone, lead: Someone) -> None:
    for person, case in (
        (officer, unwrap(officer.create_case())),
        (lead, officer.submit()),
    ):
        if person is lead:
            lead.take_lead(case)
        browser = ConsoleBrowser(person)
        for step in person.read(case)["available_actions"]:
            page = browser.get(f"cases/{case['code']}/actions/{step['action']}")
            assert page.status_code in {200, 404}, step["action"]


def test_opened_section_is_shown_once_and_logged(officer: Someone, lead: Someone) -> None:
    case = officer.submit()
    lead.take_lead(case)
    browser, path = ConsoleBrowser(lead), f"cases/{case['code']}"

    opened = browser.post(f"{path}/open/contact", {"purpose": "assistance"})

    assert opened.status_code == 200
    assert SECRET in opened.text
    assert opened.headers["Cache-Control"] == "no-store"
    assert SECRET not in browser.get(path).text
    [entry] = lead.list_all(f"/{path}/access-log")
    assert (entry["subject"], entry["purpose"], entry["allowed"]) == (
        "contact",
        "assistance",
        True,
    )


def test_section_is_not_opened_without_a_purpose(officer: Someone, lead: Someone) -> None:
    case = officer.submit()
    lead.take_lead(case)

    refused = ConsoleBrowser(lead).post(f"cases/{case['code']}/open/contact", {})

    assert refused.status_code == 422
    assert SECRET not in refused.text
    assert lead.list_all(f"/cases/{case['code']}/access-log") == []


def test_section_without_a_consent_stays_closed(officer: Someone, lead: Someone) -> None:
    case = officer.submit()
    lead.take_lead(case)
    path = f"cases/{case['code']}/open/narrative"

    refused = ConsoleBrowser(lead).post(path, {"purpose": "assistance"})

    assert refused.status_code == 404
    assert "Рассказ" not in refused.text
    assert "you may not open it" in refused.text


def test_opened_section_can_be_changed_without_losing_a_part(
    officer: Someone, lead: Someone
) -> None:
    case = officer.submit()
    lead.take_lead(case)

    opened = ConsoleBrowser(lead).post(
        f"cases/{case['code']}/open/needs", {"purpose": "correction"}
    )

    assert ">A safe bed tonight</textarea>" in opened.text
    assert ">Two men</textarea>" in opened.text


def test_screening_is_opened_with_the_words_of_its_indicators(
    officer: Someone, lead: Someone
) -> None:
    case = officer.submit()
    lead.take_lead(case)
    screening = unwrap(lead.screen(case, **SIGNS))
    browser = ConsoleBrowser(lead)

    page = browser.get(f"cases/{case['code']}")
    opened = browser.post(
        f"cases/{case['code']}/open/screening/{screening['id']}", {"purpose": "assessment"}
    )

    assert screening["id"] in page.text
    assert "harbouring" in opened.text


def test_pages_of_a_case_record_nothing_but_the_first_reading(
    officer: Someone, lead: Someone
) -> None:
    case = officer.submit()
    lead.take_lead(case)
    path = f"cases/{case['code']}"
    browser = ConsoleBrowser(lead)
    browser.get(path)
    kept = [
        officer.get(f"/{path}/evidence").json(),
        lead.get(f"/{path}/access-log").json(),
        lead.get(f"/{path}/history").json(),
    ]

    for page in ("", "/history", "/access-log", "/consent", "/actions/assess_risk"):
        assert browser.get(f"{path}{page}").status_code == 200

    assert kept == [
        officer.get(f"/{path}/evidence").json(),
        lead.get(f"/{path}/access-log").json(),
        lead.get(f"/{path}/history").json(),
    ]


def test_deadline_is_answered_by_the_first_button(officer: Someone, lead: Someone) -> None:
    case = officer.submit()

    page = ConsoleBrowser(lead).get(f"cases/{case['code']}").text

    first = page.index('class="btn"')
    assert f"/console/cases/{case['code']}/actions/acknowledge" in page[first - 400 : first]
    assert page.index("Decline to lead") > first
    assert page.index("Stop: the person wants") > page.index("More actions")


def test_action_for_another_role_says_who_has_it(world: World, officer: Someone) -> None:
    case = officer.submit()
    supervisor = world.add_person("KZ_LEAD", {Role.SUPERVISOR})

    page = ConsoleBrowser(supervisor).get(f"cases/{case['code']}").text

    assert "Roles that can do it: Caseworker" in page


def test_state_is_a_sentence_for_each_side(officer: Someone, lead: Someone) -> None:
    case = officer.submit()
    path = f"cases/{case['code']}"
    assert "Your office is asked to lead." in ConsoleBrowser(lead).get(path).text
    assert (
        " is asked to lead, and has not confirmed" in ConsoleBrowser(officer).get(path).text
    )

    lead.take_lead(case)

    assert "Your office leads the case, and looks" in ConsoleBrowser(lead).get(path).text


def test_every_state_has_a_sentence() -> None:
    assert list(SENTENCES) == list(State)


def test_case_at_a_desk_says_that_the_desk_chooses(officer: Someone, lead: Someone) -> None:
    case = officer.submit()
    assert lead.does("decline-lead", case, {"reason": "NO_CAPACITY"}).status_code == 204
    desk = officer.world.add_person(officer.read(case)["holder"])
    path = f"cases/{case['code']}"

    assert "Your desk has the case." in ConsoleBrowser(desk).get(path).text
    assert (
        "has the case, and chooses who is asked" in ConsoleBrowser(officer).get(path).text
    )


def test_risk_is_not_called_unassessed_where_it_is_not_shown(
    officer: Someone, lead: Someone
) -> None:
    case = officer.submit(risk=None)
    path = f"cases/{case['code']}"
    assert "not assessed" in ConsoleBrowser(officer).get(path).text

    unwrap(lead.create(f"/{path}/risk-assessments", {"level": "high"}))
    lead.take_lead(case)

    assert "not assessed" not in ConsoleBrowser(officer).get(path).text


def test_case_whose_holder_is_not_shown_says_that_no_office_leads(
    officer: Someone, lead: Someone
) -> None:
    there = make_consent(recipient_class={"kind": "state", "country": "UZ"})
    case = officer.submit(consents=[make_consent(), there], safeguards={})
    assert lead.does("relocate", case, {"country": "UZ"}).is_success

    page = ConsoleBrowser(officer).get(f"cases/{case['code']}").text

    assert "No office leads the case yet." in page
    assert "confirmed receipt" not in page


def test_unmet_consent_leads_to_its_form(officer: Someone) -> None:
    case = unwrap(officer.create_case(consents=[]))

    page = ConsoleBrowser(officer).get(f"cases/{case['code']}").text

    assert f'href="/console/cases/{case["code"]}/consent' in page
    assert "Record this consent" in page


def test_missed_deadline_is_explained_in_words(officer: Someone, lead: Someone) -> None:
    case = officer.submit()

    page = ConsoleBrowser(lead).get(f"cases/{case['code']}").text

    assert "The next office is asked, or the desk." in page


def test_knowledge_says_who_opened_what(officer: Someone, lead: Someone) -> None:
    case = officer.submit()
    lead.take_lead(case)
    unwrap(officer.open(f"/cases/{case['code']}/sections/identity"))

    page = ConsoleBrowser(lead).get(f"cases/{case['code']}").text

    row = page[page.index('<th scope="row">') :]
    assert "may open" in row
    assert "opened" in row
    assert "The whole access log" in page


def test_consents_are_listed_with_recipient_and_purposes(officer: Someone) -> None:
    case = officer.submit()
    unwrap(officer.create(f"/cases/{case['code']}/consents", make_service_consent()))

    page = ConsoleBrowser(officer).get(f"cases/{case['code']}").text

    assert "Non-governmental organisation in Kazakhstan" in page
    assert "Legal counselling / legal aid" in page


def test_erased_case_is_shown_to_oversight(
    world: World, officer: Someone, lead: Someone, supervisor: Someone
) -> None:
    case = reach("closed", officer, lead, supervisor)
    roles = {Role.PROTECTION_OFFICER}
    first, second = (world.add_person("OVERSIGHT_DEMO", roles) for _ in range(2))
    reason = {"reason": "SURVIVOR_REQUEST"}
    unwrap(first.does_with(second, "erase", case, reason))

    page = ConsoleBrowser(first).get(f"cases/{case['code']}")

    assert page.status_code == 200
    assert "<h1>Erased</h1>" in page.text


def test_case_is_shown_without_the_scope_for_sections(
    world: World, officer: Someone
) -> None:
    case = officer.submit()
    scopes = {Scope.CASES_READ, Scope.DIRECTORY_READ}
    reader = world.add_person("UZ_CONSULATE_ALMATY", scopes=scopes)

    page = ConsoleBrowser(reader).get(f"cases/{case['code']}")

    assert page.status_code == 200
    assert "Who knows what" not in page.text
    assert "/open/" not in page.text


@pytest.mark.parametrize("value", ["\u043d\u0435\u0442", "lead\r\nX-Other: 1", "\0"])
def test_value_that_no_header_can_have_is_refused(
    officer: Someone, lead: Someone, value: str
) -> None:
    path = f"cases/{officer.submit()['code']}"
    browser = ConsoleBrowser(lead)
    for end, form in (
        ("open/needs", {"purpose": value}),
        ("actions/acknowledge", {"key": "key", "tag": value}),
        ("actions/acknowledge", {"key": value}),
    ):
        answer = browser.post(f"{path}/{end}", form)
        assert answer.status_code in range(400, 500), end


@pytest.mark.parametrize(
    ("address", "leads_to"),
    [("open/needs", ""), ("open/screening/1", ""), ("consent/print", "/consent")],
)
def test_address_of_a_shown_document_leads_back(
    officer: Someone, address: str, leads_to: str
) -> None:
    """The address redirects, because a change of the language opens it again."""
    path = f"cases/{officer.submit()['code']}"

    answer = ConsoleBrowser(officer).get(f"{path}/{address}")

    assert answer.status_code == 303
    assert answer.headers["Location"] == f"/console/{path}{leads_to}"


def test_every_language_has_the_words_of_a_case(officer: Someone, lead: Someone) -> None:
    case = officer.submit()
    lead.take_lead(case)
    for language, word in (("ru", "Средний"), ("fr", "Moyen"), ("uz", "Oʻrta")):
        unwrap(lead.create(f"/cases/{case['code']}/risk-assessments", {"level": "medium"}))
        browser = ConsoleBrowser(lead, **{"Accept-Language": language})
        assert word in browser.get(f"cases/{case['code']}").text


def test_ids_of_a_page_are_unique(officer: Someone, lead: Someone) -> None:
    """Each label belongs to one field, even if a document can be opened in two places."""
    case = officer.submit()
    lead.take_lead(case)
    path = f"/cases/{case['code']}"
    unwrap(lead.create(f"{path}/questions", {"topics": ["needs"], "question": "Now?"}))
    for _ in range(2):
        unwrap(lead.screen(case, **SIGNS))
    browser = ConsoleBrowser(lead)

    for page in ("", "/consent", "/actions/record_screening", "/actions/write_safeguards"):
        text = browser.get(f"cases/{case['code']}{page}").text
        ids = re.findall(r' id="([^"]+)"', text)
        assert len(ids) > 5
        assert len(set(ids)) == len(ids)
        assert set(re.findall(r' for="([^"]+)"', text)) <= set(ids)


def test_earlier_safeguards_are_opened(officer: Someone) -> None:
    case = officer.submit()
    path = f"/cases/{case['code']}/safeguards"
    for people in ("Cousin", "Uncle"):
        headers = {"If_Match": officer.get_tag(case)}
        body = {"unsafe_people": people}
        unwrap(officer.ask("PUT", path, body, headers=headers))

    opened = ConsoleBrowser(officer).post(
        f"cases/{case['code']}/open/safeguards_history", {"purpose": "protection"}
    )

    assert "Cousin" in opened.text
    assert "Uncle" not in opened.text


def test_submitter_sees_who_is_asked_next(officer: Someone) -> None:
    case = officer.submit()
    routing = unwrap(officer.get(f"/cases/{case['code']}/routing"))
    later = [one["focal_point"] for one in routing["candidates"] if not one["asked_at"]]

    page = ConsoleBrowser(officer).get(f"cases/{case['code']}").text

    assert ("these are asked next" in page) == bool(later)
