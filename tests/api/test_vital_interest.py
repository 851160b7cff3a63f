"""Tests of what vital interest allows before a consent, for how long, and its events."""

import pytest

from app.kernel.actors import Role
from tests.support.world import (
    Json,
    Someone,
    World,
    consent,
    done,
    for_services,
    kinds,
    lacks,
    path_of,
    problem,
    promise,
)

SHELTER = "KZ_SHELTER_KOGERSHIN"
VITAL: Json = {"reason": "RISK_TO_LIFE", "note": "He knows where she is"}
SHUT = ("sections/needs", "sections/contact", "sections/identity", "safeguards")


def declare_interest(who: Someone, case: Json) -> Json:
    return done(who.creates(f"{path_of(case)}/vital-interests", VITAL))


@pytest.fixture
def case(officer: Someone, lead: Someone) -> Json:
    """A case that has a lead and no consent to a service."""
    return lead.leads(officer.submits(consents=[consent()]))


def test_a_case_goes_before_a_consent_with_the_notice_and_the_safety_notice(
    world: World, officer: Someone, lead: Someone
) -> None:
    watcher = world.someone("OVERSIGHT_DEMO", {Role.PROTECTION_OFFICER})

    case = officer.submits(consents=[], vital_interest=VITAL)

    assert lead.sees(case)["notice"]["country"] == "KZ"
    assert done(lead.opens(f"{path_of(case)}/safety-notice"))["safety_notice"] == "Two men"
    done(lead.does("acknowledge", case))
    for sealed in SHUT[:3]:
        assert problem(lead.opens(f"{path_of(case)}/{sealed}")) == (404, "not-found")
    for one in (lead, watcher):
        assert "case.vital_interest" in kinds(one.hears())
        assert "He knows" not in one.get("/events", limit=200).text


def test_it_is_declared_with_a_reason_and_holds_for_four_hours(
    world: World, officer: Someone, lead: Someone, case: Json
) -> None:
    watcher = world.someone("OVERSIGHT_DEMO", {Role.PROTECTION_OFFICER})
    watcher.hears(), lead.hears(), officer.hears()

    declared = declare_interest(lead, case)

    assert declared["reason"] == "RISK_TO_LIFE"
    assert (declared["declared_at"], declared["holds_until"]) == (
        *("2026-06-01T12:00:00Z", "2026-06-01T16:00:00Z"),
    )
    for one in (lead, watcher):
        [told] = one.hears()
        assert (told["type"], told["by"]) == ("case.vital_interest", "KZ_LEAD")
        assert told["facts"] == {"reason": "RISK_TO_LIFE"}
    assert officer.hears() == []
    assert ("vital_interest", VITAL["note"]) in lead.notes(case)
    assert watcher.notes(case) == []


def test_a_service_is_asked_for_with_the_notice_alone(
    lead: Someone, shelter: Someone, case: Json
) -> None:
    declare_interest(lead, case)

    more = lead.refers(case, SHELTER)
    sent = done(lead.refers(case, SHELTER, sections=[]))

    assert lacks(more) == [("consent", "sender")]
    assert done(shelter.opens(f"{path_of(case)}/safety-notice"))["safety_notice"]
    done(shelter.does("accept", sent, promise()))
    for sealed in SHUT:
        assert problem(shelter.opens(f"{path_of(case)}/{sealed}")) == (404, "not-found")
    assert shelter.notes(case) == []


@pytest.mark.parametrize(("minutes", "sends"), [(239, True), (240, False)])
def test_after_four_hours_it_holds_no_more(
    world: World, lead: Someone, case: Json, minutes: int, *, sends: bool
) -> None:
    declare_interest(lead, case)
    world.passes(minutes=minutes)

    assert lead.refers(case, SHELTER, sections=[]).is_success == sends


def test_what_was_sent_in_time_is_taken_on_when_it_has_lapsed(
    world: World, lead: Someone, shelter: Someone, case: Json
) -> None:
    declare_interest(lead, case)
    sent = done(lead.refers(case, SHELTER, sections=[]))
    world.passes(hours=4)

    assert done(shelter.does("accept", sent, promise()))["state"] == "accepted"


def test_a_draft_waits_no_longer_than_it_holds(world: World, officer: Someone) -> None:
    draft = done(officer.writes_case(consents=[], vital_interest=VITAL))
    world.passes(hours=4)

    late = officer.does("submit", draft)
    declare_interest(officer, draft)

    assert lacks(late) == [("consent_to_refer", "submitter")]
    assert done(officer.does("submit", draft))["state"] == "submitted"


def test_a_case_without_consent_is_led_and_ends_at_the_desk_when_nobody_takes_it(
    world: World, officer: Someone, lead: Someone
) -> None:
    case = officer.submits(consents=[], vital_interest=VITAL)
    taken = lead.leads(case)
    other = officer.submits(consents=[], vital_interest=VITAL)
    world.passes(hours=4)
    lead.does("decline-lead", other, {"reason": "NO_CAPACITY"})

    assert taken["state"] == "referring"
    assert officer.sees(other)["holder"] == "DESK_CENTRAL_ASIA"


def test_safety_comes_before_any_vital_interest(world: World, officer: Someone) -> None:
    guards = {"country_of_origin": "KZ", "fear_of_state": True}
    guards |= {"unsafe_focal_points": [SHELTER]}

    case = officer.submits(consents=[], vital_interest=VITAL, safeguards=guards)

    holder = world.someone(officer.sees(case)["holder"])
    assert holder.code != "KZ_LEAD"
    sent = holder.refers(case, SHELTER, sections=[])
    assert lacks(sent) == [("consent", "sender")]  # The desk may not know of the fear.


def test_a_question_is_answered_with_no_word_more(
    lead: Someone, shelter: Someone, case: Json
) -> None:
    declare_interest(lead, case)
    sent = done(lead.refers(case, SHELTER, sections=[]))
    done(shelter.does("ask", sent, {"topics": ["needs"], "question": "How old?"}))

    words = lead.does("answer", sent, {"answer": "Oygul is 30"})
    nothing = lead.does("answer", sent, {})

    assert lacks(words) == [("consent_to_answer", "sender")]
    assert done(nothing)["state"] == "received"


def test_who_writes_or_holds_a_case_declares_and_nobody_else(  # noqa: PLR0913, PLR0917
    world: World,
    officer: Someone,
    lead: Someone,
    shelter: Someone,
    stranger: Someone,
    supervisor: Someone,
) -> None:
    case = lead.leads(officer.submits(consents=[consent(), for_services()]))
    done(lead.refers(case, SHELTER))
    watcher = world.someone("OVERSIGHT_DEMO", {Role.PROTECTION_OFFICER, Role.CASEWORKER})
    path = f"{path_of(case)}/vital-interests"

    for one in (officer, shelter, watcher):
        assert problem(one.creates(path, VITAL)) == (403, "action-not-yours")
    assert problem(supervisor.creates(path, VITAL)) == (403, "role-missing")
    assert problem(stranger.creates(path, VITAL)) == (404, "not-found")
    assert problem(lead.post(path, VITAL)) == (400, "key-missing")
    both = [lead.creates(path, VITAL, "once") for _ in range(2)]
    assert done(both[0]) == done(both[1])
    done(lead.does("stop", case, {"reason": "SURVIVOR_REQUEST"}))
    assert problem(lead.creates(path, VITAL)) == (409, "action-illegal")


def test_no_field_alone_is_enough(lead: Someone, case: Json) -> None:
    path = f"{path_of(case)}/vital-interests"

    for name in VITAL:
        assert lead.creates(path, {name: VITAL[name]}).status_code == 422
