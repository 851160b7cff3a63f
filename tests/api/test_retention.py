"""Tests of erasure at the end of the retention, and of legal holds."""

import pytest

from app.consents.models import Consent
from app.kernel.actors import SERVICE, Role
from app.kernel.erasures import Erasure
from app.kernel.lifecycle import ActionIllegal
from app.kernel.requirements import NeedsUnmet
from app.referrals.models import Referral
from app.returns.models import Return
from tests.support.erased_cases import (
    PERSONAL_TABLES,
    count_rows,
    erase_after_retention,
    erase_draft,
)
from tests.support.returns import begin_return
from tests.support.world import (
    SIGNS,
    Json,
    Someone,
    World,
    get_path,
    get_problem,
    list_types,
    make_consent,
    unwrap,
)

STOP: Json = {"reason": "SURVIVOR_REQUEST", "note": "Enough"}
WITHDRAW: Json = {"reason": "SENT_IN_ERROR", "note": "Not this one"}
ERASE: Json = {"reason": "SURVIVOR_REQUEST"}
HOLD: Json = {"value": "in_force"}
LIFT: Json = {"value": "lifted"}


@pytest.fixture
def guard(world: World) -> Someone:
    """Return the protection officer of oversight."""
    return world.add_person("OVERSIGHT_DEMO", {Role.PROTECTION_OFFICER})


@pytest.fixture
def second(world: World) -> Someone:
    """Return a supervisor of oversight, who approves as the second person."""
    return world.add_person("OVERSIGHT_DEMO", {Role.SUPERVISOR})


@pytest.fixture
def over(officer: Someone, lead: Someone) -> Json:
    """Return a stopped case with a screening, a fact, a question and a referral."""
    case = lead.take_lead(officer.submit(screening=SIGNS, external_reference="A-1"))
    fact = {"name": "identification", "value": "presumed", "country": "KZ"}
    unwrap(lead.create(f"{get_path(case)}/facts", fact))
    question_body = {"topics": ["needs"], "question": "Does she need an interpreter?"}
    unwrap(lead.create(f"{get_path(case)}/questions", question_body))
    unwrap(lead.refer(case, "KZ_SHELTER_KOGERSHIN"))
    return unwrap(lead.does("stop", case, STOP))


def test_a_case_is_erased_when_its_retention_is_over_and_by_nobody(
    world: World, officer: Someone, lead: Someone, guard: Someone, over: Json
) -> None:
    due = guard.read(over)["due_at"]
    for one in (officer, lead, guard):
        one.poll()
    world.advance(days=731)

    erase_after_retention(world, over)

    assert due == "2028-06-01T12:00:00Z"
    assert count_rows(world, *PERSONAL_TABLES) == {}
    assert count_rows(world, Erasure) == {"erasure": 1}
    for one in (officer, lead):
        assert get_problem(one.get(get_path(over))) == (404, "not-found")
    for one in (officer, lead, guard):
        event = one.poll()[-1]
        assert (event["type"], event["by"]) == ("case.erased", None)
        assert event["facts"] == {"state": "erased"}
    assert officer.create_case(external_reference="A-1", consents=[]).is_success


def test_of_an_erased_case_oversight_reads_the_notice_and_what_happened(
    world: World, guard: Someone, over: Json
) -> None:
    before, guarded = unwrap(guard.get(f"{get_path(over)}/evidence")), guard.read(over)
    world.advance(days=731)

    erase_after_retention(world, over)

    shell = guard.read(over)
    history = unwrap(guard.get(f"{get_path(over)}/history"))["items"]
    assert shell["summary"] == guarded["summary"]
    assert (shell["state"], shell["sections"], shell["risk"]) == ("erased", [], None)
    assert (shell["submitter"], shell["lead"]) == ("UZ_CONSULATE_ALMATY", None)
    assert list_types(history)[0] == "case.submitted"
    assert {"case.acknowledged", "case.lead_accepted", "case.stopped"} <= set(
        list_types(history)
    )
    assert all(event["at"] and event["subject"] for event in history)
    assert unwrap(guard.get(f"{get_path(over)}/evidence")) == before
    for part in ("consents", "facts", "questions", "screenings", "returns"):
        answer = guard.get(f"{get_path(over)}/{part}")
        assert answer.status_code in {403, 404} or answer.json()["items"] == []


def test_nothing_is_erased_before_its_time_or_while_it_goes_on(
    world: World, officer: Someone, over: Json
) -> None:
    going, draft = officer.submit(), unwrap(officer.create_case())
    world.advance(days=700)

    with pytest.raises(NeedsUnmet) as early:
        erase_after_retention(world, over)
    with pytest.raises(ActionIllegal):
        erase_after_retention(world, going)
    with pytest.raises(ActionIllegal):
        erase_after_retention(world, draft)

    assert [lack["requirement"] for lack in early.value.facts["unmet"]] == ["time_is_up"]
    assert count_rows(world, Erasure) == {}


def test_a_draft_nobody_finished_is_thrown_away_after_14_days(
    world: World, officer: Someone
) -> None:
    vital = {"reason": "RISK_TO_LIFE", "note": "Tonight"}
    draft = unwrap(officer.create_case(vital_interest=vital, screening=SIGNS))
    officer.poll()
    world.advance(days=13, hours=23)
    with pytest.raises(NeedsUnmet):
        erase_draft(world, draft)
    world.advance(hours=1)

    erase_draft(world, draft)

    gone = officer.read(draft)
    assert (gone["state"], gone["sections"]) == ("void", [])
    assert count_rows(world, *PERSONAL_TABLES) == {}
    assert count_rows(world, Erasure) == {"erasure": 1}
    [event] = officer.poll()
    assert (event["type"], event["by"]) == ("case.discarded", None)


def test_what_is_no_draft_is_not_dropped(
    world: World, officer: Someone, over: Json
) -> None:
    world.advance(days=15)

    for case in (officer.submit(), over):
        with pytest.raises(ActionIllegal):
            erase_draft(world, case)


def test_a_case_that_was_taken_back_keeps_its_retention_too(
    world: World, officer: Someone, guard: Someone
) -> None:
    case = officer.submit()
    unwrap(officer.does("withdraw", case, WITHDRAW))
    world.advance(days=731)

    erase_after_retention(world, case)

    assert get_problem(officer.get(get_path(case))) == (404, "not-found")
    assert guard.read(case)["state"] == "erased"
    assert count_rows(world, *PERSONAL_TABLES) == {}


def test_a_draft_that_was_thrown_away_is_erased_in_the_end_and_counted_once(
    world: World, officer: Someone
) -> None:
    draft = unwrap(officer.create_case())
    unwrap(officer.does("discard", draft))
    world.advance(days=731)

    erase_after_retention(world, draft)

    assert get_problem(officer.get(get_path(draft))) == (404, "not-found")
    assert count_rows(world, Erasure) == {"erasure": 1}


def test_under_a_legal_hold_nothing_is_erased_and_oversight_hears_it_once(
    world: World, lead: Someone, guard: Someone, second: Someone, over: Json
) -> None:
    unwrap(guard.does_with(second, "legal-hold", over, HOLD))
    before = count_rows(world, *PERSONAL_TABLES)
    lead.poll(), guard.poll()
    world.advance(days=731)

    for _ in range(3):
        erase_after_retention(world, over)
        world.advance(days=30)

    assert count_rows(world, *PERSONAL_TABLES) == before
    assert count_rows(world, Erasure) == {}
    [event] = guard.poll()
    assert (event["type"], event["by"]) == ("case.retention_held", None)
    assert lead.poll() == []
    assert guard.read(over)["due_at"] == "2028-08-30T12:00:00Z"


def test_another_hold_is_told_again(
    world: World, guard: Someone, second: Someone, over: Json
) -> None:
    world.advance(days=731)
    for body in (HOLD, LIFT, HOLD):
        unwrap(guard.does_with(second, "legal-hold", over, body))
        world.advance(days=31)
        if body == HOLD:
            erase_after_retention(world, over)

    assert list_types(guard.poll()).count("case.retention_held") == 2


def test_once_a_hold_is_lifted_the_retention_goes_on_after_30_days(
    world: World, guard: Someone, second: Someone, over: Json
) -> None:
    unwrap(guard.does_with(second, "legal-hold", over, HOLD))
    world.advance(days=731)
    erase_after_retention(world, over)
    world.advance(days=20)

    unwrap(guard.does_with(second, "legal-hold", over, LIFT))

    assert guard.read(over)["due_at"] == "2028-07-21T12:00:00Z"
    world.advance(days=29)
    with pytest.raises(NeedsUnmet):
        erase_after_retention(world, over)
    world.advance(days=1)
    erase_after_retention(world, over)
    assert guard.read(over)["state"] == "erased"


def test_a_hold_that_is_lifted_early_changes_no_day(
    guard: Someone, second: Someone, officer: Someone, over: Json
) -> None:
    going, before = officer.submit(), guard.read(over)["due_at"]

    for case in (over, going):
        unwrap(guard.does_with(second, "legal-hold", case, HOLD))
        unwrap(guard.does_with(second, "legal-hold", case, LIFT))

    assert guard.read(over)["due_at"] == before
    assert guard.read(going)["state"] == "submitted"


def test_that_there_was_a_hold_stays_known_to_oversight(
    world: World, guard: Someone, second: Someone, over: Json
) -> None:
    unwrap(guard.does_with(second, "legal-hold", over, HOLD))
    unwrap(guard.does_with(second, "legal-hold", over, LIFT))
    world.advance(days=731)

    erase_after_retention(world, over)

    facts = unwrap(guard.get(f"{get_path(over)}/facts"))["items"]
    assert [(f["name"], f["value"]) for f in facts] == [
        ("legal_hold", "in_force"),
        ("legal_hold", "lifted"),
    ]


def test_a_case_that_began_again_is_not_erased_at_the_old_time(
    world: World, lead: Someone, over: Json
) -> None:
    renewed = make_consent(obtained_on="2026-06-01", expires_at="2030-06-01T00:00:00Z")
    unwrap(lead.create(f"{get_path(over)}/consents", renewed))
    world.advance(days=731)
    unwrap(lead.does("reopen", over, {"reason": "NEW_NEED"}))

    with pytest.raises(ActionIllegal):
        erase_after_retention(world, over)

    assert lead.read(over)["state"] == "referring"


def test_two_people_of_oversight_leave_no_more_behind_than_time_does(
    world: World, guard: Someone, second: Someone, over: Json
) -> None:
    unwrap(guard.does_with(second, "erase", over, ERASE))

    assert count_rows(world, *PERSONAL_TABLES) == {}
    assert count_rows(world, Erasure) == {"erasure": 1}
    assert count_rows(world, Consent, Referral) == {"consent": 2, "referral": 1}


def test_what_waited_for_a_second_person_lapses_with_the_case(
    guard: Someone, second: Someone, over: Json
) -> None:
    approval = unwrap(guard.does("legal-hold", over, HOLD))
    unwrap(guard.does_with(second, "erase", over, ERASE))

    late = second.send(f"/approvals/{approval['id']}/approve")

    assert get_problem(late) == (409, "approval-decided")


def test_of_a_return_no_more_is_left_than_that_there_was_one(
    world: World, officer: Someone, lead: Someone, guard: Someone
) -> None:
    home = begin_return(world, officer, lead)
    home.advance(upto="monitor")
    world.advance(days=30)
    assessed = count_rows(world, *PERSONAL_TABLES)["return_step"]
    unwrap(lead.does("stop", home.case, STOP))
    world.advance(days=731)

    erase_after_retention(world, home.case)

    assert assessed == 12
    assert count_rows(world, *PERSONAL_TABLES) == {}
    assert count_rows(world, Return) == {"return_checklist": 1}
    with world.database.begin_read(SERVICE) as session:
        assert session.get_one(Return, 1).visits == []
    assert guard.read(home.case)["state"] == "erased"
