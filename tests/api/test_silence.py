"""A missed deadline is recorded as evidence, and the next office has to act (R54)."""

import pytest

from app.kernel.actors import Role
from tests.support.world import (
    Json,
    Someone,
    World,
    get_path,
    get_problem,
    list_types,
    make_acceptance,
    make_closure,
    make_consent,
    make_handover_consent,
    make_service_consent,
    unwrap,
)

NGOS = make_consent(recipient_class={"kind": "non_state", "country": "KZ"})
BOTH = [make_consent(), NGOS, make_service_consent()]
SHELTER = "KZ_SHELTER_KOGERSHIN"


@pytest.fixture
def desk(world: World) -> Someone:
    return world.add_person("DESK_CENTRAL_ASIA")


@pytest.fixture
def ngo(world: World) -> Someone:
    return world.add_person("SANA_SEZIM")


def test_before_its_time_nothing_happens(world: World, officer: Someone) -> None:
    case = officer.submit()
    officer.poll()

    world.advance(hours=2, minutes=59, seconds=59)

    assert world.run_worker() == 0
    assert officer.poll() == []
    assert officer.read(case)["holder"] == "KZ_LEAD"


def test_a_case_that_nobody_acknowledges_goes_to_the_next(
    world: World, officer: Someone, lead: Someone, ngo: Someone
) -> None:
    case = officer.submit(consents=BOTH)
    for one in (officer, lead, ngo):
        one.poll()

    world.wait(hours=3)

    events = officer.poll()
    assert list_types(events) == ["case.not_acknowledged", "case.rerouted"]
    assert [event["by"] for event in events] == [None, None]
    assert events[0]["facts"] == {"deadline": "acknowledge", "missed": 1, "active": True}
    assert officer.read(case)["holder"] == "SANA_SEZIM"
    assert list_types(lead.poll()) == ["case.not_acknowledged", "case.rerouted"]
    assert get_problem(lead.get(get_path(case))) == (404, "not-found")
    assert ngo.read(case)["due_at"] == "2026-06-01T18:00:00Z"


def test_a_case_that_is_read_and_not_decided_goes_to_the_next(
    world: World, officer: Someone, lead: Someone, ngo: Someone
) -> None:
    case = officer.submit(consents=BOTH)
    unwrap(lead.does("acknowledge", case))
    officer.poll()

    world.wait(hours=72)

    assert list_types(officer.poll()) == ["case.not_decided", "case.rerouted"]
    assert ngo.read(case)["state"] == "submitted"


def test_at_the_end_stands_the_desk_which_keeps_the_case(
    world: World, officer: Someone, desk: Someone
) -> None:
    watcher = world.add_person("OVERSIGHT_DEMO", {Role.PROTECTION_OFFICER})
    case = officer.submit()
    world.wait(hours=3)
    assert desk.read(case)["you_are"] == ["desk"]
    officer.poll(), desk.poll(), watcher.poll()

    world.wait(hours=3)

    for one in (officer, desk, watcher):
        assert list_types(one.poll()) == ["case.not_acknowledged"]
    assert desk.read(case)["you_are"] == ["desk"]
    assert officer.read(case)["holder"] == "DESK_CENTRAL_ASIA"
    [waiting] = desk.get_worklist()
    assert waiting[0] == f"cases/{case['code']}"


def test_a_referral_ends_at_the_second_silence_and_its_sender_can_ask_another(
    world: World, officer: Someone, lead: Someone, shelter: Someone
) -> None:
    case = lead.take_lead(officer.submit())
    sent = unwrap(lead.refer(case, SHELTER))
    lead.poll(), shelter.poll()

    world.wait(hours=3)
    once = list_types(lead.poll()), lead.read(sent)["state"]
    world.wait(hours=3)

    assert once == (["referral.not_acknowledged"], "sent")
    assert list_types(lead.poll()) == ["referral.not_acknowledged", "referral.expired"]
    assert lead.read(sent)["state"] == "expired"
    assert shelter.read(sent)["available_actions"][0]["action"] == "confirm_deletion"
    assert unwrap(lead.refer(case, "KZ_SHELTER_TANSHOLPAN"))["state"] == "sent"


def test_a_referral_that_was_read_and_not_decided_ends(
    world: World, officer: Someone, lead: Someone, shelter: Someone
) -> None:
    case = lead.take_lead(officer.submit())
    sent = unwrap(lead.refer(case, SHELTER))
    unwrap(shelter.does("acknowledge", sent))
    lead.poll()

    world.wait(hours=72)

    assert list_types(lead.poll())[-2:] == ["referral.not_decided", "referral.expired"]
    late = shelter.does("accept", sent, make_acceptance(at="2026-06-06T09:00:00+05:00"))
    assert get_problem(late) == (409, "action-illegal")
    assert late.json()["state"] == "expired"


def test_help_that_goes_on_is_never_ended_by_a_clock(
    world: World, officer: Someone, lead: Someone, shelter: Someone
) -> None:
    case = lead.take_lead(officer.submit())
    sent = unwrap(lead.refer(case, SHELTER))
    unwrap(shelter.does("accept", sent, make_acceptance()))
    lead.poll()

    for _ in range(6):
        world.wait(days=3)

    events = [event for event in lead.poll() if event["subject"].startswith("referrals")]
    assert list_types(events)[:3] == ["referral.overdue"] * 3
    assert [event["facts"]["missed"] for event in events] == [1, 2, 3, 4]
    assert lead.read(sent)["state"] == "accepted"
    assert (
        unwrap(shelter.does("start", sent, {"person_met": True}))["state"] == "in_progress"
    )


def test_an_offer_of_the_lead_that_nobody_answers_ends_and_the_lead_stays(
    world: World, officer: Someone, lead: Someone
) -> None:
    guards = {"country_of_origin": "UZ", "origin_contact": "permitted"}
    consents = [make_consent(), make_service_consent(), make_handover_consent()]
    case = lead.take_lead(officer.submit(consents=consents, safeguards=guards))
    offered = unwrap(lead.offer(case, "UZ_LEAD"))
    there = world.add_person("UZ_LEAD")
    lead.poll()

    world.wait(hours=72)

    assert list_types(lead.poll())[:2] == ["handover.not_decided", "handover.expired"]
    assert lead.read(case)["lead"] == "KZ_LEAD"
    assert get_problem(there.get(get_path(case))) == (404, "not-found")
    assert get_problem(there.get(get_path(offered))) == (404, "not-found")


def test_a_lead_that_is_silent_three_times_gets_a_desk_beside_it(
    world: World, officer: Someone, lead: Someone, desk: Someone
) -> None:
    case = lead.take_lead(officer.submit(consents=BOTH))
    lead.poll(), officer.poll()

    seen = []
    for _ in range(3):
        world.wait(days=7)
        seen.append((list_types(lead.poll()), desk.get(get_path(case)).status_code))

    assert seen == [
        (["case.overdue"], 404),
        (["case.overdue"], 404),
        (["case.overdue", "case.escalated"], 200),
    ]
    assert desk.read(case)["you_are"] == ["escalation_desk"]
    assert lead.read(case)["lead"] == "KZ_LEAD"
    assert list_types(officer.poll()) == ["case.escalated"]


def test_an_office_that_submitted_a_case_and_leads_it_hears_that_it_is_overdue(
    world: World, lead: Someone
) -> None:
    lead.take_lead(lead.submit())
    lead.poll()

    world.wait(days=7)

    assert list_types(lead.poll()) == ["case.overdue"]


def test_a_lead_that_answers_is_left_alone(
    world: World, officer: Someone, lead: Someone, desk: Someone
) -> None:
    case = lead.take_lead(officer.submit())
    lead.poll()

    for _ in range(5):
        world.wait(days=6)
        unwrap(lead.create(f"{get_path(case)}/risk-assessments", {"level": "low"}))

    assert set(list_types(lead.poll())) == {"case.risk_assessed"}
    assert get_problem(desk.get(get_path(case))) == (404, "not-found")


def test_a_suspended_case_comes_back_for_review_and_stays_suspended(
    world: World, officer: Someone, lead: Someone
) -> None:
    case = lead.take_lead(officer.submit())
    rest = {"reason": "SAFETY", "review_at": "2026-06-05T12:00:00Z"}
    unwrap(lead.does("suspend", case, rest))
    lead.poll()

    world.wait(days=4)

    assert list_types(lead.poll()) == ["case.review_due"]
    assert lead.read(case)["state"] == "suspended"
    assert lead.get_worklist()[0][1:] == ("review", "2026-06-05T12:00:00Z")


def test_a_draft_that_nobody_finished_is_thrown_away(
    world: World, officer: Someone
) -> None:
    case = unwrap(officer.create_case())

    world.wait(days=14)

    assert list_types(officer.poll())[-1] == "case.discarded"
    assert officer.read(case)["state"] == "void"
    assert get_problem(officer.open(f"{get_path(case)}/sections/needs"))[0] == 404


def test_a_draft_of_a_referral_is_thrown_away(
    world: World, officer: Someone, lead: Someone
) -> None:
    case = lead.take_lead(officer.submit())
    draft = unwrap(lead.refer(case, SHELTER, send=False))

    world.wait(days=14)

    assert lead.read(draft)["state"] == "revoked"


def test_a_question_to_a_second_person_lapses_and_can_be_asked_anew(
    world: World, officer: Someone, lead: Someone, supervisor: Someone
) -> None:
    case = lead.take_lead(officer.submit())
    approval = unwrap(lead.does("close", case, make_closure()))
    lead.poll()

    world.wait(hours=72)

    assert list_types(lead.poll()) == ["approval.expired"]
    assert [tx for tx in supervisor.get_worklist() if tx[0].startswith("approvals")] == []
    late = supervisor.send(f"/approvals/{approval['id']}/approve")
    assert get_problem(late) == (409, "approval-decided")
    again = unwrap(lead.does("close", case, make_closure()))
    assert again["id"] != approval["id"]


def test_a_question_to_the_submitter_is_told_of_to_both(
    world: World, officer: Someone, lead: Someone, shelter: Someone
) -> None:
    case = lead.take_lead(officer.submit())
    question = {"topics": ["contact"], "question": "Which channel is safe at night?"}
    unwrap(lead.create(f"{get_path(case)}/questions", question))
    officer.poll(), lead.poll()

    world.wait(days=1)

    assert list_types(officer.poll()) == list_types(lead.poll()) == ["case.not_answered"]
    assert officer.get_worklist()[0][1] == "answer"
    assert shelter.poll() == []


def list_evidence(who: Someone, record: Json) -> list[tuple[str, int, list[str]]]:
    """Return the recipient, the rank and the missed deadlines of each evidence entry."""
    items = unwrap(who.get(f"{get_path(record)}/evidence"))["items"]
    return [
        (
            one["recipient"],
            one["rank"],
            [silence["name"] for silence in one["missed_deadlines"]],
        )
        for one in items
    ]


def test_the_sender_sees_what_was_let_pass_and_who_was_asked_next(
    world: World, officer: Someone, ngo: Someone
) -> None:
    case = officer.submit(consents=BOTH)
    before = list_evidence(officer, case)

    world.wait(hours=3)
    rerouted = list_evidence(officer, case)
    ngo.read(case)
    world.wait(hours=3)

    assert before == [("KZ_LEAD", 2, [])]
    assert rerouted == [
        ("KZ_LEAD", 2, ["not_retrieved", "not_acknowledged"]),
        ("SANA_SEZIM", 2, []),
    ]
    assert list_evidence(officer, case)[1:] == [
        ("SANA_SEZIM", 3, ["not_acknowledged"]),
        ("PARTNERSHIP_IN_ACTION", 2, []),
    ]


def test_a_late_answer_overrules_the_silence_that_is_kept(
    world: World, officer: Someone, lead: Someone, shelter: Someone
) -> None:
    case = lead.take_lead(officer.submit())
    sent = unwrap(lead.refer(case, SHELTER))
    world.wait(hours=3)

    unwrap(shelter.does("accept", sent, make_acceptance()))

    [(recipient, rank, missed_deadlines)] = list_evidence(lead, sent)
    assert (recipient, rank) == (SHELTER, 5)
    assert missed_deadlines == ["not_retrieved", "not_acknowledged"]


def test_nobody_else_learns_from_a_silence_that_there_is_a_case(
    world: World, officer: Someone, lead: Someone, stranger: Someone
) -> None:
    there = world.add_person("UZ_LEAD")
    case = lead.take_lead(officer.submit())
    unwrap(lead.refer(case, SHELTER))
    officer.poll()

    for _ in range(6):
        world.wait(days=7)

    assert stranger.poll() == there.poll() == []
    events = [event for event in officer.poll() if "referrals/" in event["subject"]]
    assert events == []


def test_nobody_waits_for_an_office_that_is_closed(
    world: World, officer: Someone, lead: Someone
) -> None:
    case = officer.submit(consents=BOTH)
    draft = unwrap(lead.create_case())
    officer.poll()

    world.close_office("KZ_LEAD")
    world.run_worker()

    assert list_types(officer.poll()) == ["case.not_acknowledged", "case.rerouted"]
    assert officer.read(case)["holder"] == "SANA_SEZIM"
    assert lead.read(draft)["state"] == "draft"
    assert world.run_worker() == 0


def test_a_case_whose_lead_is_closed_has_a_desk_beside_it_at_once(
    world: World, officer: Someone, lead: Someone, desk: Someone
) -> None:
    case = lead.take_lead(officer.submit(consents=BOTH))
    sent = unwrap(lead.refer(case, SHELTER))

    world.close_office("KZ_LEAD")
    world.close_office(SHELTER)
    world.run_worker()

    assert desk.read(case)["you_are"] == ["escalation_desk"]
    assert lead.read(sent)["state"] == "expired"
    world.wait(days=7)
    assert list_types(lead.poll()).count("case.overdue") == 2


def test_a_silence_counts_from_when_somebody_was_waited_for(
    world: World, officer: Someone, lead: Someone, desk: Someone
) -> None:
    case = lead.take_lead(officer.submit(consents=BOTH))
    unwrap(lead.does("stop", case, {"reason": "SURVIVOR_REQUEST"}))
    world.wait(days=90)
    lead.poll()

    again = unwrap(lead.does("reopen", case, {"reason": "NEW_NEED"}))
    world.run_worker()

    assert again["due_at"] == "2026-08-30T12:00:00Z"
    events = [event for event in lead.poll() if event["type"] == "case.overdue"]
    assert [event["facts"]["missed"] for event in events] == [1]
    assert get_problem(desk.get(get_path(case))) == (404, "not-found")
