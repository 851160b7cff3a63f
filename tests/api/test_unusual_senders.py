"""Oversight sees, as counts, the offices whose requests often end without help."""

from collections.abc import Callable

import pytest

from app.kernel.actors import Role
from tests.support.world import Json, Someone, World, make_acceptance, unwrap

pytestmark = pytest.mark.slow
LEAST = 10
REFUSED: Json = {"reason": "NO_LONGER_NEEDED"}
ACCEPTED = make_acceptance(at="2026-07-01T09:00:00+05:00")
CLOSED = 21
"""The days after which the week of a request is closed: the week itself, and two more."""


@pytest.fixture
def oversight(world: World) -> Someone:
    return world.add_person("OVERSIGHT_DEMO", {Role.PROTECTION_OFFICER})


def list_senders(who: Someone) -> list[Json]:
    return list(unwrap(who.get("/figures/own"))["senders"])


def submit(world: World, code: str = "UZ_CONSULATE_ALMATY") -> tuple[Someone, Json]:
    officer = world.add_person(code)
    return officer, officer.submit()


def withdraw_case(world: World, code: str = "UZ_CONSULATE_ALMATY") -> None:
    officer, case = submit(world, code)
    unwrap(officer.does("withdraw", case, REFUSED))


def lead_case(world: World) -> tuple[Someone, Json]:
    lead = world.add_person("KZ_LEAD")
    return lead, lead.take_lead(submit(world)[1])


def refer(world: World) -> tuple[Someone, Json]:
    lead, case = lead_case(world)
    return lead, unwrap(lead.refer(case, "KZ_SHELTER_KOGERSHIN"))


def withdraw_referral(world: World) -> None:
    lead, sent = refer(world)
    unwrap(lead.does("withdraw", sent, REFUSED))


CASES = {
    "focal_point": "UZ_CONSULATE_ALMATY",
    "cases": LEAST,
    "cases_without_lead": LEAST,
    "referrals": 0,
    "referrals_without_help": 0,
}
REFERRALS = {
    "focal_point": "KZ_LEAD",
    "cases": 0,
    "cases_without_lead": 0,
    "referrals": LEAST,
    "referrals_without_help": LEAST,
}


@pytest.mark.parametrize(
    ("probe", "counts"),
    [
        (withdraw_case, CASES),
        (submit, CASES),
        (withdraw_referral, REFERRALS),
        (refer, REFERRALS),
    ],
    ids=["case withdrawn", "case unanswered", "referral withdrawn", "referral unanswered"],
)
def test_requests_that_end_without_help_are_counted_once_their_week_is_closed(
    world: World, oversight: Someone, probe: Callable[[World], object], counts: Json
) -> None:
    for _ in range(LEAST):
        probe(world)
    world.wait(days=CLOSED - 1)
    before = list_senders(oversight)
    world.wait(days=1)

    assert before == []
    assert list_senders(oversight) == [counts]
    world.advance(weeks=12)
    assert list_senders(oversight) == []


def test_what_happens_in_a_week_changes_the_counts_only_when_the_week_has_ended(
    world: World, oversight: Someone
) -> None:
    lead = world.add_person("KZ_LEAD")
    referrals = [refer(world)[1] for _ in range(LEAST)]
    for one in referrals[1:]:
        unwrap(lead.does("withdraw", one, REFUSED))
    unwrap(world.add_person("KZ_SHELTER_KOGERSHIN").does("accept", referrals[0], ACCEPTED))
    world.wait(days=CLOSED)
    before = list_senders(oversight)
    unwrap(lead.does("withdraw", referrals[0], REFUSED))
    world.wait(days=6)
    same_week = list_senders(oversight)
    world.wait(days=1)

    assert (before, same_week) == ([], [])
    assert list_senders(oversight) == [REFERRALS]


def test_office_is_not_listed_for_few_or_for_less_than_half_of_its_requests(
    world: World, oversight: Someone
) -> None:
    for _ in range(LEAST):
        withdraw_case(world)
        lead_case(world)
    for _ in range(LEAST - 1):
        withdraw_case(world, "IOM")
    world.advance(days=CLOSED)
    half = list_senders(oversight)
    world.advance(days=-CLOSED)
    lead_case(world)
    world.advance(days=CLOSED)

    assert [one["focal_point"] for one in half] == ["UZ_CONSULATE_ALMATY"]
    assert list_senders(oversight) == []


@pytest.mark.parametrize(
    ("office", "role"),
    [
        ("OVERSIGHT_DEMO", Role.COORDINATOR),
        ("UZ_CONSULATE_ALMATY", Role.SUPERVISOR),
        ("KZ_LEAD", Role.SUPERVISOR),
        ("DESK_CENTRAL_ASIA", Role.SUPERVISOR),
    ],
)
def test_only_oversight_learns_which_office_is_listed(
    world: World, office: str, role: Role
) -> None:
    for _ in range(LEAST):
        withdraw_case(world)
    world.advance(days=CLOSED)

    assert list_senders(world.add_person("OVERSIGHT_DEMO", {Role.SUPERVISOR}))
    assert list_senders(world.add_person(office, {role})) == []
