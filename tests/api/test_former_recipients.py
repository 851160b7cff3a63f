"""A recipient whose help has ended keeps its own referral and loses sight of the case."""

import pytest

from tests.support.world import (
    Json,
    Someone,
    World,
    consent,
    done,
    for_handover,
    for_services,
    kinds,
    path_of,
    problem,
    promise,
    taking,
)

SHELTER, LAWYER = "KZ_SHELTER_KOGERSHIN", "KZ_LEGAL_AID"
HIDDEN = (404, "not-found")
NO: Json = {"reason": "NO_CAPACITY"}
BACK: Json = {"reason": "NO_LONGER_NEEDED"}
ON: Json = {"reason": "NO_CAPACITY", "alternative": "KZ_SHELTER_TANSHOLPAN"}
FEARED: Json = {"country_of_origin": "UZ", "unsafe_focal_points": [SHELTER]}


@pytest.fixture
def case(officer: Someone, lead: Someone) -> Json:
    given = [consent(), for_services(), for_handover("IOM")]
    return lead.leads(officer.submits(consents=given))


def is_hidden(who: Someone, case: Json) -> bool:
    """Return whether an office finds nothing of a case."""
    path = path_of(case)
    parts = ("", "/history", "/evidence", "/consents", "/facts", "/questions", "/routing")
    found = {problem(who.get(f"{path}{part}")) for part in parts}
    return found == {HIDDEN} and done(who.get("/cases"))["items"] == []


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
    sent = done(lead.refers(case, SHELTER))
    assert shelter.sees(case)["you_are"] == ["recipient"]
    shelter.hears()

    done({"lead": lead, "shelter": shelter}[by].does(action, sent, body))

    assert is_hidden(shelter, case)
    seen = shelter.sees(sent)
    assert (seen["you_are"], seen["sender"]) == (["recipient"], None)
    assert [one["id"] for one in done(shelter.get("/referrals", side="recipient"))["items"]]
    assert [kind for _, kind, _ in shelter.waits()] == ["confirm_deletion"]
    assert len(shelter.hears()) == 1
    assert shelter.does("confirm-deletion", sent).status_code == 204
    assert problem(shelter.get(path_of(sent))) == HIDDEN


def test_who_declined_is_not_told_where_the_person_is_led_or_by_whom(
    world: World, lead: Someone, shelter: Someone, case: Json
) -> None:
    sent = done(lead.refers(case, SHELTER))
    done(shelter.does("decline", sent, NO))
    kept, heard = shelter.sees(sent), shelter.get("/events").json()["items"]

    done(world.someone("IOM").does("accept", done(lead.offers(case, "IOM")), taking()))
    done(world.someone("IOM").does("relocate", case, {"country": "TT"}))

    assert (shelter.sees(sent), shelter.get("/events").json()["items"]) == (kept, heard)
    assert done(shelter.get("/cases", country="TT"))["items"] == []


def test_who_helps_with_something_else_goes_on_seeing_the_case(
    lead: Someone, shelter: Someone, case: Json
) -> None:
    told = (["needs"], ["contact"])
    first, second = (done(lead.refers(case, SHELTER, sections=one)) for one in told)

    done(shelter.does("decline", first, NO))

    assert shelter.sees(case)["you_are"] == ["former_recipient", "recipient"]
    assert shelter.sees(first)["sender"] == shelter.sees(second)["sender"] == "KZ_LEAD"


def complete_referral(lead: Someone, helper: Someone, case: Json, service: str) -> Json:
    sent = done(lead.refers(case, helper.code, service=service))
    done(helper.does("accept", sent, promise()))
    done(helper.does("start", sent, {"person_met": True}))
    report = {"outcome": "delivered", "feedback": "Well"}
    done(helper.does("complete", sent, report))
    return sent


def test_whose_help_is_over_does_not_follow_across_a_border(
    lead: Someone, shelter: Someone, lawyer: Someone, case: Json
) -> None:
    sent = complete_referral(lead, shelter, case, "SHELTER")
    advice = done(lead.refers(case, LAWYER, service="LEGAL_AID"))
    before = shelter.sees(case)["notice"]["country"]

    done(lead.does("relocate", case, {"country": "TT"}))

    assert before == "KZ"
    assert is_hidden(shelter, case)
    assert shelter.sees(sent)["state"] == "completed"
    assert lawyer.sees(case)["notice"]["country"] == "TT"
    assert lawyer.sees(advice)["sender"] == "KZ_LEAD"


def test_who_has_helped_and_turns_out_to_be_feared_loses_the_case(
    lead: Someone, shelter: Someone, case: Json
) -> None:
    sent = complete_referral(lead, shelter, case, "SHELTER")
    shelter.hears()
    match = {"If_Match": lead.tag(case)}

    done(lead.ask("PUT", f"{path_of(case)}/safeguards", FEARED, headers=match))

    assert is_hidden(shelter, case)
    assert shelter.sees(sent)["sender"] is None
    assert shelter.hears() == []


def test_a_feared_recipient_does_not_follow_the_lead(
    world: World, lead: Someone, shelter: Someone, case: Json
) -> None:
    sent = done(lead.refers(case, SHELTER))
    done(shelter.does("accept", sent, promise()))
    match = {"If_Match": lead.tag(case)}
    done(lead.ask("PUT", f"{path_of(case)}/safeguards", FEARED, headers=match))

    done(world.someone("IOM").does("accept", done(lead.offers(case, "IOM")), taking()))

    assert is_hidden(shelter, case)
    assert "IOM" not in shelter.get(path_of(sent)).text
    assert kinds(shelter.hears())[-1] == "referral.withdrawn"
