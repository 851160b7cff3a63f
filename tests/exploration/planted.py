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


def forbid(patch: Patch, state: State, actions: AbstractSet[Action]) -> None:
    """Remove actions from the life cycle of a case in one state."""
    steps = tuple(
        replace(step, sources=step.sources - {state}) if step.action in actions else step
        for step in TABLE.steps
    )
    patch.setitem(vars(TABLE), "steps", steps)


def lets_nobody_end_a_rest(patch: Patch) -> None:
    """Let no action resume or end a suspended case."""
    forbid(patch, State.SUSPENDED, {Action.RESUME, Action.CLOSE, Action.STOP})


def counts_no_office_as_unattended(patch: Patch) -> None:
    """Report no office at which nobody can sign in."""
    patch.setattr(offices, "find_unattended", lambda *_: frozenset())


def leaves_a_case_with_a_lead_that_is_gone(patch: Patch) -> None:
    """Admit no desk beside a lead that misses its deadlines."""
    patch.setattr(escalating, "escalate", lambda *_: None)
