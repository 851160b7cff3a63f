"""Tests of a return's deadlines when the lead changes and while the case is suspended."""

from datetime import datetime, timedelta

import pytest

from app.kernel.actors import Role
from tests.support.returns import (
    CONSULATE,
    HOME,
    MET,
    Homecoming,
    accept_return_referral,
    begin_return,
    create_return,
    make_return_consent,
)
from tests.support.world import (
    Json,
    Someone,
    World,
    get_problem,
    list_types,
    make_acceptance,
    make_consent,
    make_handover_consent,
    make_takeover,
    make_travel_plan,
    unwrap,
)


@pytest.fixture
def officer(world: World) -> Someone:
    return world.add_person("UZ_CONSULATE_ALMATY")


@pytest.fixture
def first(world: World) -> Someone:
    """Add and return a person of the office that is the first candidate for the lead."""
    return world.add_person("KZ_LEAD")


def create_case_without_lead(
    world: World, officer: Someone, first: Someone, *given: Json
) -> tuple[Json, str]:
    """Return a case that has no lead yet, and the reference of a return in it."""
    consents = [make_consent(), make_return_consent(), *given]
    guards = {"country_of_origin": "UZ", "origin_contact": "permitted"}
    case = officer.submit(consents=consents, safeguards=guards)
    unwrap(first.does("acknowledge", case))
    home = world.add_person(HOME)
    referral = unwrap(first.refer(case, HOME, service="RETURN"))
    unwrap(home.does("accept", referral, make_acceptance()))
    return case, f"returns/{unwrap(create_return(first, referral))['id']}"


def list_worklist_subjects(who: Someone) -> set[str]:
    return {about for about, _, _ in who.get_worklist()}


def test_a_candidate_that_is_feared_loses_the_clock_of_a_return_with_the_case(
    world: World, officer: Someone, first: Someone
) -> None:
    case, record = create_case_without_lead(
        world, officer, first, make_consent(focal_point="IOM")
    )
    assert record in list_worklist_subjects(first)
    guards = {"country_of_origin": "UZ", "origin_contact": "permitted"}
    path, tag = f"/cases/{case['code']}/safeguards", officer.get_tag(case)
    feared = guards | {"unsafe_focal_points": ["KZ_LEAD"]}
    unwrap(officer.ask("PUT", path, feared, headers={"If_Match": tag}))
    assert list_worklist_subjects(first) == set()
    assert record in list_worklist_subjects(world.add_person("IOM"))
    first.poll()
    world.wait(days=15)
    assert first.poll() == []


def test_who_declines_the_lead_hands_on_the_clock_of_a_return(
    world: World, officer: Someone, first: Someone
) -> None:
    case, record = create_case_without_lead(
        world, officer, first, make_consent(focal_point="IOM")
    )
    assert first.does("decline-lead", case, {"reason": "NO_CAPACITY"}).is_success
    assert list_worklist_subjects(first) == set()
    assert record in list_worklist_subjects(world.add_person("IOM"))


def test_who_does_not_decide_in_time_loses_the_clock_of_a_return(
    world: World, officer: Someone, first: Someone
) -> None:
    _, record = create_case_without_lead(world, officer, first)
    world.wait(days=4)
    assert list_worklist_subjects(first) == set()
    assert record in list_worklist_subjects(world.add_person("DESK_CENTRAL_ASIA"))


def test_whom_the_desk_chooses_gets_the_clock_of_a_return(
    world: World, officer: Someone, first: Someone
) -> None:
    case, record = create_case_without_lead(world, officer, first)
    assert first.does("decline-lead", case, {"reason": "NO_CAPACITY"}).is_success
    desk, choice = world.add_person("DESK_CENTRAL_ASIA"), {"focal_point": "KZ_LEAD"}
    assert record in list_worklist_subjects(desk)
    assert desk.does("assign", case, choice | {"reason": "LOCAL_KNOWLEDGE"}).is_success
    assert list_worklist_subjects(desk) == set()
    assert record in list_worklist_subjects(first)


def suspend_case(world: World, home: Homecoming, days: int = 13) -> None:
    until = (world.now + timedelta(days=days)).isoformat()
    why = {"reason": "CONTACT_LOST", "review_at": until}
    unwrap(home.lead.does("suspend", home.case, why))


def resume_case(home: Homecoming) -> None:
    risk = {"level": "medium"}
    unwrap(home.lead.create(f"/cases/{home.case['code']}/risk-assessments", risk))
    unwrap(home.lead.does("resume", home.case))


@pytest.mark.parametrize(("upto", "who"), [("inform", "lead"), ("plan", "home")])
def test_while_a_case_rests_nobody_is_late_with_a_step_that_nobody_may_take(
    world: World, officer: Someone, first: Someone, upto: str, who: str
) -> None:
    home = begin_return(world, officer, first)
    home.advance(upto)
    waited, record = getattr(home, who), f"returns/{home.record['id']}"
    [due] = [due for about, _, due in waited.get_worklist() if about == record]
    world.advance(days=1)
    suspend_case(world, home)
    waited.poll()

    world.wait(days=30)

    assert record not in list_worklist_subjects(waited)
    assert "return.overdue" not in list_types(waited.poll())
    resume_case(home)
    later = (datetime.fromisoformat(due) + timedelta(days=30)).isoformat()
    found = [due for about, _, due in waited.get_worklist() if about == record]
    assert found == [later.replace("+00:00", "Z")]


def ask_consulate(world: World, first: Someone) -> tuple[Homecoming, Json]:
    """Return a return of a case that an NGO submitted, and a referral to the consulate."""
    papers = {"purposes": ["CONSULAR_DOCUMENT"], "sections": ["identity"]}
    given = [make_consent(focal_point=CONSULATE, **papers)]
    home = begin_return(world, world.add_person("SANA_SEZIM"), first, consents=given)
    home.advance("permit-contact")
    terms = {"service": "CONSULAR_DOCUMENT", "sections": ["identity"]}
    return home, unwrap(first.refer(home.case, CONSULATE, **terms))


def test_a_consulate_gets_its_task_and_may_act_as_if_the_case_did_not_rest(
    world: World, officer: Someone, first: Someone
) -> None:
    home, sent = ask_consulate(world, first)
    record = f"returns/{home.record['id']}"
    [due] = [due for about, _, due in home.home.get_worklist() if about == record]
    suspend_case(world, home)
    world.advance(hours=1)

    unwrap(officer.does("accept", sent, make_acceptance()))

    assert "return.document_requested" in list_types(officer.poll())
    assert (record, "review", due) in officer.get_worklist()
    verified = {"nationality": "confirmed"}
    unwrap(officer.does("verify-nationality", home.record, verified))
    assert record not in list_worklist_subjects(first)
    resume_case(home)
    assert record in list_worklist_subjects(first)
    assert officer.poll() == []


def test_a_task_that_a_consulate_loses_rests_with_the_case(
    world: World, officer: Someone, first: Someone
) -> None:
    home, sent = ask_consulate(world, first)
    record = f"returns/{home.record['id']}"
    unwrap(officer.does("accept", sent, make_acceptance()))
    before = officer.get_worklist()
    suspend_case(world, home)
    assert officer.get_worklist() == before

    unwrap(first.does("withdraw", sent, {"reason": "NO_LONGER_NEEDED"}))

    assert record not in list_worklist_subjects(home.home)
    resume_case(home)
    assert record in list_worklist_subjects(home.home)


def test_while_a_case_rests_who_travels_is_met_all_the_same(
    world: World, officer: Someone, first: Someone
) -> None:
    home = begin_return(world, officer, first)
    home.advance("depart")
    suspend_case(world, home)
    home.home.poll()

    world.wait(days=3)

    assert "return.overdue" in list_types(home.home.poll())
    unwrap(home.does("home", "arrive", MET))
    assert f"returns/{home.record['id']}" in list_worklist_subjects(home.home)
    resume_case(home)
    assert f"returns/{home.record['id']}" in list_worklist_subjects(home.home)


def test_a_return_that_is_opened_or_handed_on_while_its_case_rests_waits_for_the_new_lead(
    world: World, officer: Someone, first: Someone
) -> None:
    case, referral = accept_return_referral(
        officer,
        first,
        world.add_person(HOME),
        consents=[make_handover_consent("SANA_SEZIM")],
    )
    home = Homecoming(world, officer, first, first, first, case, referral, referral)
    suspend_case(world, home)
    record = unwrap(create_return(first, referral))
    assert f"returns/{record['id']}" not in list_worklist_subjects(first)
    offer, ngo = unwrap(first.offer(case, "SANA_SEZIM")), world.add_person("SANA_SEZIM")
    unwrap(ngo.does("accept", offer, make_takeover()))
    assert f"returns/{record['id']}" not in list_worklist_subjects(ngo)
    home.lead = ngo

    resume_case(home)

    assert f"returns/{record['id']}" in list_worklist_subjects(ngo)
    assert f"returns/{record['id']}" not in list_worklist_subjects(first)


def test_a_consulate_that_is_asked_while_a_case_rests_hears_of_it_when_it_goes_on(
    world: World, officer: Someone, first: Someone
) -> None:
    papers = {"purposes": ["CONSULAR_DOCUMENT"], "sections": ["identity"]}
    given = [make_consent(focal_point=CONSULATE, **papers)]
    home = begin_return(world, officer, first, consents=given)
    home.advance("permit-contact")
    body = {"service": "CONSULAR_DOCUMENT", "sections": ["identity"]}
    referral = unwrap(first.refer(home.case, CONSULATE, **body))
    suspend_case(world, home)
    unwrap(officer.does("accept", referral, make_acceptance()))
    officer.poll()

    resume_case(home)

    assert "return.document_requested" in list_types(officer.poll())
    assert f"returns/{home.record['id']}" in list_worklist_subjects(officer)
    suspend_case(world, home)
    resume_case(home)
    assert "return.document_requested" not in list_types(officer.poll())


def list_missed_deadlines(office: Someone) -> list[tuple[str, int]]:
    """Return each missed deadline in new events: its kind, and the number of misses.

    Events about referrals are left out.
    """
    events = (one for one in office.poll() if not one["subject"].startswith("referrals"))
    missed = (event for event in events if "missed" in event["facts"])
    return [(event["facts"]["deadline"], event["facts"]["missed"]) for event in missed]


def test_a_new_lead_inherits_no_silence(
    world: World, officer: Someone, first: Someone
) -> None:
    home = begin_return(
        world, officer, first, consents=[make_consent(focal_point="SANA_SEZIM")]
    )
    for _ in range(45):
        world.wait(days=1)
    codes = ("DESK_CENTRAL_ASIA", "DESK_CENTRAL_ASIA", "SANA_SEZIM")
    desk, boss, ngo = (world.add_person(code) for code in codes)
    move = {"focal_point": "SANA_SEZIM", "reason": "LEAD_SILENT", "person_informed": True}
    assert desk.does_with(boss, "take-over", home.case, move).status_code == 204
    record, tomorrow = f"returns/{home.record['id']}", world.now + timedelta(days=1)
    due = {about: due for about, _, due in ngo.get_worklist()}
    soon = tomorrow.isoformat().replace("+00:00", "Z")
    assert due == {record: soon, f"cases/{home.case['code']}": soon}
    ngo.poll(), desk.poll()

    world.wait(hours=23)
    early = list_missed_deadlines(ngo)
    low = {"level": "low"}
    unwrap(ngo.create(f"/cases/{home.case['code']}/risk-assessments", low))
    world.wait(hours=1)
    first_time = list_missed_deadlines(ngo)
    for _ in range(6):
        world.wait(days=1)

    assert (early, first_time) == ([], [("review", 1)])
    assert list_missed_deadlines(ngo) == []
    again = move | {"focal_point": "KZ_LEAD"}
    assert get_problem(desk.does("take-over", home.case, again)) == (404, "not-found")
    assert "case.escalated" not in list_types(desk.poll())


def test_what_a_candidate_let_pass_is_no_silence_of_the_next(
    world: World, officer: Someone, first: Someone
) -> None:
    case = officer.submit(
        summary={"age_class": "child", "priority": "normal"},
        consents=[],
        vital_interest={"reason": "CHILD_UNPROTECTED", "note": "Alone"},
    )
    unwrap(first.does("acknowledge", case))
    world.wait(days=4)
    assert ("assess_interests", 1) in list_missed_deadlines(first)
    assert first.does("decline-lead", case, {"reason": "NO_CAPACITY"}).is_success
    now = world.add_person(officer.read(case)["holder"])
    now.poll()
    world.wait(hours=23)
    assert "assess_interests" not in [clock for clock, _ in list_missed_deadlines(now)]
    world.wait(hours=1)
    assert ("assess_interests", 1) in list_missed_deadlines(now)


def test_a_referral_for_a_return_has_no_clock_of_its_own_before_the_person_is_there(
    world: World, officer: Someone, first: Someone
) -> None:
    at_home = world.add_person(HOME)
    case, referral = accept_return_referral(officer, first, at_home)

    def clock() -> str | None:
        about = f"referrals/{referral['id']}"
        return {one: kind for one, kind, _ in at_home.get_worklist()}.get(about)

    unopened = clock()
    record = unwrap(create_return(at_home, referral))
    boss = world.add_person("KZ_LEAD", {Role.SUPERVISOR})
    home = Homecoming(world, officer, first, at_home, boss, case, referral, record)
    at_home.poll()
    kept = [clock()]
    home.advance("inform")
    suspend_case(world, home)
    resume_case(home)
    world.wait(days=13)
    kept += [clock()]
    assert "referral.overdue" not in list_types(at_home.poll())
    plan = make_travel_plan((world.now + timedelta(days=2)).isoformat())
    for who, action, body in list(home.list_steps()):
        if action == "monitor":
            break
        unwrap(home.does(who, action, plan if action == "plan" else body))
        kept += [clock()]

    unwrap(home.does("home", "monitor", {}))
    met = clock()
    unwrap(at_home.does("start", referral, MET))

    assert unopened == "review"
    assert set(kept) == {None}
    assert (met, clock()) == ("meet_person", "give_feedback")
    unwrap(at_home.does("complete", referral, {"outcome": "delivered", "feedback": "Well"}))
    assert clock() is None


def test_who_starts_before_the_person_left_is_not_late_with_telling_how_it_goes(
    world: World, officer: Someone, first: Someone
) -> None:
    home = begin_return(world, officer, first)
    home.advance("go")
    unwrap(home.home.does("start", home.referral, MET))
    home.home.poll()

    world.wait(days=20)

    late = [event["type"] for event in home.home.poll()]
    assert "return.overdue" in late
    assert "referral.overdue" not in late
