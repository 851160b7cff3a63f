"""Tests that the five steps of "Refer someone" create a case with the entered values."""

import re
from html import unescape

import pytest

from tests.support.refer_form import (
    NEEDS,
    SAFE,
    SIGNS,
    STEPS,
    VITAL,
    WHO,
    ReferBrowser,
)
from tests.support.world import Someone, unwrap

NAMES = (
    "Ўғилой Ғуломова Ҳикматулла қизи",
    "Zsuzsanna Őrségi-Háàyé",
    "عَبْدُ الرَّحْمٰنِ بْنُ مُحَمَّدٍ",
    "María José Ñuñez Peña",
    "O\u02bbtkir G\u02bbaniyev",
)


def open_section(officer: Someone, code: str, section: str) -> object:
    return unwrap(officer.open(f"/cases/{code}/sections/{section}"))["content"]


def test_case_equals_what_was_typed(officer: Someone) -> None:
    code = ReferBrowser(officer).send(*STEPS)

    case = unwrap(officer.get(f"/cases/{code}"))
    assert case["state"] == "submitted"
    assert case["summary"] == {
        "country": "KZ",
        "age_class": "adult",
        "language": "uz",
        "priority": "urgent",
        "services": ["MEDICAL", "SHELTER"],
        "urgent_needs": ["MEDICAL"],
        "safe_contact": "yes",
    }
    assert case["risk"]["level"] == "medium"
    assert open_section(officer, code, "needs") == {
        "section": "needs",
        "summary": "A safe bed tonight",
        "gender": "Feminine",
        "access_needs": None,
        "safety_alert": "Two men wait outside.",
    }
    assert open_section(officer, code, "contact") == {
        "section": "contact",
        "alias": "Lola",
        "safe_channel": "Messages only, after 20:00",
        "safe_times": None,
    }
    found = officer.send("/cases/search", {"external_reference": "ALM-2026-0117"})
    assert [one["code"] for one in unwrap(found)["items"]] == [code]


def test_consents_equal_what_was_ticked(officer: Someone) -> None:
    code = ReferBrowser(officer).send(*STEPS)

    consents = unwrap(officer.get(f"/cases/{code}/consents"))["items"]
    terms = {(c["given_by"], c["language"], c["form_version"]) for c in consents}
    assert terms == {("person", "uz", "console-1")}
    assert {c["obtained_on"] for c in consents} == {"2026-06-01"}
    assert {c["expires_at"] for c in consents} == {"2026-11-28T18:59:59Z"}
    assert {c["recipient_class"]["kind"]: c["sections"] for c in consents} == {
        "state": ["needs"],
        "non_state": ["contact"],
    }
    purposes = {(c["recipient_class"]["kind"], *c["purposes"]) for c in consents}
    assert purposes == {
        (kind, *named)
        for kind in ("state", "non_state")
        for named in (("REFER",), ("MEDICAL", "SHELTER"))
    }
    assert {c["recipient_class"]["country"] for c in consents} == {"KZ"}


def test_whoever_may_know_a_section_may_be_asked(officer: Someone) -> None:
    allow = ["state@KZ:identity", "state@KZ:needs", "non_state@KZ:refer"]
    code = ReferBrowser(officer).send(SAFE, {}, NEEDS, {**WHO, "allow": allow}, {})

    consents = unwrap(officer.get(f"/cases/{code}/consents"))["items"]
    assert {c["recipient_class"]["kind"]: c["sections"] for c in consents} == {
        "state": ["identity", "needs"],
        "non_state": [],
    }
    assert {tuple(c["purposes"]) for c in consents} == {("MEDICAL", "SHELTER"), ("REFER",)}


@pytest.mark.parametrize("row", ["identity_lead", "identity"])
def test_name_can_be_for_the_office_that_leads_alone(officer: Someone, row: str) -> None:
    allow = [f"state@KZ:{row}", "state@KZ:needs"]
    code = ReferBrowser(officer).send(SAFE, {}, NEEDS, {**WHO, "allow": allow}, {})

    consents = unwrap(officer.get(f"/cases/{code}/consents"))["items"]
    helps = ["identity", "needs"] if row == "identity" else ["needs"]
    assert {tuple(c["purposes"]): c["sections"] for c in consents} == {
        ("REFER",): ["identity", "needs"],
        ("MEDICAL", "SHELTER"): helps,
    }


@pytest.mark.parametrize("name", ["Дилноза Каримова", "José Ñuñez", "نور الهدى"])
def test_name_and_feared_people_are_sealed_with_the_case(
    officer: Someone, name: str
) -> None:
    feared = "One officer of the local police"
    typed = {**WHO, "identity/names": f"{name}\r\n", "safeguards/unsafe_people": feared}
    browser = ReferBrowser(officer)
    browser.fill_all(SAFE, {}, NEEDS, typed)
    check = unescape(browser.get("refer/5").text)
    assert name in check
    assert feared in check

    code = browser.fill(5, {}).headers["Location"].rpartition("/")[2]

    assert open_section(officer, code, "identity") == {
        "section": "identity",
        "names": [name],
        "birth_date": None,
        "nationality": None,
        "documents": [],
    }
    opened = unwrap(officer.open(f"/cases/{code}/safeguards"))["content"]
    assert opened["unsafe_people"] == feared


@pytest.mark.parametrize("names", ["", "Lola"])
def test_page_of_a_sent_case_says_whether_the_name_is_missing(
    officer: Someone, names: str
) -> None:
    browser = ReferBrowser(officer)
    browser.fill_all(SAFE, {}, NEEDS, {**WHO, "identity/names": names})
    sent = browser.get(browser.fill(5, {}).headers["Location"].partition("console/")[2])

    assert ("write_section/identity" in sent.text) == (not names)


def test_refused_name_is_marked_at_its_field(officer: Someone) -> None:
    browser = ReferBrowser(officer)
    who = {name: value for name, value in WHO.items() if not name.startswith("contact/")}
    browser.fill_all(SAFE, {}, NEEDS, {**who, "identity/names": "x" * 5000})

    refused = browser.fill(5, {})

    assert refused.status_code == 422
    assert "/console/refer/4#refer-identity-names" in refused.text


def test_safeguards_and_screening_equal_what_was_ticked(officer: Someone) -> None:
    feared = {
        **WHO,
        "safeguards/fear_of_state": "on",
        "safeguards/unsafe_focal_points": ["UZ_MIA", "IOM"],
    }
    code = ReferBrowser(officer).send(SAFE, SIGNS, NEEDS, feared, {})

    kept = unwrap(officer.open(f"/cases/{code}/safeguards"))["content"]
    assert kept["country_of_origin"] == "UZ"
    assert kept["fear_of_state"] is True
    assert kept["official_implicated"] is kept["seeks_asylum"] is False
    assert kept["unsafe_focal_points"] == ["UZ_MIA", "IOM"]
    [screening] = unwrap(officer.get(f"/cases/{code}/screenings"))["items"]
    path = f"/cases/{code}/screenings/{screening['id']}"
    opened = unwrap(officer.open(path))["content"]
    assert sorted(opened["indicators"]) == sorted(SIGNS["screening/indicators"])
    assert opened["acts"] == ["RECRUITMENT"]


@pytest.mark.parametrize("name", NAMES)
def test_texts_in_many_scripts_arrive_unchanged(officer: Someone, name: str) -> None:
    browser = ReferBrowser(officer)
    typed = {**WHO, "contact/alias": name}
    answer = browser.fill_all(SAFE, {}, {**NEEDS, "needs/summary": f"{name}: a bed"}, typed)
    assert answer.headers["Location"] == "/console/refer/5"
    page = browser.get("refer/5").text
    assert name in unescape(page)
    sent = browser.fill(5, {}).headers["Location"]

    code = sent.rpartition("/")[2]
    contact = open_section(officer, code, "contact")
    assert isinstance(contact, dict)
    assert contact["alias"] == name


def test_a_chosen_office_gets_a_consent_of_its_own(officer: Someone) -> None:
    chosen = {**WHO, "office": "SANA_SEZIM", "allow": ["office:refer", "office:identity"]}
    code = ReferBrowser(officer).send(SAFE, {}, NEEDS, chosen, {})

    consents = unwrap(officer.get(f"/cases/{code}/consents"))["items"]
    assert {one["focal_point"] for one in consents} == {"SANA_SEZIM"}
    assert [one["sections"] for one in consents] == [["identity"]] * len(consents)
    assert unwrap(officer.get(f"/cases/{code}"))["holder"] == "SANA_SEZIM"


def test_withdrawn_service_leaves_the_consent_for_the_lead(officer: Someone) -> None:
    code = ReferBrowser(officer).send(*STEPS)
    path = f"/cases/{code}/consents"

    answer = officer.ask("POST", f"{path}/withdraw", {"purposes": ["SHELTER"]})

    assert answer.is_success
    consents = unwrap(officer.get(path))["items"]
    kept = {tuple(one["purposes"]) for one in consents if one["withdrawn_at"] is None}
    assert kept == {("REFER",)}


def test_a_return_is_no_purpose_beside_others(officer: Someone) -> None:
    wishes = {**NEEDS, "summary/services": ["SHELTER", "RETURN"]}
    browser = ReferBrowser(officer)
    browser.fill_all(SAFE, {}, wishes)
    assert "A return needs a consent of its own" in browser.get("refer/4").text
    browser.fill(4, WHO)
    code = browser.fill(5, {}).headers["Location"].rpartition("/")[2]

    consents = unwrap(officer.get(f"/cases/{code}/consents"))["items"]
    assert all("RETURN" not in consent["purposes"] for consent in consents)


def test_without_a_consent_only_a_vital_interest_sends_the_case(
    officer: Someone, lead: Someone
) -> None:
    code = ReferBrowser(officer).send(SAFE, {}, NEEDS, VITAL, {})

    assert unwrap(officer.get(f"/cases/{code}/consents"))["items"] == []
    case = unwrap(lead.get(f"/cases/{code}"))
    unwrap(lead.does("acknowledge", case))
    assert lead.open(f"/cases/{code}/sections/needs").status_code == 404
    alert = unwrap(lead.open(f"/cases/{code}/safety-alert"))
    assert "Two men wait outside." in str(alert)


@pytest.mark.parametrize("basis", ["guardian_with_assent", "best_interests_decision"])
@pytest.mark.parametrize("age", ["child", "presumed_child"])
def test_for_a_child_a_guardian_or_a_decision_agrees(
    officer: Someone, age: str, basis: str
) -> None:
    child = {**SAFE, "summary/age_class": age}
    code = ReferBrowser(officer).send(child, {}, NEEDS, {**WHO, "basis": basis}, {})

    consents = unwrap(officer.get(f"/cases/{code}/consents"))["items"]
    assert {consent["given_by"] for consent in consents} == {basis}
    assert {consent["not_yet"] for consent in consents} == {None}


def test_a_child_cannot_agree_alone_and_refuse_alone(officer: Someone) -> None:
    browser = ReferBrowser(officer)
    browser.fill_all({**SAFE, "summary/age_class": "presumed_child"}, {}, NEEDS)
    page = browser.get("refer/4").text
    assert "Who agrees for the child?" in page
    assert 'value="person"' not in page
    assert 'value="refused"' not in page

    for basis in ("person", "refused"):
        answer = browser.fill(4, WHO, basis=basis)
        assert answer.status_code == 422
        assert "Answer this question again." in answer.text


def test_an_age_that_changes_asks_for_the_consent_again(officer: Someone) -> None:
    browser = ReferBrowser(officer)
    browser.fill_all(SAFE, {}, NEEDS, WHO)
    browser.fill(1, SAFE, summary__age_class="child")

    page = browser.get("refer/5").text
    assert "These steps are not complete yet" in page
    assert "Send this case" not in page
    assert browser.fill(5, {}).status_code == 200
    assert unwrap(officer.get("/cases"))["items"] == []


def test_a_consent_does_not_move_to_another_country(officer: Someone) -> None:
    browser = ReferBrowser(officer)
    browser.fill_all(SAFE, {}, NEEDS, WHO)
    assert "State offices: Kazakhstan" in browser.get("refer/5").text
    browser.fill(1, SAFE, summary__country="UZ")

    page = browser.get("refer/5").text
    assert "These steps are not complete yet" in page
    assert "State offices: Kazakhstan" in page
    assert browser.fill(5, {}).status_code == 200
    asked = browser.get("refer/4").text
    assert "State offices: Uzbekistan" in asked
    assert 'value="state@UZ:refer" aria-label' in asked
    assert "checked" not in asked.partition("<table")[2].partition("</details>")[0]
    late = browser.fill(4, WHO)
    assert late.status_code == 422
    assert "The country has changed." in late.text
    assert unwrap(officer.get("/cases"))["items"] == []


def test_a_child_that_cannot_wait_is_sent_with_what_differs(officer: Someone) -> None:
    alone = {**VITAL, "vital_interest/reason": "CHILD_UNPROTECTED"}
    browser = ReferBrowser(officer)
    browser.fill_all({**SAFE, "summary/age_class": "child"}, {}, NEEDS, alone)

    page = browser.get("refer/5").text
    assert "assessed within 72 hours" in page
    assert "child protection of the country" in page
    assert browser.fill(5, {}).status_code == 303


def test_a_refusal_of_an_adult_sends_and_keeps_nothing(officer: Someone) -> None:
    browser = ReferBrowser(officer)
    answer = browser.fill_all(SAFE, {}, NEEDS, {"basis": "refused"})
    assert answer.headers["Location"] == "/console/refer/refused"
    assert browser.get("refer/refused").status_code == 200

    assert "Nothing was sent" in browser.post("refer/refused", {}).text
    assert officer.get("/form-drafts/refer").status_code == 404
    assert unwrap(officer.get("/cases"))["items"] == []
    again = browser.post("refer/refused", {})
    assert again.headers["Location"] == "/console/refer"


def test_sent_page_names_the_office_that_is_asked(officer: Someone) -> None:
    browser = ReferBrowser(officer)
    code = browser.send(*STEPS)

    page = browser.get(f"refer/sent/{code}").text
    assert code in page
    assert "has time until" in page


def test_check_page_names_who_is_asked_and_who_is_not(officer: Someone) -> None:
    browser = ReferBrowser(officer)
    only_ngos = {**WHO, "allow": ["non_state@KZ:refer"]}
    browser.fill_all(SAFE, {}, NEEDS, only_ngos)

    page = unescape(browser.get("refer/5").text)
    asked, _, left_out = page.partition("Who is not asked, and why")
    assert "Sana Sezim" in asked
    assert "The person has not agreed" in left_out


def test_a_desk_can_be_feared_and_the_check_page_says_who_must_not_know(
    officer: Someone,
) -> None:
    browser = ReferBrowser(officer)
    browser.fill_all(SAFE, {}, NEEDS)
    desks = {
        one["code"]
        for one in unwrap(officer.get("/focal-points?limit=100"))["items"]
        if one["active"] and one["kind"] == "desk"
    }
    assert desks
    page = browser.get("refer/4").text
    assert desks <= set(re.findall(r'id="refer-unsafe-(\w+)"', page))

    feared = [*desks, "UZ_MIA"]
    fears = {"safeguards/official_implicated": "on"}
    browser.fill(4, {**WHO, **fears, "safeguards/unsafe_focal_points": feared})

    check = unescape(browser.get("refer/5").text)
    card = check.partition('id="feared"')[2].partition("</section>")[0]
    assert "<dd>Uzbekistan</dd>" in card
    assert card.count("<dd>Yes</dd>") == 1
    assert card.count("<dd>No</dd>") == 2
    named = card.partition("Offices that must not know")[2].split("<dd>")[1]
    assert len(named.partition("</dd>")[0].split("; ")) == len(feared)


def test_a_case_that_is_sent_twice_is_one_case(officer: Someone) -> None:
    browser = ReferBrowser(officer)
    browser.fill_all(SAFE, {}, NEEDS, WHO)
    draft = unwrap(officer.get("/form-drafts/refer"))["values"]
    first = browser.fill(5, {}).headers["Location"]
    unwrap(officer.ask("PUT", "/form-drafts/refer", {"values": draft}))

    assert browser.fill(5, {}).headers["Location"] == first
    assert len(unwrap(officer.get("/cases"))["items"]) == 1


def test_an_adult_is_referred_in_at_most_40_interactions() -> None:
    signing_in, opening = 2, 1
    fields = sum(
        len(value) if isinstance(value, list) else 1
        for form in (SAFE, NEEDS, {k: v for k, v in WHO.items() if "consent/" not in k})
        for value in form.values()
    )
    buttons = len(STEPS)
    assert signing_in + opening + fields + buttons <= 40
