"""Tests of erasure: who orders it, what it destroys, and what remains of a case."""

import pytest
from sqlalchemy import func, select

from app.cases.models import CaseKey, Sealed
from app.kernel.actors import SERVICE, Role
from tests.support.world import (
    Json,
    Someone,
    World,
    get_path,
    get_problem,
    get_unmet,
    list_types,
    unwrap,
)

STOP: Json = {"reason": "SURVIVOR_REQUEST", "note": "Enough"}
ERASE: Json = {"reason": "SURVIVOR_REQUEST"}
HOLD: Json = {"value": "in_force"}
LIFT: Json = {"value": "lifted"}
READS = (
    "",
    "/history",
    "/evidence",
    "/routing",
    "/consents",
    "/facts",
    "/questions",
    "/access-log",
)
OPENS = (
    "/sections/needs",
    "/safeguards",
    "/safeguards/history",
    "/safety-alert",
    "/contacts",
    "/notes",
)


@pytest.fixture
def overseer(world: World) -> Someone:
    """Return a protection officer of oversight."""
    return world.add_person("OVERSIGHT_DEMO", {Role.PROTECTION_OFFICER})


@pytest.fixture
def second(world: World) -> Someone:
    """Return another person of oversight."""
    return world.add_person("OVERSIGHT_DEMO", {Role.SUPERVISOR})


@pytest.fixture
def stopped_case(officer: Someone, lead: Someone) -> Json:
    """Return a stopped case with a referral whose recipient has not confirmed deletion."""
    case = lead.take_lead(officer.submit())
    unwrap(lead.refer(case, "KZ_SHELTER_KOGERSHIN"))
    return unwrap(lead.does("stop", case, STOP))


def count_sealed(world: World) -> tuple[int | None, int | None]:
    """Return the number of data keys and the number of sealed documents."""
    with world.database.begin_read(SERVICE) as session:
        tables = (CaseKey, Sealed)
        counts = [session.scalar(select(func.count()).select_from(t)) for t in tables]
    return counts[0], counts[1]


def test_a_draft_is_thrown_away_with_its_key(world: World, officer: Someone) -> None:
    vital = {"reason": "RISK_TO_LIFE", "note": "Tonight"}
    draft = unwrap(officer.create_case(vital_interest=vital, external_reference="A-1"))
    officer.poll()

    gone = unwrap(officer.does("discard", draft))

    assert (gone["state"], gone["stage"], gone["sections"]) == ("void", "closure", [])
    assert count_sealed(world) == (0, 0)
    assert officer.get_worklist() == []
    [event] = officer.poll()
    assert (event["type"], event["facts"]) == ("case.discarded", {"state": "void"})
    assert officer.create_case(external_reference="A-1").status_code == 201


def test_a_case_that_was_thrown_away_answers_still(officer: Someone, lead: Someone) -> None:
    draft = unwrap(officer.create_case())
    path = get_path(draft)
    headers = {"if_match": officer.get_tag(draft), "idempotency_key": "once"}
    first = officer.send(f"{path}/discard", **headers)

    again = officer.send(f"{path}/discard", **headers)

    assert unwrap(again) == unwrap(first)
    assert {officer.get(f"{path}{p}").status_code for p in READS} <= {200, 403}
    assert {officer.open(f"{path}{p}").status_code for p in OPENS} <= {200, 404}
    assert [c["state"] for c in unwrap(officer.get("/cases"))["items"]] == ["void"]
    assert get_problem(officer.does("discard", draft)) == (409, "action-illegal")
    assert get_problem(officer.does("submit", draft)) == (409, "action-illegal")
    vital = {"reason": "RISK_TO_LIFE", "note": "Tonight"}
    late = officer.create(f"{path}/vital-interests", vital)
    assert get_problem(late) == (409, "action-illegal")
    assert get_problem(lead.get(path)) == (404, "not-found")


def test_only_a_draft_is_thrown_away_and_only_by_who_wrote_it(
    world: World, officer: Someone, lead: Someone
) -> None:
    draft, case = unwrap(officer.create_case()), officer.submit()
    second = world.add_person("UZ_CONSULATE_ALMATY", {Role.SUPERVISOR})

    assert get_problem(lead.does("discard", draft)) == (404, "not-found")
    assert get_problem(second.does("discard", draft)) == (403, "role-missing")
    assert get_problem(officer.does("discard", case)) == (409, "action-illegal")


def test_two_people_of_oversight_erase_a_case_that_ended(  # noqa: PLR0913, PLR0917
    world: World,
    officer: Someone,
    lead: Someone,
    shelter: Someone,
    overseer: Someone,
    second: Someone,
    stopped_case: Json,
) -> None:
    for one in (officer, lead, shelter, overseer):
        one.poll()

    erased = unwrap(overseer.does_with(second, "erase", stopped_case, ERASE))

    assert (erased["state"], erased["holder"]) == ("erased", None)
    assert count_sealed(world) == (0, 0)
    for one in (officer, lead, shelter):
        assert get_problem(one.get(get_path(stopped_case))) == (404, "not-found")
        assert one.get_worklist() == []
        assert unwrap(one.get("/cases"))["items"] == []
    for one in (lead, overseer):
        event = one.poll()[-1]
        assert (event["type"], event["by"]) == ("case.erased", "OVERSIGHT_DEMO")
        assert event["facts"] == {"state": "erased", "reason": "SURVIVOR_REQUEST"}
    event = officer.poll()[-1]
    assert (event["type"], event["by"]) == ("case.erased", None)
    assert event["facts"] == {"state": "erased"}
    assert "case.erased" not in list_types(shelter.poll())


def test_of_a_case_that_was_erased_everything_answers(
    officer: Someone, overseer: Someone, second: Someone, stopped_case: Json
) -> None:
    unwrap(overseer.does_with(second, "erase", stopped_case, ERASE))
    path = get_path(stopped_case)

    assert {overseer.get(f"{path}{part}").status_code for part in READS} == {200}
    assert {overseer.open(f"{path}{part}").status_code for part in OPENS} == {
        200,
        404,
    }
    assert [c["state"] for c in unwrap(overseer.get("/cases"))["items"]] == ["erased"]
    assert unwrap(overseer.get("/referrals"))["items"] == []
    assert get_problem(overseer.does("erase", stopped_case, ERASE)) == (
        409,
        "action-illegal",
    )
    held = overseer.does("legal-hold", stopped_case, HOLD)
    assert get_problem(held) == (409, "action-illegal")
    consents = f"{path}/consents"
    assert unwrap(overseer.get(consents))["items"] == []
    assert get_problem(officer.get(consents)) == (404, "not-found")


def test_erasing_is_repeated_as_it_was(
    overseer: Someone, second: Someone, stopped_case: Json
) -> None:
    path, seen = f"{get_path(stopped_case)}/erase", overseer.get_tag(stopped_case)
    approval = unwrap(overseer.send(path, ERASE, if_match=seen, idempotency_key="a"))
    unwrap(second.send(f"/approvals/{approval['id']}/approve"))
    headers = {"approval": approval["id"], "if_match": seen, "idempotency_key": "b"}

    answers = [overseer.send(path, ERASE, **headers) for _ in range(2)]

    assert unwrap(answers[0]) == unwrap(answers[1])
    replayed = overseer.send(path, ERASE, if_match=seen, idempotency_key="a")
    assert (replayed.status_code, replayed.json()["decision"]) == (202, "used")


def test_what_the_lead_did_before_is_not_repeated_once_it_was_erased(
    officer: Someone, lead: Someone, overseer: Someone, second: Someone
) -> None:
    case = lead.take_lead(officer.submit())
    stop = f"{get_path(case)}/stop"
    unwrap(lead.send(stop, STOP, idempotency_key="once"))
    unwrap(overseer.does_with(second, "erase", case, ERASE))

    assert get_problem(lead.send(stop, STOP, idempotency_key="once")) == (404, "not-found")


def test_a_case_is_not_erased_while_the_law_forbids_it(
    overseer: Someone, second: Someone, stopped_case: Json
) -> None:
    unwrap(overseer.does_with(second, "legal-hold", stopped_case, HOLD))

    refused = overseer.does("erase", stopped_case, ERASE)
    unwrap(overseer.does_with(second, "legal-hold", stopped_case, LIFT))

    assert get_unmet(refused) == [("no_legal_hold", "oversight")]
    assert (
        unwrap(overseer.does_with(second, "erase", stopped_case, ERASE))["state"]
        == "erased"
    )


def test_nobody_but_oversight_learns_of_a_hold(
    officer: Someone, lead: Someone, overseer: Someone, second: Someone
) -> None:
    case = lead.take_lead(officer.submit())
    lead.poll(), officer.poll()
    tag = lead.get_tag(case)

    unwrap(overseer.does_with(second, "legal-hold", case, HOLD))

    assert lead.get_tag(case) == tag
    assert lead.poll() == officer.poll() == []
    assert unwrap(lead.get(f"{get_path(case)}/facts"))["items"] == []
    [fact] = unwrap(overseer.get(f"{get_path(case)}/facts"))["items"]
    assert (fact["name"], fact["value"]) == ("legal_hold", "in_force")
    assert overseer.poll()[-1]["facts"] == {"value": "in_force"}
    assert lead.does("stop", case, STOP).is_success


def test_what_oversight_does_is_nobody_elses(
    world: World, officer: Someone, lead: Someone, stranger: Someone, stopped_case: Json
) -> None:
    colleague = world.add_person("OVERSIGHT_DEMO", {Role.SUPERVISOR, Role.COORDINATOR})

    for action, body in (("erase", ERASE), ("legal-hold", HOLD)):
        for one in (officer, lead):
            refused = one.does(action, stopped_case, body)
            assert get_problem(refused) == (403, "action-not-yours")
        assert get_problem(colleague.does(action, stopped_case, body)) == (
            403,
            "role-missing",
        )
        assert get_problem(stranger.does(action, stopped_case, body)) == (404, "not-found")


def test_a_case_under_way_is_not_erased(
    officer: Someone, lead: Someone, overseer: Someone
) -> None:
    case = lead.take_lead(officer.submit())

    assert get_problem(overseer.does("erase", case, ERASE)) == (409, "action-illegal")


def test_what_was_allowed_is_not_enough_once_the_case_began_again(
    lead: Someone, overseer: Someone, second: Someone, stopped_case: Json
) -> None:
    approval = unwrap(overseer.does("erase", stopped_case, ERASE))
    unwrap(second.send(f"/approvals/{approval['id']}/approve"))
    unwrap(lead.does("reopen", stopped_case, {"reason": "NEW_NEED"}))

    refused = overseer.does("erase", stopped_case, ERASE, approval=approval["id"])

    assert get_problem(refused) == (409, "action-illegal")
