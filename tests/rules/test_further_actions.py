"""The table of actions outside the life cycle of a case agrees with a second copy.

The copy is written from docs/mechanism.md, so that a change to a rule takes two deliberate
edits.
"""

from itertools import product

import pytest

from app.cases.further_actions import FURTHER, find_further
from app.cases.lifecycle import TABLE, Action, State
from app.disclosure.policy import POLICY, Deed
from app.handovers.lifecycle import OFFER
from app.kernel.actors import Role, Side
from app.kernel.problems import Problem

LED = "referring assisting suspended monitoring"
OPEN = f"submitted under_review {LED}"
UNLED = "draft submitted under_review"
WORKERS = "officer caseworker coordinator"
PARTIES = "submitter holder desk recipient"
# action | states | side | roles
COPY = f"""
update_summary    | {UNLED}      | submitter | officer caseworker
update_summary    | {LED}        | lead      | {WORKERS}
write_section     | {UNLED}      | submitter | {WORKERS}
write_section     | {LED}        | lead      | {WORKERS}
write_safeguards  | {UNLED}      | submitter | {WORKERS}
write_safeguards  | {LED}        | lead      | {WORKERS}
write_contacts    | {LED}        | lead      | {WORKERS}
record_screening  | {UNLED}      | submitter | officer caseworker
record_screening  | {LED}        | lead      | {WORKERS}
record_consent    | {UNLED}      | submitter | officer caseworker
record_consent    | {LED} closed | lead      | {WORKERS}
withdraw_consents | draft {OPEN} closed void erased | {PARTIES} handover_candidate oversight | {WORKERS}
record_fact       | {UNLED}      | submitter | officer caseworker
record_fact       | {LED} closed | lead      | {WORKERS}
record_fact       | {OPEN}       | recipient | {WORKERS}
declare_vital_interest | {UNLED} | submitter | officer caseworker
declare_vital_interest | {OPEN}  | holder    | {WORKERS}
assess_risk       | draft {OPEN} | {PARTIES} oversight | {WORKERS}
ask_submitter     | {OPEN}       | holder    | {WORKERS}
answer_question   | {OPEN}       | submitter | {WORKERS}
relocate          | {OPEN}       | holder    | {WORKERS}
report_visit      | monitoring   | lead      | {WORKERS}
refer             | {OPEN}       | holder    | caseworker coordinator
offer_handover    | {LED}        | lead      | coordinator
request_emergency_access | {OPEN} | {PARTIES} handover_candidate | {WORKERS}
set_legal_hold    | draft {OPEN} closed void | oversight | protection_officer
"""  # noqa: E501 - a row is one line
ROWS = [[cell.split() for cell in line.split("|")] for line in COPY.strip().splitlines()]
CELLS = {
    (action, state, side, role)
    for [action], states, sides, roles in ROWS
    for state, side, role in product(states, sides, roles)
}


def is_allowed(action: Action, state: State, side: Side, role: Role) -> bool:
    """Return whether the table allows an action to a side with a role in a state."""
    try:
        find_further(state, action, frozenset({side}), frozenset({role}))
    except Problem:
        return False
    return True


def test_each_cell_of_the_table_answers_as_the_copy_does() -> None:
    actions = {row.action for row in FURTHER.steps}
    cells = product(actions, State, Side, Role)

    assert {cell for cell in cells if is_allowed(*cell)} == CELLS


def test_no_action_is_in_both_tables() -> None:
    steps, further = ({row.action for row in t.steps} for t in (TABLE, FURTHER))

    assert not steps & further
    assert steps | further == set(Action)
    assert all(row.target is None for row in FURTHER.steps)


@pytest.mark.parametrize(
    ("subject", "action"),
    [
        ("needs", Action.WRITE_SECTION),
        ("health", Action.WRITE_SECTION),
        ("safeguards", Action.WRITE_SAFEGUARDS),
        ("contacts", Action.WRITE_CONTACTS),
    ],
)
def test_the_disclosure_policy_lets_the_same_sides_write(
    subject: str, action: Action
) -> None:
    rules = [
        rule for rule in POLICY if rule.deed == Deed.WRITE and subject in rule.subjects
    ]
    rows = [row for row in FURTHER.steps if row.action == action]

    assert {(r.side, r.case_states, r.roles) for r in rules} == {
        (side, frozenset(row.sources), frozenset(row.roles))
        for row in rows
        for side in row.sides
    }


def test_the_offer_of_a_handover_has_the_side_and_role_of_its_own_table() -> None:
    [row] = [row for row in FURTHER.steps if row.action == Action.OFFER_HANDOVER]

    assert (row.sides, row.roles) == (OFFER.sides, OFFER.roles)
