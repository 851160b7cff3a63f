"""Tests that a pending approval ends together with its subject."""

from collections.abc import Callable

import pytest

from app.cases import queries
from app.casework import carrying
from app.kernel.actors import Role
from tests.support.returns import begin
from tests.support.world import (
    Json,
    Someone,
    World,
    closing,
    consent,
    done,
    for_handover,
    kinds,
    path_of,
    problem,
    taking,
)

NGOS = consent(recipient_class={"kind": "non_state", "country": "KZ"})
STATE_OF_UZ = consent(recipient_class={"kind": "state", "country": "UZ"})
FEARED: Json = {"country_of_origin": "TM", "unsafe_focal_points": ["KZ_LEAD"]}
NO: Json = {"reason": "NO_CAPACITY"}

type Ending = Callable[[World, Someone, Someone, Json], None]


def request_approval(who: Someone, case: Json) -> str:
    """Request an approval to close a case."""
    asked = who.does("close", case, closing())
    assert asked.status_code == 202, asked.text
    return str(asked.json()["id"])


def decline_lead(_: World, __: Someone, lead: Someone, case: Json) -> None:
    assert lead.does("decline-lead", case, NO).status_code == 204


def mark_unsafe(_: World, officer: Someone, __: Someone, case: Json) -> None:
    match = {"If_Match": officer.tag(case)}
    done(officer.ask("PUT", f"{path_of(case)}/safeguards", FEARED, headers=match))


def relocate_case(_: World, __: Someone, lead: Someone, case: Json) -> None:
    assert lead.does("relocate", case, {"country": "UZ"}).status_code == 204


def stop_case(_: World, __: Someone, lead: Someone, case: Json) -> None:
    done(lead.does("stop", case, {"reason": "SURVIVOR_REQUEST"}))


@pytest.mark.parametrize("ends", [decline_lead, mark_unsafe, relocate_case, stop_case])
def test_what_a_candidate_asked_ends_with_its_part(
    world: World, officer: Someone, lead: Someone, supervisor: Someone, ends: Ending
) -> None:
    given = [consent(), NGOS, STATE_OF_UZ]
    case = officer.submits(consents=given, safeguards={"country_of_origin": "TM"})
    done(lead.does("acknowledge", case))
    question = request_approval(lead, case)
    assert [kind for _, kind, _ in lead.waits()] == ["decide_lead", "approve"]

    ends(world, officer, lead, case)
    world.passes(minutes=1)

    assert lead.waits() == []
    assert done(supervisor.get("/approvals"))["items"] == []
    late = supervisor.post(f"/approvals/{question}/approve")
    assert problem(late) == (409, "approval-decided")


def test_it_has_ended_for_a_process_whose_clock_is_behind_too(
    world: World, officer: Someone, lead: Someone, supervisor: Someone
) -> None:
    case = lead.leads(officer.submits())
    question = request_approval(lead, case)
    stop_case(world, officer, lead, case)

    world.passes(minutes=-10)

    late = supervisor.post(f"/approvals/{question}/approve")
    assert problem(late) == (409, "approval-decided")


def hand_over(world: World, _: Someone, lead: Someone, case: Json) -> None:
    offered = done(lead.offers(case, "IOM"))
    done(world.someone("IOM").does("accept", offered, taking()))


def take_over_case(world: World, _: Someone, lead: Someone, case: Json) -> None:
    desk = world.someone("DESK_CENTRAL_ASIA")
    boss = world.someone("DESK_CENTRAL_ASIA", {Role.SUPERVISOR})
    world.passes(days=21)
    with lead.writing() as work:
        carrying.escalate(work, queries.lock(work, case["code"]))
    request_approval(lead, case)
    move = {"focal_point": "SANA_SEZIM", "reason": "LEAD_SILENT", "person_informed": True}
    assert desk.does_with(boss, "take-over", case, move).status_code == 204


def close_case(world: World, _: Someone, __: Someone, case: Json) -> None:
    colleague = world.someone("KZ_LEAD")
    second = world.someone("KZ_LEAD", {Role.SUPERVISOR})
    done(colleague.does_with(second, "close", case, closing()))


@pytest.mark.parametrize("ends", [hand_over, take_over_case, stop_case, close_case])
def test_what_a_lead_asked_ends_with_its_part_or_with_the_case(
    world: World, officer: Someone, lead: Someone, supervisor: Someone, ends: Ending
) -> None:
    given = [consent(), NGOS, for_handover("IOM")]
    case = lead.leads(officer.submits(consents=given))
    request_approval(lead, case)

    ends(world, officer, lead, case)
    world.passes(minutes=1)

    assert "approve" not in [kind for _, kind, _ in lead.waits()]
    pending = done(supervisor.get("/approvals"))["items"]
    assert [one for one in pending if one["lapses_at"] > f"{world.now:%FT%TZ}"] == []


def test_what_goes_on_beside_a_question_leaves_it_open(
    lead: Someone, supervisor: Someone, case: Json
) -> None:
    question = request_approval(lead, case)
    rest = {"reason": "SAFETY", "review_at": "2026-06-05T12:00:00Z"}

    done(lead.does("suspend", case, rest))

    done(supervisor.post(f"/approvals/{question}/approve"))
    assert done(lead.does("close", case, closing(), approval=question))


@pytest.fixture
def case(officer: Someone, lead: Someone) -> Json:
    """A case that has a lead and no referrals."""
    return lead.leads(officer.submits())


def test_what_overseers_ask_does_not_end_with_the_case(
    world: World, lead: Someone, case: Json
) -> None:
    protector = world.someone("OVERSIGHT_DEMO", {Role.PROTECTION_OFFICER})
    second = world.someone("OVERSIGHT_DEMO", {Role.PROTECTION_OFFICER})
    hold = {"value": "in_force"}
    asked = done(protector.creates(f"{path_of(case)}/legal-hold", hold))

    done(lead.does("stop", case, {"reason": "SURVIVOR_REQUEST"}))

    done(second.post(f"/approvals/{asked['id']}/approve"))
    held = protector.post(
        f"{path_of(case)}/legal-hold", hold, Approval=asked["id"], Idempotency_Key="again"
    )
    assert done(held)["state"] == "closed"


def test_what_was_asked_about_a_return_ends_when_the_return_changes(
    world: World, officer: Someone, lead: Someone
) -> None:
    way = begin(world, officer, lead)
    way.goes("assess-origin")
    asked = done(lead.does("go", way.record, {}))

    done(lead.post(f"{path_of(way.record)}/call-off", {}))
    world.passes(minutes=1)

    assert "approve" not in [kind for _, kind, _ in lead.waits()]
    assert done(way.supervisor.get("/approvals"))["items"] == []
    late = way.supervisor.post(f"/approvals/{asked['id']}/approve")
    assert problem(late) == (409, "approval-decided")


def test_a_desk_that_was_brought_in_has_no_part_once_another_leads(
    world: World, officer: Someone, lead: Someone
) -> None:
    case = lead.leads(officer.submits(consents=[consent(), for_handover("IOM")]))
    desk = world.someone("DESK_CENTRAL_ASIA")
    world.passes(days=21)
    with lead.writing() as work:
        carrying.escalate(work, queries.lock(work, case["code"]))
    assert desk.sees(case)["you_are"] == ["escalation_desk"]

    hand_over(world, officer, lead, case)

    assert problem(desk.get(path_of(case))) == (404, "not-found")
    assert kinds(desk.hears())[-1] == "case.handed_over"
