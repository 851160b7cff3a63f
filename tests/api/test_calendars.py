"""Tests of the calendars and time zones in which deadlines are counted.

A test that sets no other time starts on Friday 23 October 2026 at 15:00 in Almaty. The
following Monday is a public holiday there (Republic Day), but not in Uzbekistan.
"""

from datetime import UTC, datetime

import pytest

from app.kernel.actors import Role
from tests.support.returns import begin_return
from tests.support.world import (
    NOON,
    Json,
    Someone,
    World,
    get_path,
    make_closure,
    make_consent,
    make_handover_consent,
    make_service_consent,
    make_travel_plan,
    unwrap,
)

FRIDAY = datetime(2026, 10, 23, 10, tzinfo=UTC)
NORMAL = {"priority": "normal"}
CHILD: Json = {
    "summary": NORMAL | {"age_class": "child"},
    "consents": [],
    "vital_interest": {"reason": "CHILD_UNPROTECTED", "note": "Alone"},
}
SHELTER = "KZ_SHELTER_KOGERSHIN"
ASK = {"topics": ["needs"], "question": "Can she read?"}


@pytest.fixture(autouse=True)
def start_on_friday(world: World) -> None:
    world.now = FRIDAY


def test_a_candidate_answers_by_the_working_days_of_its_own_country(
    officer: Someone, lead: Someone
) -> None:
    case = officer.submit(summary=NORMAL)

    acknowledged = unwrap(lead.does("acknowledge", case))

    assert case["due_at"] == "2026-10-27T10:00:00Z"  # Tuesday, 15:00 in Almaty
    assert (
        acknowledged["due_at"] == "2026-11-02T10:00:00Z"
    )  # five days: Tuesday to Friday, and Monday
    assert lead.get_worklist() == [
        (get_path(case)[1:], "decide_lead", "2026-11-02T10:00:00Z")
    ]


@pytest.mark.parametrize(
    ("priority", "due"),
    [("emergency", "2026-10-23T11:00:00Z"), ("urgent", "2026-10-23T13:00:00Z")],
)
def test_what_is_urgent_waits_for_no_monday(
    officer: Someone, priority: str, due: str
) -> None:
    assert officer.submit(summary={"priority": priority})["due_at"] == due


def test_a_case_in_trinidad_waits_for_divali_to_be_over(world: World) -> None:
    world.now = datetime(2026, 11, 6, 18, tzinfo=UTC)  # Friday, 14:00
    officer = world.add_person("JM_CONSULATE_PORT_OF_SPAIN")
    agreed = make_consent(recipient_class={"kind": "state", "country": "TT"})

    case = officer.submit(summary=NORMAL | {"country": "TT"}, consents=[agreed])

    assert case["due_at"] == "2026-11-10T18:00:00Z"  # Divali is on Sunday, so Monday is off


def test_a_consulate_answers_by_the_holidays_of_its_state_at_the_hours_of_its_town(
    officer: Someone, lead: Someone
) -> None:
    case = lead.take_lead(officer.submit(summary=NORMAL))

    question = unwrap(lead.create(f"{get_path(case)}/questions", ASK))

    listed = unwrap(officer.get(f"{get_path(case)}/questions"))["items"]
    assert question["due_at"] == "2026-10-26T10:00:00Z"
    assert [one["due_at"] for one in listed] == [question["due_at"]]


def test_whoever_works_everywhere_has_no_holidays_we_could_name(
    world: World, officer: Someone
) -> None:
    consent = make_consent(focal_point="IOM")
    feared = {"country_of_origin": "UZ", "official_implicated": True}

    case = officer.submit(summary=NORMAL, consents=[consent], safeguards=feared)

    assert world.add_person("IOM").get_worklist()[0][2] == "2026-10-26T10:00:00Z"
    assert case["due_at"] == "2026-10-26T10:00:00Z"


def test_a_handover_is_answered_by_the_calendar_of_who_is_asked(
    officer: Someone, lead: Someone
) -> None:
    given = [make_consent(), make_service_consent(), make_handover_consent()]
    guards = {"country_of_origin": "UZ", "origin_contact": "permitted"}
    content = {"consents": given, "safeguards": guards}
    case = lead.take_lead(officer.submit(summary=NORMAL, **content))

    offered = unwrap(lead.offer(case, "UZ_LEAD"))

    # Ten working days in Tashkent, where the 26th is a working day.
    assert offered["due_at"] == "2026-11-06T10:00:00Z"


def test_an_arrival_is_confirmed_by_the_end_of_the_day_where_the_person_arrives(
    world: World, officer: Someone, lead: Someone
) -> None:
    world.now = NOON
    home = begin_return(world, officer, lead)
    home.advance("issue-document")
    unwrap(home.does("lead", "plan", make_travel_plan("2026-06-03T20:00:00Z")))

    departed = home.advance("depart")

    # The arrival is planned for 4 June, 01:00 in Tashkent; the day ends at 18:59:59 UTC.
    assert departed["due_at"] == "2026-06-04T18:59:59Z"


def test_a_change_of_priority_counts_from_when_the_clock_began_in_the_same_calendar(
    world: World, officer: Someone
) -> None:
    case = officer.submit(summary={"priority": "urgent"})
    world.advance(minutes=30)

    path, seen = get_path(case), {"If_Match": officer.get_tag(case)}
    slower = unwrap(officer.ask("PATCH", path, NORMAL, headers=seen))

    assert slower["due_at"] == "2026-10-27T10:00:00Z"


def test_a_question_pauses_the_time_to_decide_across_a_holiday(
    world: World, officer: Someone, lead: Someone, shelter: Someone
) -> None:
    case = lead.take_lead(officer.submit(summary=NORMAL))
    sent = unwrap(lead.refer(case, SHELTER))
    received = unwrap(shelter.does("acknowledge", sent))
    questioned = unwrap(
        shelter.does("ask", sent, {"topics": ["health"], "question": "Hurt?"})
    )
    world.now = datetime(2026, 10, 27, 5, tzinfo=UTC)

    answered = unwrap(lead.does("answer", sent, {"sections": [], "answer": "No"}))

    assert received["due_at"] == "2026-11-06T10:00:00Z"  # 14 days
    assert (
        questioned["due_at"] == "2026-10-27T10:00:00Z"
    )  # one working day in the calendar of the lead
    assert answered["due_at"] == "2026-11-10T05:00:00Z"  # 14 days were left


def test_a_case_that_rests_gives_back_the_working_time_that_was_left(
    world: World, officer: Someone, lead: Someone
) -> None:
    case = lead.take_lead(officer.submit(summary=NORMAL))
    unwrap(lead.create(f"{get_path(case)}/questions", ASK))
    world.advance(hours=1)
    rest = {"reason": "SAFETY", "review_at": "2026-11-10T10:00:00Z"}
    unwrap(lead.does("suspend", case, rest))
    resting = unwrap(officer.get(f"{get_path(case)}/questions"))["items"]
    world.now = datetime(2026, 10, 29, 12, tzinfo=UTC)  # Thursday, 17:00 in Almaty

    unwrap(lead.does("resume", case))

    # 23 hours of working days were left: 7 on Thursday and 16 on Friday.
    [question] = unwrap(officer.get(f"{get_path(case)}/questions"))["items"]
    assert [one["due_at"] for one in resting] == [None]
    assert question["due_at"] == "2026-10-30T11:00:00Z"


def test_it_goes_on_over_a_week_end_without_losing_any_of_it(
    world: World, officer: Someone, lead: Someone
) -> None:
    case = lead.take_lead(officer.submit(summary=NORMAL))
    unwrap(lead.create(f"{get_path(case)}/questions", ASK))
    world.advance(hours=1)
    rest = {"reason": "SAFETY", "review_at": "2026-11-10T10:00:00Z"}
    unwrap(lead.does("suspend", case, rest))
    world.now = datetime(2026, 10, 24, 12, tzinfo=UTC)  # Saturday

    unwrap(lead.does("resume", case))

    [question] = unwrap(officer.get(f"{get_path(case)}/questions"))["items"]
    assert question["due_at"] == "2026-10-26T18:00:00Z"  # 23 hours into Monday in Almaty


def test_visits_are_planned_in_months_of_the_calendar_of_who_leads(
    world: World, officer: Someone, lead: Someone
) -> None:
    world.now = datetime(2026, 8, 30, 20, tzinfo=UTC)  # Monday the 31st, 01:00 in Almaty
    case = lead.take_lead(officer.submit())

    unwrap(lead.does("monitor", case, {}))
    visits = []
    for _ in range(5):
        visits.append(lead.read(case)["due_at"])
        unwrap(lead.does("visits", case, {"person_met": True, "early": True}))

    assert visits == [
        "2026-09-06T20:00:00Z",
        "2026-09-29T20:00:00Z",
        "2026-11-29T20:00:00Z",
        "2027-02-27T20:00:00Z",
        "2027-08-30T20:00:00Z",
    ]


def test_a_closed_case_is_kept_for_months_in_utc_for_nobody_is_waited_for(
    officer: Someone, lead: Someone, supervisor: Someone
) -> None:
    case = lead.take_lead(officer.submit())

    closed = unwrap(lead.does_with(supervisor, "close", case, make_closure()))

    assert closed["due_at"] == "2028-10-23T10:00:00Z"


def test_the_worklist_puts_first_what_is_due_first(
    world: World, officer: Someone, lead: Someone
) -> None:
    slow = officer.submit(summary=NORMAL)
    world.advance(hours=1)
    quick = officer.submit()
    world.advance(hours=1)
    quickest = officer.submit(summary={"priority": "emergency"})

    waits = lead.get_worklist()

    assert [subject for subject, *_ in waits] == [
        get_path(case)[1:] for case in (quickest, quick, slow)
    ]
    assert [due for *_, due in waits] == [c["due_at"] for c in (quickest, quick, slow)]


def test_the_interests_of_a_child_are_due_in_72_hours_whatever_the_day(
    officer: Someone, lead: Someone
) -> None:
    case = lead.take_lead(officer.submit(**CHILD))

    [fact] = unwrap(lead.get(f"{get_path(case)}/facts"))["items"]

    assert (fact["value"], fact["due_at"]) == ("assessment_due", "2026-10-26T10:00:00Z")


def test_a_second_person_has_72_hours_and_is_told_until_when(
    world: World, officer: Someone, lead: Someone
) -> None:
    case = lead.take_lead(officer.submit())

    approval = lead.does("close", case, make_closure()).json()

    assert approval["expires_at"] == "2026-10-26T10:00:00Z"
    second = world.add_person("KZ_LEAD", {Role.SUPERVISOR})
    assert (approval["subject"], "approve", approval["expires_at"]) in [
        (f"cases/{case['code']}", kind, due) for _, kind, due in second.get_worklist()
    ]


def test_no_holiday_tells_who_does_not_follow_where_a_person_went(
    officer: Someone, lead: Someone
) -> None:
    case = lead.take_lead(officer.submit(summary=NORMAL))
    before = officer.read(case)["due_at"]

    moved = unwrap(lead.does("relocate", case, {"country": "UZ"}))

    assert before is None  # once a case has a lead, the submitter sees no deadline (ADR 20)
    assert moved["due_at"] is not None
    assert officer.read(case)["due_at"] is None
