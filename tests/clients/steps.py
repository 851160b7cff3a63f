"""The steps of a journey, which each generated client has to perform.

The program of a client prints `step NAME` after it has checked a step. The log of the
service shows whether the requests of the steps were sent, and the status of each response.
"""

import csv
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

FILE: Final = Path(__file__).with_name("steps.csv")
PATIENCE: Final = 5
"""Number of seconds within which the service must have logged its last response."""


class Request(NamedTuple):
    """A request that the service answered."""

    method: str
    route: str
    status: int


class Step(NamedTuple):
    """A step of a journey, and the request that the service must log for it."""

    name: str
    request: Request


def load_steps() -> list[Step]:
    """Return the steps in the order of `steps.csv`."""
    with FILE.open(encoding="utf-8") as file:
        return [
            Step(row["step"], Request(row["method"], row["route"], int(row["status"])))
            for row in csv.DictReader(file)
        ]


def list_reported(output: str) -> list[str]:
    """Return the names of the steps in the output of a program."""
    words = (line.split() for line in output.splitlines())
    return [found[1] for found in words if len(found) == 2 and found[0] == "step"]


def find_missing(steps: Iterable[Step], answered: Sequence[Request]) -> Step | None:
    """Return the first step whose request is missing or out of order, or None."""
    rest = iter(answered)
    return next((step for step in steps if step.request not in rest), None)


def find_fault(output: str, answered: Callable[[], Sequence[Request]]) -> str | None:
    """Return the fault of a journey, or None if all steps were performed in order."""
    steps = load_steps()
    names, reported = [step.name for step in steps], list_reported(output)
    if reported != names:
        return f"It reported {reported}, and steps.csv has {names}."
    for _ in range(PATIENCE * 10):
        if find_missing(steps, answered()) is None:
            return None
        time.sleep(0.1)
    missing = find_missing(steps, answered())
    return f"The service did not answer the request of {missing}: {answered()}"
