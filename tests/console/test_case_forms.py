"""Tests of the forms of the actions on a case: sent values, and values after a problem."""

import re
from html import unescape
from typing import Final

import httpx2
import pytest

from app.console.visits import find_local_path
from app.kernel.actors import Role
from tests.support.console_browser import ConsoleBrowser
from tests.support.world import Json, Someone, World, make_contacts, unwrap

NOTE: Final = "Ойгул’s “note” <b>& more</b>"
type Form = dict[str, str | list[str]]


def read_hidden(page: str, name: str) -> str:
    """Return the value of a hidden field of a page."""
    found = re.search(rf'<input type="hidden" name="{name}" value="([^"]*)"', page)
    assert found, page
    return unescape(found[1])


class CaseBrowser(ConsoleBrowser):
    """A browser on the pages of one case."""

    def __init__(self, person: Someone, case: Json) -> None:
        super().__init__(person)
        self.path = f"cases/{case['code']}"

    def fill(self, action: str, form: Form | None = None) -> httpx2.Response:
        """Open the form of an action, fill it in, and send it."""
        path = f"{self.path}/{action}"
        page = self.get(path)
        assert page.status_code == 200
        hidden = {name: read_hidden(page.text, name) for name in ("tag", "key")}
        return self.post(path, {**hidden, **(form or {})})


def expect_done(answer: httpx2.Response, case: Json, action: str) -> None:
    """Check that an action was taken, and that the response redirects to the case."""
    assert answer.status_code == 303, answer.text
    location = f"/console/cases/{case['code']}?done=case_actions.{action}"
    assert answer.headers["Location"] == location


def test_acknowledging_leads_back_to_the_case_with_a_notice(
    officer: Someone, lead: Someone
) -> None:
    case = officer.submit()
    browser = CaseBrowser(lead, case)
    page = browser.get(browser.path)
    hidden: Form = {name: read_hidden(page.text, name) for name in ("tag", "key")}

    answer = browser.post(f"{browser.path}/actions/acknowledge", hidden)

    expect_done(answer, case, "acknowledge")
    assert lead.read(case)["state"] == "under_review"
    shown = browser.get(f"{browser.path}?done=case_actions.acknowledge")
    assert "“Confirm receipt” is done." in shown.text


def test_notice_shows_no_text_of_the_address(officer: Someone) -> None:
    case = officer.submit()
    browser = CaseBrowser(officer, case)

    shown = browser.get(f"{browser.path}?done=case_actions.<b>you+won</b>")

    assert "you won" not in shown.text
    assert 'role="status"' not in shown.text


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none"])
def test_link_from_elsewhere_claims_no_action(officer: Someone, site: str) -> None:
    case = officer.submit()
    browser = ConsoleBrowser(officer, **{"Sec-Fetch-Site": site})

    shown = browser.get(f"cases/{case['code']}?done=case_actions.withdraw")

    assert shown.status_code == 200
    assert 'role="status"' not in shown.text


def test_page_after_signing_in_again_claims_no_action() -> None:
    assert find_local_path("/console/cases/SC-1") == "/console/cases/SC-1"
    assert find_local_path("/console/cases/SC-1?done=case_actions.withdraw") is None


def test_repeated_form_acts_once(officer: Someone, lead: Someone) -> None:
    case = officer.submit()
    lead.take_lead(case)
    browser = CaseBrowser(lead, case)
    path = f"{browser.path}/actions/ask_submitter"
    page = browser.get(path).text
    form: Form = {name: read_hidden(page, name) for name in ("tag", "key")}
    form |= {"topics": ["needs", "health"], "question": "How long?"}

    for _ in range(2):
        expect_done(browser.post(path, form), case, "ask_submitter")

    [question] = unwrap(lead.get(f"/cases/{case['code']}/questions"))["items"]
    assert set(question["topics"]) == {"needs", "health"}


def test_missing_field_keeps_what_was_typed(officer: Someone, lead: Someone) -> None:
    case = officer.submit()
    browser = CaseBrowser(lead, case)

    answer = browser.fill("actions/decline_lead", {"note": NOTE})

    assert answer.status_code == 422
    assert "Fill in this field." in answer.text
    assert '<a href="#action-reason">' in answer.text
    assert "Ойгул’s “note” &lt;b&gt;&amp; more&lt;/b&gt;</textarea>" in answer.text
    assert lead.read(case)["state"] == "submitted"


def test_problem_of_a_field_is_shown_at_the_field(officer: Someone, lead: Someone) -> None:
    case = officer.submit()
    unwrap(lead.does("acknowledge", case))
    browser = CaseBrowser(lead, case)
    typed: Form = {
        "contacts/0/name": "Айгүл",
        "contacts/0/phone": "+77010000001",
        "contacts/1/name": "Серік",
        "contacts/1/phone": "seven",
    }

    answer = browser.fill("actions/accept_lead", typed)

    assert answer.status_code == 422
    assert '<a href="#action-contacts-1-phone">' in answer.text
    for text in typed.values():
        assert f'value="{text}"' in answer.text


def test_changed_case_is_explained_and_can_be_sent_again(
    officer: Someone, lead: Someone
) -> None:
    case = officer.submit()
    lead.take_lead(case)
    browser = CaseBrowser(lead, case)
    path = f"{browser.path}/actions/suspend"
    page = browser.get(path).text
    assert "Times: Almaty (GMT+05:00)</p>" in page
    form: Form = {name: read_hidden(page, name) for name in ("tag", "key")}
    form |= {"reason": "SURVIVOR_REQUEST", "review_at": "2026-06-10T12:00", "note": NOTE}
    unwrap(lead.create(f"/cases/{case['code']}/risk-assessments", {"level": "low"}))
    change = {"priority": "normal"}
    headers = {"If_Match": lead.get_tag(case)}
    unwrap(lead.ask("PATCH", f"/cases/{case['code']}", change, headers=headers))

    stale = browser.post(path, form)

    assert stale.status_code == 412
    assert "The case changed while you wrote" in stale.text
    assert "Summary changed" in stale.text
    assert "&lt;b&gt;&amp; more" in stale.text
    assert lead.read(case)["state"] == "referring"
    fresh: Form = {name: read_hidden(stale.text, name) for name in ("tag", "key")}
    assert fresh["key"] != form["key"]
    expect_done(browser.post(path, form | fresh), case, "suspend")
    assert lead.read(case)["state"] == "suspended"


def test_times_are_those_of_the_office(officer: Someone, lead: Someone) -> None:
    """Form times are in the office's time zone; Almaty is five hours ahead of UTC."""
    case = officer.submit()
    lead.take_lead(case)
    form: Form = {"reason": "SAFETY", "review_at": "2026-06-10T12:00"}

    expect_done(CaseBrowser(lead, case).fill("actions/suspend", form), case, "suspend")

    assert lead.read(case)["due_at"] == "2026-06-10T07:00:00Z"


def test_second_person_is_asked_before_a_case_is_closed(
    officer: Someone, lead: Someone
) -> None:
    case = officer.submit()
    lead.take_lead(case)
    form: Form = {"reason": "GOALS_MET", "person_informed": "on"}

    answer = CaseBrowser(lead, case).fill("actions/close", form)

    assert answer.status_code == 303
    [approval] = unwrap(lead.get("/approvals"))["items"]
    expected = f"/console/approvals/{approval['id']}?done=asked"
    assert answer.headers["Location"] == expected
    assert lead.read(case)["state"] == "referring"


def test_office_that_declined_is_led_to_its_tasks(officer: Someone, lead: Someone) -> None:
    case = officer.submit()

    answer = CaseBrowser(lead, case).fill(
        "actions/decline_lead", {"reason": "NO_CAPACITY", "note": NOTE}
    )

    assert answer.status_code == 303
    assert answer.headers["Location"] == "/console/?done=ended"


def test_risk_and_summary_are_changed(officer: Someone, lead: Someone) -> None:
    case = officer.submit()
    lead.take_lead(case)
    browser = CaseBrowser(lead, case)
    risk: Form = {"level": "high", "remarks": NOTE}
    summary: Form = {"priority": "emergency", "services": ["SHELTER"]}

    expect_done(browser.fill("actions/assess_risk", risk), case, "assess_risk")
    expect_done(browser.fill("actions/update_summary", summary), case, "update_summary")

    changed = lead.read(case)
    assert changed["risk"]["level"] == "high"
    assert (summary | {"country": "KZ"}).items() <= changed["summary"].items()


def test_summary_form_begins_with_the_summary(officer: Someone) -> None:
    case = unwrap(officer.create_case())

    page = CaseBrowser(officer, case).get(f"cases/{case['code']}/actions/update_summary")

    assert '<option value="KZ" selected>' in page.text
    assert 'value="LEGAL_AID" checked' in page.text


@pytest.mark.parametrize(
    ("section", "form", "stored"),
    [
        ("narrative", {"text": NOTE}, {"text": NOTE}),
        (
            "identity",
            {"names": "Ойгул\r\nأمينة", "nationality": "UZ", "birth_date": "2001-02-03"},
            {"names": ["Ойгул", "أمينة"], "nationality": "UZ", "birth_date": "2001-02-03"},
        ),
        ("indicators", {"codes": ["EXPLOITATION_01"]}, {"codes": ["EXPLOITATION_01"]}),
    ],
)
def test_section_is_written_as_typed(
    officer: Someone, section: str, form: Form, stored: Json
) -> None:
    case = unwrap(officer.create_case())

    sent = CaseBrowser(officer, case).fill(f"actions/write_section/{section}", form)

    expect_done(sent, case, "write_section")
    opened = unwrap(officer.open(f"/cases/{case['code']}/sections/{section}"))
    assert stored.items() <= opened["content"].items()


def test_safeguards_are_written_as_ticked(officer: Someone) -> None:
    case = unwrap(officer.create_case())
    form: Form = {
        "country_of_origin": "UZ",
        "fear_of_state": "on",
        "origin_contact": "blocked",
        "unsafe_focal_points": ["UZ_LEAD"],
        "unsafe_people": NOTE,
    }

    sent = CaseBrowser(officer, case).fill("actions/write_safeguards", form)

    expect_done(sent, case, "write_safeguards")
    content = unwrap(officer.open(f"/cases/{case['code']}/safeguards"))["content"]
    assert content["unsafe_focal_points"] == ["UZ_LEAD"]
    assert content["fear_of_state"] is True
    assert content["official_implicated"] is False
    assert content["unsafe_people"] == NOTE


def test_question_is_answered_on_its_own_page(officer: Someone, lead: Someone) -> None:
    case = officer.submit()
    lead.take_lead(case)
    path, asked = f"/cases/{case['code']}/questions", {"topics": ["needs"], "question": "?"}
    question = unwrap(lead.create(path, asked))

    form: Form = {"answer": "Two nights"}
    browser = CaseBrowser(officer, case)
    sent = browser.fill(f"actions/answer_question/{question['id']}", form)

    expect_done(sent, case, "answer_question")
    [answered] = unwrap(lead.get(path))["items"]
    assert answered["answered_at"]
    assert (
        "There is nothing to do here now."
        in browser.get(f"{browser.path}/actions/answer_question").text
    )


def test_screening_fact_and_danger_are_recorded(officer: Someone) -> None:
    case = officer.submit()
    browser = CaseBrowser(officer, case)
    forms: dict[str, Form] = {
        "record_screening": {"indicators": ["EXPLOITATION_01"], "acts": ["HARBOURING"]},
        "record_fact/guardian": {"value": "needed"},
        "declare_vital_interest": {"reason": "RISK_TO_LIFE", "note": NOTE},
    }

    for action, form in forms.items():
        sent = browser.fill(f"actions/{action}", form)
        expect_done(sent, case, action.partition("/")[0])

    path = f"/cases/{case['code']}"
    [screening] = unwrap(officer.get(f"{path}/screenings"))["items"]
    assert screening["outcome"] == "not_indicated_yet"
    [fact] = unwrap(officer.get(f"{path}/facts"))["items"]
    assert (fact["name"], fact["value"]) == ("guardian", "needed")


def test_contacts_are_named_and_visits_planned(officer: Someone, lead: Someone) -> None:
    case = officer.submit()
    lead.take_lead(case)
    browser = CaseBrowser(lead, case)
    named = {
        f"contacts/{number}/{part}": contact[part]
        for number, contact in enumerate(make_contacts())
        for part in ("name", "phone")
    }

    expect_done(browser.fill("actions/write_contacts", {**named}), case, "write_contacts")
    visits: Form = {"visits/1": "2026-06-20T10:00", "visits/3": "2026-07-20T10:00"}
    expect_done(browser.fill("actions/monitor", visits), case, "monitor")

    assert lead.read(case)["state"] == "monitoring"
    met: Form = {"person_met": "no", "early": "on"}
    expect_done(browser.fill("actions/report_visit", met), case, "report_visit")


def test_legal_hold_takes_a_second_person(world: World, officer: Someone) -> None:
    case = officer.submit()
    roles = {Role.PROTECTION_OFFICER}
    oversight = world.add_person("OVERSIGHT_DEMO", roles)

    sent = CaseBrowser(oversight, case).fill(
        "actions/set_legal_hold", {"value": "in_force"}
    )

    assert sent.status_code == 303
    assert "done=asked" in sent.headers["Location"]


def test_action_that_is_not_possible_says_why(officer: Someone, lead: Someone) -> None:
    case = officer.submit()
    lead.take_lead(case)
    browser = CaseBrowser(lead, case)

    page = browser.get(f"{browser.path}/actions/resume")

    assert page.status_code == 200
    assert "This is not possible now" in page.text
    assert "<form class" not in page.text


@pytest.mark.parametrize(
    "address", ["steal", "write_section/secrets", "answer_question/x", "acknowledge/needs"]
)
def test_unknown_action_is_not_found(officer: Someone, address: str) -> None:
    case = officer.submit()
    browser = CaseBrowser(officer, case)

    assert browser.get(f"{browser.path}/actions/{address}").status_code == 404
    assert browser.post(f"{browser.path}/actions/{address}", {}).status_code == 404


def test_form_of_a_case_of_others_looks_like_a_mistyped_code(
    officer: Someone, stranger: Someone
) -> None:
    case = officer.submit()
    browser = CaseBrowser(stranger, case)

    for action in ("actions/acknowledge", "consent", "actions/decline_lead"):
        assert browser.get(f"{browser.path}/{action}").status_code == 404
        sent = browser.post(f"{browser.path}/{action}", {"reason": "NO_CAPACITY"})
        assert sent.status_code == 404
        assert case["code"] not in sent.text
