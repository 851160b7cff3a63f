"""Faults that tests plant in the service, so that there is no way to end a case."""

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
    """Remove actions from the life cycle of a case for one state."""
    steps = tuple(
        replace(step, sources=step.sources - {state}) if step.action in actions else step
        for step in TABLE.steps
    )
    patch.setitem(vars(TABLE), "steps", steps)


def plant_endless_pause(patch: Patch) -> None:
    """Make the service refuse every action that resumes or ends a suspended case."""
    remove_actions(patch, State.SUSPENDED, {Action.RESUME, Action.CLOSE, Action.STOP})


def plant_missing_alarm(patch: Patch, name: str) -> None:
    """Make the function `name` return an empty set, so that its alarm is not raised."""
    patch.setattr(offices, name, lambda *_: frozenset())


def plant_lost_lead(patch: Patch) -> None:
    """Keep the service from escalating a case to the desk if the lead misses deadlines."""
    patch.setattr(escalating, "escalate_to_desk", lambda *_: None)
