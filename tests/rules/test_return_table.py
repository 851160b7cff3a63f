"""The checklist of a return agrees with a second copy of its table.

The copy is written from `proposal_return_checklist.csv`, G08 to G13 and BR08 to BR12, not
from the code, so that a change to a rule takes two deliberate edits.
"""

from itertools import product

import pytest

from app.kernel.actors import Role, Side
from app.kernel.problems import Problem
from app.returns.lifecycle import (
    CANCELLED,
    CLOCKS,
    DECIDED,
    EVENTS,
    FOR_THE_CONSULATE,
    GOING,
    ON_THE_WAY_TO_GO,
    OPEN,
    STEPS,
    TABLE,
    Action,
    State,
)

CLEARED = "cleared documented planning planned"
BEFORE = f"opened informed permitted assessing {CLEARED}"
ANY = "lead recipient consulate"
WORKER = "caseworker coordinator"
OFFICER = "officer caseworker coordinator"
# no | action      | from                 | to           | by        | role
ROWS = f"""
1  | inform              | opened               | informed     | lead      | {WORKER}
2  | permit_contact      | informed             | permitted    | lead      | {WORKER}
3  | verify_nationality  | permitted assessing  | assessing    | consulate | {OFFICER}
4  | assess_destination  | assessing {CLEARED}  | same         | lead      | {WORKER}
5  | assess_origin       | assessing {CLEARED}  | same         | recipient | {WORKER}
6  | determine_interests | assessing {CLEARED}  | same         | lead      | {WORKER}
6  | receive_child       | assessing {CLEARED}  | same         | recipient | {WORKER}
7  | go                  | assessing            | cleared      | lead      | coordinator
-  | reopen              | {CLEARED}            | assessing    | system    |
7  | no_go               | {BEFORE}             | no_go        | lead      | coordinator
8  | issue_document      | cleared              | documented   | consulate | {OFFICER}
9  | plan                | documented planning planned | planning | lead   | {WORKER}
9  | accept_plan         | planning             | planned      | recipient | {WORKER}
10 | depart              | planned              | in_transit   | lead      | {WORKER}
11 | arrive              | in_transit           | arrived      | recipient | {WORKER}
12 | monitor             | arrived              | monitoring   | recipient | {WORKER}
12 | report              | monitoring           | same         | recipient | {WORKER}
12 | report              | monitoring           | same         | lead      | {WORKER}
-  | finish              | monitoring           | completed    | system    |
-  | call_off            | {BEFORE}             | called_off   | {ANY}     | {OFFICER}
-  | end                 | {BEFORE} arrived monitoring | ended | system    |
-  | end                 | in_transit           | halted       | system    |
-  | locate         | halted               | ended        | lead      | {WORKER}
"""
STILL = (
    "under_way return_consent contact_permitted risks_current no_threat child_provided_for "
    "guardian"
)
"""Requirements of the lead for the steps `go`, `plan` and `depart` (BR08, BR12).

The sides other than the lead see these as one requirement, `still_cleared`, and therefore
do not learn which requirement is unmet.
"""
ASKED = f"""
inform              | under_way return_consent information
permit_contact      | under_way contact_permitted
verify_nationality  | lead_ready identity_consent
assess_destination  | under_way
assess_origin       | lead_ready family_consent
determine_interests | under_way child interests_determined
receive_child       | lead_ready child_reception
go                  | {STILL} nationality_confirmed reflection_over second_person
reopen              |
no_go               | reason protection second_person
issue_document      | still_cleared identity_consent no_marker
plan                | {STILL} two_contacts arrival person_agrees escort
accept_plan         | still_cleared arrival_ahead
depart              | {STILL} arrival_ahead reconfirmed escorted
arrive              | person_met
monitor             | schedule
report              |
finish              | visits_over
call_off            |
end                 |
locate         | person_met
"""
# the requirements when the lead takes an action of the recipient: docs/adr/0050
OF_THE_LEAD = """
report              | recipient_gone
"""
# state    | clock           | waits on
WAITS = """
opened     | review          | lead
informed   | review          | lead
permitted  | review          | consulate
assessing  | review          | lead
cleared    | review          | consulate
documented | review          | lead
planning   | review          | recipient
planned    | review          | lead
in_transit | confirm_arrival | recipient
arrived    | monitor         | recipient
monitoring | monitor         | recipient
completed  |                 |
no_go      |                 |
called_off |                 |
halted     | confirm_arrival | lead
ended      |                 |
"""
ENDED = {"completed", "no_go", "called_off", "ended"}
ANYBODY: tuple[Role | None, ...] = (None, *Role)


def parse_rows(table: str) -> list[list[str]]:
    """Return the cells of a table, row by row."""
    rows = [f"{row} ".split("|") for row in table.strip().splitlines()]
    return [[cell.strip() for cell in row] for row in rows]


def find_expected(state: State, action: Action, side: Side, role: Role | None) -> str:
    """Return the target state according to the independent copy, or a problem code."""
    rows = [row for row in parse_rows(ROWS) if row[1] == action and state in row[2].split()]
    if not rows:
        return "action-illegal"
    mine = [row for row in rows if side in row[4].split()]
    if not mine:
        return "action-not-yours"
    [(_, _, _, target, _, roles)] = mine
    if side != Side.SYSTEM and role not in roles.split():
        return "role-missing"
    return str(state) if target == "same" else target


def answer(state: State, action: Action, side: Side, role: Role | None) -> str:
    """Return the target state that the service gives, or the code of its problem."""
    roles = frozenset({role} if role else ())
    try:
        return TABLE.find(state, action, {side}, roles).target or state
    except Problem as problem:
        return problem.code


def test_the_copy_says_something_of_everything() -> None:
    assert {row[1] for row in parse_rows(ROWS)} == set(Action)
    assert [row[0] for row in parse_rows(ASKED)] == list(Action)
    assert [row[0] for row in parse_rows(WAITS)] == list(State)
    assert {state for row in parse_rows(ROWS) for state in row[2].split()} <= set(State)


@pytest.mark.parametrize("state", State)
def test_every_cell_answers_as_the_copy_does(state: State) -> None:
    cells_of_state = list(product(Action, Side, ANYBODY))

    answers = {cell: answer(state, *cell) for cell in cells_of_state}

    assert answers == {cell: find_expected(state, *cell) for cell in cells_of_state}


@pytest.mark.parametrize("action", Action)
def test_every_step_needs_what_the_copy_asks(action: Action) -> None:
    wanted = {row[0]: row[1].split() for row in parse_rows(ASKED)}
    of_lead = {row[0]: row[1].split() for row in parse_rows(OF_THE_LEAD)}

    for row in TABLE.steps:
        if row.action == action:
            alone = of_lead.get(action) if row.sides == {Side.LEAD} else None
            assert sorted(map(str, row.needs)) == sorted(alone or wanted[action])


def test_all_twelve_steps_are_there_and_each_says_which_it_is() -> None:
    numbers = {row[1]: int(row[0]) for row in parse_rows(ROWS) if row[0] != "-"}

    assert numbers == STEPS
    assert set(STEPS.values()) == set(range(1, 13))


def test_a_return_is_opened_first_and_every_state_can_be_reached() -> None:
    reached = {TABLE.start, *(row.target for row in TABLE.steps if row.target)}

    assert TABLE.start == State.OPENED
    assert reached == set(State)


@pytest.mark.parametrize("state", State)
def test_every_open_state_has_its_clock_and_ended_ones_lead_nowhere(state: State) -> None:
    [(_, clock, waits_on)] = [row for row in parse_rows(WAITS) if row[0] == state]

    assert CLOCKS.get(state, ("", "")) == (clock, waits_on)
    assert bool(clock) == bool(TABLE.list_steps_in(state)) == (state not in ENDED)
    assert (state in OPEN) == (state not in ENDED)


def test_from_every_state_before_departure_the_person_can_say_no_to_any_side() -> None:
    can = {
        (state, side)
        for state, side in product(State, (Side.LEAD, Side.RECIPIENT, Side.CONSULATE))
        for row in TABLE.list_steps_in(state)
        if row.action == Action.CALL_OFF and side in row.sides and not row.needs
    }

    assert can == set(product(BEFORE.split(), ANY.split()))


def test_nobody_departs_but_through_a_decision_a_document_and_an_accepted_plan() -> None:
    ways = [TABLE.start]
    for state in ways:
        steps = [row for row in TABLE.list_steps_in(state) if row.action != Action.GO]
        ways += [row.target for row in steps if row.target and row.target not in ways]

    assert not {State.CLEARED, State.PLANNED, State.IN_TRANSIT, State.ARRIVED} & set(ways)
    into = {row.target: row.sources for row in TABLE.steps if row.action == Action.DEPART}
    assert into == {State.IN_TRANSIT: {State.PLANNED}}


@pytest.mark.parametrize("action", Action)
def test_no_side_but_the_lead_hears_which_fear_or_threat_it_is(action: Action) -> None:
    fears = {"contact_permitted", "no_threat", "risks_current"}
    other_needs = fears | {"child_provided_for", "guardian", "escorted"}

    for row in TABLE.steps:
        if row.action == action and row.sides != {Side.LEAD}:
            assert not other_needs & set(row.needs)


def test_office_that_leads_and_is_the_recipient_sees_one_report() -> None:
    sides = {Side.LEAD, Side.HOLDER, Side.RECIPIENT}

    [report] = [
        row
        for row, _ in TABLE.list_steps_for(State.MONITORING, sides, {Role.CASEWORKER})
        if row.action == Action.REPORT
    ]

    assert report.sides == {Side.RECIPIENT}
    assert report == TABLE.find(
        State.MONITORING, Action.REPORT, sides, frozenset({Role.CASEWORKER})
    )


def test_what_others_see_of_a_return_is_named_once_more() -> None:
    assert {"no_go", "called_off", "halted", "ended"} == CANCELLED
    assert set(State) - {*ENDED, "halted"} == GOING
    assert {*CLEARED.split(), "in_transit", "arrived"} == DECIDED
    assert {"opened", "informed", "permitted", "assessing"} == ON_THE_WAY_TO_GO
    assert {"permitted", "assessing", "cleared"} == FOR_THE_CONSULATE


def test_every_action_is_told_under_a_name_of_its_own() -> None:
    assert set(EVENTS) == set(Action)
    assert len(set(EVENTS.values())) == len(EVENTS)
    assert all(name.startswith("return.") for name in EVENTS.values())
