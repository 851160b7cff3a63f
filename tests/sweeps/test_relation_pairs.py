"""An office with two relations sees only what at least one relation grants (R12, ADR 34).

In two worlds the lead takes the same step with different values, which are called the
secret. Every observer reads all that it can. If an observer with two relations can read a
difference, an observer with one of these relations must be able to read it too.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

import pytest
from fastapi import FastAPI
from httpx2 import Response

from app.kernel.actors import Relation
from tests.databases.failpoints.copies import Copies, copies_of
from tests.databases.failpoints.sweeping import Ids
from tests.support.databases import Copy
from tests.support.raw_requests import open_wire
from tests.support.relation_pairs import (
    CONSULATE,
    EMERGENCY,
    PAIRS,
    RELATIONS,
    UNPAIRED,
    Pair,
    Scene,
    Watched,
    build_scene,
    compare,
    read_all,
)
from tests.support.servers import report
from tests.support.world import Json, get_path, make_acceptance, unwrap

pytestmark = pytest.mark.slow
type Act = Callable[[Scene, Watched, Any], None]
LEAD: Final = Pair("KZ_LEAD", ("lead",))
"""The lead, which writes the secret and therefore must be able to read a difference."""
SHELTERS: Final = ("KZ_SHELTER_KOGERSHIN", "KZ_SHELTER_TANSHOLPAN")


def test_every_relation_is_paired_or_said_why_not() -> None:
    paired = {one for relations in RELATIONS.values() for one in relations}

    assert paired - {CONSULATE, EMERGENCY} | UNPAIRED.keys() == set(Relation)


def lead_does(scene: Scene, watched: Watched, action: str, body: Json) -> None:
    unwrap(scene.lead.does(action, watched.case, body))


def lead_writes(scene: Scene, watched: Watched, method: str, part: str, body: Json) -> None:
    match = {"If_Match": scene.lead.get_tag(watched.case)}
    path = f"{get_path(watched.case)}{part}"
    unwrap(scene.lead.ask(method, path, body, headers=match))


def assess_risk(scene: Scene, watched: Watched, level: str) -> None:
    path = f"{get_path(watched.case)}/risk-assessments"
    unwrap(scene.lead.create(path, {"level": level}))


def plan_visits(scene: Scene, watched: Watched, visits: list[str]) -> None:
    answer: Response = scene.lead.does("monitor", watched.case, {"visits": visits})
    assert answer.status_code in {200, 409}, answer.text


def add_services(scene: Scene, watched: Watched, added: list[str]) -> None:
    services = {"services": ["SHELTER", "LEGAL_AID", *added]}
    lead_writes(scene, watched, "PATCH", "", services)


def set_priority(scene: Scene, watched: Watched, priority: str) -> None:
    lead_writes(scene, watched, "PATCH", "", {"priority": priority})


def suspend(scene: Scene, watched: Watched, why: Json) -> None:
    lead_does(scene, watched, "suspend", why)


def ask_shelter(scene: Scene, watched: Watched, shelter: str) -> Json:
    return unwrap(scene.lead.refer(watched.case, shelter))


def shelter_declines(scene: Scene, watched: Watched, shelter: str) -> None:
    sent = ask_shelter(scene, watched, shelter)
    helper = scene.world.add_person(shelter)
    unwrap(helper.does("decline", sent, {"reason": "NO_CAPACITY"}))


def shelter_accepts(scene: Scene, watched: Watched, shelter: str) -> None:
    sent = ask_shelter(scene, watched, shelter)
    helper = scene.world.add_person(shelter)
    unwrap(helper.does("acknowledge", sent))
    unwrap(helper.does("accept", sent, make_acceptance()))


def relocate(scene: Scene, watched: Watched, country: str) -> None:
    lead_does(scene, watched, "relocate", {"country": country})


GUARDS: Final = {"country_of_origin": "UZ", "origin_contact": "permitted"}


def guard(scene: Scene, watched: Watched, changes: Json) -> None:
    lead_writes(scene, watched, "PUT", "/safeguards", GUARDS | changes)


def stop(scene: Scene, watched: Watched, reason: str) -> None:
    lead_does(scene, watched, "stop", {"reason": reason})


SECRETS: Final[Mapping[str, tuple[Act, Any, Any]]] = {
    "risk level": (assess_risk, "low", "high"),
    "visit dates": (plan_visits, ["2026-06-04T09:00:00Z"], ["2026-06-08T09:00:00Z"]),
    "a service added": (add_services, ["MEDICAL"], ["INTERPRETATION"]),
    "a service or nothing": (add_services, ["MEDICAL"], []),
    "priority": (set_priority, "normal", "emergency"),
    "suspension": (
        suspend,
        {"reason": "SAFETY", "review_at": "2026-06-04T12:00:00Z"},
        {"reason": "CONTACT_LOST", "review_at": "2026-06-05T12:00:00Z"},
    ),
    "who declined": (shelter_declines, *SHELTERS),
    "which shelter": (shelter_accepts, *SHELTERS),
    "country": (relocate, "KG", "UZ"),
    "asylum or nothing": (guard, {}, {"seeks_asylum": True}),
    "asylum": (guard, {"fear_of_state": True}, {"seeks_asylum": True}),
    "official": (guard, {"fear_of_state": True}, {"official_implicated": True}),
    "fear": (
        guard,
        {"unsafe_focal_points": [SHELTERS[0]]},
        {"unsafe_focal_points": [SHELTERS[1]]},
    ),
    "why it was stopped": (stop, "CONSENT_WITHDRAWN", "SURVIVOR_REQUEST"),
}


@pytest.fixture(scope="module")
def scene(
    copy: Copy, app: FastAPI, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Scene, Copies]]:
    """Yield a scene with all cases, and the copies from which its database is restored."""
    ids, folder = Ids(), tmp_path_factory.mktemp("pairs")
    with copy() as url, open_wire(url, app, ids) as wire:
        built = build_scene(wire, ids)
        with copies_of(wire.world.database.engine, folder) as copies:
            copies.keep("built")
            yield built, copies


@pytest.mark.partly
@pytest.mark.sweep
@pytest.mark.parametrize("secret", SECRETS)
def test_a_pair_of_relations_reads_no_difference_that_neither_reads_alone(
    scene: tuple[Scene, Copies], secret: str
) -> None:
    built, copies = scene
    act, *values = SECRETS[secret]

    worlds = [in_world(built, copies, act, value) for value in values]

    differing = {pair: compare(*(world[pair] for world in worlds)) for pair in PAIRS}
    answers = sum(
        at.endswith(" status") for w in worlds for read in w.values() for at in read
    )
    places = sum(len(found) for found in differing.values())
    report(secret, [f"{answers} answers compared, {places} places differ"])
    assert list_leaks(differing) == {}
    assert compare(*(world[LEAD] for world in worlds))


def in_world(
    scene: Scene, copies: Copies, act: Act, value: Any
) -> dict[Pair, dict[str, Any]]:
    """Write a value into every case, and return what every observer can read afterwards."""
    copies.back("built")
    now = scene.world.now
    for watched in scene.watched:
        scene.ids.begin(f"{watched.pair} {act.__name__}")
        act(scene, watched, value)
    scene.world.advance(minutes=5)
    scene.lists = {}
    found = {watched.pair: read_all(scene, watched) for watched in scene.watched}
    scene.world.now = now
    first = scene.watched[0]
    read = found | {LEAD: read_all(scene, replace(first, observer=scene.lead))}
    scene.lists = None
    return read


def list_leaks(differing: Mapping[Pair, frozenset[str]]) -> dict[str, list[str]]:
    """Return the differences that can be read with two relations, but not with one alone.

    If a single relation shows a record in only one of the worlds, or a list that is empty
    in only one of them, all fields of the record or of the items may differ for the pair.
    An empty list is a value of its own, with the path of the list.
    """
    leaks = {}
    for pair, places in differing.items():
        alone = frozenset[str]().union(*(differing[one] for one in pair.split()))
        records = (at.removesuffix("status") for at in alone if at.endswith(" status"))
        gone = (*records, *(f"{at}[]" for at in alone))
        if found := sorted(at for at in places - alone if not at.startswith(gone)):
            leaks[str(pair)] = found
    return leaks
