"""The lists as the outside world sees them."""

from typing import Annotated

from pydantic import Field

from app.kernel.text import Code, Shown
from app.reference.kinds import Element, Weight

Labels = Annotated[
    dict[str, str],
    Field(
        description="By BCP 47 language tag; always `en`, and others as they come.",
        examples=[{"en": "Debt bondage"}],
    ),
]


class Weights(Shown):
    """What an indicator of the ILO weighs; null: it is not in that list."""

    adult: Weight | None
    child: Weight | None


class ItemOut(Shown):
    """One code of a list."""

    code: Code
    labels: Labels
    group: Annotated[
        str | None, Field(description="What it belongs to, such as a dimension.")
    ]
    note: str | None
    element: Annotated[
        Element | None, Field(description="Of an indicator: the element it speaks for.")
    ]
    weights: Annotated[
        Weights | None, Field(description="Null: it is noted, and does not count.")
    ]
    source: Annotated[
        str | None, Field(description="Where this is from; null: no source says.")
    ]
    confidence: Annotated[
        str, Field(description="How well it is sourced, in the words of who looked.")
    ]


class ReferenceListSummary(Shown):
    """Which list there is, and how to use it."""

    list: Annotated[str, Field(description="Read it under /v1/reference/.")]
    title: str
    note: Annotated[str, Field(description="Where it is from, and what it is not.")]


class ReferenceLists(Shown):
    """The lists there are."""

    items: list[ReferenceListSummary]


class ReferenceList(ReferenceListSummary):
    """One list, whole."""

    items: list[ItemOut]
