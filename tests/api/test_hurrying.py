"""What another priority does to running deadlines: none moves past its first date."""

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
    promise,
)

SHELTER = "KZ_SHELTER_KOGERSHIN"
ASKED = {"topics": ["needs"], "question": "Which papers are there?"}
NGOS = consent(recipient_class={"kind": "non_state", "country": "KZ"})


def set_priority(who: Someone, case: Json, priority: str) -> Json:
    """Change the priority of a case."""
    path, seen = f"/cases/{case['code']}", {"If_Match": who.tag(case)}
    return done(who.ask("PATCH", path, {"priority": priority}, headers=seen))


def test_more_haste_leaves_all_the_new_time_and_no_more_than_there_was(
    world: World, officer: Someone
) -> None:
    case = officer.submits()
    assert case["due_at"] == "2026-06-01T15:00:00Z"
    world.passes(minutes=30)

    assert set_priority(officer, case, "emergency")["due_at"] == "2026-06-01T13:30:00Z"
    assert set_priority(officer, case, "urgent")["due_at"] == "2026-06-01T15:00:00Z"
    world.passes(hours=2, minutes=10)
    assert set_priority(officer, case, "emergency")["due_at"] == "2026-06-01T15:00:00Z"


def test_no_change_of_priority_pushes_a_clock(world: World, officer: Someone) -> None:
    case = officer.submits()
    for priority in ("emergency", "normal", "emergency", "urgent"):
        world.passes(minutes=40)
        changed = set_priority(officer, case, priority)

    assert changed["due_at"] == case["due_at"] == "2026-06-01T15:00:00Z"


def test_nobody_loses_a_case_by_a_deadline_it_never_had(
    world: World, officer: Someone, lead: Someone
) -> None:
    case = officer.submits(consents=[consent(), NGOS], notice={"priority": "normal"})
    world.passes(minutes=90)

    set_priority(officer, case, "emergency")
    set_priority(officer, case, "normal")

    assert world.works() == 0
    assert lead.sees(case)["holder"] == "KZ_LEAD"
    set_priority(officer, case, "emergency")
    world.waits_for(minutes=59)
    assert officer.sees(case)["holder"] == "KZ_LEAD"
    world.waits_for(minutes=1)
    assert officer.sees(case)["holder"] == "SANA_SEZIM"


def test_whoever_has_another_time_is_told_and_not_by_whom(
    world: World, officer: Someone, lead: Someone, shelter: Someone
) -> None:
    case = lead.leads(officer.submits())
    told_of = (["needs"], ["contact"])
    new, read = (done(lead.refers(case, SHELTER, sections=one)) for one in told_of)
    done(shelter.does("acknowledge", read))
    before = [shelter.sees(one)["due_at"] for one in (new, read)]
    shelter.hears()
    world.passes(minutes=10)

    set_priority(lead, case, "emergency")

    assert before == ["2026-06-01T15:00:00Z", "2026-06-04T12:00:00Z"]
    assert [shelter.sees(one)["due_at"] for one in (new, read)] == [
        "2026-06-01T13:10:00Z",
        "2026-06-02T12:10:00Z",
    ]
    told = [(event["type"], event["subject"], event["by"]) for event in shelter.hears()]
    subjects = [f"referrals/{one['id']}" for one in (new, read)]
    assert told == [("referral.due_changed", one, None) for one in subjects]


def test_a_referral_in_time_does_not_end_because_there_is_more_haste(
    world: World, officer: Someone, lead: Someone, shelter: Someone
) -> None:
    case = lead.leads(officer.submits(notice={"priority": "normal"}))
    asked = done(lead.refers(case, SHELTER))
    done(shelter.does("acknowledge", asked))
    world.passes(days=2)

    set_priority(lead, case, "emergency")

    world.waits_for(hours=23)
    assert shelter.sees(asked)["state"] == "received"
    world.waits_for(hours=1)
    assert lead.sees(asked)["state"] == "expired"


def test_what_is_late_already_is_looked_at_as_soon_as_the_new_haste_says(
    world: World, officer: Someone, lead: Someone, shelter: Someone
) -> None:
    case = lead.leads(officer.submits(notice={"priority": "normal"}))
    asked = done(lead.refers(case, SHELTER))
    done(shelter.does("accept", asked, promise()))
    world.waits_for(days=15)
    lead.hears()

    set_priority(lead, case, "emergency")

    world.waits_for(hours=23)
    assert "referral.overdue" not in kinds(lead.hears())
    world.waits_for(hours=1)
    assert "referral.overdue" in kinds(lead.hears())


def test_what_was_paused_goes_on_with_no_more_than_the_new_haste_leaves(
    world: World, officer: Someone, lead: Someone, lawyer: Someone
) -> None:
    case = lead.leads(officer.submits(notice={"priority": "normal"}))
    asked = done(lead.refers(case, lawyer.code, service="LEGAL_AID"))
    done(lawyer.does("acknowledge", asked))
    rest = {"reason": "SAFETY", "review_at": "2026-06-05T12:00:00Z"}
    done(lead.does("suspend", case, rest))
    set_priority(lead, case, "emergency")
    world.passes(hours=1)

    done(lead.does("resume", case))

    assert lawyer.sees(asked)["due_at"] == "2026-06-02T13:00:00Z"


def test_an_offer_is_hurried_and_who_handed_the_case_on_learns_of_nothing(
    officer: Someone, lead: Someone, ngo: Someone
) -> None:
    given = [consent(), NGOS, for_services(), for_handover("SANA_SEZIM")]
    guards = {"country_of_origin": "UZ", "origin_contact": "permitted"}
    new = {"consents": given, "safeguards": guards, "notice": {"priority": "normal"}}
    case = lead.leads(officer.submits(**new))
    offered = done(lead.offers(case, "SANA_SEZIM"))
    done(lead.creates(f"{path_of(case)}/questions", ASKED))
    waits = officer.waits()
    for one in (officer, ngo):
        one.hears()

    set_priority(lead, case, "emergency")

    assert ngo.sees(offered)["due_at"] == "2026-06-02T12:00:00Z"
    assert kinds(ngo.hears()) == ["handover.due_changed"]
    assert officer.hears() == []
    assert officer.waits() == waits


def test_a_question_to_who_still_has_a_say_in_the_notice_is_hurried(
    officer: Someone, lead: Someone
) -> None:
    case = officer.submits(notice={"priority": "normal"})
    done(lead.does("acknowledge", case))
    done(lead.creates(f"{path_of(case)}/questions", ASKED))

    set_priority(officer, case, "emergency")

    [(_, _, due)] = [one for one in officer.waits() if one[1] == "answer"]
    assert due == "2026-06-01T16:00:00Z"


@pytest.fixture
def ngo(world: World) -> Someone:
    return world.someone("SANA_SEZIM")
