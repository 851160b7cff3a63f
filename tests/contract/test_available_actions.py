"""Each write on a case, referral, handover or return is an available action.

The exceptions are listed in `case_actions.UNLISTED`, each with its reason.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from app.cases import lifecycle as cases
from app.cases.further_actions import FURTHER
from app.handovers import lifecycle as handovers
from app.kernel.actors import Side
from app.kernel.lifecycle import Table
from app.referrals import lifecycle as referrals
from app.returns import lifecycle as returns
from tests.support import case_actions
from tests.support.operation_calls import ALL
from tests.support.raw_requests import Operation

TABLES: Final[Mapping[str, tuple[Table[Any, Any, Any], ...]]] = {
    "cases/{code}": (cases.TABLE, FURTHER),
    "referrals/{referral_id}": (referrals.TABLE,),
    "handovers/{handover_id}": (handovers.TABLE,),
    "returns/{return_id}": (returns.TABLE,),
}
WRITES: Final = [one for one in ALL if one.method != "GET"]
PAGE: Final = (Path(__file__).parents[2] / "docs" / "integrate.md").read_text("utf-8")
BY_FURTHER: Final = {name: action for action, name in case_actions.FURTHER.items()}


def list_writes(record: str) -> list[Operation]:
    """Return the operations that write to a record or to something that belongs to it."""
    return [one for one in WRITES if one.path.startswith(f"/v1/{record}")]


def find_action(operation: Operation) -> str:
    """Return the action of an operation: from `BY_FURTHER`, or else the end of its path."""
    last = operation.path.rsplit("/", maxsplit=1)[1]
    return BY_FURTHER.get(operation.name, last.replace("-", "_"))


def list_actions_of_people(record: str) -> set[str]:
    """Return the actions that people, not only the system, may take on existing records."""
    steps = [step for table in TABLES[record] for step in table.steps]
    offer = {handovers.Action.OFFER} if record.startswith("handovers") else set()
    return {step.action for step in steps if step.sides != {Side.SYSTEM}} - offer


@pytest.mark.parametrize("record", TABLES)
def test_each_write_is_an_available_action_or_has_a_reason(record: str) -> None:
    writes = list_writes(record)
    listed = {find_action(w) for w in writes if w.name not in case_actions.UNLISTED}

    assert writes
    assert listed == list_actions_of_people(record)


def test_each_exception_is_an_operation_and_says_why() -> None:
    names = {one.name for one in WRITES}

    assert set(case_actions.UNLISTED) | set(BY_FURTHER) <= names
    assert not set(case_actions.UNLISTED) & set(BY_FURTHER)
    assert all(re.search(r"\w+ \w+", why) for why in case_actions.UNLISTED.values())


def test_the_page_for_integrators_has_the_request_of_each_further_action() -> None:
    requests = {one.name: f"{one.method} {one.path}" for one in WRITES}
    told = re.findall(r"^\| `(\w+)` \| `([A-Z]+ /v1/cases/\S+)` \|$", PAGE, re.MULTILINE)

    assert told == [
        (action, requests[name]) for action, name in case_actions.FURTHER.items()
    ]


@pytest.mark.parametrize("module", [cases, referrals, handovers])
def test_each_deadline_of_a_state_is_answered_by_an_action_of_its_side(module: Any) -> None:
    steps = (*module.TABLE.steps, *(FURTHER.steps if module is cases else ()))
    for state, (kind, side) in module.CLOCKS.items():
        if side == Side.SYSTEM:
            assert kind not in module.ANSWERS
            continue
        answers = module.ANSWERS[kind]
        own = {s.action for s in steps if state in s.sources and s.sides & get_sides(side)}
        assert answers & own, state


@pytest.mark.parametrize("state", returns.CLOCKS)
def test_each_deadline_of_a_return_is_answered_by_the_side_it_waits_for(
    state: returns.State,
) -> None:
    _, side = returns.CLOCKS[state]
    steps = [step for step in returns.TABLE.list_steps_in(state) if side in step.sides]

    assert returns.ANSWERS[state] <= {step.action for step in steps}
    assert set(returns.ANSWERS) == set(returns.CLOCKS)


def get_sides(side: Side) -> set[Side]:
    """Return a side, and for the holder also the sides that can hold a case."""
    held = {Side.CANDIDATE, Side.LEAD, Side.DESK}
    return {side} | (held if side == Side.HOLDER else set())
