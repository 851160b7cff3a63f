"""A change of priority moves deadlines; changing it back and forth gains no time."""

import pytest

from tests.support.world import (
    Json,
    Someone,
    World,
    get_path,
    list_types,
    make_acceptance,
    make_consent,
    make_handover_consent,
    make_service_consent,
    unwrap,
)

SHELTER = "KZ_SHELTER_KOGERSHIN"
ASKED = {"topics": ["needs"], "question": "Which papers are there?"}
NGOS = make_consent(recipient_class={"kind": "non_state", "country": "KZ"})


def set_priority(who: Someone, case: Json, priority: str) -> Json:
    """Change the priority of a case."""
    path, seen = f"/cases/{case['code']}", {"If_Match": who.get_tag(case)}
    return unwrap(who.ask("PATCH", path, {"priority": priority}, headers=seen))


def test_more_haste_leaves_all_the_new_time_and_no_more_than_there_was(
    world: World, officer: Someone
) -> None:
    case = officer.submit()
    assert case["due_at"] == "2026-06-01T15:00:00Z"
    world.advance(minutes=30)

    assert set_priority(officer, case, "emergency")["due_at"] == "2026-06-01T13:30:00Z"
    assert set_priority(officer, case, "urgent")["due_at"] == "2026-06-01T15:00:00Z"
    world.advance(hours=2, minutes=10)
    assert set_priority(officer, case, "emergency")["due_at"] == "2026-06-01T15:00:00Z"


def test_no_change_of_priority_pushes_a_clock(world: World, officer: Someone) -> None:
    case = officer.submit()
    for priority in ("emergency", "normal", "emergency", "urgent"):
        world.advance(minutes=40)
        changed = set_priority(officer, case, priority)

    assert changed["due_at"] == case["due_at"] == "2026-06-01T15:00:00Z"


def test_nobody_loses_a_case_by_a_deadline_it_never_had(
    world: World, officer: Someone, lead: Someone
) -> None:
    case = officer.submit(consents=[make_consent(), NGOS], summary={"priority": "normal"})
    world.advance(minutes=90)

    set_priority(officer, case, "emergency")
    set_priority(officer, case, "normal")

    assert world.run_worker() == 0
    assert lead.read(case)["holder"] == "KZ_LEAD"
    set_priority(officer, case, "emergency")
    world.wait(minutes=59)
    assert officer.read(case)["holder"] == "KZ_LEAD"
    world.wait(minutes=1)
    assert officer.read(case)["holder"] == "SANA_SEZIM"


def test_whoever_has_another_time_is_told_and_not_by_whom(
    world: World, officer: Someone, lead: Someone, shelter: Someone
) -> None:
    case = lead.take_lead(officer.submit())
    told_of = (["needs"], ["contact"])
    new, read = (unwrap(lead.refer(case, SHELTER, sections=one)) for one in told_of)
    unwrap(shelter.does("acknowledge", read))
    before = [shelter.read(one)["due_at"] for one in (new, read)]
    shelter.poll()
    world.advance(minutes=10)

    set_priority(lead, case, "emergency")

    assert before == ["2026-06-01T15:00:00Z", "2026-06-04T12:00:00Z"]
    assert [shelter.read(one)["due_at"] for one in (new, read)] == [
        "2026-06-01T13:10:00Z",
        "2026-06-02T12:10:00Z",
    ]
    events = [(event["type"], event["subject"], event["by"]) for event in shelter.poll()]
    subjects = [f"referrals/{one['id']}" for one in (new, read)]
    assert events == [("referral.due_changed", one, None) for one in subjects]


def test_a_referral_in_time_does_not_end_because_there_is_more_haste(
    world: World, officer: Someone, lead: Someone, shelter: Someone
) -> None:
    case = lead.take_lead(officer.submit(summary={"priority": "normal"}))
    referral = unwrap(lead.refer(case, SHELTER))
    unwrap(shelter.does("acknowledge", referral))
    world.advance(days=2)

    set_priority(lead, case, "emergency")

    world.wait(hours=23)
    assert shelter.read(referral)["state"] == "received"
    world.wait(hours=1)
    assert lead.read(referral)["state"] == "expired"


def test_what_is_late_already_is_looked_at_as_soon_as_the_new_haste_says(
    world: World, officer: Someone, lead: Someone, shelter: Someone
) -> None:
    case = lead.take_lead(officer.submit(summary={"priority": "normal"}))
    referral = unwrap(lead.refer(case, SHELTER))
    unwrap(shelter.does("accept", referral, make_acceptance()))
    world.wait(days=15)
    lead.poll()

    set_priority(lead, case, "emergency")

    world.wait(hours=23)
    assert "referral.overdue" not in list_types(lead.poll())
    world.wait(hours=1)
    assert "referral.overdue" in list_types(lead.poll())


def test_what_was_paused_goes_on_with_no_more_than_the_new_haste_leaves(
    world: World, officer: Someone, lead: Someone, lawyer: Someone
) -> None:
    case = lead.take_lead(officer.submit(summary={"priority": "normal"}))
    referral = unwrap(lead.refer(case, lawyer.code, service="LEGAL_AID"))
    unwrap(lawyer.does("acknowledge", referral))
    rest = {"reason": "SAFETY", "review_at": "2026-06-05T12:00:00Z"}
    unwrap(lead.does("suspend", case, rest))
    set_priority(lead, case, "emergency")
    world.advance(hours=1)

    unwrap(lead.does("resume", case))

    assert lawyer.read(referral)["due_at"] == "2026-06-02T13:00:00Z"


def test_an_offer_is_hurried_and_who_handed_the_case_on_learns_of_nothing(
    officer: Someone, lead: Someone, ngo: Someone
) -> None:
    given = [
        make_consent(),
        NGOS,
        make_service_consent(),
        make_handover_consent("SANA_SEZIM"),
    ]
    guards = {"country_of_origin": "UZ", "origin_contact": "permitted"}
    new = {"consents": given, "safeguards": guards, "summary": {"priority": "normal"}}
    case = lead.take_lead(officer.submit(**new))
    offered = unwrap(lead.offer(case, "SANA_SEZIM"))
    unwrap(lead.create(f"{get_path(case)}/questions", ASKED))
    waits = officer.get_worklist()
    for one in (officer, ngo):
        one.poll()

    set_priority(lead, case, "emergency")

    assert ngo.read(offered)["due_at"] == "2026-06-02T12:00:00Z"
    assert list_types(ngo.poll()) == ["handover.due_changed"]
    assert officer.poll() == []
    assert officer.get_worklist() == waits


def test_a_question_to_who_still_has_a_say_in_the_notice_is_hurried(
    officer: Someone, lead: Someone
) -> None:
    case = officer.submit(summary={"priority": "normal"})
    unwrap(lead.does("acknowledge", case))
    unwrap(lead.create(f"{get_path(case)}/questions", ASKED))

    set_priority(officer, case, "emergency")

    [(_, _, due)] = [one for one in officer.get_worklist() if one[1] == "answer"]
    assert due == "2026-06-01T16:00:00Z"


@pytest.fixture
def ngo(world: World) -> Someone:
    return world.add_person("SANA_SEZIM")
