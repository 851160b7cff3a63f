"""If an office ends its own relation by an action, it gets a 204 response and an event."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from app.cases import queries as case_queries
from app.casework import carrying
from app.kernel.actors import Role
from tests.support.world import (
    Json,
    Someone,
    World,
    get_path,
    get_problem,
    list_types,
    make_consent,
    make_service_consent,
    unwrap,
)

CONTRACT = Path(__file__).parents[2] / "openapi" / "openapi-3.1.json"
NGOS = make_consent(recipient_class={"kind": "non_state", "country": "KZ"})
NOBODY = [make_consent(focal_point="KZ_SHELTER_KOGERSHIN")]
CHOICE: Json = {"focal_point": "KZ_LEAD", "reason": "LOCAL_KNOWLEDGE"}
MOVE: Json = {
    "focal_point": "SANA_SEZIM",
    "reason": "LEAD_SILENT",
    "person_informed": True,
}
type Case = tuple[Someone, Json]


def at_a_desk(world: World) -> Case:
    """Return a person of a desk, and a case that is at the desk.

    When the case was submitted, no consent named an office that can lead.
    """
    officer = world.add_person("UZ_CONSULATE_ALMATY")
    case = officer.submit(consents=NOBODY)
    unwrap(officer.create(f"{get_path(case)}/consents", make_consent()))
    return world.add_person("DESK_CENTRAL_ASIA"), case


def with_a_candidate(world: World) -> Case:
    officer = world.add_person("UZ_CONSULATE_ALMATY")
    return world.add_person("KZ_LEAD"), officer.submit()


def escalated(world: World) -> Case:
    """Return a person of a desk, and a case that was escalated to the desk."""
    officer, lead = world.add_person("UZ_CONSULATE_ALMATY"), world.add_person("KZ_LEAD")
    given = [make_consent(), NGOS, make_service_consent()]
    case = lead.take_lead(officer.submit(consents=given))
    world.advance(days=21)
    with lead.begin_write() as tx:
        carrying.escalate_to_desk(tx, case_queries.lock(tx, case["code"]))
    return world.add_person("DESK_CENTRAL_ASIA"), case


ENDING: Final[list[tuple[str, Callable[[World], Case], Json, str]]] = [
    ("assign", at_a_desk, CHOICE, "case.assigned"),
    ("decline-lead", with_a_candidate, {"reason": "NO_CAPACITY"}, "case.lead_declined"),
    ("relocate", with_a_candidate, {"country": "UZ"}, "case.relocated"),
    ("take-over", escalated, MOVE, "case.taken_over"),
]


@pytest.mark.parametrize(("act", "begin", "body", "event"), ENDING)
def test_office_whose_part_ends_finds_what_it_did_in_its_feed(
    world: World, act: str, begin: Callable[[World], Case], body: Json, event: str
) -> None:
    actor, case = begin(world)
    headers = {"If_Match": actor.get_tag(case), "Idempotency_Key": "once"}
    path = f"{get_path(case)}/{act}"
    if act == "take-over":
        approval = actor.send(path, body).json()
        boss = world.add_person(actor.code, {Role.SUPERVISOR})
        unwrap(boss.send(f"/approvals/{approval['id']}/approve"))
        headers["Approval"] = approval["id"]
    actor.poll()

    answers = [actor.send(path, body, **headers) for _ in range(2)]

    assert [(one.status_code, one.content) for one in answers] == [(204, b"")] * 2
    assert answers[1].headers["Idempotent-Replayed"] == "true"
    assert get_problem(actor.get(get_path(case))) == (404, "not-found")
    events = actor.poll()
    assert event in list_types(events)
    assert {one["subject"] for one in events} == {f"cases/{case['code']}"}


@pytest.mark.parametrize("act", [act for act, *_ in ENDING])
def test_contract_says_where_the_record_of_such_an_act_is(act: str) -> None:
    contract: dict[str, Any] = json.loads(CONTRACT.read_text("utf-8"))

    answers = contract["paths"][f"/v1/cases/{{code}}/{act}"]["post"]["responses"]

    assert "the answer has no body" in answers["204"]["description"]
    assert "Your feed has the event" in answers["204"]["description"]
