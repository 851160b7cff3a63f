"""Tests of the remedies for a refused GO decision, and of the side that has to act."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from app.kernel.actors import Side
from app.returns.lifecycle import TABLE, Action, Need
from app.returns.needs import RULES, Facts
from app.returns.risk import Interests, Threat
from tests.rules.test_return_needs import MET, OLD, SideAssessment

GO = next(row for row in TABLE.steps if row.action == Action.GO)
THREAT = SideAssessment(threats=(Threat.LIFE,))


def list_unmet(facts: Facts) -> Iterator[tuple[str, str, str]]:
    """Yield each unmet requirement of a GO decision, with its side and its remedy."""
    for lack in RULES.list_unmet(GO, facts):
        yield lack.requirement, lack.by, lack.remedy


@pytest.mark.parametrize(
    ("facts", "by", "words"),
    [
        (replace(MET, destination=None, origin=None), Side.LEAD, "has not been assessed"),
        (replace(MET, destination=None), Side.LEAD, "`assess-destination`"),
        (replace(MET, origin=None), Side.RECIPIENT, "`assess-origin`"),
    ],
)
def test_go_without_an_assessment_says_that_none_was_made_and_who_makes_it(
    facts: Facts, by: Side, words: str
) -> None:
    refused = list(list_unmet(facts))

    assert [(need, who) for need, who, _ in refused] == [
        (Need.RISKS_CURRENT, by),
        (Need.NO_THREAT, by),
    ]
    for _, _, remedy in refused:
        assert words in remedy
        assert "shows a threat" not in remedy


@pytest.mark.parametrize(
    "facts",
    [
        replace(MET, origin=THREAT),
        replace(MET, destination=THREAT),
        replace(MET, origin=THREAT, destination=None),
        replace(MET, destination=THREAT, origin=None),
    ],
)
def test_go_with_a_threat_says_so_even_where_the_other_assessment_is_missing(
    facts: Facts,
) -> None:
    [remedy] = [text for need, _, text in list_unmet(facts) if need == Need.NO_THREAT]

    assert "An assessment shows a threat" in remedy


@pytest.mark.parametrize(
    ("facts", "by", "words"),
    [
        (replace(MET, origin=OLD), Side.RECIPIENT, "`assess-origin`"),
        (replace(MET, destination=OLD), Side.LEAD, "`assess-destination`"),
        (replace(MET, destination=OLD, origin=OLD), Side.LEAD, "Both sides have to assess"),
    ],
)
def test_assessment_that_is_too_old_is_made_again_by_the_side_that_made_it(
    facts: Facts, by: Side, words: str
) -> None:
    [(need, who, remedy)] = list_unmet(facts)

    assert (need, who) == (Need.RISKS_CURRENT, by)
    assert words in remedy


def test_child_that_nobody_receives_yet_waits_for_the_recipient() -> None:
    [(need, who, remedy)] = list_unmet(replace(MET, child_received=False))

    assert (need, who) == (Need.CHILD_PROVIDED_FOR, Side.RECIPIENT)
    assert "`receive-child`" in remedy


@pytest.mark.parametrize("received", [True, False])
@pytest.mark.parametrize(
    "facts", [replace(MET, determined=False), replace(MET, interests=Interests.AGAINST)]
)
def test_child_whose_interests_are_not_determined_in_favour_waits_for_the_lead(
    facts: Facts, *, received: bool
) -> None:
    [(need, who, _)] = list_unmet(replace(facts, child_received=received))

    assert (need, who) == (Need.CHILD_PROVIDED_FOR, Side.LEAD)
