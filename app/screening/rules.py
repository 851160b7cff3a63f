"""The rules of screenings, as tables.

Act, means and purpose are from the Palermo Protocol (article 3). Dimensions and weights are
from the ILO and the European Commission (Delphi, labour lists). The name of each rule is a
code of `GET /v1/reference/scoring_rules`, which states the source of the rule.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import astuple, dataclass
from enum import StrEnum
from typing import Final

from app.cases.models import AgeClass
from app.reference.kinds import Element, Weight
from app.reference.lists import INDICATORS, ITEMS


class Dimension(StrEnum):
    """A group of ILO indicators."""

    DECEPTIVE_RECRUITMENT = "DECEPTIVE_RECRUITMENT"
    COERCIVE_RECRUITMENT = "COERCIVE_RECRUITMENT"
    ABUSE_VULN_RECRUITMENT = "ABUSE_VULN_RECRUITMENT"
    EXPLOITATION = "EXPLOITATION"
    COERCION_DESTINATION = "COERCION_DESTINATION"
    ABUSE_VULN_DESTINATION = "ABUSE_VULN_DESTINATION"


class CountedAs(StrEnum):
    """The age group whose rules were applied."""

    ADULT = "adult"
    CHILD = "child"


class CountedBecause(StrEnum):
    """The reason why the rules of an age group were applied."""

    SAID_ADULT = "said_adult"
    SAID_CHILD = "said_child"
    AGE_IN_DOUBT = "age_in_doubt"
    AGE_NOT_SAID = "age_not_said"


class DimensionRule(StrEnum):
    """The rule that makes a dimension positive."""

    TWO_STRONG = "DIM_POSITIVE_A"
    STRONG_AND_LESSER = "DIM_POSITIVE_B"
    THREE_MEDIUM = "DIM_POSITIVE_C"
    TWO_MEDIUM_AND_WEAK = "DIM_POSITIVE_D"


class ScreeningRule(StrEnum):
    """A rule by which a screening finds an indication of trafficking."""

    PALERMO_ADULT = "PALERMO_ADULT"
    CHILD = "CHILD"
    FORCED_LABOUR = "COMBINE_FL"


type Part = Element | Dimension


@dataclass(frozen=True)
class Counted:
    """The rules and weights that apply to an age class, and the reason for them."""

    counted_as: CountedAs
    because: CountedBecause
    explained: str
    weighed_as: frozenset[CountedAs]


@dataclass(frozen=True)
class Threshold:
    """The numbers of indicators, by weight, that make a dimension positive."""

    rule: DimensionRule
    strong: int = 0
    medium: int = 0
    weak: int = 0
    lesser: int = 0

    def is_met(self, found: Mapping[Weight, int]) -> bool:
        """Return whether enough indicators of each weight were found.

        `lesser` is the required number of medium and weak indicators together.
        """
        medium, weak = found[Weight.MEDIUM], found[Weight.WEAK]
        enough = found[Weight.STRONG] >= self.strong and medium + weak >= self.lesser
        return enough and medium >= self.medium and weak >= self.weak


@dataclass(frozen=True)
class Combination:
    """A rule that holds if each of its parts has at least one alternative that is present.

    `holds_for` contains the age groups to which the rule applies. `asked_of` contains the
    age groups for which missing parts are shown. The rule for forced labour also applies to
    children, so that they are not less protected than adults. For a child, the missing
    parts of this rule are not shown, because trafficking of a child requires no means.
    """

    rule: ScreeningRule
    holds_for: frozenset[CountedAs]
    asked_of: frozenset[CountedAs]
    parts: tuple[frozenset[Part], ...]


_ADULT, _CHILD = frozenset({CountedAs.ADULT}), frozenset({CountedAs.CHILD})
_ANYONE = _ADULT | _CHILD
_E, _D = Element, Dimension

# fmt: off
COUNTED: Final[Mapping[AgeClass | None, Counted]] = {
    AgeClass.ADULT: Counted(
        CountedAs.ADULT, CountedBecause.SAID_ADULT,
        "Counted as an adult because the age class says so.", _ADULT),
    AgeClass.CHILD: Counted(
        CountedAs.CHILD, CountedBecause.SAID_CHILD,
        "Counted as a child because the age class says so: no means is needed.", _CHILD),
    AgeClass.PRESUMED_CHILD: Counted(
        CountedAs.CHILD, CountedBecause.AGE_IN_DOUBT,
        "Counted as a child because the age is in doubt, and doubt means child (BR14): no means is needed.", _ANYONE),
    None: Counted(
        CountedAs.CHILD, CountedBecause.AGE_NOT_SAID,
        "Counted as a child because no age class is given, and who may be a child counts as one (BR14): no means is needed.", _ANYONE),
}
"""The rules for each age class. If the age is in doubt, the heavier weight is used, in
favour of the person."""

THRESHOLDS: Final = (
    Threshold(DimensionRule.TWO_STRONG,          strong=2),
    Threshold(DimensionRule.STRONG_AND_LESSER,   strong=1, lesser=1),
    Threshold(DimensionRule.THREE_MEDIUM,        medium=3),
    Threshold(DimensionRule.TWO_MEDIUM_AND_WEAK, medium=2, weak=1),
)

RULES: Final = (
    Combination(ScreeningRule.PALERMO_ADULT, _ADULT,  _ADULT, (
        frozenset({_E.ACT}), frozenset({_E.MEANS}), frozenset({_E.PURPOSE}))),
    Combination(ScreeningRule.CHILD,         _CHILD,  _CHILD, (
        frozenset({_E.ACT}), frozenset({_E.PURPOSE}))),
    Combination(ScreeningRule.FORCED_LABOUR, _ANYONE, _ADULT, (
        frozenset({_D.DECEPTIVE_RECRUITMENT, _D.COERCIVE_RECRUITMENT, _D.ABUSE_VULN_RECRUITMENT}),
        frozenset({_D.EXPLOITATION}),
        frozenset({_D.COERCION_DESTINATION, _D.ABUSE_VULN_DESTINATION}))),
)
# fmt: on
_DIMENSIONS: Final = ITEMS["dimensions"]
SUPPORTED_ELEMENT: Final = {d: Element(_DIMENSIONS[d].group or "") for d in Dimension}
_ELEMENTS: Final = ITEMS["elements"].items()
ELEMENT_OF: Final = {code: Element(row.group or "") for code, row in _ELEMENTS}
HEAVIEST: Final = (Weight.STRONG, Weight.MEDIUM, Weight.WEAK)


def format_rules() -> str:
    """Return all rules and weights as text, from which their version is computed."""
    weights = (
        (code, row.group, row.weight_adult, row.weight_child)
        for code, row in sorted(INDICATORS.items())
    )
    rules = (
        (row.rule, *sorted(row.holds_for), *(sorted(part) for part in row.parts))
        for row in RULES
    )
    ages = ((age, c.counted_as, *sorted(c.weighed_as)) for age, c in COUNTED.items())
    least = (astuple(row) for row in THRESHOLDS)
    rows = (*weights, *rules, *ages, *least, *SUPPORTED_ELEMENT.items())
    return "\n".join("|".join(map(format_cell, row)) for row in rows)


def format_cell(part: object) -> str:
    """Return one cell of a rule as text."""
    return ",".join(map(str, part)) if isinstance(part, list) else str(part)


SCORING: Final = hashlib.sha256(format_rules().encode()).hexdigest()[:16]
"""The version of the rules and weights, which is stored with each screening."""
