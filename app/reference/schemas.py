"""The lists as the outside world sees them."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from app.kernel.text import Shown
from app.reference.kinds import Element, TranslationStatus, Weight

Labels = Annotated[
    Mapping[str, str],
    Field(
        description="By BCP 47 language tag; always `en`, and others as they come.",
        examples=[{"en": "Health care", "es": "Atención médica"}],
    ),
]


class Weights(Shown):
    """What an indicator of the ILO weighs; null: it is not in that list."""

    adult: Weight | None
    child: Weight | None


class Item(Shown):
    """One code of a list, in every language in which it has a label."""

    code: Annotated[str, Field(description="A code of this list; never translated.")]
    labels: Labels
    group: Annotated[
        str | None,
        Field(
            description="What it belongs to, such as a dimension. Show it with a question "
            "or a rule of conduct: no label repeats `NEVER` or `DO_NOT_ASK`."
        ),
    ] = None
    note: Annotated[str | None, Field(description="In English; see `translated_note`.")] = (
        None
    )
    element: Annotated[
        Element | None, Field(description="Of an indicator: the element it speaks for.")
    ] = None
    weights: Annotated[
        Weights | None, Field(description="Null: it is noted, and does not count.")
    ] = None
    source: Annotated[
        str | None, Field(description="Where this is from; null: no source says.")
    ]
    confidence: Annotated[
        str, Field(description="How well it is sourced, in the words of who looked.")
    ]
    verbatim: Annotated[
        str | None,
        Field(
            description="The code as its standard spells it, faults and spaces included; "
            "null: it is of no standard."
        ),
    ] = None
    issue: Annotated[
        str | None, Field(description="What is wrong with it in its source; null: nothing.")
    ] = None
    translation: Annotated[
        str | None,
        Field(
            description="Who put the label into other languages, and how sure that is; "
            "null: it is in the language of its source alone."
        ),
    ] = None


class ItemOut(Item):
    """One code of a list, as it was asked for."""

    label: Annotated[str, Field(description="In the language you asked for, if there is.")]
    language: Annotated[
        str,
        Field(
            description="Of `label`, a BCP 47 tag; not yours: nobody translated this.",
            examples=["ru"],
        ),
    ]
    label_en: Annotated[
        str,
        Field(
            description="The label in English, whatever language `label` is in. Show it "
            "beside a `label` that is an unreviewed translation."
        ),
    ]
    translated_note: Annotated[
        str | None,
        Field(description="`note` in `language`; null: read `note`, which is English."),
    ]
    translation_status: Annotated[
        TranslationStatus | None,
        Field(
            description="Of `label` and `translated_note`. `unreviewed`: a translation of "
            "ours that no native speaker has reviewed; it is no official text, and the "
            "English counts. `reviewed`: a translation of ours that one has reviewed. "
            "`published`: of the source that `translation` names. null: `label` is in "
            "English, not translated."
        ),
    ]


class ReferenceListSummary(Shown):
    """Which list there is, and how to use it."""

    list: Annotated[str, Field(description="Read it under /v1/reference/.")]
    title: Annotated[str, Field(description="In English, as `note` is.")]
    note: Annotated[str, Field(description="Where it is from, and what it is not.")]


class ReferenceLists(Shown):
    """The lists there are."""

    items: list[ReferenceListSummary]


class ReferenceList(ReferenceListSummary):
    """One list, whole."""

    items: list[ItemOut]
