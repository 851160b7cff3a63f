"""What is destroyed, by whom, and what of a case is left afterwards."""

import pytest
from sqlalchemy import func, select

from app.cases.models import CaseKey, Sealed
from app.kernel.actors import SERVICE, Role
from tests.support.world import Json, Someone, World, done, kinds, lacks, path_of, problem

STOP: Json = {"reason": "SURVIVOR_REQUEST", "note": "Enough"}
ERASE: Json = {"reason": "SURVIVOR_REQUEST"}
HOLD: Json = {"value": "in_force"}
LIFT: Json = {"value": "lifted"}
READS = (
    *("", "/history", "/evidence", "/routing", "/consents", "/facts", "/questions"),
    "/access-log",
)
OPENS = (
    *("/sections/needs", "/safeguards", "/safeguards/history", "/safety-notice"),
    *("/contacts", "/notes"),
)


@pytest.fixture
def guard(world: World) -> Someone:
    """Act as the protection officer of oversight."""
    return world.someone("OVERSIGHT_DEMO", {Role.PROTECTION_OFFICER})


@pytest.fixture
def second(world: World) -> Someone:
    """Another person of oversight."""
    return world.someone("OVERSIGHT_DEMO", {Role.SUPERVISOR})


@pytest.fixture
def over(officer: Someone, lead: Someone) -> Json:
    """A case that the person ended, with a referral whose recipient has yet to delete."""
    case = lead.leads(officer.submits())
    done(lead.refers(case, "KZ_SHELTER_KOGERSHIN"))
    return done(lead.does("stop", case, STOP))


def sealed(world: World) -> tuple[int | None, int | None]:
    """Count the data keys and what lies sealed under them."""
    with world.database.reading(SERVICE) as session:
        tables = (CaseKey, Sealed)
        counts = [session.scalar(select(func.count()).select_from(t)) for t in tables]
    return counts[0], counts[1]


def test_a_draft_is_thrown_away_with_its_key(world: World, officer: Someone) -> None:
    vital = {"reason": "RISK_TO_LIFE", "note": "Tonight"}
    draft = done(officer.writes_case(vital_interest=vital, external_reference="A-1"))
    officer.hears()

    gone = done(officer.does("discard", draft))

    assert (gone["state"], gone["stage"], gone["sections"]) == ("void", "closure", [])
    assert sealed(world) == (0, 0)
    assert officer.waits() == []
    [told] = officer.hears()
    assert (told["type"], told["facts"]) == ("case.discarded", {"state": "void"})
    assert officer.writes_case(external_reference="A-1").status_code == 201


def test_a_case_that_was_thrown_away_answers_still(officer: Someone, lead: Someone) -> None:
    draft = done(officer.writes_case())
    path = path_of(draft)
    headers = {"if_match": officer.tag(draft), "idempotency_key": "once"}
    first = officer.post(f"{path}/discard", **headers)

    again = officer.post(f"{path}/discard", **headers)

    assert done(again) == done(first)
    assert {officer.get(f"{path}{p}").status_code for p in READS} <= {200, 403}
    assert {officer.opens(f"{path}{p}").status_code for p in OPENS} <= {200, 404}
    assert [c["state"] for c in done(officer.get("/cases"))["items"]] == ["void"]
    assert problem(officer.does("discard", draft)) == (409, "action-illegal")
    assert problem(officer.does("submit", draft)) == (409, "action-illegal")
    vital = {"reason": "RISK_TO_LIFE", "note": "Tonight"}
    late = officer.creates(f"{path}/vital-interests", vital)
    assert problem(late) == (409, "action-illegal")
    assert problem(lead.get(path)) == (404, "not-found")


def test_only_a_draft_is_thrown_away_and_only_by_who_wrote_it(
    world: World, officer: Someone, lead: Someone
) -> None:
    draft, case = done(officer.writes_case()), officer.submits()
    second = world.someone("UZ_CONSULATE_ALMATY", {Role.SUPERVISOR})

    assert problem(lead.does("discard", draft)) == (404, "not-found")
    assert problem(second.does("discard", draft)) == (403, "role-missing")
    assert problem(officer.does("discard", case)) == (409, "action-illegal")


def test_two_people_of_oversight_erase_a_case_that_ended(  # noqa: PLR0913, PLR0917
    world: World,
    officer: Someone,
    lead: Someone,
    shelter: Someone,
    guard: Someone,
    second: Someone,
    over: Json,
) -> None:
    for one in (officer, lead, shelter, guard):
        one.hears()

    erased = done(guard.does_with(second, "erase", over, ERASE))

    assert (erased["state"], erased["holder"]) == ("erased", None)
    assert sealed(world) == (0, 0)
    for one in (officer, lead, shelter):
        assert problem(one.get(path_of(over))) == (404, "not-found")
        assert one.waits() == []
        assert done(one.get("/cases"))["items"] == []
    for one in (lead, guard):
        told = one.hears()[-1]
        assert (told["type"], told["by"]) == ("case.erased", "OVERSIGHT_DEMO")
        assert told["facts"] == {"state": "erased", "reason": "SURVIVOR_REQUEST"}
    told = officer.hears()[-1]
    assert (told["type"], told["by"]) == ("case.erased", None)
    assert told["facts"] == {"state": "erased"}
    assert "case.erased" not in kinds(shelter.hears())


def test_of_a_case_that_was_erased_everything_answers(
    officer: Someone, guard: Someone, second: Someone, over: Json
) -> None:
    done(guard.does_with(second, "erase", over, ERASE))
    path = path_of(over)

    assert {guard.get(f"{path}{part}").status_code for part in READS} == {200}
    assert {guard.opens(f"{path}{part}").status_code for part in OPENS} == {200, 404}
    assert [c["state"] for c in done(guard.get("/cases"))["items"]] == ["erased"]
    assert done(guard.get("/referrals"))["items"] == []
    assert problem(guard.does("erase", over, ERASE)) == (409, "action-illegal")
    held = guard.does("legal-hold", over, HOLD)
    assert problem(held) == (409, "action-illegal")
    consents = f"{path}/consents"
    assert done(guard.get(consents))["items"] == []
    assert problem(officer.get(consents)) == (404, "not-found")


def test_erasing_is_repeated_as_it_was(guard: Someone, second: Someone, over: Json) -> None:
    path, seen = f"{path_of(over)}/erase", guard.tag(over)
    asked = done(guard.post(path, ERASE, if_match=seen, idempotency_key="a"))
    done(second.post(f"/approvals/{asked['id']}/approve"))
    headers = {"approval": asked["id"], "if_match": seen, "idempotency_key": "b"}

    answers = [guard.post(path, ERASE, **headers) for _ in range(2)]

    assert done(answers[0]) == done(answers[1])
    replayed = guard.post(path, ERASE, if_match=seen, idempotency_key="a")
    assert (replayed.status_code, replayed.json()["decision"]) == (202, "spent")


def test_what_the_lead_did_before_is_not_repeated_once_it_was_erased(
    officer: Someone, lead: Someone, guard: Someone, second: Someone
) -> None:
    case = lead.leads(officer.submits())
    stop = f"{path_of(case)}/stop"
    done(lead.post(stop, STOP, idempotency_key="once"))
    done(guard.does_with(second, "erase", case, ERASE))

    assert problem(lead.post(stop, STOP, idempotency_key="once")) == (404, "not-found")


def test_a_case_is_not_erased_while_the_law_forbids_it(
    guard: Someone, second: Someone, over: Json
) -> None:
    done(guard.does_with(second, "legal-hold", over, HOLD))

    refused = guard.does("erase", over, ERASE)
    done(guard.does_with(second, "legal-hold", over, LIFT))

    assert lacks(refused) == [("no_legal_hold", "oversight")]
    assert done(guard.does_with(second, "erase", over, ERASE))["state"] == "erased"


def test_nobody_but_oversight_learns_of_a_hold(
    officer: Someone, lead: Someone, guard: Someone, second: Someone
) -> None:
    case = lead.leads(officer.submits())
    lead.hears(), officer.hears()
    tag = lead.tag(case)

    done(guard.does_with(second, "legal-hold", case, HOLD))

    assert lead.tag(case) == tag
    assert lead.hears() == officer.hears() == []
    assert done(lead.get(f"{path_of(case)}/facts"))["items"] == []
    [fact] = done(guard.get(f"{path_of(case)}/facts"))["items"]
    assert (fact["name"], fact["value"]) == ("legal_hold", "in_force")
    assert guard.hears()[-1]["facts"] == {"value": "in_force"}
    assert lead.does("stop", case, STOP).is_success


def test_what_oversight_does_is_nobody_elses(
    world: World, officer: Someone, lead: Someone, stranger: Someone, over: Json
) -> None:
    colleague = world.someone("OVERSIGHT_DEMO", {Role.SUPERVISOR, Role.COORDINATOR})

    for action, body in (("erase", ERASE), ("legal-hold", HOLD)):
        for one in (officer, lead):
            refused = one.does(action, over, body)
            assert problem(refused) == (403, "action-not-yours")
        assert problem(colleague.does(action, over, body)) == (403, "role-missing")
        assert problem(stranger.does(action, over, body)) == (404, "not-found")


def test_a_case_under_way_is_not_erased(
    officer: Someone, lead: Someone, guard: Someone
) -> None:
    case = lead.leads(officer.submits())

    assert problem(guard.does("erase", case, ERASE)) == (409, "action-illegal")


def test_what_was_allowed_is_not_enough_once_the_case_began_again(
    lead: Someone, guard: Someone, second: Someone, over: Json
) -> None:
    asked = done(guard.does("erase", over, ERASE))
    done(second.post(f"/approvals/{asked['id']}/approve"))
    done(lead.does("reopen", over, {"reason": "NEW_NEED"}))

    refused = guard.does("erase", over, ERASE, approval=asked["id"])

    assert problem(refused) == (409, "action-illegal")
