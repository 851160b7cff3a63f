"""The policy gives the same answers as an independent copy of the disclosure table.

Access that no row allows is denied. With `tests.rules.flips`, the tests check that each
change to a table cell changes an answer.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import product

import pytest

from app.cases.lifecycle import State as CaseState
from app.cases.sections import Paper, Section
from app.disclosure.policy import (
    POLICY,
    POLICY_HASH,
    AccessRequest,
    Condition,
    Deed,
    Rule,
    Subject,
    format_rule,
    is_allowed,
)
from app.kernel.actors import Role, Side
from app.referrals.lifecycle import State as ReferralState
from tests.rules.disclosure_copy import (
    COPY,
    FEWER,
    NEARLY_ALL,
    SUBJECTS,
    WORKERS,
    allowed,
)
from tests.rules.flips import CELLS, Flip, flipped, flips, idle, survivors, witness

REFERRALS = [frozenset[ReferralState](), *(frozenset({state}) for state in ReferralState)]


def list_questions(
    deed: Deed, side: Side, subject: Subject, conditions: Sequence[frozenset[Condition]]
) -> list[AccessRequest]:
    """Return the access requests of one side, in all states and with these conditions."""
    sides = frozenset({side})
    return [
        AccessRequest(deed, subject, sides, case, referrals, holds)
        for case, referrals, holds in product(CaseState, REFERRALS, conditions)
    ]


def test_the_copy_speaks_of_nothing_that_does_not_exist() -> None:
    for who, what, case, referral, conditions in [*COPY[Deed.OPEN], *COPY[Deed.WRITE]]:
        assert set(who) <= set(Side)
        assert set(what) <= set(SUBJECTS)
        assert set(case) <= set(CaseState)
        assert set(referral) <= set(ReferralState)
        assert conditions <= set(Condition)


@pytest.mark.parametrize("side", Side)
def test_every_question_is_answered_as_the_document_says(side: Side) -> None:
    for deed, subject in product(Deed, SUBJECTS):
        questions = list_questions(deed, side, subject, NEARLY_ALL)

        wrong = [
            question for question in questions if is_allowed(question) != allowed(question)
        ]

        assert len(questions) == 10 * 14 * len(NEARLY_ALL)
        assert wrong == []


@pytest.mark.slow
@pytest.mark.sweep
@pytest.mark.parametrize("side", Side)
@pytest.mark.parametrize("deed", Deed)
def test_whatever_else_does_not_hold_the_answer_is_the_documents(
    deed: Deed, side: Side
) -> None:
    assert len(NEARLY_ALL) + len(FEWER) == 512
    of_both = [row for row in POLICY if (row.deed, row.side) == (deed, side)]
    for subject in SUBJECTS:
        rows = [row for row in of_both if subject in row.subjects]
        lines = [line for line in COPY[deed] if side in line[0] and subject in line[1]]
        questions = list_questions(deed, side, subject, FEWER) if rows or lines else []

        wrong = [one for one in questions if is_allowed(one, rows) != allowed(one, lines)]

        assert wrong == []


@pytest.mark.parametrize("side", [Side.DESK, Side.HOLDER, Side.OVERSIGHT, Side.SYSTEM])
@pytest.mark.parametrize("subject", SUBJECTS)
def test_desk_and_oversight_open_nothing_that_is_sealed(
    subject: Subject, side: Side
) -> None:
    questions = [
        q for deed in Deed for q in list_questions(deed, side, subject, NEARLY_ALL)
    ]

    assert not any(is_allowed(question) for question in questions)


@pytest.mark.parametrize("state", ["closed", "void", "erased"])
@pytest.mark.parametrize("subject", SUBJECTS)
def test_once_a_case_has_ended_nobody_opens_or_writes_anything(
    subject: Subject, state: str
) -> None:
    everything = AccessRequest(
        deed=Deed.OPEN,
        subject=subject,
        sides=frozenset(Side),
        case_state=CaseState(state),
        referral_states=frozenset(ReferralState),
        holds=frozenset(Condition),
    )

    assert not is_allowed(everything)
    assert not is_allowed(replace(everything, deed=Deed.WRITE))


@pytest.mark.parametrize("state", ["declined", "redirected", "withdrawn", "revoked"])
@pytest.mark.parametrize("section", Section)
def test_a_recipient_opens_no_section_once_its_referral_has_ended(
    section: Section, state: str
) -> None:
    ended = AccessRequest(
        deed=Deed.OPEN,
        subject=section,
        sides=frozenset({Side.RECIPIENT}),
        case_state=CaseState.ASSISTING,
        referral_states=frozenset({ReferralState(state)}),
        holds=frozenset(Condition),
    )

    assert not is_allowed(ended)
    assert is_allowed(replace(ended, referral_states=frozenset({ReferralState.ACCEPTED})))


def test_who_stands_on_two_sides_may_what_either_may() -> None:
    both = AccessRequest(
        deed=Deed.OPEN,
        subject=Paper.SAFEGUARDS,
        sides=frozenset({Side.SUBMITTER, Side.LEAD}),
        case_state=CaseState.REFERRING,
        referral_states=frozenset(),
        holds=frozenset({Condition.SAFE}),
    )

    assert is_allowed(both)
    assert not is_allowed(replace(both, sides=frozenset({Side.SUBMITTER})))
    assert not is_allowed(replace(both, holds=frozenset()))


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("deed", Deed)
def test_only_who_works_on_cases_opens_or_writes_anything(deed: Deed, role: Role) -> None:
    questions = [
        replace(question, roles=frozenset({role}))
        for side, subject in product(Side, SUBJECTS)
        for question in list_full_questions(deed, side, subject)
    ]

    opened = [question for question in questions if is_allowed(question)]

    assert bool(opened) == (role in WORKERS)
    assert opened == [question for question in questions if allowed(question)]


def list_full_questions(deed: Deed, side: Side, subject: Subject) -> list[AccessRequest]:
    """Return the access requests of one side for a subject, with every condition met."""
    return list_questions(deed, side, subject, [frozenset(Condition)])


def test_without_any_role_nobody_opens_anything() -> None:
    request = AccessRequest(
        deed=Deed.OPEN,
        subject=Section.NEEDS,
        sides=frozenset(Side),
        case_state=CaseState.REFERRING,
        referral_states=frozenset(ReferralState),
        holds=frozenset(Condition),
        roles=frozenset(),
    )

    assert not is_allowed(request)
    assert is_allowed(replace(request, roles=frozenset({Role.OFFICER, Role.ANALYST})))


def test_without_a_policy_everything_is_denied() -> None:
    request = AccessRequest(
        deed=Deed.OPEN,
        subject=Section.NEEDS,
        sides=frozenset(Side),
        case_state=CaseState.REFERRING,
        referral_states=frozenset(ReferralState),
        holds=frozenset(Condition),
    )

    assert is_allowed(request)
    assert not is_allowed(request, policy=())


def test_no_row_of_the_policy_is_written_twice_and_its_hash_is_short() -> None:
    spelled = [format_rule(rule) for rule in POLICY]

    assert len(set(spelled)) == len(spelled)
    assert len(POLICY_HASH) == 16


def test_a_row_is_spelled_the_same_way_always() -> None:
    rule = Rule(
        deed=Deed.OPEN,
        side=Side.LEAD,
        subjects=frozenset({Section.NEEDS, Section.CONTACT}),
        case_states=frozenset({CaseState.REFERRING, CaseState.ASSISTING}),
        conditions=frozenset({Condition.CONSENTED}),
    )

    assert format_rule(rule) == (
        "open,lead|contact,needs|assisting,referring||consented"
        "|caseworker,coordinator,officer"
    )
    assert format_rule(replace(rule, roles=frozenset({Role.OFFICER}))) != format_rule(rule)


@pytest.mark.whole
@pytest.mark.slow
def test_no_cell_of_the_table_can_be_changed_unnoticed() -> None:
    tried = list(flips(POLICY))

    assert len(tried) == len(POLICY) * FLIPS_OF_A_ROW
    assert survivors(POLICY) == []


FLIPS_OF_A_ROW = 1 + sum(map(len, CELLS.values())) + len(Side) - 1 + len(Deed) - 1


def test_every_cell_of_the_table_says_something() -> None:
    assert idle(POLICY) == []


@pytest.mark.slow
def test_a_cell_that_says_nothing_and_a_change_that_nobody_notices_are_found() -> None:
    needless = Rule(
        deed=Deed.OPEN,
        side=Side.LEAD,
        subjects=frozenset({Section.NEEDS}),
        case_states=frozenset({CaseState.REFERRING}),
        conditions=frozenset({Condition.CONSENTED, Condition.SAFE}),
    )
    alike = [one for one in POLICY if (one.deed, one.side) == (Deed.OPEN, Side.LEAD)]
    last, table = len(alike), (*alike, needless)

    assert str(Flip(last)) in idle(table)
    assert str(Flip(last, "roles", Role.OFFICER)) in idle(table)
    assert str(Flip(last)) in survivors(table)
    assert str(Flip(last, "conditions", Condition.CONSENTED)) not in survivors(table)


def test_what_shows_a_change_is_answered_otherwise_by_the_changed_table() -> None:
    flip = Flip(0, "roles", Role.SUPERVISOR)

    question = witness(POLICY, flip)

    assert question is not None
    assert is_allowed(question, flipped(POLICY, flip))
    assert not is_allowed(question)
