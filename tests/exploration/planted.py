"""Faults that leave a case without a way on, planted into the running service."""

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from dataclasses import replace

import pytest

from app.cases.lifecycle import TABLE, Action, State
from app.casework import escalating
from app.metrics import offices

type Patch = pytest.MonkeyPatch
type Plant = Callable[[Patch], None]


def forbid(patch: Patch, state: State, actions: AbstractSet[Action]) -> None:
    """Take some steps out of the life cycle of a case in one state."""
    steps = tuple(
        replace(step, sources=step.sources - {state}) if step.action in actions else step
        for step in TABLE.steps
    )
    patch.setitem(vars(TABLE), "steps", steps)


def lets_nobody_end_a_rest(patch: Patch) -> None:
    """Let a suspended case neither go on nor end."""
    forbid(patch, State.SUSPENDED, {Action.RESUME, Action.CLOSE, Action.STOP})


def raise_no_alarm(patch: Patch, name: str) -> None:
    """Let one of the reads that the alarms about offices are based on find nothing."""
    patch.setattr(offices, name, lambda *_: frozenset())


def leaves_a_case_with_a_lead_that_is_gone(patch: Patch) -> None:
    """Bring in no desk beside a lead that lets its deadlines pass."""
    patch.setattr(escalating, "escalate", lambda *_: None)
