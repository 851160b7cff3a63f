"""Tests of a vital interest: what it permits without a consent, and for how long."""

import pytest

from app.kernel.actors import Role
from tests.support.world import (
    Json,
    Someone,
    World,
    get_path,
    get_problem,
    get_unmet,
    list_types,
    make_acceptance,
    make_consent,
    make_service_consent,
    unwrap,
)

SHELTER = "KZ_SHELTER_KOGERSHIN"
VITAL: Json = {"reason": "RISK_TO_LIFE", "note": "He knows where she is"}
SHUT = ("sections/needs", "sections/contact", "sections/identity", "safeguards")


def declare_interest(who: Someone, case: Json) -> Json:
    return unwrap(who.create(f"{get_path(case)}/vital-interests", VITAL))


@pytest.fixture
def case(officer: Someone, lead: Someone) -> Json:
    """Return a case that has a lead and no consent to a service."""
    return lead.take_lead(officer.submit(consents=[make_consent()]))


def test_a_case_goes_before_a_consent_with_the_notice_and_the_safety_notice(
    world: World, officer: Someone, lead: Someone
) -> None:
    watcher = world.add_person("OVERSIGHT_DEMO", {Role.PROTECTION_OFFICER})

    case = officer.submit(consents=[], vital_interest=VITAL)

    assert lead.read(case)["summary"]["country"] == "KZ"
    assert unwrap(lead.open(f"{get_path(case)}/safety-alert"))["safety_alert"] == "Two men"
    unwrap(lead.does("acknowledge", case))
    for sealed in SHUT[:3]:
        assert get_problem(lead.open(f"{get_path(case)}/{sealed}")) == (404, "not-found")
    for one in (lead, watcher):
        assert "case.vital_interest_declared" in list_types(one.poll())
        assert "He knows" not in one.get("/events", limit=200).text


def test_it_is_declared_with_a_reason_and_holds_for_four_hours(
    world: World, officer: Someone, lead: Someone, case: Json
) -> None:
    watcher = world.add_person("OVERSIGHT_DEMO", {Role.PROTECTION_OFFICER})
    watcher.poll(), lead.poll(), officer.poll()

    declared = declare_interest(lead, case)

    assert declared["reason"] == "RISK_TO_LIFE"
    assert (declared["declared_at"], declared["holds_until"]) == (
        "2026-06-01T12:00:00Z",
        "2026-06-01T16:00:00Z",
    )
    for one in (lead, watcher):
        [event] = one.poll()
        assert (event["type"], event["by"]) == ("case.vital_interest_declared", "KZ_LEAD")
        assert event["facts"] == {"reason": "RISK_TO_LIFE"}
    assert officer.poll() == []
    assert ("vital_interest", VITAL["note"]) in lead.list_notes(case)
    assert watcher.list_notes(case) == []


def test_a_service_is_asked_for_with_the_notice_alone(
    lead: Someone, shelter: Someone, case: Json
) -> None:
    declare_interest(lead, case)

    more = lead.refer(case, SHELTER)
    sent = unwrap(lead.refer(case, SHELTER, sections=[]))

    assert get_unmet(more) == [("consent", "sender")]
    assert unwrap(shelter.open(f"{get_path(case)}/safety-alert"))["safety_alert"]
    unwrap(shelter.does("accept", sent, make_acceptance()))
    for sealed in SHUT:
        assert get_problem(shelter.open(f"{get_path(case)}/{sealed}")) == (404, "not-found")
    assert shelter.list_notes(case) == []


@pytest.mark.parametrize(("minutes", "sends"), [(239, True), (240, False)])
def test_after_four_hours_it_holds_no_more(
    world: World, lead: Someone, case: Json, minutes: int, *, sends: bool
) -> None:
    declare_interest(lead, case)
    world.advance(minutes=minutes)

    assert lead.refer(case, SHELTER, sections=[]).is_success == sends


def test_what_was_sent_in_time_is_taken_on_when_it_has_lapsed(
    world: World, lead: Someone, shelter: Someone, case: Json
) -> None:
    declare_interest(lead, case)
    sent = unwrap(lead.refer(case, SHELTER, sections=[]))
    world.advance(hours=4)

    assert unwrap(shelter.does("accept", sent, make_acceptance()))["state"] == "accepted"


def test_a_draft_waits_no_longer_than_it_holds(world: World, officer: Someone) -> None:
    draft = unwrap(officer.create_case(consents=[], vital_interest=VITAL))
    world.advance(hours=4)

    late = officer.does("submit", draft)
    declare_interest(officer, draft)

    assert get_unmet(late) == [("consent_to_refer", "submitter")]
    assert unwrap(officer.does("submit", draft))["state"] == "submitted"


def test_a_case_without_consent_is_led_and_ends_at_the_desk_when_nobody_takes_it(
    world: World, officer: Someone, lead: Someone
) -> None:
    case = officer.submit(consents=[], vital_interest=VITAL)
    taken = lead.take_lead(case)
    other = officer.submit(consents=[], vital_interest=VITAL)
    world.advance(hours=4)
    lead.does("decline-lead", other, {"reason": "NO_CAPACITY"})

    assert taken["state"] == "referring"
    assert officer.read(other)["holder"] == "DESK_CENTRAL_ASIA"


def test_safety_comes_before_any_vital_interest(world: World, officer: Someone) -> None:
    guards = {"country_of_origin": "KZ", "fear_of_state": True}
    guards |= {"unsafe_focal_points": [SHELTER]}

    case = officer.submit(consents=[], vital_interest=VITAL, safeguards=guards)

    holder = world.add_person(officer.read(case)["holder"])
    assert holder.code != "KZ_LEAD"
    sent = holder.refer(case, SHELTER, sections=[])
    assert get_unmet(sent) == [("consent", "sender")]  # The desk must not know of the fear.


def test_a_question_is_answered_with_no_word_more(
    lead: Someone, shelter: Someone, case: Json
) -> None:
    declare_interest(lead, case)
    sent = unwrap(lead.refer(case, SHELTER, sections=[]))
    unwrap(shelter.does("ask", sent, {"topics": ["needs"], "question": "How old?"}))

    words = lead.does("answer", sent, {"answer": "Oygul is 30"})
    nothing = lead.does("answer", sent, {})

    assert get_unmet(words) == [("consent_to_answer", "sender")]
    assert unwrap(nothing)["state"] == "received"


def test_who_writes_or_holds_a_case_declares_and_nobody_else(  # noqa: PLR0913, PLR0917
    world: World,
    officer: Someone,
    lead: Someone,
    shelter: Someone,
    stranger: Someone,
    supervisor: Someone,
) -> None:
    case = lead.take_lead(officer.submit(consents=[make_consent(), make_service_consent()]))
    unwrap(lead.refer(case, SHELTER))
    watcher = world.add_person("OVERSIGHT_DEMO", {Role.PROTECTION_OFFICER, Role.CASEWORKER})
    path = f"{get_path(case)}/vital-interests"

    for one in (officer, shelter, watcher):
        assert get_problem(one.create(path, VITAL)) == (403, "action-not-yours")
    assert get_problem(supervisor.create(path, VITAL)) == (403, "role-missing")
    assert get_problem(stranger.create(path, VITAL)) == (404, "not-found")
    assert get_problem(lead.send(path, VITAL)) == (400, "idempotency-key-missing")
    both = [lead.create(path, VITAL, "once") for _ in range(2)]
    assert unwrap(both[0]) == unwrap(both[1])
    unwrap(lead.does("stop", case, {"reason": "SURVIVOR_REQUEST"}))
    assert get_problem(lead.create(path, VITAL)) == (409, "action-illegal")


def test_no_field_alone_is_enough(lead: Someone, case: Json) -> None:
    path = f"{get_path(case)}/vital-interests"

    for name in VITAL:
        assert lead.create(path, {name: VITAL[name]}).status_code == 422
