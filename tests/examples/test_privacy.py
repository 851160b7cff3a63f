"""Tests of the access to a person's data, and of the access log."""

import pytest

from tests.support.world import (
    Json,
    Someone,
    get_path,
    get_problem,
    make_acceptance,
    make_consent,
    make_service_consent,
    unwrap,
)

NAMES = ["Ойгул Ғаниева", "Oygʻul Gʻaniyeva", "María José Núñez", "عَائِشَة"]
NEED = "A safe bed, and a doctor who speaks Uzbek"
IDENTITY = "sections/identity"


@pytest.fixture
def case(officer: Someone, lead: Someone) -> Json:
    """Return a case whose lead may read the needs, but not the names."""
    given = [make_consent(), make_service_consent()]
    sections = [
        {"section": "needs", "summary": NEED},
        {"section": "identity", "names": NAMES},
    ]
    return lead.take_lead(officer.submit(consents=given, sections=sections))


def test_a_name_is_given_back_as_it_was_written(officer: Someone, case: Json) -> None:
    opened = unwrap(officer.open(f"{get_path(case)}/{IDENTITY}"))

    assert opened["content"]["names"] == NAMES


def test_what_the_consent_does_not_cover_is_not_opened(lead: Someone, case: Json) -> None:
    """A lead cannot read the identity if the consent covers only needs and contact."""
    refused = lead.open(f"{get_path(case)}/{IDENTITY}")

    assert get_problem(refused) == (404, "not-found")
    assert not any(name in refused.text for name in NAMES)


def test_each_reading_is_logged_and_so_is_each_refusal(lead: Someone, case: Json) -> None:
    unwrap(lead.open(f"{get_path(case)}/sections/needs"))
    lead.open(f"{get_path(case)}/{IDENTITY}")

    logged = unwrap(lead.get(f"{get_path(case)}/access-log", limit=200))["items"]

    found = [(one["focal_point"], one["subject"], one["allowed"]) for one in logged]
    assert ("KZ_LEAD", "needs", True) in found
    assert ("KZ_LEAD", "identity", False) in found


def test_a_consent_that_is_withdrawn_ends_what_it_allowed(
    lead: Someone, shelter: Someone, case: Json
) -> None:
    """If the recipient records that a consent is withdrawn, its referral and access end."""
    sent = unwrap(lead.refer(case, shelter.code))
    unwrap(shelter.does("accept", sent, make_acceptance()))
    unwrap(shelter.open(f"{get_path(case)}/sections/needs"))
    consents = unwrap(lead.get(f"{get_path(case)}/consents"))["items"]
    [given] = [one["id"] for one in consents if "SHELTER" in one["purposes"]]

    unwrap(shelter.send(f"{get_path(case)}/consents/{given}/withdraw"))

    assert lead.read(sent)["state"] == "withdrawn"
    closed = shelter.open(f"{get_path(case)}/sections/needs")
    assert get_problem(closed) == (404, "not-found")


def test_an_event_says_that_something_happened_and_nothing_about_whom(
    officer: Someone, case: Json
) -> None:
    answer = officer.get("/events", limit=200)

    assert {one["subject"] for one in unwrap(answer)["items"]} == {f"cases/{case['code']}"}
    assert not any(word in answer.text for word in (*NAMES, NEED, "SHELTER"))


def test_bad_input_is_pointed_at_and_not_repeated(officer: Someone) -> None:
    refused = officer.create_case(summary={"country": "Zarina"})

    assert get_problem(refused) == (422, "request-invalid")
    assert [one["pointer"] for one in refused.json()["errors"]] == ["#/summary/country"]
    assert "Zarina" not in refused.text
