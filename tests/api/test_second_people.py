"""A pending approval ends when the step to be approved is no longer possible."""

from collections.abc import Callable

import pytest

from app.cases import queries as case_queries
from app.casework import carrying
from app.kernel.actors import Role
from tests.support.returns import begin_return
from tests.support.world import (
    Json,
    Someone,
    World,
    get_path,
    get_problem,
    list_types,
    make_closure,
    make_consent,
    make_handover_consent,
    make_takeover,
    unwrap,
)

NGOS = make_consent(recipient_class={"kind": "non_state", "country": "KZ"})
STATE_OF_UZ = make_consent(recipient_class={"kind": "state", "country": "UZ"})
FEARED: Json = {"country_of_origin": "TM", "unsafe_focal_points": ["KZ_LEAD"]}
NO: Json = {"reason": "NO_CAPACITY"}

type Ending = Callable[[World, Someone, Someone, Json], None]


def request_approval(who: Someone, case: Json) -> str:
    """Request an approval to close a case, and return the id of the approval."""
    answer = who.does("close", case, make_closure())
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


def decline_lead(_: World, __: Someone, lead: Someone, case: Json) -> None:
    assert lead.does("decline-lead", case, NO).status_code == 204


def mark_unsafe(_: World, officer: Someone, __: Someone, case: Json) -> None:
    match = {"If_Match": officer.get_tag(case)}
    unwrap(officer.ask("PUT", f"{get_path(case)}/safeguards", FEARED, headers=match))


def relocate_case(_: World, __: Someone, lead: Someone, case: Json) -> None:
    assert lead.does("relocate", case, {"country": "UZ"}).status_code == 204


def stop_case(_: World, __: Someone, lead: Someone, case: Json) -> None:
    unwrap(lead.does("stop", case, {"reason": "SURVIVOR_REQUEST"}))


@pytest.mark.parametrize("ends", [decline_lead, mark_unsafe, relocate_case, stop_case])
def test_what_a_candidate_asked_ends_with_its_part(
    world: World, officer: Someone, lead: Someone, supervisor: Someone, ends: Ending
) -> None:
    given = [make_consent(), NGOS, STATE_OF_UZ]
    case = officer.submit(consents=given, safeguards={"country_of_origin": "TM"})
    unwrap(lead.does("acknowledge", case))
    question = request_approval(lead, case)
    assert [kind for _, kind, _ in lead.get_worklist()] == ["decide_lead", "approve"]

    ends(world, officer, lead, case)
    world.advance(minutes=1)

    assert lead.get_worklist() == []
    assert unwrap(supervisor.get("/approvals"))["items"] == []
    late = supervisor.send(f"/approvals/{question}/approve")
    assert get_problem(late) == (409, "approval-decided")


def test_it_has_ended_for_a_process_whose_clock_is_behind_too(
    world: World, officer: Someone, lead: Someone, supervisor: Someone
) -> None:
    case = lead.take_lead(officer.submit())
    question = request_approval(lead, case)
    stop_case(world, officer, lead, case)

    world.advance(minutes=-10)

    late = supervisor.send(f"/approvals/{question}/approve")
    assert get_problem(late) == (409, "approval-decided")


def hand_over(world: World, _: Someone, lead: Someone, case: Json) -> None:
    offered = unwrap(lead.offer(case, "IOM"))
    unwrap(world.add_person("IOM").does("accept", offered, make_takeover()))


def take_over_case(world: World, _: Someone, lead: Someone, case: Json) -> None:
    desk = world.add_person("DESK_CENTRAL_ASIA")
    boss = world.add_person("DESK_CENTRAL_ASIA", {Role.SUPERVISOR})
    world.advance(days=21)
    with lead.begin_write() as tx:
        carrying.escalate_to_desk(tx, case_queries.lock(tx, case["code"]))
    request_approval(lead, case)
    move = {"focal_point": "SANA_SEZIM", "reason": "LEAD_SILENT", "person_informed": True}
    assert desk.does_with(boss, "take-over", case, move).status_code == 204


def close_case(world: World, _: Someone, __: Someone, case: Json) -> None:
    colleague = world.add_person("KZ_LEAD")
    second = world.add_person("KZ_LEAD", {Role.SUPERVISOR})
    unwrap(colleague.does_with(second, "close", case, make_closure()))


@pytest.mark.parametrize("ends", [hand_over, take_over_case, stop_case, close_case])
def test_what_a_lead_asked_ends_with_its_part_or_with_the_case(
    world: World, officer: Someone, lead: Someone, supervisor: Someone, ends: Ending
) -> None:
    given = [make_consent(), NGOS, make_handover_consent("IOM")]
    case = lead.take_lead(officer.submit(consents=given))
    request_approval(lead, case)

    ends(world, officer, lead, case)
    world.advance(minutes=1)

    assert "approve" not in [kind for _, kind, _ in lead.get_worklist()]
    pending = unwrap(supervisor.get("/approvals"))["items"]
    assert [one for one in pending if one["expires_at"] > f"{world.now:%FT%TZ}"] == []


def test_what_goes_on_beside_a_question_leaves_it_open(
    lead: Someone, supervisor: Someone, case: Json
) -> None:
    question = request_approval(lead, case)
    rest = {"reason": "SAFETY", "review_at": "2026-06-05T12:00:00Z"}

    unwrap(lead.does("suspend", case, rest))

    unwrap(supervisor.send(f"/approvals/{question}/approve"))
    assert unwrap(lead.does("close", case, make_closure(), approval=question))


@pytest.fixture
def case(officer: Someone, lead: Someone) -> Json:
    """Return a case that has a lead and no referrals."""
    return lead.take_lead(officer.submit())


def test_what_overseers_ask_does_not_end_with_the_case(
    world: World, lead: Someone, case: Json
) -> None:
    protector = world.add_person("OVERSIGHT_DEMO", {Role.PROTECTION_OFFICER})
    second = world.add_person("OVERSIGHT_DEMO", {Role.PROTECTION_OFFICER})
    hold = {"value": "in_force"}
    approval = unwrap(protector.create(f"{get_path(case)}/legal-hold", hold))

    unwrap(lead.does("stop", case, {"reason": "SURVIVOR_REQUEST"}))

    unwrap(second.send(f"/approvals/{approval['id']}/approve"))
    held = protector.send(
        f"{get_path(case)}/legal-hold",
        hold,
        Approval=approval["id"],
        Idempotency_Key="again",
    )
    assert unwrap(held)["state"] == "closed"


def test_what_was_asked_about_a_return_ends_when_the_return_changes(
    world: World, officer: Someone, lead: Someone
) -> None:
    way = begin_return(world, officer, lead)
    way.advance("assess-origin")
    approval = unwrap(lead.does("go", way.record, {}))

    unwrap(lead.send(f"{get_path(way.record)}/call-off", {}))
    world.advance(minutes=1)

    assert "approve" not in [kind for _, kind, _ in lead.get_worklist()]
    assert unwrap(way.supervisor.get("/approvals"))["items"] == []
    late = way.supervisor.send(f"/approvals/{approval['id']}/approve")
    assert get_problem(late) == (409, "approval-decided")


def test_a_desk_that_was_brought_in_has_no_part_once_another_leads(
    world: World, officer: Someone, lead: Someone
) -> None:
    case = lead.take_lead(
        officer.submit(consents=[make_consent(), make_handover_consent("IOM")])
    )
    desk = world.add_person("DESK_CENTRAL_ASIA")
    world.advance(days=21)
    with lead.begin_write() as tx:
        carrying.escalate_to_desk(tx, case_queries.lock(tx, case["code"]))
    assert desk.read(case)["you_are"] == ["escalation_desk"]

    hand_over(world, officer, lead, case)

    assert get_problem(desk.get(get_path(case))) == (404, "not-found")
    assert list_types(desk.poll())[-1] == "case.handed_over"
