"""Offices to which the person did not consent cannot read sections (R12, R13, R84, R86)."""

from typing import Any

import pytest

from app.kernel.actors import Role
from tests.support.world import (
    SECTIONS,
    Json,
    Someone,
    World,
    get_path,
    get_problem,
    get_unmet,
    make_acceptance,
    make_consent,
    make_service_consent,
    make_takeover,
    unwrap,
)

HIDDEN = (404, "not-found")
NAME = "Ойгул"
NGO, STATE = "SANA_SEZIM", "KZ_LEAD"
TO_STATES: Json = {"kind": "state", "country": "KZ"}
NGOS = make_consent(recipient_class={"kind": "non_state", "country": "KZ"})


def open_section(who: Someone, case: Json, section: str = "identity") -> tuple[int, str]:
    """Try to open a section, and return the status and, if refused, the problem type."""
    answer = who.open(f"{get_path(case)}/sections/{section}")
    if section == "identity":
        assert answer.is_success == (NAME in answer.text)
    return (200, "") if answer.is_success else get_problem(answer)


@pytest.fixture
def ngo(world: World) -> Someone:
    return world.add_person(NGO)


@pytest.fixture
def state(world: World) -> Someone:
    return world.add_person(STATE)


def create_led_case(by: Someone, submitter: Someone, *consents: Json, **case: Any) -> Json:
    """Submit a case with these consents, and return it after `by` has accepted the lead."""
    return by.take_lead(submitter.submit(consents=list(consents), **case))


named = pytest.mark.parametrize(
    ("whom", "told"),
    [
        ({"recipient_class": TO_STATES}, False),
        ({"recipient_class": TO_STATES | {"function": "coordination"}}, False),
        ({"focal_point": STATE}, True),
    ],
    ids=["state bodies", "state bodies that coordinate", "this very body"],
)


@named
def test_a_name_that_an_ngo_wrote_reaches_a_state_body_that_the_person_named(
    ngo: Someone, state: Someone, whom: Json, *, told: bool
) -> None:
    given = make_consent(**whom, sections=["needs", "contact", "identity"])

    case = create_led_case(state, ngo, given)

    assert open_section(state, case) == ((200, "") if told else HIDDEN)
    assert (
        open_section(state, case, "needs")
        == open_section(state, case, "contact")
        == (200, "")
    )


@pytest.mark.parametrize("whom", [{"recipient_class": TO_STATES}, {"focal_point": STATE}])
def test_a_name_that_a_state_body_wrote_is_told_to_the_class_the_person_named(
    officer: Someone, state: Someone, whom: Json
) -> None:
    given = make_consent(**whom, sections=["needs", "identity"])

    case = create_led_case(state, officer, given)

    assert open_section(state, case) == (200, "")


@named
def test_an_ngo_that_leads_sends_no_name_to_a_state_body_on_a_class(
    officer: Someone, ngo: Someone, state: Someone, whom: Json, *, told: bool
) -> None:
    given = make_consent(
        **whom, purposes=["SOCIAL_WELFARE"], sections=["needs", "identity"]
    )
    case = create_led_case(ngo, officer, NGOS, given)
    terms = {"service": "SOCIAL_WELFARE"}

    sent = ngo.refer(case, STATE, sections=["needs", "identity"], **terms)

    if told:
        unwrap(state.does("accept", unwrap(sent), make_acceptance()))
    else:
        assert get_unmet(sent) == [("consent", "sender")]
        unwrap(
            state.does("accept", unwrap(ngo.refer(case, STATE, **terms)), make_acceptance())
        )
    assert open_section(state, case) == ((200, "") if told else HIDDEN)
    assert open_section(state, case, "needs") == (200, "")


def test_what_an_ngo_wrote_while_it_led_stays_an_ngos_once_it_has_handed_the_case_on(
    officer: Someone, ngo: Someone, state: Someone
) -> None:
    moves = make_consent(purposes=["HANDOVER"], sections=["needs", "identity"])
    case = create_led_case(ngo, officer, NGOS, moves)

    unwrap(state.does("accept", unwrap(ngo.offer(case, STATE)), make_takeover()))

    assert open_section(state, case) == HIDDEN
    assert open_section(state, case, "needs") == (200, "")


def test_an_ngo_that_helps_has_written_no_name(
    world: World, officer: Someone, state: Someone
) -> None:
    shelter = world.add_person("KZ_SHELTER_KOGERSHIN")
    given = make_consent(sections=["needs", "identity"])
    case = create_led_case(state, officer, given, make_service_consent())

    unwrap(
        shelter.does("accept", unwrap(state.refer(case, shelter.code)), make_acceptance())
    )

    assert open_section(state, case) == (200, "")


def test_a_state_body_reads_no_name_of_an_ngo_not_even_while_a_life_is_at_risk(
    world: World, ngo: Someone, state: Someone
) -> None:
    case = create_led_case(state, ngo, make_consent())
    reading = {"reason": "RISK_TO_LIFE", "note": "Now", "purpose": "assistance"}
    access_request = {**reading, "sections": ["identity", "health"]}
    path = f"{get_path(case)}/emergency-access"
    one = unwrap(state.create(path, access_request))
    watcher = world.add_person("OVERSIGHT_DEMO", {Role.PROTECTION_OFFICER})

    unwrap(watcher.send(f"{path}/{one['id']}/grant"))

    assert open_section(state, case) == HIDDEN
    assert open_section(state, case, "health") == (200, "")


@pytest.mark.parametrize("settled", ["undecided", "permitted", "blocked"])
def test_while_a_life_is_at_risk_the_state_of_origin_reads_if_the_person_let_it(
    world: World, officer: Someone, lead: Someone, settled: str
) -> None:
    guards = {"country_of_origin": "KZ", "origin_contact": "permitted"}
    case = create_led_case(lead, officer, make_consent(), safeguards=guards)
    reading = {"reason": "RISK_TO_LIFE", "note": "Now", "purpose": "assistance"}
    path = f"{get_path(case)}/emergency-access"
    one = unwrap(lead.create(path, reading | {"sections": ["health"]}))
    unwrap(
        world.add_person("OVERSIGHT_DEMO", {Role.SUPERVISOR}).send(
            f"{path}/{one['id']}/grant"
        )
    )

    changed = guards | {"origin_contact": settled}
    match = {"If_Match": lead.get_tag(case)}
    unwrap(lead.ask("PUT", f"{get_path(case)}/safeguards", changed, headers=match))

    expected = (200, "") if settled == "permitted" else HIDDEN
    assert open_section(lead, case, "health") == expected


def test_a_lead_of_the_state_of_origin_is_not_told_who_asks_and_permits_nothing(
    world: World, officer: Someone, lead: Someone
) -> None:
    guards = {"country_of_origin": "KZ", "origin_contact": "permitted"}
    abroad = make_service_consent(country="UZ", purposes=["SHELTER"], sections=[])
    case = create_led_case(lead, officer, make_consent(), abroad, safeguards=guards)
    unwrap(lead.refer(case, FAR, sections=[]))
    reading = {"reason": "RISK_TO_LIFE", "note": "Now", "purpose": "assistance"}
    path = f"{get_path(case)}/emergency-access"
    access_request = {**reading, "sections": ["health"]}
    one = unwrap(world.add_person(FAR).create(path, access_request))
    watcher = world.add_person("OVERSIGHT_DEMO", {Role.PROTECTION_OFFICER})

    seen = [unwrap(who.get(path))["items"][0]["asked_by"] for who in (lead, watcher)]

    assert seen == [None, FAR]
    permit = f"{path}/{one['id']}/grant"
    assert get_problem(lead.send(permit)) == (403, "action-not-yours")
    assert FAR not in lead.get("/events", limit=200).text
    unwrap(watcher.send(permit))


FAR = "ISTIQBOLLI_AVLOD"


def test_the_side_of_origin_reads_no_place_where_the_person_is_met(
    world: World, officer: Someone, lead: Someone, shelter: Someone
) -> None:
    case = create_led_case(lead, officer, make_consent(), make_service_consent())
    housed = unwrap(lead.refer(case, shelter.code))
    unwrap(shelter.does("accept", housed, make_acceptance()))
    consulate = world.add_person("UZ_CONSULATE_ALMATY")
    place = f"{get_path(housed)}/arrangement"
    reading = {"reason": "RISK_TO_LIFE", "note": "Now", "purpose": "assistance"}

    tries = [
        consulate.open(place),
        consulate.open(f"{get_path(housed)}/notes"),
        consulate.get(get_path(housed)),
        consulate.create(
            f"{get_path(case)}/emergency-access", reading | {"sections": ["contact"]}
        ),
    ]

    assert lead.open(place).is_success
    assert [get_problem(answer) for answer in tries] == [
        *([HIDDEN] * 3),
        (403, "action-not-yours"),
    ]
    assert "Rayymbek" not in consulate.get("/events", limit=200).text


@pytest.mark.parametrize("ending", ["decline", "withdraw", "revoke", "consent"])
def test_a_former_recipient_opens_nothing_and_asks_for_nothing(
    officer: Someone, lead: Someone, shelter: Someone, ending: str
) -> None:
    case = create_led_case(lead, officer, make_consent(), make_service_consent())
    housed = unwrap(lead.refer(case, shelter.code, sections=["needs", "identity"]))
    unwrap(shelter.does("accept", housed, make_acceptance()))
    assert open_section(shelter, case) == (200, "")
    why: Json = {"reason": "NO_CAPACITY"}
    if ending == "consent":
        taken = {"purposes": ["SHELTER"]}
        assert officer.send(f"{get_path(case)}/consents/withdraw", taken).is_success
    else:
        who = shelter if ending == "decline" else lead
        unwrap(who.does(ending, housed, why if ending == "decline" else BACK))

    for section in SECTIONS:
        assert open_section(shelter, case, section["section"]) == HIDDEN
    access_request = {"reason": "RISK_TO_LIFE", "note": "Now", "purpose": "assistance"}
    path = f"{get_path(case)}/emergency-access"
    assert (
        get_problem(shelter.create(path, access_request | {"sections": ["needs"]}))
        == HIDDEN
    )
    assert get_problem(shelter.open(f"{get_path(housed)}/arrangement")) == HIDDEN


BACK: Json = {"reason": "NO_LONGER_NEEDED"}
