"""If any condition of the coverage rules is changed, a test fails."""

import ast

import pytest

from app.consents import coverage
from tests.rules.coverage_flips import ROWS, SOURCE, Changed, changed, faults, survivors


def test_every_question_is_answered_as_the_copy_says() -> None:
    assert list(faults(coverage)) == []
    assert len(ROWS) > 7000
    assert sum(row.covers for row in ROWS) > 80


@pytest.mark.whole
@pytest.mark.slow
def test_no_condition_can_be_changed_unnoticed() -> None:
    tried = [one.what for one in changed()]

    assert len(tried) > 50
    assert survivors() == []


def test_rules_without_a_change_are_not_at_fault() -> None:
    same = Changed("nothing", ast.parse(SOURCE))

    assert list(faults(same.rules())) == []
