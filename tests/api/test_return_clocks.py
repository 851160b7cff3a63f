"""Whom the clocks of a return wait for, when the case that it belongs to changes hands."""

import pytest

from tests.homecoming import HOME, opens, to_return
from tests.world import Json, Someone, World, consent, done, promise


@pytest.fixture
def officer(world: World) -> Someone:
    return world.someone("UZ_CONSULATE_ALMATY")


@pytest.fixture
def first(world: World) -> Someone:
    """Who is asked first to lead."""
    return world.someone("KZ_LEAD")


def unled(world: World, officer: Someone, first: Someone, *given: Json) -> tuple[Json, str]:
    """A case that nobody leads yet, and how a return in it is spoken of."""
    consents = [consent(), to_return(), *given]
    guards = {"country_of_origin": "UZ", "origin_contact": "permitted"}
    case = officer.submits(consents=consents, safeguards=guards)
    done(first.does("acknowledge", case))
    home = world.someone(HOME)
    referral = done(first.refers(case, HOME, service="RETURN"))
    done(home.does("accept", referral, promise()))
    return case, f"returns/{done(opens(first, referral))['id']}"


def waited_for(who: Someone) -> set[str]:
    return {about for about, _, _ in who.waits()}


def test_a_candidate_that_is_feared_loses_the_clock_of_a_return_with_the_case(
    world: World, officer: Someone, first: Someone
) -> None:
    case, record = unled(world, officer, first, consent(focal_point="IOM"))
    assert record in waited_for(first)
    guards = {"country_of_origin": "UZ", "origin_contact": "permitted"}
    path, tag = f"/cases/{case['code']}/safeguards", officer.tag(case)
    feared = guards | {"unsafe_focal_points": ["KZ_LEAD"]}
    done(officer.ask("PUT", path, feared, headers={"If_Match": tag}))
    assert waited_for(first) == set()
    assert record in waited_for(world.someone("IOM"))
    first.hears()
    world.waits_for(days=15)
    assert first.hears() == []


def test_who_declines_the_lead_hands_on_the_clock_of_a_return(
    world: World, officer: Someone, first: Someone
) -> None:
    case, record = unled(world, officer, first, consent(focal_point="IOM"))
    assert first.does("decline-lead", case, {"reason": "NO_CAPACITY"}).is_success
    assert waited_for(first) == set()
    assert record in waited_for(world.someone("IOM"))


def test_who_does_not_decide_in_time_loses_the_clock_of_a_return(
    world: World, officer: Someone, first: Someone
) -> None:
    _, record = unled(world, officer, first)
    world.waits_for(days=4)
    assert waited_for(first) == set()
    assert record in waited_for(world.someone("DESK_CENTRAL_ASIA"))


def test_whom_the_desk_chooses_gets_the_clock_of_a_return(
    world: World, officer: Someone, first: Someone
) -> None:
    case, record = unled(world, officer, first)
    assert first.does("decline-lead", case, {"reason": "NO_CAPACITY"}).is_success
    desk, choice = world.someone("DESK_CENTRAL_ASIA"), {"focal_point": "KZ_LEAD"}
    assert record in waited_for(desk)
    assert desk.does("assign", case, choice | {"reason": "LOCAL_KNOWLEDGE"}).is_success
    assert waited_for(desk) == set()
    assert record in waited_for(first)
