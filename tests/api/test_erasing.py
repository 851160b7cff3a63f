"""Erasure: what is destroyed, who orders it, and what remains of a case."""

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
    "/safety-notice",
    "/contacts",
    "/notes",
)


@pytest.fixture
def overseer(world: World) -> Someone:
    """The protection officer of oversight."""
    return world.someone("OVERSIGHT_DEMO", {Role.PROTECTION_OFFICER})


@pytest.fixture
def second(world: World) -> Someone:
    """Another person of oversight."""
    return world.someone("OVERSIGHT_DEMO", {Role.SUPERVISOR})


@pytest.fixture
def stopped_case(officer: Someone, lead: Someone) -> Json:
    """A stopped case, with a referral whose recipient has not confirmed deletion yet."""
    case = lead.leads(officer.submits())
    done(lead.refers(case, "KZ_SHELTER_KOGERSHIN"))
    return done(lead.does("stop", case, STOP))


def count_sealed(world: World) -> tuple[int | None, int | None]:
    """Return the number of data keys and of sealed documents."""
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
    assert count_sealed(world) == (0, 0)
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
    overseer: Someone,
    second: Someone,
    stopped_case: Json,
) -> None:
    for one in (officer, lead, shelter, overseer):
        one.hears()

    erased = done(overseer.does_with(second, "erase", stopped_case, ERASE))

    assert (erased["state"], erased["holder"]) == ("erased", None)
    assert count_sealed(world) == (0, 0)
    for one in (officer, lead, shelter):
        assert problem(one.get(path_of(stopped_case))) == (404, "not-found")
        assert one.waits() == []
        assert done(one.get("/cases"))["items"] == []
    for one in (lead, overseer):
        told = one.hears()[-1]
        assert (told["type"], told["by"]) == ("case.erased", "OVERSIGHT_DEMO")
        assert told["facts"] == {"state": "erased", "reason": "SURVIVOR_REQUEST"}
    told = officer.hears()[-1]
    assert (told["type"], told["by"]) == ("case.erased", None)
    assert told["facts"] == {"state": "erased"}
    assert "case.erased" not in kinds(shelter.hears())


def test_of_a_case_that_was_erased_everything_answers(
    officer: Someone, overseer: Someone, second: Someone, stopped_case: Json
) -> None:
    done(overseer.does_with(second, "erase", stopped_case, ERASE))
    path = path_of(stopped_case)

    assert {overseer.get(f"{path}{part}").status_code for part in READS} == {200}
    assert {overseer.opens(f"{path}{part}").status_code for part in OPENS} == {
        200,
        404,
    }
    assert [c["state"] for c in done(overseer.get("/cases"))["items"]] == ["erased"]
    assert done(overseer.get("/referrals"))["items"] == []
    assert problem(overseer.does("erase", stopped_case, ERASE)) == (
        409,
        "action-illegal",
    )
    held = overseer.does("legal-hold", stopped_case, HOLD)
    assert problem(held) == (409, "action-illegal")
    consents = f"{path}/consents"
    assert done(overseer.get(consents))["items"] == []
    assert problem(officer.get(consents)) == (404, "not-found")


def test_erasing_is_repeated_as_it_was(
    overseer: Someone, second: Someone, stopped_case: Json
) -> None:
    path, seen = f"{path_of(stopped_case)}/erase", overseer.tag(stopped_case)
    asked = done(overseer.post(path, ERASE, if_match=seen, idempotency_key="a"))
    done(second.post(f"/approvals/{asked['id']}/approve"))
    headers = {"approval": asked["id"], "if_match": seen, "idempotency_key": "b"}

    answers = [overseer.post(path, ERASE, **headers) for _ in range(2)]

    assert done(answers[0]) == done(answers[1])
    replayed = overseer.post(path, ERASE, if_match=seen, idempotency_key="a")
    assert (replayed.status_code, replayed.json()["decision"]) == (202, "spent")


def test_what_the_lead_did_before_is_not_repeated_once_it_was_erased(
    officer: Someone, lead: Someone, overseer: Someone, second: Someone
) -> None:
    case = lead.leads(officer.submits())
    stop = f"{path_of(case)}/stop"
    done(lead.post(stop, STOP, idempotency_key="once"))
    done(overseer.does_with(second, "erase", case, ERASE))

    assert problem(lead.post(stop, STOP, idempotency_key="once")) == (404, "not-found")


def test_a_case_is_not_erased_while_the_law_forbids_it(
    overseer: Someone, second: Someone, stopped_case: Json
) -> None:
    done(overseer.does_with(second, "legal-hold", stopped_case, HOLD))

    refused = overseer.does("erase", stopped_case, ERASE)
    done(overseer.does_with(second, "legal-hold", stopped_case, LIFT))

    assert lacks(refused) == [("no_legal_hold", "oversight")]
    assert (
        done(overseer.does_with(second, "erase", stopped_case, ERASE))["state"] == "erased"
    )


def test_nobody_but_oversight_learns_of_a_hold(
    officer: Someone, lead: Someone, overseer: Someone, second: Someone
) -> None:
    case = lead.leads(officer.submits())
    lead.hears(), officer.hears()
    tag = lead.tag(case)

    done(overseer.does_with(second, "legal-hold", case, HOLD))

    assert lead.tag(case) == tag
    assert lead.hears() == officer.hears() == []
    assert done(lead.get(f"{path_of(case)}/facts"))["items"] == []
    [fact] = done(overseer.get(f"{path_of(case)}/facts"))["items"]
    assert (fact["name"], fact["value"]) == ("legal_hold", "in_force")
    assert overseer.hears()[-1]["facts"] == {"value": "in_force"}
    assert lead.does("stop", case, STOP).is_success


def test_what_oversight_does_is_nobody_elses(
    world: World, officer: Someone, lead: Someone, stranger: Someone, stopped_case: Json
) -> None:
    colleague = world.someone("OVERSIGHT_DEMO", {Role.SUPERVISOR, Role.COORDINATOR})

    for action, body in (("erase", ERASE), ("legal-hold", HOLD)):
        for one in (officer, lead):
            refused = one.does(action, stopped_case, body)
            assert problem(refused) == (403, "action-not-yours")
        assert problem(colleague.does(action, stopped_case, body)) == (403, "role-missing")
        assert problem(stranger.does(action, stopped_case, body)) == (404, "not-found")


def test_a_case_under_way_is_not_erased(
    officer: Someone, lead: Someone, overseer: Someone
) -> None:
    case = lead.leads(officer.submits())

    assert problem(overseer.does("erase", case, ERASE)) == (409, "action-illegal")


def test_what_was_allowed_is_not_enough_once_the_case_began_again(
    lead: Someone, overseer: Someone, second: Someone, stopped_case: Json
) -> None:
    asked = done(overseer.does("erase", stopped_case, ERASE))
    done(second.post(f"/approvals/{asked['id']}/approve"))
    done(lead.does("reopen", stopped_case, {"reason": "NEW_NEED"}))

    refused = overseer.does("erase", stopped_case, ERASE, approval=asked["id"])

    assert problem(refused) == (409, "action-illegal")
