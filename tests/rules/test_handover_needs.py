"""Tests of the requirements of a handover. All unmet requirements are reported."""

from dataclasses import replace

import pytest

from app.cases.lifecycle import State as CaseState
from app.handovers.lifecycle import OFFER, TABLE, Action, Need, Row
from app.handovers.needs import CHECKS, RULES, Facts, Terms
from app.kernel.actors import Side
from app.kernel.lifecycle import AnyOf
from app.kernel.requirements import NeedsUnmet

GOOD = Facts(
    case_state=CaseState.REFERRING,
    covered=True,
    child_path=False,
    recipient_safe=True,
    agreed=True,
    origin_permitted=True,
    time_is_up=True,
    may_be_child=True,
    terms=Terms("OTHER", frozenset({"Ana", "Ion"}), capacity=True),
)
LACKS = {
    Need.CASE_LED: replace(GOOD, case_state=CaseState.CLOSED),
    Need.CONSENT: replace(GOOD, covered=False),
    Need.RECIPIENT_SAFE: replace(GOOD, recipient_safe=False),
    Need.AGREEMENT: replace(GOOD, agreed=False),
    Need.ORIGIN_PERMITTED: replace(GOOD, origin_permitted=False),
    Need.REASON: replace(GOOD, terms=replace(GOOD.terms, reason=None)),
    Need.TWO_CONTACTS: replace(
        GOOD, terms=replace(GOOD.terms, contacts=frozenset({"Ana"}))
    ),
    Need.CAPACITY: replace(GOOD, terms=replace(GOOD.terms, capacity=False)),
    Need.TIME_IS_UP: replace(GOOD, time_is_up=False),
}
LED = {
    CaseState.REFERRING,
    CaseState.ASSISTING,
    CaseState.SUSPENDED,
    CaseState.MONITORING,
}
BARE = Facts(
    case_state=CaseState.CLOSED,
    covered=False,
    child_path=False,
    recipient_safe=False,
    agreed=False,
    origin_permitted=False,
    time_is_up=False,
    may_be_child=True,
)


def find_step(action: Action) -> Row:
    [row] = [row for row in TABLE.steps if row.action == action]
    return row


def needs_of(row: Row) -> set[Need]:
    """Return all requirements of an action, including each of the alternatives."""
    options = [n.needs if isinstance(n, AnyOf) else (n,) for n in row.needs]
    return {need for some in options for need in some}


def test_every_need_has_its_check_is_asked_by_some_step_and_is_proved_here() -> None:
    assert set(CHECKS) == set(Need)
    assert {need for row in TABLE.steps for need in needs_of(row)} == set(Need)
    assert {*LACKS, Need.CHILD_PATH} == set(Need)


@pytest.mark.parametrize("need", LACKS)
def test_each_need_is_met_and_unmet_and_leaves_the_others_met(need: Need) -> None:
    others = [other for other in LACKS if other != need]

    assert CHECKS[need].met(GOOD)
    assert not CHECKS[need].met(LACKS[need])
    assert all(CHECKS[other].met(LACKS[need]) for other in others)


@pytest.mark.parametrize("action", [Action.OFFER, Action.ACCEPT])
def test_the_path_of_a_child_does_instead_of_a_consent(action: Action) -> None:
    facts = replace(GOOD, covered=False, child_path=True)

    assert CHECKS[Need.CHILD_PATH].met(facts)
    assert not CHECKS[Need.CHILD_PATH].met(GOOD)
    assert RULES.list_unmet(find_step(action), facts) == []


@pytest.mark.parametrize("state", CaseState)
def test_the_lead_moves_while_a_case_has_one_and_is_not_closed(state: CaseState) -> None:
    facts = replace(GOOD, case_state=state)

    assert CHECKS[Need.CASE_LED].met(facts) == (state in LED)
    assert bool(RULES.list_unmet(OFFER, facts)) == (state not in LED)


@pytest.mark.parametrize("need", LACKS)
@pytest.mark.parametrize("action", Action)
def test_a_step_is_refused_for_just_what_it_needs(action: Action, need: Need) -> None:
    lacks = [lack.requirement for lack in RULES.list_unmet(find_step(action), LACKS[need])]

    assert lacks == ([need] if need in needs_of(find_step(action)) else [])


def test_what_the_offer_needed_is_judged_again_but_for_its_reason_which_is_kept() -> None:
    again = needs_of(find_step(Action.ACCEPT))

    assert needs_of(OFFER) - again == {Need.REASON}
    assert again - needs_of(OFFER) == {Need.TWO_CONTACTS, Need.CAPACITY}


@pytest.mark.parametrize(
    ("action", "asked", "by"),
    [
        (Action.OFFER, ["reason"], "lead"),
        (Action.ACCEPT, ["two_contacts", "capacity"], "handover_candidate"),
    ],
)
def test_all_that_is_missing_is_told_together(
    action: Action, asked: list[str], by: str
) -> None:
    with pytest.raises(NeedsUnmet) as refused:
        RULES.require(find_step(action), BARE)

    unmet = refused.value.facts["unmet"]
    assert [(lack["requirement"], lack["by"]) for lack in unmet] == [
        ("case_led", "lead"),
        ("consent", "lead"),
        ("recipient_safe", "lead"),
        ("agreement", "lead"),
        ("origin_permitted", "lead"),
        *((need, by) for need in asked),
    ]
    assert [other["requirement"] for other in unmet[1]["alternatives"]] == ["child_path"]
    assert RULES.list_request_needs(find_step(action), BARE) == asked


def test_what_the_record_lacks_stands_in_the_way_and_what_a_request_brings_does_not() -> (
    None
):
    accept = find_step(Action.ACCEPT)

    assert RULES.list_blocking(accept, replace(GOOD, terms=Terms())) == []
    [lack] = RULES.list_blocking(accept, replace(LACKS[Need.AGREEMENT], terms=Terms()))
    assert (lack.requirement, lack.by) == ("agreement", Side.LEAD)
