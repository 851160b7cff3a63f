"""The state table of the outbox agrees with a second copy."""

import pytest

from app.kernel.actors import Side
from app.kernel.lifecycle import ActionIllegal
from app.outbox.lifecycle import OPEN, TABLE, Action, State

# A second copy, so that a change to a rule takes two deliberate edits.
RULES = """
claim    waiting sending -> sending
deliver  sending         -> sent
retry    sending         -> waiting
give_up  sending         -> dead
drop     waiting sending -> dropped
"""
SYSTEM = frozenset({Side.SYSTEM})


def parse_rules() -> dict[str, tuple[set[str], str]]:
    rows = [line.split(maxsplit=1) for line in RULES.strip().splitlines()]
    sides = {action: rest.split("->") for action, rest in rows}
    return {a: (set(old.split()), new.strip()) for a, (old, new) in sides.items()}


def test_the_table_is_the_one_told_here() -> None:
    found = {str(s.action): (set(map(str, s.sources)), str(s.target)) for s in TABLE.steps}

    assert found == parse_rules()
    assert {state for step in TABLE.steps for state in step.sources} == OPEN
    assert all(step.sides == SYSTEM and not step.needs for step in TABLE.steps)


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("action", Action)
def test_nothing_else_happens_and_what_is_over_stays_over(
    state: State, action: Action
) -> None:
    sources, _ = parse_rules()[action]

    try:
        TABLE.find(state, action, SYSTEM, frozenset())
        allowed = True
    except ActionIllegal:
        allowed = False

    assert allowed == (state in sources)
