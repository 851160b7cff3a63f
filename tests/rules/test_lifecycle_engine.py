"""The engine of the state tables, tested with the small state table of a door."""

from dataclasses import dataclass
from enum import StrEnum
from itertools import product

import pytest

from app.kernel.actors import Role, Side
from app.kernel.lifecycle import (
    ActionIllegal,
    ActionNotYours,
    AnyOf,
    RoleMissing,
    Step,
    Table,
    apply_step,
    is_role_allowed,
)
from app.kernel.problems import Problem


class Door(StrEnum):
    OPEN = "open"
    SHUT = "shut"
    LOCKED = "locked"
    GONE = "gone"


class Act(StrEnum):
    SHUT = "shut"
    LOCK = "lock"
    UNLOCK = "unlock"
    PAINT = "paint"


class Need(StrEnum):
    KEY = "key"
    CROWBAR = "crowbar"


LEAD, DESK, OFFICER = {Side.LEAD}, {Side.DESK}, {Role.OFFICER}
COORDINATOR = {Role.COORDINATOR}
TABLE = Table(
    Door.OPEN,
    (
        Step(Act.SHUT, {Door.OPEN}, Door.SHUT, {Side.LEAD, Side.DESK}),
        Step(Act.LOCK, {Door.SHUT}, Door.LOCKED, LEAD, OFFICER, (Need.KEY,)),
        Step(
            Act.UNLOCK,
            {Door.LOCKED},
            Door.SHUT,
            LEAD,
            {Role.OFFICER, Role.SUPERVISOR},
            (AnyOf((Need.KEY, Need.CROWBAR)),),
        ),
        Step(Act.UNLOCK, {Door.LOCKED}, Door.OPEN, DESK),
        Step(Act.PAINT, {Door.OPEN, Door.SHUT}, None, DESK, COORDINATOR),
    ),
)

# A second copy as text: state, action, side, role -> result.
EXPECTED = """
open   shut   lead      officer     shut
open   shut   desk      analyst     shut
open   shut   submitter officer     action-not-yours
open   lock   lead      officer     action-illegal
shut   lock   lead      officer     locked
shut   lock   lead      analyst     role-missing
shut   lock   desk      officer     action-not-yours
shut   lock   desk      analyst     action-not-yours
shut   shut   lead      officer     action-illegal
shut   shut   submitter analyst     action-illegal
locked unlock lead      supervisor  shut
locked unlock lead      analyst     role-missing
locked unlock desk      analyst     open
locked paint  desk      coordinator action-illegal
open   paint  desk      coordinator None
shut   paint  desk      coordinator None
shut   paint  desk      officer     role-missing
shut   paint  lead      coordinator action-not-yours
gone   shut   lead      officer     action-illegal
gone   paint  desk      coordinator action-illegal
"""


@dataclass
class Record:
    state: Door


def find_step(action: Act) -> Step[Door, Act, Need]:
    return next(step for step in TABLE.steps if step.action == action)


@pytest.mark.parametrize("row", EXPECTED.strip().splitlines())
def test_a_step_is_found_or_refused_as_the_table_says(row: str) -> None:
    state, action, side, role, expected = row.split()

    try:
        step = TABLE.find(Door(state), Act(action), {Side(side)}, {Role(role)})
        outcome = str(step.target)
    except Problem as problem:
        outcome = problem.code

    assert outcome == expected


@pytest.mark.parametrize("sides", [set[Side](), *({side} for side in Side)], ids=str)
def test_what_is_open_to_someone_is_what_they_find(sides: set[Side]) -> None:
    all_roles = [set[Role](), *({role} for role in Role)]
    for state, roles in product(Door, all_roles):
        offered = TABLE.list_steps_for(state, sides, roles)
        known = {step.action: (step, allowed) for step, allowed in offered}
        assert len(known) == len(offered)
        for action in Act:
            step, allowed = known.get(action, (None, False))
            if allowed:
                assert TABLE.find(state, action, sides, roles) == step
                continue
            with pytest.raises(RoleMissing if step else Problem) as refused:
                TABLE.find(state, action, sides, roles)
            if step:
                assert refused.value.detail.endswith(f"{', '.join(sorted(step.roles))}.")
            else:
                assert not isinstance(refused.value, RoleMissing)


def test_an_action_of_another_state_is_illegal_for_everyone() -> None:
    with pytest.raises(ActionIllegal) as refused:
        TABLE.find(Door.OPEN, Act.LOCK, {Side.OVERSIGHT}, frozenset())

    assert refused.value.status == 409
    assert "open" in refused.value.detail
    assert refused.value.facts == {
        "state": "open",
        "legal_actions": [
            {"action": "shut", "by": ["desk", "lead"], "roles": []},
            {"action": "paint", "by": ["desk"], "roles": ["coordinator"]},
        ],
    }


def test_a_stranger_to_the_side_hears_of_the_side_before_the_role() -> None:
    with pytest.raises(ActionNotYours) as refused:
        TABLE.find(Door.SHUT, Act.LOCK, DESK, {Role.ANALYST})

    assert refused.value.status == 403
    assert refused.value.detail == "Only the lead can do this."


def test_the_right_side_without_the_role_hears_which_roles_would_do() -> None:
    with pytest.raises(RoleMissing) as refused:
        TABLE.find(Door.LOCKED, Act.UNLOCK, LEAD, {Role.ANALYST})

    assert refused.value.status == 403
    assert refused.value.detail == "This needs one of the roles officer, supervisor."


def test_whoever_stands_on_two_sides_may_use_either() -> None:
    both = {Side.LEAD, Side.DESK}

    found = TABLE.find(Door.LOCKED, Act.UNLOCK, both, {Role.ANALYST})

    assert found.target == Door.OPEN


def test_nobody_is_offered_anything_without_a_side() -> None:
    offered = [TABLE.list_steps_for(state, frozenset(), set(Role)) for state in Door]

    assert offered == [[], [], [], []]


def test_a_step_moves_the_record_to_its_target() -> None:
    record = Record(Door.SHUT)

    apply_step(record, find_step(Act.LOCK))

    assert record.state == Door.LOCKED


@pytest.mark.parametrize("state", [Door.OPEN, Door.SHUT])
def test_a_step_without_a_target_leaves_the_state(state: Door) -> None:
    record = Record(state)

    apply_step(record, find_step(Act.PAINT))

    assert record.state == state


@pytest.mark.parametrize(
    ("step", "state"),
    [(step, state) for step in TABLE.steps for state in Door if state not in step.sources],
    ids=lambda value: (
        value if isinstance(value, Door) else f"{value.action}-{value.target}"
    ),
)
def test_a_step_is_never_taken_from_elsewhere(
    step: Step[Door, Act, Need], state: Door
) -> None:
    record = Record(state)

    with pytest.raises(AssertionError, match=f"{step.action} does not start in {state}"):
        apply_step(record, step)

    assert record.state == state


def test_the_diagram_shows_every_step_from_every_source() -> None:
    drawn = TABLE.draw().splitlines()

    assert drawn == [
        "stateDiagram-v2",
        "    [*] --> open",
        "    open --> shut: shut (desk, lead)",
        "    shut --> locked: lock (lead)",
        "    locked --> shut: unlock (lead)",
        "    locked --> open: unlock (desk)",
        "    open --> open: paint (desk)",
        "    shut --> shut: paint (desk)",
    ]


EVERYBODY: Table[Door, Act, Need] = Table(
    Door.OPEN,
    (Step(Act.PAINT, set(Door) - {Door.GONE}, None, set(Side), set(Role)),),
)


def test_what_is_possible_is_listed_in_the_same_order_for_everybody() -> None:
    with pytest.raises(ActionIllegal) as refused:
        EVERYBODY.find(Door.OPEN, Act.LOCK, LEAD, OFFICER)

    assert refused.value.facts["legal_actions"] == [
        {"action": "paint", "by": sorted(set(Side) - {Side.SYSTEM}), "roles": sorted(Role)}
    ]


SEVERAL: Table[Door, Act, Need] = Table(
    Door.OPEN,
    (
        Step(Act.PAINT, {Door.OPEN}, None, DESK, COORDINATOR),
        Step(Act.PAINT, {Door.OPEN}, None, {Side.SYSTEM}),
        Step(Act.PAINT, {Door.OPEN}, None, LEAD, OFFICER),
        Step(Act.SHUT, {Door.OPEN}, Door.SHUT, DESK, COORDINATOR),
        Step(Act.SHUT, {Door.OPEN}, Door.SHUT, {Side.LEAD, Side.SYSTEM}),
        Step(Act.UNLOCK, {Door.OPEN}, None, {Side.SYSTEM}),
    ),
)


def test_each_action_is_listed_once_and_none_of_the_system() -> None:
    with pytest.raises(ActionIllegal) as refused:
        SEVERAL.find(Door.OPEN, Act.LOCK, LEAD, OFFICER)

    assert refused.value.facts["legal_actions"] == [
        {
            "action": "paint",
            "by": ["desk", "lead"],
            "roles": sorted({*COORDINATOR, *OFFICER}),
        },
        {"action": "shut", "by": ["desk", "lead"], "roles": []},
    ]


def test_whose_it_is_is_said_in_the_same_order_always() -> None:
    with pytest.raises(ActionNotYours) as foreign:
        EVERYBODY.find(Door.OPEN, Act.PAINT, frozenset(), OFFICER)
    with pytest.raises(RoleMissing) as unable:
        EVERYBODY.find(Door.OPEN, Act.PAINT, LEAD, frozenset())

    assert foreign.value.detail == f"Only the {' or '.join(sorted(Side))} can do this."
    assert unable.value.detail == f"This needs one of the roles {', '.join(sorted(Role))}."


def test_the_diagram_is_drawn_the_same_way_always() -> None:
    sides = ", ".join(sorted(Side))

    assert EVERYBODY.draw().splitlines()[2:] == [
        f"    {state} --> {state}: paint ({sides})" for state in ("locked", "open", "shut")
    ]


@pytest.mark.parametrize(
    ("theirs", "mine", "able"),
    [
        ({Side.LEAD, Side.SYSTEM}, {Side.SYSTEM}, True),
        ({Side.LEAD, Side.SYSTEM}, {Side.LEAD}, False),
        ({Side.LEAD}, {Side.LEAD, Side.SYSTEM}, False),
        ({Side.LEAD}, {Side.LEAD}, False),
    ],
)
def test_only_the_system_and_only_where_it_may_act_needs_no_role(
    theirs: set[Side], mine: set[Side], *, able: bool
) -> None:
    row = Step[Door, Act, Need](Act.LOCK, {Door.SHUT}, Door.LOCKED, theirs, OFFICER)

    assert is_role_allowed(row, mine, frozenset()) == able
    assert is_role_allowed(row, mine, OFFICER)
