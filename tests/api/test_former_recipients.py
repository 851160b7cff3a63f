"""Tests of recipients whose referral has ended: what they lose, and what they still see."""

import pytest

from tests.support.world import (
    Json,
    Someone,
    World,
    get_path,
    get_problem,
    list_types,
    make_acceptance,
    make_consent,
    make_handover_consent,
    make_service_consent,
    make_takeover,
    unwrap,
)

SHELTER, LAWYER = "KZ_SHELTER_KOGERSHIN", "KZ_LEGAL_AID"
HIDDEN = (404, "not-found")
NO: Json = {"reason": "NO_CAPACITY"}
BACK: Json = {"reason": "NO_LONGER_NEEDED"}
ON: Json = {"reason": "NO_CAPACITY", "alternative": "KZ_SHELTER_TANSHOLPAN"}
FEARED: Json = {"country_of_origin": "UZ", "unsafe_focal_points": [SHELTER]}


@pytest.fixture
def case(officer: Someone, lead: Someone) -> Json:
    given = [make_consent(), make_service_consent(), make_handover_consent("IOM")]
    return lead.take_lead(officer.submit(consents=given))


def is_hidden(who: Someone, case: Json) -> bool:
    """Return whether an office can read nothing about a case."""
    path = get_path(case)
    parts = ("", "/history", "/evidence", "/consents", "/facts", "/questions", "/routing")
    found = {get_problem(who.get(f"{path}{part}")) for part in parts}
    return found == {HIDDEN} and unwrap(who.get("/cases"))["items"] == []


@pytest.mark.parametrize(
    ("by", "action", "body"),
    [
        ("shelter", "decline", NO),
        ("shelter", "redirect", ON),
        ("lead", "revoke", BACK),
        ("lead", "withdraw", BACK),
    ],
)
def test_when_a_referral_ends_its_recipient_loses_the_case_and_keeps_the_referral(  # noqa: PLR0913, PLR0917
    lead: Someone, shelter: Someone, case: Json, by: str, action: str, body: Json
) -> None:
    sent = unwrap(lead.refer(case, SHELTER))
    assert shelter.read(case)["you_are"] == ["recipient"]
    shelter.poll()

    unwrap({"lead": lead, "shelter": shelter}[by].does(action, sent, body))

    assert is_hidden(shelter, case)
    seen = shelter.read(sent)
    assert (seen["you_are"], seen["sender"]) == (["recipient"], None)
    assert [
        one["id"] for one in unwrap(shelter.get("/referrals", side="recipient"))["items"]
    ]
    assert [kind for _, kind, _ in shelter.get_worklist()] == ["confirm_deletion"]
    assert len(shelter.poll()) == 1
    assert shelter.does("confirm-deletion", sent).status_code == 204
    assert get_problem(shelter.get(get_path(sent))) == HIDDEN


def test_who_declined_is_not_told_where_the_person_is_led_or_by_whom(
    world: World, lead: Someone, shelter: Someone, case: Json
) -> None:
    sent = unwrap(lead.refer(case, SHELTER))
    unwrap(shelter.does("decline", sent, NO))
    kept, received = shelter.read(sent), shelter.get("/events").json()["items"]

    unwrap(
        world.add_person("IOM").does(
            "accept", unwrap(lead.offer(case, "IOM")), make_takeover()
        )
    )
    unwrap(world.add_person("IOM").does("relocate", case, {"country": "TT"}))

    assert (shelter.read(sent), shelter.get("/events").json()["items"]) == (kept, received)
    assert unwrap(shelter.get("/cases", country="TT"))["items"] == []


def test_who_helps_with_something_else_goes_on_seeing_the_case(
    lead: Someone, shelter: Someone, case: Json
) -> None:
    sections = (["needs"], ["contact"])
    first, second = (unwrap(lead.refer(case, SHELTER, sections=one)) for one in sections)

    unwrap(shelter.does("decline", first, NO))

    assert shelter.read(case)["you_are"] == ["former_recipient", "recipient"]
    assert shelter.read(first)["sender"] == shelter.read(second)["sender"] == "KZ_LEAD"


def complete_referral(lead: Someone, helper: Someone, case: Json, service: str) -> Json:
    sent = unwrap(lead.refer(case, helper.code, service=service))
    unwrap(helper.does("accept", sent, make_acceptance()))
    unwrap(helper.does("start", sent, {"person_met": True}))
    report = {"outcome": "delivered", "feedback": "Well"}
    unwrap(helper.does("complete", sent, report))
    return sent


def test_whose_help_is_over_does_not_follow_across_a_border(
    lead: Someone, shelter: Someone, lawyer: Someone, case: Json
) -> None:
    sent = complete_referral(lead, shelter, case, "SHELTER")
    advice = unwrap(lead.refer(case, LAWYER, service="LEGAL_AID"))
    before = shelter.read(case)["summary"]["country"]

    unwrap(lead.does("relocate", case, {"country": "TT"}))

    assert before == "KZ"
    assert is_hidden(shelter, case)
    assert shelter.read(sent)["state"] == "completed"
    assert lawyer.read(case)["summary"]["country"] == "TT"
    assert lawyer.read(advice)["sender"] == "KZ_LEAD"


def test_who_has_helped_and_turns_out_to_be_feared_loses_the_case(
    lead: Someone, shelter: Someone, case: Json
) -> None:
    sent = complete_referral(lead, shelter, case, "SHELTER")
    shelter.poll()
    match = {"If_Match": lead.get_tag(case)}

    unwrap(lead.ask("PUT", f"{get_path(case)}/safeguards", FEARED, headers=match))

    assert is_hidden(shelter, case)
    assert shelter.read(sent)["sender"] is None
    assert shelter.poll() == []


def test_a_feared_recipient_does_not_follow_the_lead(
    world: World, lead: Someone, shelter: Someone, case: Json
) -> None:
    sent = unwrap(lead.refer(case, SHELTER))
    unwrap(shelter.does("accept", sent, make_acceptance()))
    match = {"If_Match": lead.get_tag(case)}
    unwrap(lead.ask("PUT", f"{get_path(case)}/safeguards", FEARED, headers=match))

    unwrap(
        world.add_person("IOM").does(
            "accept", unwrap(lead.offer(case, "IOM")), make_takeover()
        )
    )

    assert is_hidden(shelter, case)
    assert "IOM" not in shelter.get(get_path(sent)).text
    assert list_types(shelter.poll())[-1] == "referral.withdrawn"
