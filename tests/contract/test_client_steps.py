"""Tests of the check in `make clients` that each client performs every step."""

from collections.abc import Iterator

import pytest

from tests.clients import steps
from tests.clients.steps import Request, find_fault, load_steps
from tests.support.contract import load_contract

NAMES = [step.name for step in load_steps()]
ANSWERED = [step.request for step in load_steps()]


def write_output(names: list[str]) -> str:
    return "".join(f"step {name}\n" for name in names)


@pytest.mark.parametrize("step", load_steps(), ids=lambda step: step.name)
def test_request_of_each_step_is_in_the_contract(step: steps.Step) -> None:
    path = load_contract()["paths"][f"/v1{step.request.route}"]

    assert str(step.request.status) in path[step.request.method.lower()]["responses"]


def test_journey_with_every_step_and_other_requests_has_no_fault() -> None:
    other = Request("GET", "/cases/{code}", 200)
    answered = [request for one in ANSWERED for request in (other, one)]

    assert find_fault(f"begins\n{write_output(NAMES)}ends\n", lambda: answered) is None


@pytest.mark.parametrize("name", NAMES)
def test_step_that_is_not_reported_is_a_fault(name: str) -> None:
    rest = [one for one in NAMES if one != name]

    assert find_fault(write_output(rest), lambda: ANSWERED)


@pytest.mark.parametrize("names", [NAMES[::-1], [*NAMES, "another"], [NAMES[0], *NAMES]])
def test_steps_in_another_order_or_number_are_a_fault(names: list[str]) -> None:
    assert find_fault(write_output(names), lambda: ANSWERED)


@pytest.mark.parametrize("index", range(len(ANSWERED)))
def test_step_without_its_request_is_a_fault(
    index: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steps, "PATIENCE", 0)
    answered = [*ANSWERED[:index], *ANSWERED[index + 1 :]]

    assert find_fault(write_output(NAMES), lambda: answered)


def test_request_that_is_logged_late_is_no_fault() -> None:
    logs: Iterator[list[Request]] = iter([[], ANSWERED[:-1], ANSWERED])

    assert find_fault(write_output(NAMES), lambda: next(logs)) is None
