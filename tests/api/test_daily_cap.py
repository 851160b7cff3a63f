"""Tests of the daily limit on the cases that a person opens at an office (R18)."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from httpx2 import Response

from app.cases.sections import EmergencyAccessPurpose, Paper
from app.disclosure.access_log import AccessAttempt, DailyCapReached, require_below_cap
from app.kernel.instants import get_midnight
from app.settings import Settings
from tests.support.world import (
    Json,
    Someone,
    World,
    get_path,
    get_problem,
    list_types,
    make_acceptance,
    make_contacts,
    unwrap,
)

CAP = 3


@pytest.fixture
def world(world: World) -> Iterator[World]:
    """Yield a world in which a person may open three cases a day."""
    before = world.runtime
    world.runtime = world.app.state.runtime = replace(before, daily_cap=CAP)
    yield world
    world.app.state.runtime = before


def open_part(who: Someone, case: Json, part: str = "sections/needs") -> Response:
    return who.open(f"{get_path(case)}/{part}")


@pytest.fixture
def cases(world: World, officer: Someone) -> list[Json]:
    assert world.runtime.daily_cap == CAP
    return [officer.submit() for _ in range(CAP + 2)]


@pytest.fixture
def opened_cases(cases: list[Json], lead: Someone) -> list[Json]:
    """Open as many cases as a person may open in a day, and return these cases."""
    for case in cases[:CAP]:
        unwrap(open_part(lead, case))
    return cases[:CAP]


def list_access_log(world: World, case: Json) -> list[tuple[str, str, bool]]:
    watcher = world.add_person("OVERSIGHT_DEMO")
    items = unwrap(watcher.get(f"{get_path(case)}/access-log"))["items"]
    return [(one["focal_point"], one["subject"], one["allowed"]) for one in items]


@pytest.mark.usefixtures("opened_cases")
def test_one_case_too_many_is_refused_kept_and_told(
    world: World, lead: Someone, cases: list[Json]
) -> None:
    watcher = world.add_person("OVERSIGHT_DEMO")
    lead.poll(), watcher.poll()

    refused = open_part(lead, cases[CAP])

    assert get_problem(refused) == (429, "daily-cap-reached")
    assert refused.headers["Retry-After"] == str(12 * 60 * 60)
    assert "A safe bed" not in refused.text
    assert list_access_log(world, cases[CAP]) == [("KZ_LEAD", "needs", False)]
    [mine], [theirs] = lead.poll(), watcher.poll()
    assert (mine["type"], mine["facts"]) == ("account.capped", {"cap": CAP})
    assert mine["subject"] == f"accounts/{lead.actor.account_id}"
    assert theirs == mine


@pytest.mark.usefixtures("opened_cases")
def test_it_is_told_once_a_day_and_kept_each_time(
    world: World, lead: Someone, cases: list[Json]
) -> None:
    lead.poll()

    for case in (*cases[CAP:], *cases[CAP:]):
        assert get_problem(open_part(lead, case)) == (429, "daily-cap-reached")

    assert list_types(lead.poll()) == ["account.capped"]
    assert list_access_log(world, cases[CAP]) == [("KZ_LEAD", "needs", False)] * 2
    world.advance(hours=12)
    for case in cases[:CAP]:
        unwrap(open_part(lead, case))
    for case in cases[CAP:]:  # The new day has just begun.
        assert get_problem(open_part(lead, case)) == (429, "daily-cap-reached")
    assert list_types(lead.poll()) == ["account.capped"]


def test_what_was_opened_today_stays_open(lead: Someone, opened_cases: list[Json]) -> None:
    unwrap(lead.does("acknowledge", opened_cases[0]))

    again = [open_part(lead, case) for case in opened_cases]
    more = open_part(lead, opened_cases[0], "sections/contact")

    assert {one.status_code for one in (*again, more)} == {200}


@pytest.mark.usefixtures("opened_cases")
def test_the_day_is_that_of_utc(world: World, lead: Someone, cases: list[Json]) -> None:
    world.advance(hours=11, minutes=59, seconds=59)
    before = open_part(lead, cases[CAP])
    world.advance(seconds=1)

    assert get_problem(before) == (429, "daily-cap-reached")
    assert before.headers["Retry-After"] == "1"
    assert unwrap(open_part(lead, cases[CAP]))


@pytest.mark.usefixtures("opened_cases")
def test_it_is_of_the_account_and_not_of_the_office(
    world: World, lead: Someone, cases: list[Json]
) -> None:
    assert get_problem(open_part(lead, cases[CAP])) == (429, "daily-cap-reached")
    assert unwrap(open_part(world.add_person("KZ_LEAD"), cases[CAP]))


def test_what_is_not_ones_to_open_is_neither_counted_nor_told_apart(
    stranger: Someone, lead: Someone, cases: list[Json]
) -> None:
    for case in cases:
        assert get_problem(open_part(stranger, case)) == (404, "not-found")
        assert get_problem(open_part(lead, case, "sections/identity")) == (404, "not-found")

    for case in cases[:CAP]:
        unwrap(open_part(lead, case))

    assert get_problem(open_part(lead, cases[CAP], "sections/identity")) == (
        404,
        "not-found",
    )
    assert get_problem(open_part(lead, cases[CAP])) == (429, "daily-cap-reached")


@pytest.mark.usefixtures("opened_cases")
def test_one_who_must_be_met_tonight_is_not_kept_waiting(
    world: World, lead: Someone, cases: list[Json]
) -> None:
    urgent, other = cases[CAP], cases[CAP + 1]
    why = {"reason": "RISK_TO_LIFE", "note": "Two men wait outside"}
    unwrap(lead.does("acknowledge", urgent))
    unwrap(lead.does("accept-lead", urgent, {"contacts": make_contacts()}))
    unwrap(lead.create(f"{get_path(urgent)}/vital-interests", why))

    danger = open_part(lead, other, "safety-alert")

    assert unwrap(open_part(lead, urgent))["content"]["summary"] == "A safe bed tonight"
    assert unwrap(danger)["safety_alert"] == "Two men"
    assert get_problem(open_part(lead, other)) == (429, "daily-cap-reached")
    world.advance(hours=5)
    again = [open_part(lead, case).status_code for case in (*cases[:CAP], urgent)]
    assert again == [200] * (CAP + 1)


def test_every_way_of_opening_is_counted(
    officer: Someone, lead: Someone, shelter: Someone
) -> None:
    led = [lead.take_lead(officer.submit()) for _ in range(CAP + 1)]
    sent = [unwrap(lead.refer(case, shelter.code)) for case in led]
    for one in sent:
        unwrap(shelter.does("acknowledge", one))
        unwrap(shelter.does("accept", one, make_acceptance()))
    unwrap(open_part(shelter, sent[0], "arrangement"))
    unwrap(open_part(shelter, led[1]))
    unwrap(open_part(shelter, led[2], "contacts"))

    refused = [
        open_part(shelter, sent[3], "arrangement"),
        open_part(shelter, led[3], "contacts"),
        open_part(shelter, led[3]),
    ]

    assert {get_problem(one) for one in refused} == {(429, "daily-cap-reached")}


def test_there_is_a_cap_unless_an_operator_says_otherwise() -> None:
    assert Settings().daily_cap == 30


@pytest.mark.usefixtures("opened_cases")
def test_what_an_emergency_permitted_is_not_counted(lead: Someone) -> None:
    case, under = uuid4(), uuid4()
    plain = AccessAttempt(case, case, Paper.SAFEGUARDS, EmergencyAccessPurpose.ASSISTANCE)

    with lead.begin_write() as tx:
        require_below_cap(tx, replace(plain, under=under))
        with pytest.raises(DailyCapReached):
            require_below_cap(tx, plain)


def test_a_day_begins_at_midnight_to_the_microsecond() -> None:
    assert get_midnight(datetime(2026, 6, 1, 13, 14, 15, 16, UTC)) == datetime(
        2026, 6, 1, tzinfo=UTC
    )
