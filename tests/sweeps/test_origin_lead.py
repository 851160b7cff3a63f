"""A lead of the State of origin cannot find out which office a consent names (ADR 35).

Two worlds differ only in the office that one consent names, and another office recorded
that consent. The lead reads everything, and tries to refer the case and to hand it over to
each office.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest
from fastapi import FastAPI

from tests.databases.failpoints.copies import Copies, copies_of
from tests.databases.failpoints.sweeping import Ids
from tests.support.databases import Copy
from tests.support.raw_requests import open_wire
from tests.support.relation_pairs import (
    READERS,
    Pair,
    Scene,
    Watched,
    compare,
    read_all,
)
from tests.support.servers import report
from tests.support.world import (
    Json,
    Someone,
    get_path,
    get_unmet,
    make_consent,
    make_handover_consent,
    make_takeover,
    unwrap,
)

pytestmark = pytest.mark.slow
SHELTERS: Final = ("KZ_SHELTER_KOGERSHIN", "KZ_SHELTER_TANSHOLPAN")
LEADS: Final = ("SANA_SEZIM", "KZ_LEGAL_AID")
LEAD: Final = Pair("UZ_LEAD", ("lead",))
VITAL: Final = {"reason": "RISK_TO_LIFE", "note": "Two men wait outside"}
type Secret = tuple[Callable[[str], Json], tuple[str, str]]
SECRETS: Final[dict[str, Secret]] = {
    "a shelter": (
        lambda office: make_consent(focal_point=office, purposes=["SHELTER", "MEDICAL"]),
        SHELTERS,
    ),
    "a next lead": (make_handover_consent, LEADS),
}


@pytest.fixture(scope="module")
def scene(
    copy: Copy, app: FastAPI, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Scene, Copies]]:
    """Yield a scene with a case that KZ_LEAD leads and can hand over to UZ_LEAD."""
    ids, folder = Ids(), tmp_path_factory.mktemp("origin")
    with copy() as url, open_wire(url, app, ids) as wire:
        ids.begin("built")
        world = wire.world
        lead = world.add_person("KZ_LEAD", READERS)
        built = Scene(wire, ids, lead, lead, lead)
        officer = world.add_person("UZ_CONSULATE_ALMATY")
        guards = {"country_of_origin": "UZ", "origin_contact": "permitted"}
        given = [make_consent(), make_handover_consent("UZ_LEAD")]
        case = lead.take_lead(officer.submit(consents=given, safeguards=guards))
        origin = world.add_person("UZ_LEAD", READERS)
        built.watched.append(Watched(LEAD, case, origin, {"code": case["code"]}))
        with copies_of(world.database.engine, folder) as copies:
            copies.keep("built")
            yield built, copies


def begin_world(scene: Scene, copies: Copies, secret: str, office: str) -> Watched:
    """As KZ_LEAD, record a consent to `office`, and hand the case over to UZ_LEAD."""
    copies.back("built")
    [watched] = scene.watched
    scene.ids.begin(secret)
    given, _ = SECRETS[secret]
    path = f"{get_path(watched.case)}/consents"
    match = {"if_match": scene.lead.get_tag(watched.case)}
    unwrap(scene.lead.send(path, given(office), idempotency_key="given", **match))
    offer = unwrap(scene.lead.offer(watched.case, "UZ_LEAD"))
    unwrap(watched.observer.does("accept", offer, make_takeover()))
    return watched


def try_all(watched: Watched) -> Iterator[tuple[str, Any]]:
    """Try to refer the case and to offer the lead to each office; yield the responses."""
    lead, case = watched.observer, watched.case
    for office in (*SHELTERS, *LEADS):
        for send in (False, True):
            for sections in ([], ["needs"]):
                terms = {"send": send, "sections": sections}
                yield f"refer to {office} {terms}", lead.refer(case, office, **terms)
        yield f"offer {office}", lead.offer(case, office)


def read_world(scene: Scene, watched: Watched) -> dict[str, Any]:
    """Return all that the lead can read, before and after trying all actions."""
    found = read_all(scene, watched)
    for service in ("SHELTER", "MEDICAL"):
        path = f"{get_path(watched.case)}/recipients"
        listed = watched.observer.get(path, service=service)
        found[f"recipients {service}"] = (listed.status_code, listed.json())
    for number, (name, answer) in enumerate(try_all(watched)):
        body = answer.json() | {"instance": ""}
        found[f"{number} {name}"] = (answer.status_code, body)
    again = read_all(scene, watched)
    return found | {f"again {at}": value for at, value in again.items()}


@pytest.mark.parametrize("in_danger", [False, True])
@pytest.mark.parametrize("secret", SECRETS)
def test_lead_of_origin_is_answered_alike_whichever_office_a_consent_names(
    scene: tuple[Scene, Copies], secret: str, *, in_danger: bool
) -> None:
    built, copies = scene
    worlds = []
    for office in SECRETS[secret][1]:
        watched = begin_world(built, copies, secret, office)
        if in_danger:
            path = f"{get_path(watched.case)}/vital-interests"
            unwrap(watched.observer.create(path, VITAL, key="in-danger"))
        worlds.append(read_world(built, watched))

    one, other = worlds
    report(secret, [f"{len(one)} answers compared"])
    assert compare(one, other) == frozenset()
    assert len(one) > 100


def test_lead_of_origin_that_records_a_consent_itself_can_refer_on_it(
    scene: tuple[Scene, Copies],
) -> None:
    built, copies = scene
    watched = begin_world(built, copies, "a shelter", SHELTERS[0])
    lead, case = watched.observer, watched.case
    assert list_candidates(lead, case) == []
    assert ("consent", "sender") in get_unmet(lead.refer(case, SHELTERS[0]))

    own = make_consent(focal_point=SHELTERS[0], purposes=["SHELTER"], sections=["needs"])
    match = {"if_match": lead.get_tag(case)}
    unwrap(
        lead.send(f"{get_path(case)}/consents", own, idempotency_key="own-word", **match)
    )

    assert list_candidates(lead, case) == [SHELTERS[0]]
    assert lead.refer(case, SHELTERS[0]).status_code == 201
    assert lead.refer(case, SHELTERS[1]).status_code == 409


def list_candidates(lead: Someone, case: Json) -> list[str]:
    listed = unwrap(lead.get(f"{get_path(case)}/recipients", service="SHELTER"))
    [service] = listed["services"]
    return [one["focal_point"] for one in service["candidates"]]
