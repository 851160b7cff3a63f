"""Tests of erasure at the end of retention and of legal holds."""

import pytest

from app.consents.models import Consent
from app.kernel.actors import SERVICE, Role
from app.kernel.erasures import Erasure
from app.kernel.lifecycle import ActionIllegal
from app.kernel.needs import NeedsUnmet
from app.referrals.models import Referral
from app.returns.models import Return
from tests.support.erased_cases import TELLING, drop, kept, lapse
from tests.support.returns import begin
from tests.support.world import (
    SIGNS,
    Json,
    Someone,
    World,
    consent,
    done,
    kinds,
    path_of,
    problem,
)

STOP: Json = {"reason": "SURVIVOR_REQUEST", "note": "Enough"}
WITHDRAW: Json = {"reason": "SENT_IN_ERROR", "note": "Not this one"}
ERASE: Json = {"reason": "SURVIVOR_REQUEST"}
HOLD: Json = {"value": "in_force"}
LIFT: Json = {"value": "lifted"}


@pytest.fixture
def guard(world: World) -> Someone:
    """The protection officer of oversight."""
    return world.someone("OVERSIGHT_DEMO", {Role.PROTECTION_OFFICER})


@pytest.fixture
def second(world: World) -> Someone:
    """A supervisor of oversight, who approves as the second person."""
    return world.someone("OVERSIGHT_DEMO", {Role.SUPERVISOR})


@pytest.fixture
def over(officer: Someone, lead: Someone) -> Json:
    """A stopped case with a screening, a fact, a question and a referral."""
    case = lead.leads(officer.submits(screening=SIGNS, external_reference="A-1"))
    fact = {"name": "identification", "value": "presumed", "country": "KZ"}
    done(lead.creates(f"{path_of(case)}/facts", fact))
    asked = {"topics": ["needs"], "question": "Does she need an interpreter?"}
    done(lead.creates(f"{path_of(case)}/questions", asked))
    done(lead.refers(case, "KZ_SHELTER_KOGERSHIN"))
    return done(lead.does("stop", case, STOP))


def test_a_case_is_erased_when_its_retention_is_over_and_by_nobody(
    world: World, officer: Someone, lead: Someone, guard: Someone, over: Json
) -> None:
    due = guard.sees(over)["due_at"]
    for one in (officer, lead, guard):
        one.hears()
    world.passes(days=731)

    lapse(world, over)

    assert due == "2028-06-01T12:00:00Z"
    assert kept(world, *TELLING) == {}
    assert kept(world, Erasure) == {"erasure": 1}
    for one in (officer, lead):
        assert problem(one.get(path_of(over))) == (404, "not-found")
    for one in (officer, lead, guard):
        told = one.hears()[-1]
        assert (told["type"], told["by"]) == ("case.erased", None)
        assert told["facts"] == {"state": "erased"}
    assert officer.writes_case(external_reference="A-1", consents=[]).is_success


def test_of_an_erased_case_oversight_reads_the_notice_and_what_happened(
    world: World, guard: Someone, over: Json
) -> None:
    before, guarded = done(guard.get(f"{path_of(over)}/evidence")), guard.sees(over)
    world.passes(days=731)

    lapse(world, over)

    shell = guard.sees(over)
    history = done(guard.get(f"{path_of(over)}/history"))["items"]
    assert shell["notice"] == guarded["notice"]
    assert (shell["state"], shell["sections"], shell["risk"]) == ("erased", [], None)
    assert (shell["submitter"], shell["lead"]) == ("UZ_CONSULATE_ALMATY", None)
    assert kinds(history)[0] == "case.submitted"
    assert {"case.acknowledged", "case.lead_accepted", "case.stopped"} <= set(
        kinds(history)
    )
    assert all(event["at"] and event["subject"] for event in history)
    assert done(guard.get(f"{path_of(over)}/evidence")) == before
    for part in ("consents", "facts", "questions", "screenings", "returns"):
        answer = guard.get(f"{path_of(over)}/{part}")
        assert answer.status_code in {403, 404} or answer.json()["items"] == []


def test_nothing_is_erased_before_its_time_or_while_it_goes_on(
    world: World, officer: Someone, over: Json
) -> None:
    going, draft = officer.submits(), done(officer.writes_case())
    world.passes(days=700)

    with pytest.raises(NeedsUnmet) as early:
        lapse(world, over)
    with pytest.raises(ActionIllegal):
        lapse(world, going)
    with pytest.raises(ActionIllegal):
        lapse(world, draft)

    assert [lack["need"] for lack in early.value.facts["unmet"]] == ["time_is_up"]
    assert kept(world, Erasure) == {}


def test_a_draft_nobody_finished_is_thrown_away_after_14_days(
    world: World, officer: Someone
) -> None:
    vital = {"reason": "RISK_TO_LIFE", "note": "Tonight"}
    draft = done(officer.writes_case(vital_interest=vital, screening=SIGNS))
    officer.hears()
    world.passes(days=13, hours=23)
    with pytest.raises(NeedsUnmet):
        drop(world, draft)
    world.passes(hours=1)

    drop(world, draft)

    gone = officer.sees(draft)
    assert (gone["state"], gone["sections"]) == ("void", [])
    assert kept(world, *TELLING) == {}
    assert kept(world, Erasure) == {"erasure": 1}
    [told] = officer.hears()
    assert (told["type"], told["by"]) == ("case.discarded", None)


def test_what_is_no_draft_is_not_dropped(
    world: World, officer: Someone, over: Json
) -> None:
    world.passes(days=15)

    for case in (officer.submits(), over):
        with pytest.raises(ActionIllegal):
            drop(world, case)


def test_a_case_that_was_taken_back_keeps_its_retention_too(
    world: World, officer: Someone, guard: Someone
) -> None:
    case = officer.submits()
    done(officer.does("withdraw", case, WITHDRAW))
    world.passes(days=731)

    lapse(world, case)

    assert problem(officer.get(path_of(case))) == (404, "not-found")
    assert guard.sees(case)["state"] == "erased"
    assert kept(world, *TELLING) == {}


def test_a_draft_that_was_thrown_away_is_erased_in_the_end_and_counted_once(
    world: World, officer: Someone
) -> None:
    draft = done(officer.writes_case())
    done(officer.does("discard", draft))
    world.passes(days=731)

    lapse(world, draft)

    assert problem(officer.get(path_of(draft))) == (404, "not-found")
    assert kept(world, Erasure) == {"erasure": 1}


def test_under_a_legal_hold_nothing_is_erased_and_oversight_hears_it_once(
    world: World, lead: Someone, guard: Someone, second: Someone, over: Json
) -> None:
    done(guard.does_with(second, "legal-hold", over, HOLD))
    before = kept(world, *TELLING)
    lead.hears(), guard.hears()
    world.passes(days=731)

    for _ in range(3):
        lapse(world, over)
        world.passes(days=30)

    assert kept(world, *TELLING) == before
    assert kept(world, Erasure) == {}
    [told] = guard.hears()
    assert (told["type"], told["by"]) == ("case.retention_held", None)
    assert lead.hears() == []
    assert guard.sees(over)["due_at"] == "2028-08-30T12:00:00Z"


def test_another_hold_is_told_again(
    world: World, guard: Someone, second: Someone, over: Json
) -> None:
    world.passes(days=731)
    for body in (HOLD, LIFT, HOLD):
        done(guard.does_with(second, "legal-hold", over, body))
        world.passes(days=31)
        if body == HOLD:
            lapse(world, over)

    assert kinds(guard.hears()).count("case.retention_held") == 2


def test_once_a_hold_is_lifted_the_retention_goes_on_after_30_days(
    world: World, guard: Someone, second: Someone, over: Json
) -> None:
    done(guard.does_with(second, "legal-hold", over, HOLD))
    world.passes(days=731)
    lapse(world, over)
    world.passes(days=20)

    done(guard.does_with(second, "legal-hold", over, LIFT))

    assert guard.sees(over)["due_at"] == "2028-07-21T12:00:00Z"
    world.passes(days=29)
    with pytest.raises(NeedsUnmet):
        lapse(world, over)
    world.passes(days=1)
    lapse(world, over)
    assert guard.sees(over)["state"] == "erased"


def test_a_hold_that_is_lifted_early_changes_no_day(
    guard: Someone, second: Someone, officer: Someone, over: Json
) -> None:
    going, before = officer.submits(), guard.sees(over)["due_at"]

    for case in (over, going):
        done(guard.does_with(second, "legal-hold", case, HOLD))
        done(guard.does_with(second, "legal-hold", case, LIFT))

    assert guard.sees(over)["due_at"] == before
    assert guard.sees(going)["state"] == "submitted"


def test_that_there_was_a_hold_stays_known_to_oversight(
    world: World, guard: Someone, second: Someone, over: Json
) -> None:
    done(guard.does_with(second, "legal-hold", over, HOLD))
    done(guard.does_with(second, "legal-hold", over, LIFT))
    world.passes(days=731)

    lapse(world, over)

    facts = done(guard.get(f"{path_of(over)}/facts"))["items"]
    assert [(f["name"], f["value"]) for f in facts] == [
        ("legal_hold", "in_force"),
        ("legal_hold", "lifted"),
    ]


def test_a_case_that_began_again_is_not_erased_at_the_old_time(
    world: World, lead: Someone, over: Json
) -> None:
    renewed = consent(obtained_on="2026-06-01", expires_at="2030-06-01T00:00:00Z")
    done(lead.creates(f"{path_of(over)}/consents", renewed))
    world.passes(days=731)
    done(lead.does("reopen", over, {"reason": "NEW_NEED"}))

    with pytest.raises(ActionIllegal):
        lapse(world, over)

    assert lead.sees(over)["state"] == "referring"


def test_two_people_of_oversight_leave_no_more_behind_than_time_does(
    world: World, guard: Someone, second: Someone, over: Json
) -> None:
    done(guard.does_with(second, "erase", over, ERASE))

    assert kept(world, *TELLING) == {}
    assert kept(world, Erasure) == {"erasure": 1}
    assert kept(world, Consent, Referral) == {"consent": 2, "referral": 1}


def test_what_waited_for_a_second_person_lapses_with_the_case(
    guard: Someone, second: Someone, over: Json
) -> None:
    asked = done(guard.does("legal-hold", over, HOLD))
    done(guard.does_with(second, "erase", over, ERASE))

    late = second.post(f"/approvals/{asked['id']}/approve")

    assert problem(late) == (409, "approval-decided")


def test_of_a_return_no_more_is_left_than_that_there_was_one(
    world: World, officer: Someone, lead: Someone, guard: Someone
) -> None:
    home = begin(world, officer, lead)
    home.goes(upto="monitor")
    world.passes(days=30)
    assessed = kept(world, *TELLING)["return_step"]
    done(lead.does("stop", home.case, STOP))
    world.passes(days=731)

    lapse(world, home.case)

    assert assessed == 12
    assert kept(world, *TELLING) == {}
    assert kept(world, Return) == {"return_checklist": 1}
    with world.database.reading(SERVICE) as session:
        assert session.get_one(Return, 1).visits == []
    assert guard.sees(home.case)["state"] == "erased"
