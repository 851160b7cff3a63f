"""The state table of a referral agrees with a table that was written by hand.

The tables in this module are written from LIFECYCLES.md, 2 and 7, not from the code, so
that a change to a rule takes two deliberate edits.
"""

from dataclasses import dataclass
from itertools import product

import pytest

from app.kernel.actors import Relation, Role, Side, get_referral_sides
from app.kernel.lifecycle import AnyOf
from app.kernel.problems import Problem
from app.referrals import lifecycle as referral_lifecycle
from app.referrals.lifecycle import (
    CLOCKS,
    EVENTS,
    HELPED,
    OPEN,
    TABLE,
    Action,
    Row,
    State,
)

UNDECIDED = "sent received info_requested"
ALIVE = f"{UNDECIDED} accepted in_progress on_hold"
ENDED = "withdrawn declined revoked expired redirected"
# action         | to             | by            | from
STEPS = f"""
send             | sent           | sender        | draft
acknowledge      | received       | recipient     | sent
ask              | info_requested | recipient     | sent received
answer           | received       | sender        | info_requested
accept           | accepted       | recipient     | sent received
decline          | declined       | recipient     | {UNDECIDED} accepted
redirect         | redirected     | recipient     | sent received
start            | in_progress    | recipient     | accepted
hold             | on_hold        | recipient     | in_progress
resume           | in_progress    | recipient     | on_hold
report           | same           | recipient     | in_progress
complete         | completed      | recipient     | in_progress
withdraw         | withdrawn      | sender system | {ALIVE}
revoke           | revoked        | sender        | draft {UNDECIDED} accepted
confirm_deletion | same           | recipient     | {ENDED}
expire           | expired        | system        | {UNDECIDED}
"""
ROLES = {Role.CASEWORKER, Role.COORDINATOR}
"""The roles of every row; the system needs none."""
# action         | needs (the safety of accept: docs/adr/0011)
ASKED = """
send             | case_open consent|child_path|vital_interest risk_current recipient_safe \
agreement origin_permitted reflection_told not_already_asked
acknowledge      |
ask              | question
answer           | consent_to_answer agreement
accept           | consent|child_path|vital_interest recipient_safe two_contacts meeting
decline          | reason
redirect         | reason alternative
start            | person_met return_cleared
hold             | reason review_date
resume           |
report           | feedback
complete         | outcome feedback return_done
withdraw         | reason
revoke           | reason
confirm_deletion |
expire           | time_is_up
"""
# state        | clock            | waits on
STATES = """
draft          | finish_draft     | sender
sent           | acknowledge      | recipient
received       | decide_referral  | recipient
info_requested | answer           | sender
accepted       | meet_person      | recipient
in_progress    | give_feedback    | recipient
on_hold        | review           | recipient
completed      |                  |
declined       | confirm_deletion | recipient
redirected     | confirm_deletion | recipient
withdrawn      | confirm_deletion | recipient
revoked        | confirm_deletion | recipient
expired        | confirm_deletion | recipient
"""
HELPED_OF = "accepted in_progress on_hold completed"
TERMINAL = "completed declined redirected withdrawn revoked expired"
RELATIONS = """
submitter          |
candidate          | sender
lead               | sender
desk               | sender
escalation_desk    |
former_lead        |
recipient          | recipient
former_recipient   | recipient
handover_candidate |
oversight          |
"""


def cells(table: str) -> dict[str, list[str]]:
    """Return the other cells of each row of a table, by the row's first cell."""
    lines = [f"{line} ".split(" | ") for line in table.strip().splitlines()]
    return {first.strip(): [cell.strip() for cell in rest] for first, *rest in lines}


@dataclass(frozen=True)
class Line:
    """A line of the state table: one action, with its states and sides."""

    sources: list[str]
    target: str
    sides: list[str]

    def answer(self, state: State, side: Side, role: Role | None) -> str:
        """Return the target state according to LIFECYCLES.md, or the code of a problem."""
        if state not in self.sources:
            return "action-illegal"
        if side not in self.sides:
            return "action-not-yours"
        if side != Side.SYSTEM and role not in ROLES:
            return "role-missing"
        return state if self.target == "same" else self.target


LINES = {
    action: Line(sources.split(), target, sides.split())
    for action, (target, sides, sources) in cells(STEPS).items()
}
ANYBODY: tuple[Role | None, ...] = (None, *Role)


def answer(state: State, action: Action, side: Side, role: Role | None) -> str:
    """Return the target state that the service gives, or the code of its problem."""
    roles = frozenset({role} if role else ())
    try:
        return TABLE.find(state, action, {side}, roles).target or state
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


@pytest.mark.parametrize("state", State)
def test_every_cell_answers_as_the_document_does(state: State) -> None:
    combinations = list(product(Action, Side, ANYBODY))

    expected = {
        (action, side, role): LINES[action].answer(state, side, role)
        for action, side, role in combinations
    }

    assert {cell: answer(state, *cell) for cell in combinations} == expected


@pytest.mark.parametrize("action", Action)
def test_every_step_needs_what_the_document_asks(action: Action) -> None:
    needs = {format_requirements(row) for row in TABLE.steps if row.action == action}

    assert needs == {cells(ASKED)[action][0]}


def test_no_two_rows_answer_the_same_question() -> None:
    covered = [
        (row.action, source, side)
        for row in TABLE.steps
        for source in row.sources
        for side in row.sides
    ]

    assert len(covered) == len(set(covered))


def test_a_draft_comes_first_and_every_state_can_be_reached() -> None:
    reached = {TABLE.start, *(row.target for row in TABLE.steps if row.target)}

    assert TABLE.start == State.DRAFT
    assert reached == set(State)


@pytest.mark.parametrize("state", State)
def test_every_state_that_can_be_left_has_its_clock_and_waits_on_its_side(
    state: State,
) -> None:
    clock, waits_on = cells(STATES)[state]

    assert bool(clock) == bool(TABLE.list_steps_in(state))
    assert CLOCKS.get(state, ("", "")) == (clock, waits_on)


@pytest.mark.parametrize("state", State)
def test_from_a_terminal_state_no_step_leads_elsewhere(state: State) -> None:
    elsewhere = [row for row in TABLE.list_steps_in(state) if row.target is not None]

    assert bool(elsewhere) == (state not in TERMINAL.split())


def test_open_is_what_was_sent_and_has_not_ended() -> None:
    assert set(ALIVE.split()) == OPEN
    assert set(HELPED_OF.split()) == HELPED
    assert set(HELPED_OF.split()) - {"completed"} == referral_lifecycle.AT_WORK
    assert set(UNDECIDED.split()) == referral_lifecycle.ASKED
    assert set(ENDED.split()) == referral_lifecycle.STOPPED


def test_every_action_is_told_under_a_name_of_its_own() -> None:
    assert set(EVENTS) == set(Action)
    assert len(set(EVENTS.values())) == len(EVENTS)
    assert all(name.startswith("referral.") for name in EVENTS.values())


@pytest.mark.parametrize("relation", Relation)
def test_a_relation_puts_a_focal_point_on_these_sides(relation: Relation) -> None:
    assert get_referral_sides({relation}) == set(cells(RELATIONS)[relation][0].split())


def test_whoever_holds_the_case_and_is_asked_stands_on_both_sides() -> None:
    assert get_referral_sides({Relation.LEAD, Relation.RECIPIENT}) == {
        Side.SENDER,
        Side.RECIPIENT,
    }


def test_the_diagram_shows_every_step() -> None:
    arrows = TABLE.draw().splitlines()[2:]

    expected = {
        f"    {source} --> {source if line.target == 'same' else line.target}: "
        f"{action} ({', '.join(sorted(line.sides))})"
        for action, line in LINES.items()
        for source in line.sources
    }

    assert set(arrows) == expected
    assert len(arrows) == len(expected)
