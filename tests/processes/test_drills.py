"""Tests that deadlines can run faster in the environment `drill`, not in production."""

import json
from pathlib import Path

import httpx
import pytest

from tests.processes.test_demo import READY, command, demo_serving, told

pytestmark = pytest.mark.slow
FAST = {"SAFE_CONDUCT_CLOCK_SPEED": "600"}
DRILL = FAST | {"SAFE_CONDUCT_ENVIRONMENT": "drill"}


@pytest.mark.parametrize("word", ["serve", "doctor"])
def test_production_refuses_clocks_that_run_faster(tmp_path: Path, word: str) -> None:
    command(tmp_path, "key", "new")

    refused = command(tmp_path, word, **FAST)
    drilled = command(tmp_path, word, **DRILL)

    assert refused.returncode == 1
    assert "SAFE_CONDUCT_CLOCK_SPEED: a speed above 1 is for drills" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert "CLOCK_SPEED" not in drilled.stderr
    assert "safe-conduct migrate" in drilled.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("worker", "run"),
        ("worker", "status"),
        ("migrate",),
        ("restored", "--no-erasures"),
        ("erasures", "export"),
        ("directory", "load"),
    ],
)
def test_no_command_runs_production_with_faster_clocks(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    """In production, each of these commands refuses a faster clock."""
    refused = command(tmp_path, *words, **FAST)

    assert refused.returncode == 1
    assert "SAFE_CONDUCT_CLOCK_SPEED: a speed above 1 is for drills" in refused.stderr


@pytest.mark.parametrize("speed", ["0", "-1", "0.5", "1000001", "fast"])
def test_no_clock_stands_still_or_runs_backwards(tmp_path: Path, speed: str) -> None:
    refused = command(tmp_path, "doctor", **DRILL | {"SAFE_CONDUCT_CLOCK_SPEED": speed})

    assert refused.returncode == 1
    assert "SAFE_CONDUCT_CLOCK_SPEED: Input should be" in refused.stderr


@pytest.mark.whole
@pytest.mark.slow
def test_the_demonstration_takes_any_speed_and_says_so(tmp_path: Path) -> None:
    with demo_serving(tmp_path, **FAST) as said:
        url = told(said, r"serving at (http://\S+),")
        ready = httpx.get(f"{url}/readyz").json()

    assert said[0] == "This is a drill: deadlines run 600 times as fast."
    assert (ready["drill"], ready["clock_speed"]) == (True, 600)
    assert said[-1].startswith("All 8 journeys were")


@pytest.mark.slow
@pytest.mark.whole
def test_the_doctor_says_that_it_is_a_drill(tmp_path: Path) -> None:
    with demo_serving(tmp_path, until=READY):
        pass

    at_its_pace = {"SAFE_CONDUCT_ENVIRONMENT": "drill"}
    assert "This is a drill" in command(tmp_path, "doctor", **DRILL).stdout
    said = " ".join(command(tmp_path, "doctor", **at_its_pace).stdout.split())
    assert (
        "This is a drill: store no real person in it. Deadlines run at normal speed."
        in said
    )


@pytest.mark.parametrize("words", [("serve",), ("worker", "run")])
def test_the_first_line_of_the_log_says_that_it_is_a_drill_at_any_speed(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    for word in (("key", "new"), ("migrate",), ("directory", "load")):
        command(tmp_path, *word)

    first = [
        command(tmp_path, *words, **more).stderr.splitlines()[0]
        for more in ({"SAFE_CONDUCT_ENVIRONMENT": "drill"}, DRILL, {})
    ]  # without a desk, each command ends by itself

    for line, pace in zip(first, ("at normal speed", "600 times"), strict=False):
        assert json.loads(line)["event"] == "drill"
        assert pace in json.loads(line)["said"]
    assert "drill" not in first[-1]


def test_production_refuses_the_database_of_the_demonstration(tmp_path: Path) -> None:
    new = ("account", "new", "KZ_LEAD", "duty 1", "--role", "coordinator")
    with demo_serving(tmp_path, until=READY):
        pass

    refused = [command(tmp_path, *words) for words in (("serve",), ("worker", "run"), new)]
    ended = command(tmp_path, "doctor")
    drilled = command(tmp_path, "doctor", SAFE_CONDUCT_ENVIRONMENT="drill")

    for one in (*refused, ended):
        assert (one.returncode, bool(one.stdout)) == (1, one is ended)
        assert one.stderr.startswith(
            "safe-conduct: This database contains the demonstration"
        )
        assert "Traceback" not in one.stderr
    assert (drilled.returncode, drilled.stderr) == (0, "")
