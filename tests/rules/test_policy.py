"""Who may open and write what: every combination against a second copy of the table.

Written from LIFECYCLES.md, section 5, and not from the code, so that changing who reads
what takes two deliberate edits. What no row allows is denied.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations, product

import pytest

from app.cases.lifecycle import State as CaseState
from app.cases.sections import Paper, Section
from app.disclosure.policy import (
    POLICY,
    POLICY_HASH,
    Asked,
    Condition,
    Deed,
    Rule,
    Subject,
    decide,
    spell,
)
from app.kernel.actors import Role, Side
from app.referrals.lifecycle import State as ReferralState

NAMES = {
    "L4": "narrative indicators perpetrators health",
    "sections": "needs contact identity narrative indicators perpetrators health",
    "open": "submitted under_review referring assisting suspended monitoring",
    "led": "referring assisting suspended monitoring",
    "worked_on": "under_review referring assisting suspended monitoring",
    "unled": "draft submitted under_review",
    "asked": "sent received info_requested",
    "at_work": "accepted in_progress on_hold",
    "told": "sent received info_requested accepted in_progress on_hold completed declined"
    " redirected withdrawn revoked expired",
}
# who        | what                | while the case is   | and the referral   | if
OPENS = """
submitter    | sections safeguards | unled led           |                    | own_text
submitter    | safeguards_past safety_notice | unled led |                    | own_text
candidate    | safety_notice       | submitted under_review |                 | safe
candidate    | safeguards_past     | under_review        |                    | safe
lead         | safety_notice safeguards_past | led       |                    | safe
recipient    | safety_notice       | open                | asked at_work      | safe
submitter    | note message screening | unled led         |                    | own_text
submitter    | message             | open                |                    |
submitter    | contacts            | led                 |                    | in_touch
candidate    | needs               | submitted           |                    | consented
candidate    | needs contact       | under_review        |                    | consented
candidate    | safeguards          | under_review        |                    | safe
candidate    | note message        | under_review        |                    | not_of_origin
lead         | needs contact       | led                 |                    | consented
lead         | identity            | led                 |                    | consented origin_permitted
lead         | L4 screening        | led                 |                    | consented police_consent
lead         | sections screening  | led                 |                    | own_text
lead         | safeguards contacts | led                 |                    | safe
lead         | note message        | led                 |                    | not_of_origin
sender       | arrangement         | worked_on           | at_work completed  | not_of_origin
sender       | note message        | worked_on           | told               | not_of_origin
recipient    | arrangement         | open                | at_work completed  |
sender       | travel_plan         | worked_on           | at_work completed  | not_of_origin
recipient    | travel_plan         | open                | at_work            | safe origin_permitted
recipient    | note message        | open                | asked at_work completed | not_of_origin
recipient    | note message        | open                | asked at_work completed | own_text
recipient    | message             | open                | asked at_work completed | safe
recipient    | needs               | open                | asked at_work      | consented
recipient    | contact             | open                | at_work            | consented
recipient    | identity            | open                | at_work            | consented origin_permitted
recipient    | L4 screening        | open                | at_work            | consented police_consent
recipient    | contacts            | open                | at_work            | not_of_origin
handover_candidate | needs         | led                 |                    | consented origin_permitted
former_lead  | sections note message screening | led                 |                    | own_text
vital_reader | needs contact L4    | open                |                    | safe origin_permitted
vital_reader | identity            | open                |                    | safe origin_permitted may_be_named
"""  # noqa: E501
WRITES = """
submitter    | sections safeguards | unled               |                    |
lead         | sections safeguards contacts | led        |                    |
"""

WORKERS = ["officer", "caseworker", "coordinator"]
"""On every row: administrators, analysts and overseers open and write nothing."""

type Line = tuple[list[str], list[str], list[str], list[str], frozenset[str]]
SUBJECTS: tuple[Subject, ...] = (*Section, *Paper)
CONDITIONS = [
    frozenset(some)
    for count in range(len(Condition) + 1)
    for some in combinations(Condition, count)
]
NEARLY_ALL = [holds for holds in CONDITIONS if len(holds) >= len(Condition) - 1]
"""All of them, and each left out once: enough to see which one a row asks for."""
FEWER = [holds for holds in CONDITIONS if holds not in NEARLY_ALL]
how_many = pytest.mark.parametrize(
    "conditions",
    [
        pytest.param(NEARLY_ALL, id="nearly all"),
        pytest.param(FEWER, id="fewer", marks=pytest.mark.slow),
    ],
)
REFERRALS = [frozenset[ReferralState](), *(frozenset({state}) for state in ReferralState)]


def words(cell: str) -> list[str]:
    """Read a cell, with the names of groups spelled out."""
    return " ".join(NAMES.get(word, word) for word in cell.split()).split()


def lines(table: str) -> list[Line]:
    """Read a table."""
    rows = [f"{row} ".split(" | ") for row in table.strip().splitlines()]
    return [
        (words(who), words(what), words(case), words(referral), frozenset(words(if_)))
        for who, what, case, referral, if_ in rows
    ]


COPY = {Deed.OPEN: lines(OPENS), Deed.WRITE: lines(WRITES)}


def allowed(asked: Asked) -> bool:
    """Say what the copy answers."""
    return bool(asked.roles.intersection(WORKERS)) and any(
        asked.subject in what
        and asked.case_state in case
        and bool(asked.sides.intersection(who))
        and (not referral or bool(asked.referral_states.intersection(referral)))
        and conditions <= asked.holds
        for who, what, case, referral, conditions in COPY[asked.deed]
    )


def questions(
    deed: Deed, side: Side, subject: Subject, conditions: Sequence[frozenset[Condition]]
) -> list[Asked]:
    """Put every question about a subject that one side can put."""
    sides = frozenset({side})
    return [
        Asked(deed, subject, sides, case, referrals, holds)
        for case, referrals, holds in product(CaseState, REFERRALS, conditions)
    ]


def test_the_copy_speaks_of_nothing_that_does_not_exist() -> None:
    for who, what, case, referral, conditions in [*COPY[Deed.OPEN], *COPY[Deed.WRITE]]:
        assert set(who) <= set(Side)
        assert set(what) <= set(SUBJECTS)
        assert set(case) <= set(CaseState)
        assert set(referral) <= set(ReferralState)
        assert conditions <= set(Condition)


@how_many
@pytest.mark.parametrize("side", Side)
@pytest.mark.parametrize("subject", SUBJECTS)
@pytest.mark.parametrize("deed", Deed)
def test_every_question_is_answered_as_the_document_says(
    deed: Deed, subject: Subject, side: Side, conditions: list[frozenset[Condition]]
) -> None:
    asked = questions(deed, side, subject, conditions)

    wrong = [question for question in asked if decide(question) != allowed(question)]

    assert len(asked) == 10 * 14 * len(conditions)
    assert len(NEARLY_ALL) + len(FEWER) == 256
    assert wrong == []


@how_many
@pytest.mark.parametrize("side", [Side.DESK, Side.HOLDER, Side.OVERSIGHT, Side.SYSTEM])
@pytest.mark.parametrize("subject", SUBJECTS)
def test_desk_and_oversight_open_nothing_that_is_sealed(
    subject: Subject, side: Side, conditions: list[frozenset[Condition]]
) -> None:
    asked = [q for deed in Deed for q in questions(deed, side, subject, conditions)]

    assert not any(decide(question) for question in asked)


@pytest.mark.parametrize("state", ["closed", "void", "erased"])
@pytest.mark.parametrize("subject", SUBJECTS)
def test_once_a_case_has_ended_nobody_opens_or_writes_anything(
    subject: Subject, state: str
) -> None:
    everything = Asked(
        deed=Deed.OPEN,
        subject=subject,
        sides=frozenset(Side),
        case_state=CaseState(state),
        referral_states=frozenset(ReferralState),
        holds=frozenset(Condition),
    )

    assert not decide(everything)
    assert not decide(replace(everything, deed=Deed.WRITE))


@pytest.mark.parametrize("state", ["declined", "redirected", "withdrawn", "revoked"])
@pytest.mark.parametrize("section", Section)
def test_a_recipient_opens_no_section_once_its_referral_has_ended(
    section: Section, state: str
) -> None:
    ended = Asked(
        deed=Deed.OPEN,
        subject=section,
        sides=frozenset({Side.RECIPIENT}),
        case_state=CaseState.ASSISTING,
        referral_states=frozenset({ReferralState(state)}),
        holds=frozenset(Condition),
    )

    assert not decide(ended)
    assert decide(replace(ended, referral_states=frozenset({ReferralState.ACCEPTED})))


def test_who_stands_on_two_sides_may_what_either_may() -> None:
    both = Asked(
        deed=Deed.OPEN,
        subject=Paper.SAFEGUARDS,
        sides=frozenset({Side.SUBMITTER, Side.LEAD}),
        case_state=CaseState.REFERRING,
        referral_states=frozenset(),
        holds=frozenset({Condition.SAFE}),
    )

    assert decide(both)
    assert not decide(replace(both, sides=frozenset({Side.SUBMITTER})))
    assert not decide(replace(both, holds=frozenset()))


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("deed", Deed)
def test_only_who_works_on_cases_opens_or_writes_anything(deed: Deed, role: Role) -> None:
    asked = [
        replace(question, roles=frozenset({role}))
        for side, subject in product(Side, SUBJECTS)
        for question in everything_of(deed, side, subject)
    ]

    opened = [question for question in asked if decide(question)]

    assert bool(opened) == (role in WORKERS)
    assert opened == [question for question in asked if allowed(question)]


def everything_of(deed: Deed, side: Side, subject: Subject) -> list[Asked]:
    """Put the questions where every condition holds."""
    return questions(deed, side, subject, [frozenset(Condition)])


def test_without_any_role_nobody_opens_anything() -> None:
    asked = Asked(
        deed=Deed.OPEN,
        subject=Section.NEEDS,
        sides=frozenset(Side),
        case_state=CaseState.REFERRING,
        referral_states=frozenset(ReferralState),
        holds=frozenset(Condition),
        roles=frozenset(),
    )

    assert not decide(asked)
    assert decide(replace(asked, roles=frozenset({Role.OFFICER, Role.ANALYST})))


def test_without_a_policy_everything_is_denied() -> None:
    asked = Asked(
        deed=Deed.OPEN,
        subject=Section.NEEDS,
        sides=frozenset(Side),
        case_state=CaseState.REFERRING,
        referral_states=frozenset(ReferralState),
        holds=frozenset(Condition),
    )

    assert decide(asked)
    assert not decide(asked, policy=())


def test_no_row_of_the_policy_is_written_twice_and_its_hash_is_short() -> None:
    spelled = [spell(rule) for rule in POLICY]

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

    assert spell(rule) == (
        "open,lead|contact,needs|assisting,referring||consented"
        "|caseworker,coordinator,officer"
    )
    assert spell(replace(rule, roles=frozenset({Role.OFFICER}))) != spell(rule)
