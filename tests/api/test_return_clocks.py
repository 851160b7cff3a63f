"""Tests of the deadlines of a return after a change of lead and during a suspension."""

from datetime import datetime, timedelta

import pytest

from app.kernel.actors import Role
from tests.support.returns import (
    CONSULATE,
    HOME,
    MET,
    Homecoming,
    accepted,
    begin,
    opens,
    to_return,
)
from tests.support.world import (
    Json,
    Someone,
    World,
    consent,
    done,
    for_handover,
    kinds,
    problem,
    promise,
    taking,
    travel_plan,
)


@pytest.fixture
def officer(world: World) -> Someone:
    return world.someone("UZ_CONSULATE_ALMATY")


@pytest.fixture
def first(world: World) -> Someone:
    """The first candidate for the lead."""
    return world.someone("KZ_LEAD")


def create_case_without_lead(
    world: World, officer: Someone, first: Someone, *given: Json
) -> tuple[Json, str]:
    """Return a case that has no lead yet and the reference of a return in it."""
    consents = [consent(), to_return(), *given]
    guards = {"country_of_origin": "UZ", "origin_contact": "permitted"}
    case = officer.submits(consents=consents, safeguards=guards)
    done(first.does("acknowledge", case))
    home = world.someone(HOME)
    referral = done(first.refers(case, HOME, service="RETURN"))
    done(home.does("accept", referral, promise()))
    return case, f"returns/{done(opens(first, referral))['id']}"


def list_worklist_subjects(who: Someone) -> set[str]:
    return {about for about, _, _ in who.waits()}


def test_a_candidate_that_is_feared_loses_the_clock_of_a_return_with_the_case(
    world: World, officer: Someone, first: Someone
) -> None:
    case, record = create_case_without_lead(
        world, officer, first, consent(focal_point="IOM")
    )
    assert record in list_worklist_subjects(first)
    guards = {"country_of_origin": "UZ", "origin_contact": "permitted"}
    path, tag = f"/cases/{case['code']}/safeguards", officer.tag(case)
    feared = guards | {"unsafe_focal_points": ["KZ_LEAD"]}
    done(officer.ask("PUT", path, feared, headers={"If_Match": tag}))
    assert list_worklist_subjects(first) == set()
    assert record in list_worklist_subjects(world.someone("IOM"))
    first.hears()
    world.waits_for(days=15)
    assert first.hears() == []


def test_who_declines_the_lead_hands_on_the_clock_of_a_return(
    world: World, officer: Someone, first: Someone
) -> None:
    case, record = create_case_without_lead(
        world, officer, first, consent(focal_point="IOM")
    )
    assert first.does("decline-lead", case, {"reason": "NO_CAPACITY"}).is_success
    assert list_worklist_subjects(first) == set()
    assert record in list_worklist_subjects(world.someone("IOM"))


def test_who_does_not_decide_in_time_loses_the_clock_of_a_return(
    world: World, officer: Someone, first: Someone
) -> None:
    _, record = create_case_without_lead(world, officer, first)
    world.waits_for(days=4)
    assert list_worklist_subjects(first) == set()
    assert record in list_worklist_subjects(world.someone("DESK_CENTRAL_ASIA"))


def test_whom_the_desk_chooses_gets_the_clock_of_a_return(
    world: World, officer: Someone, first: Someone
) -> None:
    case, record = create_case_without_lead(world, officer, first)
    assert first.does("decline-lead", case, {"reason": "NO_CAPACITY"}).is_success
    desk, choice = world.someone("DESK_CENTRAL_ASIA"), {"focal_point": "KZ_LEAD"}
    assert record in list_worklist_subjects(desk)
    assert desk.does("assign", case, choice | {"reason": "LOCAL_KNOWLEDGE"}).is_success
    assert list_worklist_subjects(desk) == set()
    assert record in list_worklist_subjects(first)


def suspend_case(world: World, home: Homecoming, days: int = 13) -> None:
    until = (world.now + timedelta(days=days)).isoformat()
    why = {"reason": "CONTACT_LOST", "review_at": until}
    done(home.lead.does("suspend", home.case, why))


def resume_case(home: Homecoming) -> None:
    risk = {"level": "medium"}
    done(home.lead.creates(f"/cases/{home.case['code']}/risk-assessments", risk))
    done(home.lead.does("resume", home.case))


@pytest.mark.parametrize(("upto", "who"), [("inform", "lead"), ("plan", "home")])
def test_while_a_case_rests_nobody_is_late_with_a_step_that_nobody_may_take(
    world: World, officer: Someone, first: Someone, upto: str, who: str
) -> None:
    home = begin(world, officer, first)
    home.goes(upto)
    waited, record = getattr(home, who), f"returns/{home.record['id']}"
    [due] = [due for about, _, due in waited.waits() if about == record]
    world.passes(days=1)
    suspend_case(world, home)
    waited.hears()

    world.waits_for(days=30)

    assert record not in list_worklist_subjects(waited)
    assert "return.overdue" not in kinds(waited.hears())
    resume_case(home)
    later = (datetime.fromisoformat(due) + timedelta(days=30)).isoformat()
    found = [due for about, _, due in waited.waits() if about == record]
    assert found == [later.replace("+00:00", "Z")]


def test_while_a_case_rests_who_travels_is_met_all_the_same(
    world: World, officer: Someone, first: Someone
) -> None:
    home = begin(world, officer, first)
    home.goes("depart")
    suspend_case(world, home)
    home.home.hears()

    world.waits_for(days=3)

    assert "return.overdue" in kinds(home.home.hears())
    done(home.does("home", "arrive", MET))
    assert f"returns/{home.record['id']}" in list_worklist_subjects(home.home)
    resume_case(home)
    assert f"returns/{home.record['id']}" in list_worklist_subjects(home.home)


def test_a_return_that_is_opened_or_handed_on_while_its_case_rests_waits_for_the_new_lead(
    world: World, officer: Someone, first: Someone
) -> None:
    case, referral = accepted(
        officer, first, world.someone(HOME), consents=[for_handover("SANA_SEZIM")]
    )
    home = Homecoming(world, officer, first, first, first, case, referral, referral)
    suspend_case(world, home)
    record = done(opens(first, referral))
    assert f"returns/{record['id']}" not in list_worklist_subjects(first)
    offer, ngo = done(first.offers(case, "SANA_SEZIM")), world.someone("SANA_SEZIM")
    done(ngo.does("accept", offer, taking()))
    assert f"returns/{record['id']}" not in list_worklist_subjects(ngo)
    home.lead = ngo

    resume_case(home)

    assert f"returns/{record['id']}" in list_worklist_subjects(ngo)
    assert f"returns/{record['id']}" not in list_worklist_subjects(first)


def test_a_consulate_that_is_asked_while_a_case_rests_hears_of_it_when_it_goes_on(
    world: World, officer: Someone, first: Someone
) -> None:
    papers = {"purposes": ["CONSULAR_DOCUMENT"], "sections": ["identity"]}
    given = [consent(focal_point=CONSULATE, **papers)]
    home = begin(world, officer, first, consents=given)
    home.goes("permit-contact")
    body = {"service": "CONSULAR_DOCUMENT", "sections": ["identity"]}
    referral = done(first.refers(home.case, CONSULATE, **body))
    suspend_case(world, home)
    done(officer.does("accept", referral, promise()))
    officer.hears()

    resume_case(home)

    assert "return.papers_asked" in kinds(officer.hears())
    assert f"returns/{home.record['id']}" in list_worklist_subjects(officer)
    suspend_case(world, home)
    resume_case(home)
    assert "return.papers_asked" not in kinds(officer.hears())


def list_missed_deadlines(office: Someone) -> list[tuple[str, int]]:
    """Return the missed deadlines that an office is notified of, each with its count."""
    heard = (one for one in office.hears() if not one["subject"].startswith("referrals"))
    told = (event for event in heard if "silence" in event["facts"])
    return [(event["facts"]["clock"], event["facts"]["silence"]) for event in told]


def test_a_new_lead_inherits_no_silence(
    world: World, officer: Someone, first: Someone
) -> None:
    home = begin(world, officer, first, consents=[consent(focal_point="SANA_SEZIM")])
    for _ in range(45):
        world.waits_for(days=1)
    codes = ("DESK_CENTRAL_ASIA", "DESK_CENTRAL_ASIA", "SANA_SEZIM")
    desk, boss, ngo = (world.someone(code) for code in codes)
    move = {"focal_point": "SANA_SEZIM", "reason": "LEAD_SILENT", "person_informed": True}
    assert desk.does_with(boss, "take-over", home.case, move).status_code == 204
    record, tomorrow = f"returns/{home.record['id']}", world.now + timedelta(days=1)
    due = {about: due for about, _, due in ngo.waits()}
    soon = tomorrow.isoformat().replace("+00:00", "Z")
    assert due == {record: soon, f"cases/{home.case['code']}": soon}
    ngo.hears(), desk.hears()

    world.waits_for(hours=23)
    early = list_missed_deadlines(ngo)
    low = {"level": "low"}
    done(ngo.creates(f"/cases/{home.case['code']}/risk-assessments", low))
    world.waits_for(hours=1)
    first_time = list_missed_deadlines(ngo)
    for _ in range(6):
        world.waits_for(days=1)

    assert (early, first_time) == ([], [("review", 1)])
    assert list_missed_deadlines(ngo) == []
    again = move | {"focal_point": "KZ_LEAD"}
    assert problem(desk.does("take-over", home.case, again)) == (404, "not-found")
    assert "case.escalated" not in kinds(desk.hears())


def test_what_a_candidate_let_pass_is_no_silence_of_the_next(
    world: World, officer: Someone, first: Someone
) -> None:
    case = officer.submits(
        notice={"age_class": "child", "priority": "normal"},
        consents=[],
        vital_interest={"reason": "CHILD_UNPROTECTED", "note": "Alone"},
    )
    done(first.does("acknowledge", case))
    world.waits_for(days=4)
    assert ("assess_interests", 1) in list_missed_deadlines(first)
    assert first.does("decline-lead", case, {"reason": "NO_CAPACITY"}).is_success
    now = world.someone(officer.sees(case)["holder"])
    now.hears()
    world.waits_for(hours=23)
    assert "assess_interests" not in [clock for clock, _ in list_missed_deadlines(now)]
    world.waits_for(hours=1)
    assert ("assess_interests", 1) in list_missed_deadlines(now)


def test_a_referral_for_a_return_has_no_clock_of_its_own_before_the_person_is_there(
    world: World, officer: Someone, first: Someone
) -> None:
    at_home = world.someone(HOME)
    case, referral = accepted(officer, first, at_home)

    def clock() -> str | None:
        about = f"referrals/{referral['id']}"
        return {one: kind for one, kind, _ in at_home.waits()}.get(about)

    unopened = clock()
    record = done(opens(at_home, referral))
    boss = world.someone("KZ_LEAD", {Role.SUPERVISOR})
    home = Homecoming(world, officer, first, at_home, boss, case, referral, record)
    at_home.hears()
    kept = [clock()]
    home.goes("inform")
    suspend_case(world, home)
    resume_case(home)
    world.waits_for(days=13)
    kept += [clock()]
    assert "referral.overdue" not in kinds(at_home.hears())
    plan = travel_plan((world.now + timedelta(days=2)).isoformat())
    for who, action, body in list(home.steps()):
        if action == "monitor":
            break
        done(home.does(who, action, plan if action == "plan" else body))
        kept += [clock()]

    done(home.does("home", "monitor", {}))
    met = clock()
    done(at_home.does("start", referral, MET))

    assert unopened == "review"
    assert set(kept) == {None}
    assert (met, clock()) == ("meet_person", "give_feedback")
    done(at_home.does("complete", referral, {"outcome": "delivered", "feedback": "Well"}))
    assert clock() is None


def test_who_starts_before_the_person_left_is_not_late_with_telling_how_it_goes(
    world: World, officer: Someone, first: Someone
) -> None:
    home = begin(world, officer, first)
    home.goes("go")
    done(home.home.does("start", home.referral, MET))
    home.home.hears()

    world.waits_for(days=20)

    late = [event["type"] for event in home.home.hears()]
    assert "return.overdue" in late
    assert "referral.overdue" not in late
