"""Tests that missed deadlines are recorded as evidence and move the task on (R54)."""

import pytest

from app.kernel.actors import Role
from tests.support.world import (
    Json,
    Someone,
    World,
    closing,
    consent,
    done,
    for_handover,
    for_services,
    kinds,
    path_of,
    problem,
    promise,
)

NGOS = consent(recipient_class={"kind": "non_state", "country": "KZ"})
BOTH = [consent(), NGOS, for_services()]
SHELTER = "KZ_SHELTER_KOGERSHIN"


@pytest.fixture
def desk(world: World) -> Someone:
    return world.someone("DESK_CENTRAL_ASIA")


@pytest.fixture
def ngo(world: World) -> Someone:
    return world.someone("SANA_SEZIM")


def test_before_its_time_nothing_happens(world: World, officer: Someone) -> None:
    case = officer.submits()
    officer.hears()

    world.passes(hours=2, minutes=59, seconds=59)

    assert world.works() == 0
    assert officer.hears() == []
    assert officer.sees(case)["holder"] == "KZ_LEAD"


def test_a_case_that_nobody_acknowledges_goes_to_the_next(
    world: World, officer: Someone, lead: Someone, ngo: Someone
) -> None:
    case = officer.submits(consents=BOTH)
    for one in (officer, lead, ngo):
        one.hears()

    world.waits_for(hours=3)

    told = officer.hears()
    assert kinds(told) == ["case.not_acknowledged", "case.rerouted"]
    assert [event["by"] for event in told] == [None, None]
    assert told[0]["facts"] == {"clock": "acknowledge", "silence": 1, "active": True}
    assert officer.sees(case)["holder"] == "SANA_SEZIM"
    assert kinds(lead.hears()) == ["case.not_acknowledged", "case.rerouted"]
    assert problem(lead.get(path_of(case))) == (404, "not-found")
    assert ngo.sees(case)["due_at"] == "2026-06-01T18:00:00Z"


def test_a_case_that_is_read_and_not_decided_goes_to_the_next(
    world: World, officer: Someone, lead: Someone, ngo: Someone
) -> None:
    case = officer.submits(consents=BOTH)
    done(lead.does("acknowledge", case))
    officer.hears()

    world.waits_for(hours=72)

    assert kinds(officer.hears()) == ["case.not_decided", "case.rerouted"]
    assert ngo.sees(case)["state"] == "submitted"


def test_at_the_end_stands_the_desk_which_keeps_the_case(
    world: World, officer: Someone, desk: Someone
) -> None:
    watcher = world.someone("OVERSIGHT_DEMO", {Role.PROTECTION_OFFICER})
    case = officer.submits()
    world.waits_for(hours=3)
    assert desk.sees(case)["you_are"] == ["desk"]
    officer.hears(), desk.hears(), watcher.hears()

    world.waits_for(hours=3)

    for one in (officer, desk, watcher):
        assert kinds(one.hears()) == ["case.not_acknowledged"]
    assert desk.sees(case)["you_are"] == ["desk"]
    assert officer.sees(case)["holder"] == "DESK_CENTRAL_ASIA"
    [waiting] = desk.waits()
    assert waiting[0] == f"cases/{case['code']}"


def test_a_referral_ends_at_the_second_silence_and_its_sender_can_ask_another(
    world: World, officer: Someone, lead: Someone, shelter: Someone
) -> None:
    case = lead.leads(officer.submits())
    sent = done(lead.refers(case, SHELTER))
    lead.hears(), shelter.hears()

    world.waits_for(hours=3)
    once = kinds(lead.hears()), lead.sees(sent)["state"]
    world.waits_for(hours=3)

    assert once == (["referral.not_acknowledged"], "sent")
    assert kinds(lead.hears()) == ["referral.not_acknowledged", "referral.expired"]
    assert lead.sees(sent)["state"] == "expired"
    assert shelter.sees(sent)["available_actions"][0]["action"] == "confirm_deletion"
    assert done(lead.refers(case, "KZ_SHELTER_TANSHOLPAN"))["state"] == "sent"


def test_a_referral_that_was_read_and_not_decided_ends(
    world: World, officer: Someone, lead: Someone, shelter: Someone
) -> None:
    case = lead.leads(officer.submits())
    sent = done(lead.refers(case, SHELTER))
    done(shelter.does("acknowledge", sent))
    lead.hears()

    world.waits_for(hours=72)

    assert kinds(lead.hears())[-2:] == ["referral.not_decided", "referral.expired"]
    late = shelter.does("accept", sent, promise(at="2026-06-06T09:00:00+05:00"))
    assert problem(late) == (409, "action-illegal")
    assert late.json()["state"] == "expired"


def test_help_that_goes_on_is_never_ended_by_a_clock(
    world: World, officer: Someone, lead: Someone, shelter: Someone
) -> None:
    case = lead.leads(officer.submits())
    sent = done(lead.refers(case, SHELTER))
    done(shelter.does("accept", sent, promise()))
    lead.hears()

    for _ in range(6):
        world.waits_for(days=3)

    told = [event for event in lead.hears() if event["subject"].startswith("referrals")]
    assert kinds(told)[:3] == ["referral.overdue"] * 3
    assert [event["facts"]["silence"] for event in told] == [1, 2, 3, 4]
    assert lead.sees(sent)["state"] == "accepted"
    assert done(shelter.does("start", sent, {"person_met": True}))["state"] == "in_progress"


def test_an_offer_of_the_lead_that_nobody_answers_ends_and_the_lead_stays(
    world: World, officer: Someone, lead: Someone
) -> None:
    guards = {"country_of_origin": "UZ", "origin_contact": "permitted"}
    consents = [consent(), for_services(), for_handover()]
    case = lead.leads(officer.submits(consents=consents, safeguards=guards))
    offered = done(lead.offers(case, "UZ_LEAD"))
    there = world.someone("UZ_LEAD")
    lead.hears()

    world.waits_for(hours=72)

    assert kinds(lead.hears())[:2] == ["handover.not_decided", "handover.expired"]
    assert lead.sees(case)["lead"] == "KZ_LEAD"
    assert problem(there.get(path_of(case))) == (404, "not-found")
    assert problem(there.get(path_of(offered))) == (404, "not-found")


def test_a_lead_that_is_silent_three_times_gets_a_desk_beside_it(
    world: World, officer: Someone, lead: Someone, desk: Someone
) -> None:
    case = lead.leads(officer.submits(consents=BOTH))
    lead.hears(), officer.hears()

    seen = []
    for _ in range(3):
        world.waits_for(days=7)
        seen.append((kinds(lead.hears()), desk.get(path_of(case)).status_code))

    assert seen == [
        (["case.overdue"], 404),
        (["case.overdue"], 404),
        (["case.overdue", "case.escalated"], 200),
    ]
    assert desk.sees(case)["you_are"] == ["escalation_desk"]
    assert lead.sees(case)["lead"] == "KZ_LEAD"
    assert kinds(officer.hears()) == ["case.escalated"]


def test_an_office_that_submitted_a_case_and_leads_it_hears_that_it_is_overdue(
    world: World, lead: Someone
) -> None:
    lead.leads(lead.submits())
    lead.hears()

    world.waits_for(days=7)

    assert kinds(lead.hears()) == ["case.overdue"]


def test_a_lead_that_answers_is_left_alone(
    world: World, officer: Someone, lead: Someone, desk: Someone
) -> None:
    case = lead.leads(officer.submits())
    lead.hears()

    for _ in range(5):
        world.waits_for(days=6)
        done(lead.creates(f"{path_of(case)}/risk-assessments", {"level": "low"}))

    assert set(kinds(lead.hears())) == {"case.risk_assessed"}
    assert problem(desk.get(path_of(case))) == (404, "not-found")


def test_a_suspended_case_comes_back_for_review_and_stays_suspended(
    world: World, officer: Someone, lead: Someone
) -> None:
    case = lead.leads(officer.submits())
    rest = {"reason": "SAFETY", "review_at": "2026-06-05T12:00:00Z"}
    done(lead.does("suspend", case, rest))
    lead.hears()

    world.waits_for(days=4)

    assert kinds(lead.hears()) == ["case.review_due"]
    assert lead.sees(case)["state"] == "suspended"
    assert lead.waits()[0][1:] == ("review", "2026-06-05T12:00:00Z")


def test_a_draft_that_nobody_finished_is_thrown_away(
    world: World, officer: Someone
) -> None:
    case = done(officer.writes_case())

    world.waits_for(days=14)

    assert kinds(officer.hears())[-1] == "case.discarded"
    assert officer.sees(case)["state"] == "void"
    assert problem(officer.opens(f"{path_of(case)}/sections/needs"))[0] == 404


def test_a_draft_of_a_referral_is_thrown_away(
    world: World, officer: Someone, lead: Someone
) -> None:
    case = lead.leads(officer.submits())
    draft = done(lead.refers(case, SHELTER, send=False))

    world.waits_for(days=14)

    assert lead.sees(draft)["state"] == "revoked"


def test_a_question_to_a_second_person_lapses_and_can_be_asked_anew(
    world: World, officer: Someone, lead: Someone, supervisor: Someone
) -> None:
    case = lead.leads(officer.submits())
    asked = done(lead.does("close", case, closing()))
    lead.hears()

    world.waits_for(hours=72)

    assert kinds(lead.hears()) == ["approval.lapsed"]
    assert [work for work in supervisor.waits() if work[0].startswith("approvals")] == []
    late = supervisor.post(f"/approvals/{asked['id']}/approve")
    assert problem(late) == (409, "approval-decided")
    again = done(lead.does("close", case, closing()))
    assert again["id"] != asked["id"]


def test_a_question_to_the_submitter_is_told_of_to_both(
    world: World, officer: Someone, lead: Someone, shelter: Someone
) -> None:
    case = lead.leads(officer.submits())
    question = {"topics": ["contact"], "question": "Which channel is safe at night?"}
    done(lead.creates(f"{path_of(case)}/questions", question))
    officer.hears(), lead.hears()

    world.waits_for(days=1)

    assert kinds(officer.hears()) == kinds(lead.hears()) == ["case.not_answered"]
    assert officer.waits()[0][1] == "answer"
    assert shelter.hears() == []


def list_evidence(who: Someone, record: Json) -> list[tuple[str, int, list[str]]]:
    """Return the delivery evidence: the recipient, the rank and the missed deadlines."""
    items = done(who.get(f"{path_of(record)}/evidence"))["items"]
    return [
        (one["recipient"], one["rank"], [silence["name"] for silence in one["silences"]])
        for one in items
    ]


def test_the_sender_sees_what_was_let_pass_and_who_was_asked_next(
    world: World, officer: Someone, ngo: Someone
) -> None:
    case = officer.submits(consents=BOTH)
    before = list_evidence(officer, case)

    world.waits_for(hours=3)
    rerouted = list_evidence(officer, case)
    ngo.sees(case)
    world.waits_for(hours=3)

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
    case = lead.leads(officer.submits())
    sent = done(lead.refers(case, SHELTER))
    world.waits_for(hours=3)

    done(shelter.does("accept", sent, promise()))

    [(recipient, rank, silences)] = list_evidence(lead, sent)
    assert (recipient, rank) == (SHELTER, 5)
    assert silences == ["not_retrieved", "not_acknowledged"]


def test_nobody_else_learns_from_a_silence_that_there_is_a_case(
    world: World, officer: Someone, lead: Someone, stranger: Someone
) -> None:
    there = world.someone("UZ_LEAD")
    case = lead.leads(officer.submits())
    done(lead.refers(case, SHELTER))
    officer.hears()

    for _ in range(6):
        world.waits_for(days=7)

    assert stranger.hears() == there.hears() == []
    heard = [event for event in officer.hears() if "referrals/" in event["subject"]]
    assert heard == []


def test_nobody_waits_for_an_office_that_is_closed(
    world: World, officer: Someone, lead: Someone
) -> None:
    case = officer.submits(consents=BOTH)
    draft = done(lead.writes_case())
    officer.hears()

    world.shuts("KZ_LEAD")
    world.works()

    assert kinds(officer.hears()) == ["case.not_acknowledged", "case.rerouted"]
    assert officer.sees(case)["holder"] == "SANA_SEZIM"
    assert lead.sees(draft)["state"] == "draft"
    assert world.works() == 0


def test_a_case_whose_lead_is_closed_has_a_desk_beside_it_at_once(
    world: World, officer: Someone, lead: Someone, desk: Someone
) -> None:
    case = lead.leads(officer.submits(consents=BOTH))
    sent = done(lead.refers(case, SHELTER))

    world.shuts("KZ_LEAD")
    world.shuts(SHELTER)
    world.works()

    assert desk.sees(case)["you_are"] == ["escalation_desk"]
    assert lead.sees(sent)["state"] == "expired"
    world.waits_for(days=7)
    assert kinds(lead.hears()).count("case.overdue") == 2


def test_a_silence_counts_from_when_somebody_was_waited_for(
    world: World, officer: Someone, lead: Someone, desk: Someone
) -> None:
    case = lead.leads(officer.submits(consents=BOTH))
    done(lead.does("stop", case, {"reason": "SURVIVOR_REQUEST"}))
    world.waits_for(days=90)
    lead.hears()

    again = done(lead.does("reopen", case, {"reason": "NEW_NEED"}))
    world.works()

    assert again["due_at"] == "2026-08-30T12:00:00Z"
    told = [event for event in lead.hears() if event["type"] == "case.overdue"]
    assert [event["facts"]["silence"] for event in told] == [1]
    assert problem(desk.get(path_of(case))) == (404, "not-found")
