"""API schemas of screenings: the selected codes and the result."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from app.cases.models import AgeClass
from app.cases.sections import Indicators, SectionContent
from app.kernel.text import Code, RequestModel, ResponseModel, SafeText
from app.reference.kinds import Element, Weight
from app.reference.lists import INDICATORS
from app.screening.rules import (
    ELEMENT_OF,
    CountedAs,
    CountedBecause,
    Dimension,
    DimensionRule,
    ScreeningRule,
)
from app.screening.scoring import Presumption, Ticked

AGE = "As in the summary. Without an age class, the person is treated as a child."
CODE_UNKNOWN: Final = "code_unknown"
NOT_LISTED: Final = "This code is not on the list GET /v1/reference/{list}."
MEANING = (
    "A presumption, never a finding: indicators neither prove nor disprove trafficking, "
    "and help never waits for them."
)


def build_unknown_code_error(name: str) -> PydanticCustomError:
    """Return the error for an unknown code; its message names only the list."""
    return PydanticCustomError(CODE_UNKNOWN, NOT_LISTED, {"list": name})


def build_list_validator(name: str, codes: frozenset[str]) -> Callable[[str], str]:
    """Return a validator that rejects codes that are not on a list."""

    def require_listed(code: str) -> str:
        if code not in codes:
            raise build_unknown_code_error(name)
        return code

    return require_listed


def build_element_validator(element: Element) -> Callable[[str], str]:
    """Return a validator that rejects codes that do not belong to an element."""
    codes = frozenset(code for code, of in ELEMENT_OF.items() if of == element)
    return build_list_validator("elements", codes)


IndicatorCode = Annotated[
    Code,
    Field(examples=[next(iter(INDICATORS))]),
    AfterValidator(build_list_validator("indicators", frozenset(INDICATORS))),
]
ActCode = Annotated[Code, AfterValidator(build_element_validator(Element.ACT))]
MeansCode = Annotated[Code, AfterValidator(build_element_validator(Element.MEANS))]
PurposeCode = Annotated[Code, AfterValidator(build_element_validator(Element.PURPOSE))]


def find_unknown_indicators(content: SectionContent) -> list[int]:
    """Return the positions of unknown indicators in a section.

    The schema of the section does not check this, because a section that was sealed under
    an older list must still be readable.
    """
    codes = content.codes if isinstance(content, Indicators) else []
    return [place for place, code in enumerate(codes) if code not in INDICATORS]


def require_known_indicators(content: SectionContent) -> SectionContent:
    """Return the section, or raise a validation error if it has an unknown indicator."""
    if find_unknown_indicators(content):
        raise build_unknown_code_error("indicators")
    return content


WrittenSection = Annotated[SectionContent, AfterValidator(require_known_indicators)]


class SeenIndicators(RequestModel):
    """Indicators that were seen, with acts, means and purposes (/v1/reference/elements)."""

    indicators: Annotated[
        list[IndicatorCode],
        Field(max_length=120, description="Codes of /v1/reference/indicators."),
    ] = []
    acts: Annotated[list[ActCode], Field(max_length=20)] = []
    means: Annotated[list[MeansCode], Field(max_length=20)] = []
    purposes: Annotated[list[PurposeCode], Field(max_length=20)] = []

    def to_ticked(self) -> Ticked:
        """Return the selected codes as `compute_result` needs them."""
        elements = frozenset([*self.acts, *self.means, *self.purposes])
        return Ticked(frozenset(self.indicators), elements)


class ScreenedIndicators(SeenIndicators):
    """Indicators to be scored; nothing is stored."""

    age_class: Annotated[AgeClass | None, Field(description=AGE)] = None


class ScreeningInput(SeenIndicators):
    """A screening to be stored with a case; the age class is taken from the summary."""

    remarks: Annotated[SafeText | None, Field(description="Sealed.")] = None


class WeighedOut(ResponseModel):
    """An indicator that contributed to the score, with its weight."""

    code: Code
    weight: Weight


class DimensionOut(ResponseModel):
    """The result for an ILO dimension: whether it is positive, and by which rule."""

    dimension: Dimension
    element: Annotated[
        Element, Field(description="The element that a positive dimension supports.")
    ]
    positive: bool
    rule: Annotated[DimensionRule | None, Field(description="A code of scoring_rules.")]
    indicators: list[WeighedOut]
    confidence: str


class ElementOut(ResponseModel):
    """The result for an element of trafficking: whether it is needed and present."""

    element: Element
    present: bool
    needed: bool
    ticked: list[Code]
    dimensions: list[Dimension]


class RuleOut(ResponseModel):
    """The result for a rule: whether it holds, its present parts and its missing parts."""

    rule: Annotated[ScreeningRule, Field(description="A code of scoring_rules.")]
    holds: bool
    by: Annotated[list[str], Field(description="Elements or dimensions that are present.")]
    missing: Annotated[list[list[str]], Field(description="One of each list is needed.")]
    statement: str
    source: str | None
    confidence: str


class ScreeningResult(ResponseModel):
    """The result of a screening: a presumption with its reasons.

    A new field needs a default, because results that were sealed earlier must still open.
    """

    outcome: Annotated[Presumption, Field(description=MEANING)]
    counted_as: CountedAs
    because: CountedBecause
    explained: Annotated[str, Field(description="Why these rules were applied, in words.")]
    elements: list[ElementOut]
    dimensions: list[DimensionOut]
    rules: list[RuleOut]
    unweighted: Annotated[
        list[Code], Field(description="Indicators without a weight, which are not scored.")
    ]
    scoring: Annotated[str, Field(description="The version of the rules and weights.")]


class ScreeningPaper(ResponseModel):
    """The sealed document of a screening: the selected codes and the result."""

    indicators: list[Code]
    acts: list[Code]
    means: list[Code]
    purposes: list[Code]
    remarks: str | None
    result: ScreeningResult


class ScreeningOut(ResponseModel):
    """A screening of a case without its indicators, which are opened separately."""

    id: UUID
    outcome: Annotated[Presumption, Field(description=MEANING)]
    counted_as: CountedAs
    scoring: Annotated[str, Field(description="The version of the rules and weights.")]
    screened_by: Annotated[str, Field(description="Code of the focal point.")]
    screened_at: datetime


class ScreeningList(ResponseModel):
    """The screenings of a case that the caller may see, oldest first."""

    items: list[ScreeningOut]
