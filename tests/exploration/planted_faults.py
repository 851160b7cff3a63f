"""Faults that leave a case without a way to its end, planted in the running service."""

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from dataclasses import replace

import pytest

from app.cases.lifecycle import TABLE, Action, State
from app.casework import escalating
from app.metrics import offices

type Patch = pytest.MonkeyPatch
type Plant = Callable[[Patch], None]


def remove_actions(patch: Patch, state: State, actions: AbstractSet[Action]) -> None:
    """Remove actions from the life cycle of a case in one state."""
    steps = tuple(
        replace(step, sources=step.sources - {state}) if step.action in actions else step
        for step in TABLE.steps
    )
    patch.setitem(vars(TABLE), "steps", steps)


def plant_endless_pause(patch: Patch) -> None:
    """Let no action resume or end a suspended case."""
    remove_actions(patch, State.SUSPENDED, {Action.RESUME, Action.CLOSE, Action.STOP})


def plant_missing_alarm(patch: Patch, name: str) -> None:
    """Let one of the functions that the alarms about offices call find nothing."""
    patch.setattr(offices, name, lambda *_: frozenset())


def plant_lost_lead(patch: Patch) -> None:
    """Admit no desk beside a lead that misses its deadlines."""
    patch.setattr(escalating, "escalate_to_desk", lambda *_: None)
