"""Scoring of indicators. The result is a presumption, with the reasons for it.

It does not establish that a person is a victim. No rule depends on the result, because
help must not wait for a victim's status (BR01).
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from app.cases.models import AgeClass
from app.reference.kinds import Element, Weight
from app.reference.lists import INDICATORS, ITEMS
from app.reference.rows import IndicatorRow
from app.screening.rules import (
    COUNTED,
    ELEMENT_OF,
    HEAVIEST,
    RULES,
    SCORING,
    SUPPORTED_ELEMENT,
    THRESHOLDS,
    Combination,
    Counted,
    CountedAs,
    CountedBecause,
    Dimension,
    DimensionRule,
    Part,
    ScreeningRule,
)


class Presumption(StrEnum):
    """The outcome of a screening; no outcome says that a person is not a victim."""

    INDICATED = "indicated"
    NOT_INDICATED_YET = "not_indicated_yet"


@dataclass(frozen=True)
class Ticked:
    """The indicators and elements that an officer selected, as codes."""

    indicators: frozenset[str] = frozenset()
    elements: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Weighed:
    """An indicator that contributes to the score, with its weight."""

    code: str
    weight: Weight


@dataclass(frozen=True)
class DimensionFound:
    """The result for a dimension: whether it is positive, and why."""

    dimension: Dimension
    element: Element
    positive: bool
    rule: DimensionRule | None
    indicators: tuple[Weighed, ...]
    confidence: str


@dataclass(frozen=True)
class ElementFound:
    """The result for an element: whether it is present and needed, and why."""

    element: Element
    present: bool
    needed: bool
    ticked: tuple[str, ...]
    dimensions: tuple[Dimension, ...]


@dataclass(frozen=True)
class RuleFound:
    """The result for a rule: whether it holds, its present parts and its missing parts."""

    rule: ScreeningRule
    holds: bool
    by: tuple[str, ...]
    missing: tuple[tuple[str, ...], ...]
    statement: str
    source: str | None
    confidence: str


@dataclass(frozen=True)
class Result:
    """A presumption, with all its reasons."""

    outcome: Presumption
    counted_as: CountedAs
    because: CountedBecause
    explained: str
    elements: tuple[ElementFound, ...]
    dimensions: tuple[DimensionFound, ...]
    rules: tuple[RuleFound, ...]
    unweighted: tuple[str, ...]
    scoring: str


def compute_result(ticked: Ticked, age_class: AgeClass | None) -> Result:
    """Score the selected codes for an age class; return the presumption and its reasons."""
    counted = COUNTED[age_class]
    weighed = compute_weights(ticked.indicators, counted)
    dimensions = tuple(check_dimension(dimension, weighed) for dimension in Dimension)
    elements = tuple(check_element(e, ticked, dimensions, counted) for e in Element)
    there: frozenset[Part] = frozenset(e.element for e in elements if e.present)
    there |= frozenset(d.dimension for d in dimensions if d.positive)
    rules = tuple(
        judged
        for row in RULES
        if counted.counted_as in row.holds_for
        and ((judged := check_rule(row, there)).holds or counted.counted_as in row.asked_of)
    )
    return Result(
        outcome=compute_outcome(rules),
        counted_as=counted.counted_as,
        because=counted.because,
        explained=counted.explained,
        elements=elements,
        dimensions=dimensions,
        rules=rules,
        unweighted=tuple(sorted(ticked.indicators - weighed.keys())),
        scoring=SCORING,
    )


def compute_outcome(rules: Iterable[RuleFound]) -> Presumption:
    """Return `INDICATED` if at least one rule holds, and otherwise `NOT_INDICATED_YET`."""
    holds = any(rule.holds for rule in rules)
    return Presumption.INDICATED if holds else Presumption.NOT_INDICATED_YET


def compute_weights(codes: Iterable[str], counted: Counted) -> dict[str, Weight]:
    """Return the weight of each code that has one: the heaviest, if several apply."""
    found = {code: list_weights(INDICATORS[code], counted.weighed_as) for code in codes}
    return {code: min(of, key=HEAVIEST.index) for code, of in found.items() if of}


def list_weights(row: IndicatorRow, weighed_as: frozenset[CountedAs]) -> list[Weight]:
    """Return the weights of an indicator for the given age groups."""
    adult, child = CountedAs.ADULT in weighed_as, CountedAs.CHILD in weighed_as
    asked = [row.weight_adult if adult else None, row.weight_child if child else None]
    return [weight for weight in asked if weight is not None]


def check_dimension(dimension: Dimension, weighed: Mapping[str, Weight]) -> DimensionFound:
    """Return the result for one dimension: whether it is positive, and why."""
    mine = sorted(code for code in weighed if INDICATORS[code].group == dimension)
    count = Counter(weighed[code] for code in mine)
    rule = next((least.rule for least in THRESHOLDS if least.is_met(count)), None)
    said = [INDICATORS[code].confidence for code in mine]
    return DimensionFound(
        dimension=dimension,
        element=SUPPORTED_ELEMENT[dimension],
        positive=rule is not None,
        rule=rule,
        indicators=tuple(Weighed(code, weighed[code]) for code in mine),
        confidence=said[0] if said else ITEMS["dimensions"][dimension].confidence,
    )


def check_element(
    element: Element, ticked: Ticked, dimensions: Iterable[DimensionFound], counted: Counted
) -> ElementFound:
    """Return the result for an element: whether it is present and needed, and why."""
    itself = sorted(c for c in ticked.elements if ELEMENT_OF[c] == element)
    for_it = [d.dimension for d in dimensions if d.positive and d.element == element]
    return ElementFound(
        element=element,
        present=bool(itself or for_it),
        needed=element != Element.MEANS or counted.counted_as == CountedAs.ADULT,
        ticked=tuple(itself),
        dimensions=tuple(for_it),
    )


def check_rule(row: Combination, there: frozenset[Part]) -> RuleFound:
    """Return the result for a rule, given the elements and dimensions that are present."""
    said = ITEMS["scoring_rules"][row.rule]
    missing = [part for part in row.parts if not part & there]
    return RuleFound(
        rule=row.rule,
        holds=not missing,
        by=tuple(sorted(found for part in row.parts for found in part & there)),
        missing=tuple(tuple(sorted(part)) for part in missing),
        statement=said.label_en,
        source=said.source,
        confidence=said.confidence,
    )
