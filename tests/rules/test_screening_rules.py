"""Tests of the rules for screenings, and of the weights against an independent copy."""

from itertools import product
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.cases.models import AgeClass, Case
from app.reference.lists import INDICATORS, ITEMS
from app.screening.rules import (
    COUNTED,
    ELEMENT_OF,
    RULES,
    SCORING,
    THRESHOLDS,
    CountedAs,
    Dimension,
    ScreeningRule,
    format_rules,
)
from app.screening.schemas import ScreeningInput, ScreeningPaper, ScreeningResult
from app.screening.scoring import Presumption, Ticked, compute_result

# Copied from the lists by hand: one letter per indicator, in the order of their numbers.
WEIGHTS: Final = """
DECEPTIVE_RECRUITMENT  | SMMMMMMMMW       | SMMMMMMMMS
COERCIVE_RECRUITMENT   | SMMMMMMMMM       | SSSSMMMMMM
ABUSE_VULN_RECRUITMENT | MMMMMMMMMMMMMMWW | MMMMMMM-MMMMMMMM
EXPLOITATION           | SMMMMMMMW        | SMMMMMM-M
COERCION_DESTINATION   | SSSSMMMMMMMMMMW  | SSSSSSSSMMMMMMM
ABUSE_VULN_DESTINATION | MMMMMWW          | MMMMMMM
"""
MEANS: Final = {code for code, element in ELEMENT_OF.items() if element == "MEANS"}
ACTS: Final = {code for code, element in ELEMENT_OF.items() if element == "ACT"}
PURPOSES: Final = {code for code, element in ELEMENT_OF.items() if element == "PURPOSE"}
MEANS_DIMENSIONS: Final = {"MEANS", *Dimension} - {"EXPLOITATION"}
AGES: Final = (*AgeClass, None)
CHILDREN: Final = (AgeClass.CHILD, AgeClass.PRESUMED_CHILD, None)

signs = st.builds(
    Ticked,
    st.frozensets(st.sampled_from(sorted(INDICATORS)), max_size=30),
    st.frozensets(st.sampled_from(sorted(ELEMENT_OF)), max_size=4),
)
ages = st.sampled_from(AGES)
children = st.sampled_from(CHILDREN)


def merge_ticked(one: Ticked, other: Ticked) -> Ticked:
    return Ticked(one.indicators | other.indicators, one.elements | other.elements)


def is_indicated(ticked: Ticked, age: AgeClass | None) -> bool:
    return compute_result(ticked, age).outcome == Presumption.INDICATED


def list_letters(dimension: Dimension, column: str) -> str:
    rows = [row for row in INDICATORS.values() if row.group == dimension]
    return "".join(getattr(row, column) or "-" for row in rows)


def test_the_weights_are_those_of_the_lists() -> None:
    found = {
        d: [list_letters(d, "weight_adult"), list_letters(d, "weight_child")]
        for d in Dimension
    }

    copied = [line.split(" | ") for line in WEIGHTS.strip().splitlines()]
    assert found == {name.strip(): [adult.strip(), child] for name, adult, child in copied}


def test_a_dimension_is_positive_with_as_many_as_the_rules_say_and_no_fewer() -> None:
    counts = list(product(range(4), repeat=3))

    found = {
        (strong, medium, weak)
        for strong, medium, weak in counts
        if any(least.is_met({"S": strong, "M": medium, "W": weak}) for least in THRESHOLDS)  # type: ignore[dict-item]  # a weight is its letter
    }

    assert set(counts) - found == {
        (0, 0, 0),
        (0, 0, 1),
        (0, 0, 2),
        (0, 0, 3),
        (0, 1, 0),
        (0, 1, 1),
        (0, 1, 2),
        (0, 1, 3),
        (0, 2, 0),
        (1, 0, 0),
    }


def test_an_indicator_stands_in_one_dimension_or_has_no_weight() -> None:
    weighed = {c for c, row in INDICATORS.items() if row.weight_adult or row.weight_child}

    assert len(weighed) == 67
    assert {INDICATORS[code].group for code in weighed} == set(Dimension)
    assert all(INDICATORS[code].element for code in weighed)
    assert not any(INDICATORS[code].element for code in set(INDICATORS) - weighed)


@pytest.mark.parametrize("age", AGES)
def test_who_counts_as_a_child_here_counts_as_one_in_the_case(age: AgeClass | None) -> None:
    counted = COUNTED[age]

    assert (counted.counted_as == CountedAs.CHILD) == Case(age_class=age).is_child
    assert f"Counted as {'an adult' if age == 'adult' else 'a child'} because" in (
        counted.explained
    )


@given(one=signs, more=signs, age=ages)
def test_more_signs_never_make_it_less(
    one: Ticked, more: Ticked, age: AgeClass | None
) -> None:
    few, many = compute_result(one, age), compute_result(merge_ticked(one, more), age)

    assert (
        few.outcome == Presumption.NOT_INDICATED_YET
        or many.outcome == Presumption.INDICATED
    )
    assert {d.dimension for d in few.dimensions if d.positive} <= {
        d.dimension for d in many.dimensions if d.positive
    }
    assert {r.rule for r in few.rules if r.holds} <= {r.rule for r in many.rules if r.holds}


@given(ticked=signs, age=children)
def test_nobody_under_18_is_told_that_a_means_is_missing(
    ticked: Ticked, age: AgeClass | None
) -> None:
    result = compute_result(ticked, age)

    missing = {name for rule in result.rules for part in rule.missing for name in part}
    assert missing & MEANS_DIMENSIONS == set()
    assert not next(e for e in result.elements if e.element == "MEANS").needed


@given(
    ticked=signs,
    age=children,
    act=st.sampled_from(sorted(ACTS)),
    purpose=st.sampled_from(sorted(PURPOSES)),
)
def test_an_act_and_a_purpose_are_enough_for_a_child(
    ticked: Ticked, age: AgeClass | None, act: str, purpose: str
) -> None:
    whole = Ticked(ticked.indicators, (ticked.elements - MEANS) | {act, purpose})

    assert is_indicated(whole, age)


@given(ticked=signs, age=children)
def test_a_means_that_was_ticked_changes_nothing_for_a_child(
    ticked: Ticked, age: AgeClass | None
) -> None:
    without = Ticked(ticked.indicators, ticked.elements - MEANS)

    assert is_indicated(ticked, age) == is_indicated(without, age)


@given(ticked=signs, age=st.sampled_from([AgeClass.PRESUMED_CHILD, None]))
def test_a_doubt_about_the_age_never_tells_against_the_person(
    ticked: Ticked, age: AgeClass | None
) -> None:
    sure = any(is_indicated(ticked, known) for known in (AgeClass.ADULT, AgeClass.CHILD))

    assert is_indicated(ticked, age) or not sure


@given(ticked=signs, age=ages)
def test_everything_that_was_ticked_is_accounted_for_once(
    ticked: Ticked, age: AgeClass | None
) -> None:
    result = compute_result(ticked, age)

    weighed = [w.code for d in result.dimensions for w in d.indicators]
    counted = [*weighed, *result.unweighted]
    assert sorted(counted) == sorted(ticked.indicators)
    assert {c for e in result.elements for c in e.ticked} == ticked.elements


@given(ticked=signs, age=ages)
def test_every_outcome_has_its_reasons(ticked: Ticked, age: AgeClass | None) -> None:
    result = compute_result(ticked, age)

    for rule in result.rules:
        assert rule.holds == (not rule.missing)
        assert rule.by or not rule.holds
        assert rule.statement
        assert rule.source
        assert rule.confidence
    assert (result.outcome == Presumption.INDICATED) == any(r.holds for r in result.rules)
    assert result.rules


@given(ticked=signs, age=ages, random=st.randoms(use_true_random=False))
def test_order_and_repetition_do_not_matter(
    ticked: Ticked, age: AgeClass | None, random: st.DataObject
) -> None:
    codes = sorted(ticked.indicators) * 2
    random.shuffle(codes)  # type: ignore[attr-defined]  # a random.Random
    screening = ScreeningInput(
        indicators=codes,
        acts=sorted(ticked.elements & ACTS, reverse=True),
        means=sorted(ticked.elements & MEANS, reverse=True),
        purposes=sorted(ticked.elements & PURPOSES, reverse=True),
    )

    assert screening.to_ticked() == ticked
    assert compute_result(screening.to_ticked(), age) == compute_result(ticked, age)


def test_no_outcome_says_that_a_person_is_no_victim() -> None:
    assert set(Presumption) == {"indicated", "not_indicated_yet"}


def test_every_rule_quotes_a_row_of_the_reference_list() -> None:
    quoted = {row.rule for row in RULES} | {least.rule for least in THRESHOLDS}

    assert quoted | {"NOT_DETERMINATION"} == set(ITEMS["scoring_rules"])
    assert {row.rule for row in RULES} == set(ScreeningRule)


def test_the_rules_are_named_after_all_that_is_in_them() -> None:
    spelled = format_rules()

    assert len(SCORING) == 16
    assert "EXPLOITATION_09|EXPLOITATION|W|M" in spelled
    assert "DIM_POSITIVE_D|0|2|1|0" in spelled
    assert "presumed_child|child|adult|child" in spelled
    assert "CHILD|child|ACT|PURPOSE" in spelled


OLD: Final = """{"indicators": ["A_CODE_THAT_IS_GONE"], "acts": ["RECRUITMENT"],
"means": [], "purposes": [], "remarks": null, "result": {"outcome": "not_indicated_yet",
"counted_as": "child", "because": "age_not_said", "explained": "So.", "elements":
[{"element": "ACT", "present": true, "needed": true, "ticked": ["RECRUITMENT"],
"dimensions": []}], "dimensions": [{"dimension": "EXPLOITATION", "element": "PURPOSE",
"positive": false, "rule": null, "indicators": [{"code": "EXPLOITATION_01",
"weight": "S"}], "confidence": "medium"}], "rules": [{"rule": "CHILD", "holds": false,
"by": ["ACT"], "missing": [["PURPOSE"]], "statement": "So.", "source": null,
"confidence": "high"}], "unweighted": ["A_CODE_THAT_IS_GONE"], "scoring": "0000"}}"""


def test_what_was_sealed_under_other_lists_still_opens() -> None:
    kept = ScreeningPaper.model_validate_json(OLD)

    assert kept.indicators == ["A_CODE_THAT_IS_GONE"]
    assert kept.result.scoring == "0000"


def test_a_result_is_shown_as_it_was_found() -> None:
    result = compute_result(
        Ticked(frozenset({"EXPLOITATION_01"}), frozenset({"RECEIPT"})), None
    )

    shown = ScreeningResult.model_validate(result).model_dump(mode="json")

    assert shown["outcome"] == "not_indicated_yet"
    assert shown["because"] == "age_not_said"
    assert [r["missing"] for r in shown["rules"]] == [[["PURPOSE"]]]
    assert [d["indicators"] for d in shown["dimensions"] if d["indicators"]] == [
        [{"code": "EXPLOITATION_01", "weight": "S"}]
    ]
