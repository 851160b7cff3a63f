"""The state table of a handover agrees with a copy written from LIFECYCLES.md (3 and 7).

The copy is not written from the code, so that a change to a rule takes two deliberate
edits.
"""

from dataclasses import dataclass
from itertools import product

import pytest

from app.handovers.lifecycle import CLOCKS, EVENTS, OFFER, TABLE, Action, Row, State
from app.kernel.actors import Relation, Role, Side, get_handover_sides
from app.kernel.lifecycle import AnyOf
from app.kernel.problems import Problem

# action | to        | by                 | role                   | from
STEPS = """
offer    | offered   | lead               | coordinator            | new
accept   | effective | handover_candidate | coordinator            | offered
decline  | declined  | handover_candidate | caseworker coordinator | offered
cancel   | cancelled | lead system        | caseworker coordinator | offered
expire   | expired   | system             |                        | offered
"""
AGAIN = "case_led consent|child_path recipient_safe agreement origin_permitted"
"""Requirements of the offer, which are checked again at the acceptance."""
# action | needs
ASKED = f"""
offer    | {AGAIN} reason
accept   | {AGAIN} two_contacts capacity
decline  | reason
cancel   |
expire   | time_is_up
"""
# state   | clock           | waits on
STATES = """
offered   | answer_handover | handover_candidate
effective |                 |
declined  |                 |
cancelled |                 |
expired   |                 |
"""
RELATIONS = """
submitter          |
candidate          |
lead               | lead
desk               |
escalation_desk    |
former_lead        | former_lead
recipient          |
former_recipient   |
handover_candidate | handover_candidate
oversight          |
"""


def cells(table: str) -> dict[str, list[str]]:
    """Return the cells of each row of a table, by the row's first cell."""
    lines = [f"{line} ".split(" | ") for line in table.strip().splitlines()]
    return {first.strip(): [cell.strip() for cell in rest] for first, *rest in lines}


@dataclass(frozen=True)
class Line:
    """A line of the state table of handovers in LIFECYCLES.md."""

    sources: list[str]
    target: str
    sides: list[str]
    roles: list[str]

    def answer(self, state: State, side: Side, role: Role | None) -> str:
        """Return the target state according to LIFECYCLES.md, or the code of a problem."""
        if state not in self.sources:
            return "action-illegal"
        if side not in self.sides:
            return "action-not-yours"
        if side != Side.SYSTEM and role not in self.roles:
            return "role-missing"
        return self.target


LINES = {
    action: Line(sources.split(), target, sides.split(), roles.split())
    for action, (target, sides, roles, sources) in cells(STEPS).items()
}
ANYBODY: tuple[Role | None, ...] = (None, *Role)


def answer(state: State, action: Action, side: Side, role: Role | None) -> str:
    """Return the target state of the row (`same` if it has none), or a problem code."""
    roles = frozenset({role} if role else ())
    try:
        return TABLE.find(state, action, {side}, roles).target or "same"
    except Problem as problem:
        return problem.code


def format_requirements(row: Row) -> str:
    """Format the requirements of a row as LIFECYCLES.md does."""
    needs = [need.needs if isinstance(need, AnyOf) else (need,) for need in row.needs]
    return " ".join("|".join(options) for options in needs)


def test_the_copy_says_something_of_everything() -> None:
    assert list(cells(STEPS)) == list(Action)
    assert list(cells(ASKED)) == list(Action)
    assert list(cells(STATES)) == list(State)
    assert list(cells(RELATIONS)) == list(Relation)


@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize("state", State)
def test_every_cell_answers_as_the_document_does(state: State, action: Action) -> None:
    combinations = list(product(Side, ANYBODY))

    expected = {who: LINES[action].answer(state, *who) for who in combinations}

    assert {who: answer(state, action, *who) for who in combinations} == expected


@pytest.mark.parametrize("action", Action)
def test_every_row_is_the_one_of_the_document(action: Action) -> None:
    [row] = [row for row in TABLE.steps if row.action == action]
    line = LINES[action]

    assert format_requirements(row) == cells(ASKED)[action][0]
    assert row.target == line.target
    assert set(row.sides) == set(line.sides)
    assert set(row.roles) == set(line.roles)
    assert [*row.sources] == [source for source in line.sources if source != "new"]


def test_an_offer_begins_a_handover_and_is_no_step_of_one() -> None:
    assert OFFER in TABLE.steps
    assert OFFER.target == TABLE.start == State.OFFERED
    assert not any(
        row.action == Action.OFFER for s in State for row in TABLE.list_steps_in(s)
    )


def test_every_state_can_be_reached() -> None:
    assert {row.target for row in TABLE.steps} == set(State)


@pytest.mark.parametrize("state", State)
def test_every_state_that_can_be_left_has_its_clock_and_waits_on_its_side(
    state: State,
) -> None:
    clock, waits_on = cells(STATES)[state]

    assert bool(clock) == bool(TABLE.list_steps_in(state))
    assert CLOCKS.get(state, ("", "")) == (clock, waits_on)


def test_every_action_is_told_under_a_name_of_its_own() -> None:
    assert set(EVENTS) == set(Action)
    assert len(set(EVENTS.values())) == len(EVENTS)
    assert all(name.startswith("handover.") for name in EVENTS.values())


@pytest.mark.parametrize("relation", Relation)
def test_a_relation_puts_a_focal_point_on_these_sides(relation: Relation) -> None:
    assert get_handover_sides({relation}) == set(cells(RELATIONS)[relation][0].split())


def test_who_has_led_takes_no_step() -> None:
    assert not any(Side.FORMER_LEAD in row.sides for row in TABLE.steps)


def test_the_diagram_shows_every_step() -> None:
    first, *arrows = TABLE.draw().splitlines()[1:]

    expected = {
        f"    {source} --> {line.target}: {action} ({', '.join(sorted(line.sides))})"
        for action, line in LINES.items()
        for source in line.sources
        if source != "new"
    }

    assert first == "    [*] --> offered"
    assert set(arrows) == expected
    assert len(arrows) == len(expected)
