"""Tests of actions that end the actor's own relation: 204, and an event in the feed."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from app.cases import queries
from app.casework import carrying
from app.kernel.actors import Role
from tests.support.world import (
    Json,
    Someone,
    World,
    consent,
    done,
    for_services,
    kinds,
    path_of,
    problem,
)

CONTRACT = Path(__file__).parents[2] / "openapi" / "openapi-3.1.json"
NGOS = consent(recipient_class={"kind": "non_state", "country": "KZ"})
NOBODY = [consent(focal_point="KZ_SHELTER_KOGERSHIN")]
CHOICE: Json = {"focal_point": "KZ_LEAD", "reason": "LOCAL_KNOWLEDGE"}
MOVE: Json = {
    "focal_point": "SANA_SEZIM",
    "reason": "LEAD_SILENT",
    "person_informed": True,
}
type Case = tuple[Someone, Json]


def at_a_desk(world: World) -> Case:
    """A case that no office may lead until the person consents to the State."""
    officer = world.someone("UZ_CONSULATE_ALMATY")
    case = officer.submits(consents=NOBODY)
    done(officer.creates(f"{path_of(case)}/consents", consent()))
    return world.someone("DESK_CENTRAL_ASIA"), case


def with_a_candidate(world: World) -> Case:
    officer = world.someone("UZ_CONSULATE_ALMATY")
    return world.someone("KZ_LEAD"), officer.submits()


def escalated(world: World) -> Case:
    """A case whose lead missed three deadlines, so the desk was added."""
    officer, lead = world.someone("UZ_CONSULATE_ALMATY"), world.someone("KZ_LEAD")
    given = [consent(), NGOS, for_services()]
    case = lead.leads(officer.submits(consents=given))
    world.passes(days=21)
    with lead.writing() as work:
        carrying.escalate(work, queries.lock(work, case["code"]))
    return world.someone("DESK_CENTRAL_ASIA"), case


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
    headers = {"If_Match": actor.tag(case), "Idempotency_Key": "once"}
    path = f"{path_of(case)}/{act}"
    if act == "take-over":
        asked = actor.post(path, body).json()
        boss = world.someone(actor.code, {Role.SUPERVISOR})
        done(boss.post(f"/approvals/{asked['id']}/approve"))
        headers["Approval"] = asked["id"]
    actor.hears()

    answers = [actor.post(path, body, **headers) for _ in range(2)]

    assert [(one.status_code, one.content) for one in answers] == [(204, b"")] * 2
    assert answers[1].headers["Idempotent-Replayed"] == "true"
    assert problem(actor.get(path_of(case))) == (404, "not-found")
    heard = actor.hears()
    assert event in kinds(heard)
    assert {one["subject"] for one in heard} == {f"cases/{case['code']}"}


@pytest.mark.parametrize("act", [act for act, *_ in ENDING])
def test_contract_says_where_the_record_of_such_an_act_is(act: str) -> None:
    contract: dict[str, Any] = json.loads(CONTRACT.read_text("utf-8"))

    answers = contract["paths"][f"/v1/cases/{{code}}/{act}"]["post"]["responses"]

    assert "no case to show" in answers["204"]["description"]
    assert "Your feed has what was done" in answers["204"]["description"]
