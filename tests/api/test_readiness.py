"""The readiness probe fails while no worker handles the deadlines (R57)."""

from tests.support.world import Someone, World


def ready(world: World) -> tuple[int, dict[str, object]]:
    answer = world.http.get("/readyz")
    return answer.status_code, answer.json()


def test_before_the_worker_was_ever_heard_of_nothing_is_taken(world: World) -> None:
    assert ready(world) == (
        503,
        {
            "status": "not ready",
            "database": "ready",
            "worker": "silent: clocks, notices, erasures",
            "clocks": "ready",
            "erasures": "ready",
            "free_space": "enough",
            "notifications": "in time",
            "receivers": "in time",
            "drill": False,
            "clock_speed": 1,
            "time_zones": "2026f",
        },
    )


def test_a_worker_that_falls_silent_is_told_of_within_a_minute(world: World) -> None:
    world.run_worker()
    alive = ready(world)

    world.advance(seconds=60)
    still = ready(world)
    world.advance(seconds=1)

    assert alive[0] == still[0] == 200
    assert ready(world)[0] == 503
    assert ready(world)[1]["worker"] == "silent: clocks, notices, erasures"


def test_a_clock_that_nobody_looks_at_is_told_of(world: World, officer: Someone) -> None:
    officer.submit()
    world.run_worker()
    world.advance(hours=3, minutes=5)
    in_time = ready(world)[1]["clocks"]

    world.advance(seconds=1)
    late = ready(world)[1]["clocks"]
    world.run_worker()

    assert (in_time, late) == ("ready", "overdue since 2026-06-01T15:00Z")
    assert ready(world)[0] == 200
    assert ready(world)[1]["clocks"] == "ready"
