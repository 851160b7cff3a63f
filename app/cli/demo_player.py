"""A player that runs the demo journeys while people use the service.

The journeys are clients of the service like any other. A person who changes the case of a
journey meanwhile can make the journey fail; the other journeys are played nevertheless.
"""

import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from threading import Thread
from typing import Final

import httpx
import uvicorn
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from app.demo import journeys
from app.demo.demo_users import Demo, JourneyFailed, Say
from app.demo.journeys import JOURNEYS, Journey

PATIENCE: Final = timedelta(seconds=30)
"""How long the service may take to start, and to answer one request of a journey."""
STOP_SECONDS: Final = 5.0
"""Seconds that the journeys have to stop when the service stops."""
COLUMNS: Final = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"))
RESTART: Final = (
    "To play all of them again, stop the service, delete the folder of the database, and "
    "start the service."
)


@dataclass(frozen=True)
class DemoPlayer:
    """The service that is starting, its local URL, and the text to print after the start.

    `build_demo` returns a `Demo` for a client and a function that prints. `chosen` are the
    journeys that are played.
    """

    running: uvicorn.Server
    url: httpx.URL
    hint: str
    console: Console
    say: Say
    build_demo: Callable[[httpx.Client, Say], Demo]
    chosen: Collection[Journey]


@contextmanager
def play_in_background(player: DemoPlayer) -> Iterator[None]:
    """Play the journeys in a thread while the block runs. They stop with the service."""
    thread = Thread(target=play_when_serving, args=(player,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        thread.join(STOP_SECONDS)


def play_when_serving(player: DemoPlayer) -> None:
    """Wait for the service, print how to use it, run the journeys, and print the result."""
    if not wait_until_serving(player.running):
        return
    player.say(player.hint)
    with httpx.Client(base_url=player.url, timeout=PATIENCE.total_seconds()) as http:
        failures = play_journeys(player, http)
    if player.chosen and not player.running.should_exit:
        player.say(describe_result(failures, len(player.chosen)))


def wait_until_serving(running: uvicorn.Server) -> bool:
    """Wait until the service has started. Return False if it does not start in time."""
    deadline = time.monotonic() + PATIENCE.total_seconds()
    while not running.started:
        if time.monotonic() > deadline or running.should_exit:
            return False
        time.sleep(0.05)
    return True


def play_journeys(player: DemoPlayer, http: httpx.Client) -> dict[Journey, str]:
    """Run the chosen journeys, and return the error of each journey that failed.

    On a terminal, a progress bar is shown. Otherwise each step is printed as a line.
    """
    on_terminal, failures = player.console.is_terminal, dict[Journey, str]()
    demo = player.build_demo(http, skip_line if on_terminal else player.say)
    with Progress(
        *COLUMNS, console=player.console, transient=True, disable=not on_terminal
    ) as progress:
        bar = progress.add_task("", total=len(player.chosen))
        for journey in player.chosen:
            if player.running.should_exit:
                break
            progress.update(bar, description=f"Example case: {JOURNEYS[journey][0]}")
            if failure := play_one(demo, journey):
                failures[journey] = failure
            progress.advance(bar)
    return failures


def skip_line(_: str) -> None:
    """Print nothing, because a progress bar is shown."""


def play_one(demo: Demo, journey: Journey) -> str | None:
    """Run one journey. Return an error text if it fails, or None if it succeeds."""
    try:
        journeys.play(demo, [journey])
    except JourneyFailed as failed:
        return str(failed)
    except Exception as error:  # noqa: BLE001 - the case may not be as the journey left it
        return f"{type(error).__name__}: {error}"
    return None


def describe_result(failures: Mapping[Journey, str], total: int) -> str:
    """Return the results as text, to be printed after the last journey."""
    played = total - len(failures)
    if not failures:
        return f"\nAll {total} journeys were played: their cases are in the lists."
    lines = (f"  {journey}: {failure}" for journey, failure in failures.items())
    result = f"{played} of {total} journeys were played. {RESTART}"
    return "\n".join(("", "A journey failed:", *lines, result))
