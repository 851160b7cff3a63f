"""Offices that act after their deadline get the responses that docs/mechanism.md states."""

from pathlib import Path

from tests.support.world import (
    Json,
    Someone,
    World,
    get_path,
    get_problem,
    list_types,
    make_acceptance,
    make_consent,
    unwrap,
)

PAGE = Path(__file__).parents[2] / "docs" / "mechanism.md"
NGOS = make_consent(recipient_class={"kind": "non_state", "country": "KZ"})
SHELTER = "KZ_SHELTER_KOGERSHIN"


def read_page() -> str:
    """Return the paragraph about late answers in docs/mechanism.md, as one line."""
    [_, paragraph] = PAGE.read_text("utf-8").split("- **A late answer**")
    return " ".join(paragraph.split("\n\n")[0].split())


def acknowledge_late(lead: Someone, case: Json) -> Json:
    """Acknowledge a case, and return the status and body, without the id of the request."""
    answer = lead.send(f"{get_path(case)}/acknowledge", if_match=f'"1.{"0" * 16}"')
    return {**answer.json(), "instance": "", "status": answer.status_code}


def test_late_lead_is_answered_like_an_office_that_turned_out_to_be_feared(
    world: World, officer: Someone, lead: Someone
) -> None:
    late, feared = (officer.submit(consents=[make_consent(), NGOS]) for _ in range(2))
    guards = {"country_of_origin": "UZ", "unsafe_focal_points": [lead.code]}
    tag = {"If_Match": officer.get_tag(feared)}
    unwrap(officer.ask("PUT", f"{get_path(feared)}/safeguards", guards, headers=tag))
    world.wait(hours=3)

    answers = [acknowledge_late(lead, case) for case in (late, feared)]

    assert answers[0] == answers[1]
    assert answers[0]["type"] == "/problems/not-found"
    assert "case.not_acknowledged" in list_types(lead.poll())
    assert (
        'is "not found" for it, as for any office without a part in the case' in read_page()
    )


def test_late_recipient_is_told_that_the_referral_has_expired(
    world: World, officer: Someone, lead: Someone, shelter: Someone
) -> None:
    referral = unwrap(lead.refer(lead.take_lead(officer.submit()), SHELTER))
    for _ in range(4):
        world.wait(hours=12)

    refused = shelter.does("accept", referral, make_acceptance("2026-06-20T09:00:00Z"))

    assert get_problem(refused) == (409, "action-illegal")
    assert refused.json()["state"] == "expired"
    assert "says that the referral is `expired`" in read_page()
