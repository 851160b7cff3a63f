"""An office learns nothing of other people's cases from cases that it invents (ADR 89)."""

from collections.abc import Callable

import pytest

from tests.support.world import (
    Json,
    Someone,
    World,
    get_path,
    make_acceptance,
    make_consent,
    make_service_consent,
    unwrap,
)

WOMEN, MIXED = "KZ_SHELTER_KOGERSHIN", "KZ_SHELTER_TANSHOLPAN"
ELSEWHERE: Json = {"country_of_origin": "TM", "origin_contact": "permitted"}
"""Safeguards of an invented case, which make its author appear harmless to the person."""
ANYONE = make_consent(
    recipient_class={"kind": "non_state", "country": "KZ"},
    purposes=["REFER", "SHELTER", "PSYCHOSOCIAL"],
)


@pytest.fixture
def origin(world: World) -> Someone:
    """Return a person of the office of Uzbekistan, which leads the invented case."""
    return world.add_person("UZ_LEAD")


@pytest.fixture
def invented(officer: Someone, origin: Someone) -> Json:
    """Return an invented case that the office of Uzbekistan moved to Kazakhstan."""
    given = [make_consent(recipient_class={"kind": "state", "country": "UZ"}), ANYONE]
    case = officer.submit(summary={"country": "UZ"}, safeguards=ELSEWHERE, consents=given)
    case = origin.take_lead(case)
    unwrap(origin.does("relocate", case, {"country": "KZ"}))
    return case


def report_places(world: World, code: str, free: int) -> None:
    path = f"/focal-points/{code}/capacity"
    unwrap(world.add_person(code).ask("PUT", path, {"free": free}))


def accept_person(world: World, lead: Someone, case: Json, code: str) -> None:
    """Let a shelter accept a person, and report that its last place is taken."""
    shelter, referral = world.add_person(code), unwrap(lead.refer(case, code))
    unwrap(shelter.does("acknowledge", referral))
    unwrap(shelter.does("accept", referral, make_acceptance()))
    report_places(world, code, 0)


def withdraw_invented(world: World, origin: Someone, invented: Json, code: str) -> None:
    """Ask an office for help three times in an invented case, and withdraw each request."""
    for _ in range(3):
        referral = unwrap(origin.refer(invented, code))
        world.advance(minutes=1)
        unwrap(origin.does("withdraw", referral, {"reason": "NO_LONGER_NEEDED"}))


@pytest.fixture
def real(officer: Someone, lead: Someone) -> Json:
    """Return a case that the office of Kazakhstan leads."""
    return lead.take_lead(officer.submit(consents=[make_consent(), make_service_consent()]))


@pytest.mark.parametrize("history", ["none", "withdrawn", "unanswered"])
def test_list_of_recipients_does_not_show_which_shelter_took_a_person(
    world: World, lead: Someone, real: Json, invented: Json, history: str
) -> None:
    """The reasons, the order and the proposed offices are the same after the arrival."""
    origin = world.add_person("UZ_LEAD")
    for shelter in (WOMEN, MIXED):
        report_places(world, shelter, 1)
        if history != "none":
            withdraw_invented(world, origin, invented, shelter)
        if history == "unanswered":
            unwrap(origin.refer(invented, shelter, service="PSYCHOSOCIAL"))
    world.advance(hours=5)
    path = f"{get_path(invented)}/recipients"
    before = unwrap(origin.get(path, service="SHELTER"))

    accept_person(world, lead, real, MIXED)

    assert unwrap(origin.get(path, service="SHELTER")) == before


ANYWHERE = {
    "summary": {"country": "FR", "services": ["LEGAL_AID"]},
    "consents": [
        make_consent(recipient_class={"kind": "intergovernmental", "country": "FR"})
    ],
}
"""A case for which only IOM and UNHCR may lead, which fit equally well."""


def acknowledge_cases(world: World, officer: Someone) -> None:
    """Let IOM acknowledge three cases of other people in time."""
    for _ in range(3):
        unwrap(world.add_person("IOM").does("acknowledge", officer.submit(**ANYWHERE)))


def miss_cases(world: World, officer: Someone) -> None:
    """Let IOM miss the deadline of four cases of other people."""
    for _ in range(4):
        officer.submit(**ANYWHERE)
    world.advance(hours=5)


def withdraw_cases(world: World, officer: Someone) -> None:
    """Submit three cases, and withdraw each of them after a minute."""
    for _ in range(3):
        case = officer.submit(**ANYWHERE)
        world.advance(minutes=1)
        unwrap(officer.does("withdraw", case, {"reason": "SENT_IN_ERROR"}))


def fill_first(world: World, _: Someone) -> None:
    """Let IOM report that it has no place left."""
    report_places(world, "IOM", 0)


def empty_rival(world: World, _: Someone) -> None:
    """Let UNHCR report more free places than anybody has."""
    report_places(world, "UNHCR", 100_000)


@pytest.mark.parametrize(
    "act", [acknowledge_cases, miss_cases, withdraw_cases, fill_first, empty_rival]
)
def test_routing_does_not_depend_on_other_cases(
    world: World, officer: Someone, act: Callable[[World, Someone], None]
) -> None:
    """Reasons, order and choice of a lead stay the same, so no border can be inferred."""
    before = show_routing(officer, officer.submit(**ANYWHERE))
    assert [one for one, _ in before][:2] == ["IOM", "UNHCR"]

    act(world, officer)

    after = officer.submit(**ANYWHERE)
    assert show_routing(officer, after) == before
    assert after["holder"] == "IOM"


def show_routing(who: Someone, case: Json) -> list[tuple[str, list[str]]]:
    """Return the candidates of a case in their order, with the reasons."""
    found = unwrap(who.get(f"{get_path(case)}/routing"))
    return [(one["focal_point"], one["reasons"]) for one in found["candidates"]]


def test_only_offices_of_the_country_see_free_places(
    world: World, lead: Someone, real: Json, origin: Someone, invented: Json
) -> None:
    report_places(world, MIXED, 2)

    own, other = (
        unwrap(who.get(f"{get_path(one)}/recipients", service="SHELTER"))["services"][0]
        for who, one in ((lead, real), (origin, invented))
    )

    assert "has_places" in str(own)
    assert "has_places" not in str(other)
