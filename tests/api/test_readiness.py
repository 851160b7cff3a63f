"""The readiness probe has a note while no worker handles the deadlines (R57)."""

from tests.support.world import Someone, World


def ready(world: World) -> tuple[int, dict[str, object]]:
    answer = world.http.get("/readyz")
    return answer.status_code, answer.json()


def test_process_is_ready_before_the_first_heartbeat_of_a_worker(world: World) -> None:
    assert ready(world) == (
        200,
        {
            "status": "ready",
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


def test_note_says_within_a_minute_that_the_worker_is_silent(
    world: World, officer: Someone
) -> None:
    world.run_worker()

    world.advance(seconds=60)
    still = ready(world)
    world.advance(seconds=1)

    assert still[1]["worker"] == "ready"
    assert ready(world)[0] == 200
    assert officer.submit()["state"] == "submitted"
    assert ready(world)[1]["worker"] == "silent: clocks, notices, erasures"


def test_note_says_since_when_a_deadline_waits_for_the_worker(
    world: World, officer: Someone
) -> None:
    officer.submit()
    world.run_worker()
    world.advance(hours=3, minutes=5)
    in_time = ready(world)[1]["clocks"]

    world.advance(seconds=1)
    code, late = ready(world)
    world.run_worker()

    assert (in_time, late["clocks"]) == ("ready", "overdue since 2026-06-01T15:00Z")
    assert code == 200
    assert ready(world)[0] == 200
    assert ready(world)[1]["clocks"] == "ready"
