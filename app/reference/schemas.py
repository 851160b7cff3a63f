"""API schemas of the reference lists."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from app.kernel.text import ResponseModel
from app.reference.kinds import Element, TranslationStatus, Weight

Labels = Annotated[
    Mapping[str, str],
    Field(
        description="By BCP 47 language tag; always `en`, and others where translated.",
        examples=[{"en": "Health care", "es": "Atención médica"}],
    ),
]


class Weights(ResponseModel):
    """The ILO weights of an indicator; null if the ILO lists give none."""

    adult: Weight | None
    child: Weight | None


class Item(ResponseModel):
    """One code of a list, with its labels in all languages."""

    code: Annotated[str, Field(description="A code of this list; never translated.")]
    labels: Labels
    group: Annotated[
        str | None,
        Field(
            description="The group, such as a dimension. Show it with a question or a rule "
            "of conduct: no label repeats `NEVER` or `DO_NOT_ASK`."
        ),
    ] = None
    note: Annotated[str | None, Field(description="A note in English.")] = None
    element: Annotated[
        Element | None, Field(description="For an indicator, the element that it supports.")
    ] = None
    weights: Annotated[Weights | None, Field(description="Null if not scored.")] = None
    source: Annotated[str | None, Field(description="The source, or null if unknown.")]
    confidence: Annotated[str, Field(description="How reliable the source is, in words.")]
    verbatim: Annotated[
        str | None,
        Field(
            description="The code as its standard spells it, with errors and spaces; null "
            "if it is not from a standard."
        ),
    ] = None
    issue: Annotated[str | None, Field(description="An error in the source.")] = None
    translation: Annotated[
        str | None,
        Field(
            description="Who translated the label, and how reliable the translation is; "
            "null if the label is only in the language of its source."
        ),
    ] = None


class ItemOut(Item):
    """One code of a list, with its label in the requested language."""

    label: Annotated[str, Field(description="The label in `language`.")]
    language: Annotated[
        str,
        Field(
            description="BCP 47 tag of `label`; `en` if your languages have no label.",
            examples=["ru"],
        ),
    ]
    label_en: Annotated[
        str,
        Field(
            description="The label in English. Show it beside a `label` that is an "
            "unreviewed translation."
        ),
    ]
    translated_note: Annotated[
        str | None,
        Field(description="`note` in `language`; if null, use `note`, which is English."),
    ]
    translation_status: Annotated[
        TranslationStatus | None,
        Field(
            description="For `label` and `translated_note`. `unreviewed`: our translation, "
            "which no native speaker has reviewed; it is not official, and the English is "
            "decisive. `reviewed`: our translation, reviewed by a native speaker. "
            "`published`: a translation of the source in `translation`. null: `label` is "
            "English."
        ),
    ]


class ReferenceListSummary(ResponseModel):
    """A reference list, without its items."""

    name: Annotated[str, Field(description="The name of the list in /v1/reference/{name}.")]
    title: Annotated[str, Field(description="In English.")]
    note: Annotated[str, Field(description="The source and the limits, in English.")]


class ReferenceLists(ResponseModel):
    """All reference lists, without their items."""

    items: list[ReferenceListSummary]


class ReferenceList(ReferenceListSummary):
    """A reference list with its items."""

    items: list[ItemOut]
