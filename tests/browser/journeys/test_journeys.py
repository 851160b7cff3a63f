"""Tests that the journeys lead to the same final states through the console."""

import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import httpx
import pytest
from playwright.sync_api import Browser

from app.demo.demo_accounts import DEMO_ACCOUNTS
from app.demo.demo_users import Demo
from app.demo.journeys import JOURNEYS, Journey
from tests.browser.demonstration import (
    COMMAND,
    NO_JOURNEYS,
    ROOT,
    Demonstration,
    serve_demonstration,
)
from tests.browser.journeys.final_states import list_differences, read_final_states
from tests.browser.journeys.people import People
from tests.browser.journeys.replay import Replay

PYTHON: Final = COMMAND.with_name("python")
EXPIRE: Final = "tests.support.expire_deadlines"
SECONDS: Final = 60
STEPS: Final = Path(__file__).with_name("steps.txt")
"""The table of the steps. Those through the API become fewer with each new page."""


@pytest.fixture(scope="module")
def unplayed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demonstration]:
    """Yield a demonstration in which no journey has been played."""
    folder = tmp_path_factory.mktemp("unplayed")
    with serve_demonstration(folder, NO_JOURNEYS) as served:
        yield served
        log = served.read_log()
    assert '"level": "error"' not in log, log
    assert "Traceback" not in log, log


@pytest.fixture(scope="module")
def replay(unplayed: Demonstration, browser: Browser) -> Replay:
    """Return the transport that replays the journeys, with the people who signed in."""
    accounts = {unplayed.keys[one.label]: one for one in DEMO_ACCOUNTS}
    return Replay(People(unplayed, browser), accounts, httpx.HTTPTransport())


@pytest.fixture(scope="module")
def demo(unplayed: Demonstration, replay: Replay) -> Iterator[Demo]:
    """Yield the demonstration whose requests are carried out on pages."""

    def run_out(code: str) -> None:
        command = [str(PYTHON), "-m", EXPIRE, code]
        subprocess.run(command, env=unplayed.environment, cwd=ROOT, check=True)

    with httpx.Client(base_url=unplayed.url, transport=replay, timeout=SECONDS) as http:
        keys = {one: unplayed.keys[one.label] for one in DEMO_ACCOUNTS}
        yield Demo(http, keys, print, datetime.now(UTC), run_out)


@pytest.mark.parametrize("journey", JOURNEYS)
def test_journey_is_played_on_the_pages(
    demo: Demo, replay: Replay, journey: Journey
) -> None:
    _, play = JOURNEYS[journey]
    play(demo)
    assert replay.people.faults == []


def test_journeys_lead_to_the_same_final_states(
    unplayed: Demonstration, demonstration: Demonstration
) -> None:
    through_pages, through_api = map(read_final_states, (unplayed, demonstration))
    assert list_differences(through_pages, through_api) == []


def test_table_of_steps_is_current(replay: Replay) -> None:
    assert replay.steps.format().splitlines() == STEPS.read_text("utf-8").splitlines()
