"""In a drill (without real data), deadlines come sooner, but consents end as usual."""

from dataclasses import replace
from datetime import timedelta

import pytest

from app.kernel.actors import Role
from app.settings import DemoSettings
from tests.support.world import (
    Json,
    Someone,
    World,
    get_problem,
    make_closure,
    make_contacts,
    unwrap,
)

SPEED = 60
NORMAL = {"priority": "normal"}
REST: Json = {"reason": "SAFETY", "review_at": "2026-06-01T13:00:00Z"}


@pytest.fixture(autouse=True)
def speed_up(world: World) -> None:
    world.runtime = replace(world.runtime, speed=SPEED)
    world.app.state.runtime = world.runtime


def test_it_is_said_to_whoever_watches(world: World) -> None:
    ready = world.http.get("/readyz").json()

    assert (ready["drill"], ready["clock_speed"]) == (True, SPEED)


def test_it_is_said_at_the_pace_of_life_too(world: World) -> None:
    world.app.state.runtime = replace(world.runtime, speed=1, drill=True)
    drill = world.http.get("/readyz").json()
    world.app.state.runtime = replace(world.runtime, speed=1)
    life = world.http.get("/readyz").json()

    assert (drill["drill"], drill["clock_speed"]) == (True, 1)
    assert (life["drill"], life["clock_speed"]) == (False, 1)


@pytest.mark.parametrize(
    ("priority", "due"),
    [
        ("emergency", "2026-06-01T12:01:00Z"),
        ("urgent", "2026-06-01T12:03:00Z"),
        ("normal", "2026-06-01T12:24:00Z"),
    ],
)
def test_an_answer_is_due_sixty_times_as_soon(
    officer: Someone, priority: str, due: str
) -> None:
    assert officer.submit(summary={"priority": priority})["due_at"] == due


def test_a_risk_is_to_be_reviewed_sooner_and_holds_as_long_as_ever(
    world: World, officer: Someone, lead: Someone
) -> None:
    case = officer.submit()
    unwrap(lead.does("acknowledge", case))
    world.advance(days=6)

    led = unwrap(lead.does("accept-lead", case, {"contacts": make_contacts()}))

    assert (
        led["due_at"] == "2026-06-07T12:00:00Z"
    )  # due now: 7 days take 2 h 48 min in this drill


def test_a_consent_runs_out_when_it_says(
    world: World, officer: Someone, lead: Someone
) -> None:
    case = lead.take_lead(officer.submit())
    world.advance(days=2)

    sent = lead.refer(case, "KZ_SHELTER_KOGERSHIN")

    assert sent.status_code == 201


def test_a_case_rests_no_longer_than_a_review_may_wait(
    officer: Someone, lead: Someone
) -> None:
    case = lead.take_lead(officer.submit(summary=NORMAL))

    late = lead.does("suspend", case, REST | {"review_at": "2026-06-02T00:01:00Z"})
    in_time = lead.does("suspend", case, REST)

    assert get_problem(late) == (409, "needs-unmet")
    assert unwrap(in_time)["due_at"] == "2026-06-01T13:00:00Z"


def test_visits_come_sooner_too(officer: Someone, lead: Someone) -> None:
    case = lead.take_lead(officer.submit())

    unwrap(lead.does("monitor", case, {}))

    assert lead.read(case)["due_at"] == "2026-06-01T14:48:00Z"


def test_a_second_person_is_asked_for_no_longer_than_a_drill_allows(
    officer: Someone, lead: Someone
) -> None:
    case = lead.take_lead(officer.submit())

    answer = lead.does("close", case, make_closure())

    assert answer.json()["expires_at"] == "2026-06-01T13:12:00Z"


def restart_at(world: World, speed: int) -> None:
    """Restart the service with this clock speed in its settings."""
    allowed = DemoSettings(clock_speed=speed, _env_file=None).clock_speed
    world.runtime = replace(world.runtime, speed=allowed)
    world.app.state.runtime = world.runtime


def test_drill_at_two_speeds_reaches_the_last_visit_and_the_erasure_within_minutes(
    world: World, officer: Someone, lead: Someone
) -> None:
    """With two clock speeds of docs/operations.md, a drill erases a case within 10 minutes.

    The speed is 600 while people act, and 200,000 while years have to pass.
    """
    restart_at(world, 600)
    case = lead.take_lead(officer.submit())
    restart_at(world, 200_000)
    supervisor = world.add_person("KZ_LEAD", {Role.SUPERVISOR})

    began = world.now
    answer = lead.does("close", case, make_closure())
    assert (
        answer.json()["expires_at"] == "2026-06-01T12:01:00Z"
    )  # a minute at least, so that a person can answer
    unwrap(lead.does("monitor", case, {}))
    for _ in range(5):
        world.wait(seconds=40)
        unwrap(lead.does("visits", case, {"person_met": True}))
    assert world.now - began < timedelta(minutes=4)

    unwrap(lead.does_with(supervisor, "close", case, make_closure()))
    world.wait(minutes=5)
    assert lead.read(case)["state"] == "closed"
    world.wait(seconds=30)
    assert get_problem(lead.get(f"/cases/{case['code']}")) == (404, "not-found")
    assert world.now - began < timedelta(minutes=10)
