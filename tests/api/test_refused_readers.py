"""Tests that refuse reading without the person's consent (R12, R13, R84, R86)."""

from typing import Any

import pytest

from app.kernel.actors import Role
from tests.support.world import (
    SECTIONS,
    Json,
    Someone,
    World,
    consent,
    done,
    for_services,
    lacks,
    path_of,
    problem,
    promise,
    taking,
)

HIDDEN = (404, "not-found")
NAME = "Ойгул"
NGO, STATE = "SANA_SEZIM", "KZ_LEAD"
TO_STATES: Json = {"kind": "state", "country": "KZ"}
NGOS = consent(recipient_class={"kind": "non_state", "country": "KZ"})


def open_section(who: Someone, case: Json, section: str = "identity") -> tuple[int, str]:
    """Open a section and return the status and the problem type, if it is refused."""
    answer = who.opens(f"{path_of(case)}/sections/{section}")
    if section == "identity":
        assert answer.is_success == (NAME in answer.text)
    return (200, "") if answer.is_success else problem(answer)


@pytest.fixture
def ngo(world: World) -> Someone:
    return world.someone(NGO)


@pytest.fixture
def state(world: World) -> Someone:
    return world.someone(STATE)


def create_led_case(by: Someone, submitter: Someone, *consents: Json, **case: Any) -> Json:
    """Return a case that was submitted with these consents and that the office leads."""
    return by.leads(submitter.submits(consents=list(consents), **case))


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
    given = consent(**whom, sections=["needs", "contact", "identity"])

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
    given = consent(**whom, sections=["needs", "identity"])

    case = create_led_case(state, officer, given)

    assert open_section(state, case) == (200, "")


@named
def test_an_ngo_that_leads_sends_no_name_to_a_state_body_on_a_class(
    officer: Someone, ngo: Someone, state: Someone, whom: Json, *, told: bool
) -> None:
    given = consent(**whom, purposes=["SOCIAL_WELFARE"], sections=["needs", "identity"])
    case = create_led_case(ngo, officer, NGOS, given)
    asked = {"service": "SOCIAL_WELFARE"}

    sent = ngo.refers(case, STATE, sections=["needs", "identity"], **asked)

    if told:
        done(state.does("accept", done(sent), promise()))
    else:
        assert lacks(sent) == [("consent", "sender")]
        done(state.does("accept", done(ngo.refers(case, STATE, **asked)), promise()))
    assert open_section(state, case) == ((200, "") if told else HIDDEN)
    assert open_section(state, case, "needs") == (200, "")


def test_what_an_ngo_wrote_while_it_led_stays_an_ngos_once_it_has_handed_the_case_on(
    officer: Someone, ngo: Someone, state: Someone
) -> None:
    moves = consent(purposes=["HANDOVER"], sections=["needs", "identity"])
    case = create_led_case(ngo, officer, NGOS, moves)

    done(state.does("accept", done(ngo.offers(case, STATE)), taking()))

    assert open_section(state, case) == HIDDEN
    assert open_section(state, case, "needs") == (200, "")


def test_an_ngo_that_helps_has_written_no_name(
    world: World, officer: Someone, state: Someone
) -> None:
    shelter = world.someone("KZ_SHELTER_KOGERSHIN")
    given = consent(sections=["needs", "identity"])
    case = create_led_case(state, officer, given, for_services())

    done(shelter.does("accept", done(state.refers(case, shelter.code)), promise()))

    assert open_section(state, case) == (200, "")


def test_a_state_body_reads_no_name_of_an_ngo_not_even_while_a_life_is_at_risk(
    world: World, ngo: Someone, state: Someone
) -> None:
    case = create_led_case(state, ngo, consent())
    reading = {"reason": "RISK_TO_LIFE", "note": "Now", "purpose": "assistance"}
    asked = {**reading, "sections": ["identity", "health"]}
    path = f"{path_of(case)}/vital-readings"
    one = done(state.creates(path, asked))
    watcher = world.someone("OVERSIGHT_DEMO", {Role.PROTECTION_OFFICER})

    done(watcher.post(f"{path}/{one['id']}/permit"))

    assert open_section(state, case) == HIDDEN
    assert open_section(state, case, "health") == (200, "")


@pytest.mark.parametrize("settled", ["undecided", "permitted", "blocked"])
def test_while_a_life_is_at_risk_the_state_of_origin_reads_if_the_person_let_it(
    world: World, officer: Someone, lead: Someone, settled: str
) -> None:
    guards = {"country_of_origin": "KZ", "origin_contact": "permitted"}
    case = create_led_case(lead, officer, consent(), safeguards=guards)
    reading = {"reason": "RISK_TO_LIFE", "note": "Now", "purpose": "assistance"}
    path = f"{path_of(case)}/vital-readings"
    one = done(lead.creates(path, reading | {"sections": ["health"]}))
    done(
        world.someone("OVERSIGHT_DEMO", {Role.SUPERVISOR}).post(
            f"{path}/{one['id']}/permit"
        )
    )

    changed = guards | {"origin_contact": settled}
    match = {"If_Match": lead.tag(case)}
    done(lead.ask("PUT", f"{path_of(case)}/safeguards", changed, headers=match))

    expected = (200, "") if settled == "permitted" else HIDDEN
    assert open_section(lead, case, "health") == expected


def test_a_lead_of_the_state_of_origin_is_not_told_who_asks_and_permits_nothing(
    world: World, officer: Someone, lead: Someone
) -> None:
    guards = {"country_of_origin": "KZ", "origin_contact": "permitted"}
    abroad = for_services(country="UZ", purposes=["SHELTER"], sections=[])
    case = create_led_case(lead, officer, consent(), abroad, safeguards=guards)
    done(lead.refers(case, FAR, sections=[]))
    reading = {"reason": "RISK_TO_LIFE", "note": "Now", "purpose": "assistance"}
    path = f"{path_of(case)}/vital-readings"
    asked = {**reading, "sections": ["health"]}
    one = done(world.someone(FAR).creates(path, asked))
    watcher = world.someone("OVERSIGHT_DEMO", {Role.PROTECTION_OFFICER})

    seen = [done(who.get(path))["items"][0]["asked_by"] for who in (lead, watcher)]

    assert seen == [None, FAR]
    permit = f"{path}/{one['id']}/permit"
    assert problem(lead.post(permit)) == (403, "action-not-yours")
    assert FAR not in lead.get("/events", limit=200).text
    done(watcher.post(permit))


FAR = "ISTIQBOLLI_AVLOD"


def test_the_side_of_origin_reads_no_place_where_the_person_is_met(
    world: World, officer: Someone, lead: Someone, shelter: Someone
) -> None:
    case = create_led_case(lead, officer, consent(), for_services())
    housed = done(lead.refers(case, shelter.code))
    done(shelter.does("accept", housed, promise()))
    consulate = world.someone("UZ_CONSULATE_ALMATY")
    place = f"{path_of(housed)}/arrangement"
    reading = {"reason": "RISK_TO_LIFE", "note": "Now", "purpose": "assistance"}

    tries = [
        consulate.opens(place),
        consulate.opens(f"{path_of(housed)}/notes"),
        consulate.get(path_of(housed)),
        consulate.creates(
            f"{path_of(case)}/vital-readings", reading | {"sections": ["contact"]}
        ),
    ]

    assert lead.opens(place).is_success
    assert [problem(answer) for answer in tries] == [
        *([HIDDEN] * 3),
        (403, "action-not-yours"),
    ]
    assert "Rayymbek" not in consulate.get("/events", limit=200).text


@pytest.mark.parametrize("ending", ["decline", "withdraw", "revoke", "consent"])
def test_a_former_recipient_opens_nothing_and_asks_for_nothing(
    officer: Someone, lead: Someone, shelter: Someone, ending: str
) -> None:
    case = create_led_case(lead, officer, consent(), for_services())
    housed = done(lead.refers(case, shelter.code, sections=["needs", "identity"]))
    done(shelter.does("accept", housed, promise()))
    assert open_section(shelter, case) == (200, "")
    why: Json = {"reason": "NO_CAPACITY"}
    if ending == "consent":
        taken = {"purposes": ["SHELTER"]}
        assert officer.post(f"{path_of(case)}/consents/withdraw", taken).is_success
    else:
        who = shelter if ending == "decline" else lead
        done(who.does(ending, housed, why if ending == "decline" else BACK))

    for section in SECTIONS:
        assert open_section(shelter, case, section["section"]) == HIDDEN
    asked = {"reason": "RISK_TO_LIFE", "note": "Now", "purpose": "assistance"}
    path = f"{path_of(case)}/vital-readings"
    assert problem(shelter.creates(path, asked | {"sections": ["needs"]})) == HIDDEN
    assert problem(shelter.opens(f"{path_of(housed)}/arrangement")) == HIDDEN


BACK: Json = {"reason": "NO_LONGER_NEEDED"}
