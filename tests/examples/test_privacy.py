"""Tests of who may read what about a person, and of the access log."""

import pytest

from tests.support.world import (
    Json,
    Someone,
    consent,
    done,
    for_services,
    path_of,
    problem,
    promise,
)

NAMES = ["Ойгул Ғаниева", "Oygʻul Gʻaniyeva", "María José Núñez", "عَائِشَة"]
NEED = "A safe bed, and a doctor who speaks Uzbek"
IDENTITY = "sections/identity"


@pytest.fixture
def case(officer: Someone, lead: Someone) -> Json:
    """Return a case whose lead may read the needs, while names are only for services."""
    given = [consent(), for_services()]
    sections = [
        {"section": "needs", "summary": NEED},
        {"section": "identity", "names": NAMES},
    ]
    return lead.leads(officer.submits(consents=given, sections=sections))


def test_a_name_is_given_back_as_it_was_written(officer: Someone, case: Json) -> None:
    opened = done(officer.opens(f"{path_of(case)}/{IDENTITY}"))

    assert opened["content"]["names"] == NAMES


def test_what_the_consent_does_not_cover_is_not_opened(lead: Someone, case: Json) -> None:
    """`consent()` lets the lead read `needs` and `contact`, and nothing else."""
    refused = lead.opens(f"{path_of(case)}/{IDENTITY}")

    assert problem(refused) == (404, "not-found")
    assert not any(name in refused.text for name in NAMES)


def test_each_reading_is_logged_and_so_is_each_refusal(lead: Someone, case: Json) -> None:
    done(lead.opens(f"{path_of(case)}/sections/needs"))
    lead.opens(f"{path_of(case)}/{IDENTITY}")

    logged = done(lead.get(f"{path_of(case)}/access-log", limit=200))["items"]

    found = [(one["focal_point"], one["subject"], one["allowed"]) for one in logged]
    assert ("KZ_LEAD", "needs", True) in found
    assert ("KZ_LEAD", "identity", False) in found


def test_a_consent_that_is_withdrawn_ends_what_it_allowed(
    lead: Someone, shelter: Someone, case: Json
) -> None:
    """Any office may record that the person withdraws a consent, here the shelter."""
    sent = done(lead.refers(case, shelter.code))
    done(shelter.does("accept", sent, promise()))
    done(shelter.opens(f"{path_of(case)}/sections/needs"))
    consents = done(lead.get(f"{path_of(case)}/consents"))["items"]
    [given] = [one["id"] for one in consents if "SHELTER" in one["purposes"]]

    done(shelter.post(f"{path_of(case)}/consents/{given}/withdraw"))

    assert lead.sees(sent)["state"] == "withdrawn"
    closed = shelter.opens(f"{path_of(case)}/sections/needs")
    assert problem(closed) == (404, "not-found")


def test_an_event_says_that_something_happened_and_nothing_about_whom(
    officer: Someone, case: Json
) -> None:
    answer = officer.get("/events", limit=200)

    assert {one["subject"] for one in done(answer)["items"]} == {f"cases/{case['code']}"}
    assert not any(word in answer.text for word in (*NAMES, NEED, "SHELTER"))


def test_bad_input_is_pointed_at_and_not_repeated(officer: Someone) -> None:
    refused = officer.writes_case(notice={"country": "Zarina"})

    assert problem(refused) == (422, "request-invalid")
    assert [one["pointer"] for one in refused.json()["errors"]] == ["#/notice/country"]
    assert "Zarina" not in refused.text
