"""The state table of a case agrees with a second copy (LIFECYCLES.md, sections 1 and 7).

The copy is written from the document, not from the code, so that a change to a rule takes
two deliberate edits.
"""

from dataclasses import dataclass
from itertools import product

import pytest

from app.cases import lifecycle as case_lifecycle
from app.cases.further_actions import FURTHER
from app.cases.lifecycle import CLOCKS, EVENTS, STAGES, TABLE, Action, Row, Stage, State
from app.kernel.actors import Relation, Role, Side, get_case_sides
from app.kernel.lifecycle import AnyOf
from app.kernel.problems import Problem

LED = "referring assisting suspended monitoring"
# action            | from                          | to           | side
# begin_assistance from monitoring: docs/adr/0015; record_lead_consent: docs/adr/0047
STEPS = f"""
submit              | draft                         | submitted    | submitter
discard             | draft                         | void         | submitter system
withdraw            | submitted                     | void         | submitter
acknowledge         | submitted                     | under_review | candidate
decline_lead        | submitted under_review        | submitted    | candidate
reroute             | submitted under_review        | submitted    | system
assign              | submitted                     | submitted    | desk
record_lead_consent | submitted {LED}               | same         | desk
take_over           | {LED}                         | same         | desk
accept_lead         | under_review                  | referring    | candidate
begin_assistance    | referring monitoring          | assisting    | system
fall_back           | assisting                     | referring    | system
suspend             | referring assisting monitoring | suspended   | lead
resume              | suspended                     | referring    | lead
monitor             | referring assisting           | monitoring   | lead
reopen_assistance   | monitoring                    | referring    | lead
close               | under_review {LED}            | closed       | holder
stop                | submitted under_review {LED}  | closed       | holder
reopen              | closed                        | referring    | lead
erase               | closed void                   | erased       | oversight system
erase_again         | submitted under_review {LED} closed void | erased | system
"""
# action          | role (empty: any)
ROLES = """
submit            | officer caseworker
discard           | officer caseworker coordinator
withdraw          | officer caseworker
acknowledge       | caseworker
decline_lead      | coordinator caseworker
reroute           |
assign            | coordinator
record_lead_consent | coordinator
take_over         | coordinator
accept_lead       | coordinator
begin_assistance  |
fall_back         |
suspend           | caseworker
resume            | caseworker
monitor           | caseworker
reopen_assistance | caseworker
close             | coordinator
stop              | caseworker
reopen            | coordinator
erase             | protection_officer
erase_again       |
"""
# action          | needs (the safety of accept_lead: docs/adr/0011)
NEEDS = """
submit            | summary consent_to_refer|child_path|vital_interest
discard           |
withdraw          | reason nothing_sent
acknowledge       | recipient_safe
decline_lead      | reason
reroute           | next_candidate
assign            | reason focal_point_chosen
record_lead_consent | reason lead_failing nobody_named second_person
take_over         | reason lead_failing person_informed focal_point_chosen second_person
accept_lead       | recipient_safe risk_current two_contacts
begin_assistance  | referral_accepted
fall_back         | no_referral_accepted
suspend           | reason review_date
resume            | risk_current
monitor           | nothing_open schedule
reopen_assistance | reason
close             | reason nothing_open return_over person_informed second_person
stop              | reason
reopen            | reason consent_to_refer|child_path
erase             | no_legal_hold second_person
erase_again       | erased_before
"""
# the requirements of the system for actions that people can take too: docs/adr/0018
OF_THE_SYSTEM = """
discard           | time_is_up|erased_before
erase             | no_legal_hold time_is_up
"""
# the actions of a desk if the lead does not act: docs/adr/0047
#                 from  | side | role        | needs
OF_THE_DESK = f"""
stop            | {LED} | desk | coordinator | reason lead_failing second_person
"""
# the requirements of the desk before the case has a lead: docs/adr/0047
OF_THE_UNLED = """
record_lead_consent | reason submitter_gone second_person
"""
# state       | stage          | clock           | waits on
STATES = """
draft         | identification | finish_draft    | submitter
submitted     | identification | acknowledge     | candidate
under_review  | identification | decide_lead     | candidate
referring     | referral       | review_risk     | lead
assisting     | assistance     | review_risk     | lead
suspended     | assistance     | review          | lead
monitoring    | assistance     | monitor         | lead
closed        | closure        | erase           | system
void          | closure        | erase           | system
erased        | closure        |                 |
"""
HOLDERS = {"candidate": Side.HOLDER, "lead": Side.HOLDER}
"""Sides of `STATES` that the service calls the holder, because a desk may hold a case."""
RELATIONS = """
submitter          | submitter
candidate          | candidate holder
lead               | lead holder
desk               | desk holder
escalation_desk    | desk
former_lead        |
recipient          |
former_recipient   |
handover_candidate |
oversight          | oversight
"""


def cells(table: str) -> dict[str, list[str]]:
    """Return the cells of each row of a table, by the row's first cell."""
    lines = [f"{line} ".split(" | ") for line in table.strip().splitlines()]
    return {first.strip(): [cell.strip() for cell in rest] for first, *rest in lines}


@dataclass(frozen=True)
class Line:
    """One row of a table of LIFECYCLES.md."""

    sources: list[str]
    target: str
    sides: list[str]
    roles: list[str]
    desk: "Line | None" = None

    def answer(self, state: State, side: Side, role: Role | None) -> str:
        """Return the target state according to LIFECYCLES.md, or the code of a problem."""
        if state not in self.sources:
            return "action-illegal"
        if self.desk and side == self.desk.sides[0] and state in self.desk.sources:
            return self.desk.answer(state, side, role)
        if side not in self.sides:
            return "action-not-yours"
        if side != Side.SYSTEM and self.roles and role not in self.roles:
            return "role-missing"
        return self.target

    def reaches(self, source: str) -> str:
        """Return the state that an action reaches from a state."""
        return source if self.target == "same" else self.target


def find_desk_row(action: str, target: str) -> Line | None:
    """Return the row for a desk if the desk may also take the action, or None."""
    if action not in cells(OF_THE_DESK):
        return None
    sources, side, role, _ = cells(OF_THE_DESK)[action]
    return Line(sources.split(), target, [side], [role])


LINES = {
    action: Line(
        sources.split(),
        target,
        sides.split(),
        cells(ROLES)[action][0].split(),
        find_desk_row(action, target),
    )
    for action, (sources, target, sides) in cells(STEPS).items()
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


STEP_ACTIONS = [one for one in Action if one not in {row.action for row in FURTHER.steps}]
"""The actions of the life cycle; `test_further_actions.py` tests the others."""


def test_the_copy_says_something_of_everything() -> None:
    assert list(cells(STEPS)) == STEP_ACTIONS
    assert list(cells(ROLES)) == STEP_ACTIONS
    assert list(cells(NEEDS)) == STEP_ACTIONS
    assert list(cells(STATES)) == list(State)
    assert list(cells(RELATIONS)) == list(Relation)


@pytest.mark.parametrize("state", State)
def test_every_cell_answers_as_the_document_does(state: State) -> None:
    combinations = list(product(STEP_ACTIONS, Side, ANYBODY))

    expected = {
        (action, side, role): LINES[action].answer(state, side, role)
        for action, side, role in combinations
    }

    assert {cell: answer(state, *cell) for cell in combinations} == expected


@pytest.mark.parametrize("action", STEP_ACTIONS)
def test_every_step_needs_what_the_document_asks(action: Action) -> None:
    people, system = cells(NEEDS)[action][0], cells(OF_THE_SYSTEM).get(action)
    unled = cells(OF_THE_UNLED).get(action)
    desk = cells(OF_THE_DESK).get(action)
    rows = [row for row in TABLE.steps if row.action == action]

    for row in rows:
        expected = people
        if system and Side.SYSTEM in row.sides:
            expected = system[0]
        elif unled and row.sources == {State.SUBMITTED}:
            expected = unled[0]
        elif desk and row.sides == {Side.DESK}:
            expected = desk[-1]
        assert format_requirements(row) == expected
    others = (system and len(LINES[action].sides) > 1, unled, desk)
    assert len(rows) == 1 + sum(map(bool, others))


def test_no_two_rows_answer_the_same_question() -> None:
    covered = [
        (row.action, source, side)
        for row in TABLE.steps
        for source in row.sources
        for side in row.sides
    ]

    assert len(covered) == len(set(covered))


def test_a_draft_comes_first_and_every_state_can_be_reached() -> None:
    reached = {TABLE.start, *(row.target for row in TABLE.steps)}

    assert TABLE.start == State.DRAFT
    assert reached - {None} == set(State)


@pytest.mark.parametrize("state", State)
def test_every_state_has_its_stage(state: State) -> None:
    assert STAGES[state] == cells(STATES)[state][0]


@pytest.mark.parametrize("state", State)
def test_every_state_that_can_be_left_has_its_clock_and_waits_on_its_side(
    state: State,
) -> None:
    _, clock, waits_on = cells(STATES)[state]
    side = HOLDERS.get(waits_on, waits_on)

    assert bool(clock) == bool(TABLE.list_steps_in(state))
    assert CLOCKS.get(state, ("", "")) == (clock, side)


def test_every_action_is_told_under_a_name_of_its_own() -> None:
    assert set(EVENTS) == set(STEP_ACTIONS)
    assert len(set(EVENTS.values())) == len(EVENTS)
    assert all(name.startswith("case.") for name in EVENTS.values())


@pytest.mark.parametrize("relation", Relation)
def test_a_relation_puts_a_focal_point_on_these_sides(relation: Relation) -> None:
    assert get_case_sides({relation}) == set(cells(RELATIONS)[relation][0].split())


def test_help_never_waits_for_status() -> None:
    requirements = " ".join(format_requirements(row) for row in TABLE.steps)

    assert "identif" not in requirements
    assert "police" not in requirements


def test_the_diagram_shows_every_step() -> None:
    arrows, apart = TABLE.draw().splitlines()[2:], cells(OF_THE_SYSTEM)

    expected = {
        f"    {source} --> {line.reaches(source)}: {action} ({sides})"
        for action, line in LINES.items()
        for source in line.sources
        for sides in (line.sides if action in apart else [", ".join(sorted(line.sides))])
    }
    expected |= {
        f"    {source} --> {line.target}: {action} (desk)"
        for action, line in LINES.items()
        for source in (line.desk.sources if line.desk else ())
    }

    assert set(arrows) == expected
    assert len(arrows) == len(expected)


def test_open_is_who_waits_for_a_lead_or_has_one() -> None:
    waiting = {"submitted", "under_review"}

    assert waiting == case_lifecycle.WITH_A_CANDIDATE
    assert waiting | {"draft"} == case_lifecycle.UNLED
    assert set(LED.split()) == case_lifecycle.LED
    assert waiting | set(LED.split()) == case_lifecycle.OPEN
    assert {"closed", "void"} == case_lifecycle.OVER


@pytest.mark.parametrize("stage", Stage)
def test_the_states_of_a_stage_are_those_that_the_document_puts_there(stage: Stage) -> None:
    there = {state for state, (of, *_) in cells(STATES).items() if of == stage}

    assert case_lifecycle.list_states([stage]) == there
    assert case_lifecycle.list_states(Stage) == set(State)
