"""The reference lists for officers, which are read and checked once at startup.

Every item states its source, if there is one, and how reliable it is. The list of questions
for interviews contains only questions that were found in a source. A label is returned in
the requested language if there is a translation, and otherwise in English. Every
translation comes with the English text and its review status (ADR 52).
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Final

from app.kernel.languages import ENGLISH, choose_language
from app.reference import cldr, htcds
from app.reference.code_words import WORD_LISTS, WORDS, list_words
from app.reference.files import read_sheet
from app.reference.kinds import About, TranslationStatus
from app.reference.rows import IndicatorRow, ItemRow, TranslationRow, WordRow
from app.reference.schemas import Item, ItemOut, ReferenceList, Weights

OWN_PROPOSAL: Final = (
    "A proposal of this mechanism; other languages are its own translation."
)

# fmt: off
OWN_LISTS: Final[Mapping[str, About]] = {
    "intake_ways": About(
        "How a consulate learns of a case",
        "Four ways, named by UNODC when it trained consular officers of Uzbekistan (16 June 2022)."),
    "questions": About(
        "What is asked before and in a first interview, and what is not",
        "Groups: BEFORE, MUST_ASK, MAY_ASK, DO_NOT_ASK. Only what a source says: no questionnaire could be read, so none is here."),
    "conduct": About(
        "Rules of conduct for meeting a person",
        "Groups: DO, NEVER."),
    "indicators": About(
        "Indicators that may be seen",
        "ILO Delphi indicators of trafficking for labour, with weights; UNODC (a part of its list) and ILO forced-labour indicators "
        "without weights, which are noted and do not count. Weights for sexual exploitation, and the UNODC groups for children, "
        "labour, domestic servitude and begging, were not found."),
    "dimensions": About(
        "Dimensions, by which the ILO groups its indicators",
        "The group is the element that a positive dimension supports."),
    "elements": About(
        "Act, means and purpose",
        "Article 3 of the Palermo Protocol. Under 18 no means is needed; consent is irrelevant once a means is used."),
    "scoring_rules": About(
        "Rules by which indicators are scored",
        "A result is a presumption, never a finding, and help never waits for it."),
    "services": About(
        "Services to which a person may be referred",
        "A proposal of this mechanism; the source says where each is taken from. Other languages are its own translation."),
    "decline_reasons": About("Why a focal point says no", OWN_PROPOSAL),
    "withdraw_reasons": About("Why a case or a referral is withdrawn", OWN_PROPOSAL),
    "closure_reasons": About("Why a case ends", OWN_PROPOSAL),
    "suspend_reasons": About("Why a case is suspended, or help is held", OWN_PROPOSAL),
    "handover_reasons": About("Why the lead is handed over", OWN_PROPOSAL),
    "stop_reasons": About("Why the person wants everything to end", OWN_PROPOSAL),
    "reopen_reasons": About("Why help begins again", OWN_PROPOSAL),
    "assign_reasons": About("Why a desk chooses a lead by hand", OWN_PROPOSAL),
    "take_over_reasons": About("Why a desk moves the lead of a case", OWN_PROPOSAL),
    "erasure_reasons": About("Why sealed content is destroyed before its retention ends", OWN_PROPOSAL),
}
CLDR_LISTS: Final[Mapping[str, About]] = {
    "countries": About(
        "Countries",
        "ISO 3166-1 alpha-2, with names of Unicode CLDR. Which of them are of the mechanism: GET /v1/countries."),
    "languages": About(
        "Languages",
        "BCP 47 tags that a request may name, with names of Unicode CLDR."),
}
LISTS: Final[Mapping[str, About]] = {
    **OWN_LISTS,
    **WORD_LISTS,
    **CLDR_LISTS,
    **{name: About(title, htcds.ABOUT) for name, title in htcds.LISTS.items()},
}
# fmt: on


def read_list[R: ItemRow](name: str, model: type[R]) -> dict[str, R]:
    """Return the rows of one list by code, in their order, or raise FilesRefused."""
    return {row.code: row for row in read_sheet(name, model)}


INDICATORS: Final[Mapping[str, IndicatorRow]] = read_list("indicators", IndicatorRow)
ITEMS: Final[Mapping[str, Mapping[str, ItemRow]]] = {
    name: INDICATORS if name == "indicators" else read_list(name, ItemRow)
    for name in OWN_LISTS
}
type Translations = Mapping[tuple[str, str], TranslationRow]


def read_translations(name: str) -> Translations:
    """Return the translations of one file by list and code, or raise FilesRefused."""
    return {(row.list, row.code): row for row in read_sheet(name, TranslationRow)}


TRANSLATIONS: Final = read_translations("translations")
NOTE_TRANSLATIONS: Final = read_translations("note_translations")


def show_list(name: str, ranked: tuple[str, ...]) -> ReferenceList:
    """Return one list, with each label in the best available language of `ranked`."""
    about = LISTS[name]
    items = [show_item(name, item, ranked) for item in list_items(name)]
    return ReferenceList(name=name, title=about.title, note=about.note, items=items)


def show_item(name: str, item: Item, ranked: tuple[str, ...]) -> ItemOut:
    """Return one item, with its label in the best available language of `ranked`."""
    language = choose_language(ranked, item.labels)
    key = (name, item.code)
    return ItemOut.model_construct(
        **vars(item),
        label=item.labels[language],
        language=language,
        label_en=item.labels[ENGLISH],
        translated_note=get_translated_note(key, language),
        translation_status=get_translation_status(key, language),
    )


def get_translated_note(key: tuple[str, str], language: str) -> str | None:
    """Return the translation of a note into `language`, or None if there is none."""
    row = NOTE_TRANSLATIONS.get(key)
    return row.texts.get(language) if row and language != ENGLISH else None


def get_translation_status(key: tuple[str, str], language: str) -> TranslationStatus | None:
    """Return the status of the translation of an item, or None if `language` is English."""
    if language == ENGLISH:
        return None
    found = (TRANSLATIONS.get(key), NOTE_TRANSLATIONS.get(key), WORDS.get(key))
    return get_status([row for row in found if row and language in row.texts], language)


def get_status(
    rows: Sequence[TranslationRow | WordRow], language: str
) -> TranslationStatus:
    """Return the common status of the given translations of one item.

    If `rows` is empty, the source has published the label, so it is `PUBLISHED`. An item
    is reviewed only if its label and its note are both reviewed.
    """
    if not rows:
        return TranslationStatus.PUBLISHED
    if all(language in row.reviewed for row in rows):
        return TranslationStatus.REVIEWED
    return TranslationStatus.UNREVIEWED


@cache
def list_items(name: str) -> Sequence[Item]:
    """Return the items of a list, with labels in all their languages."""
    match name:
        case "countries":
            return tuple(cldr.list_countries())
        case "languages":
            return tuple(cldr.list_languages())
        case _ if name in WORD_LISTS:
            return tuple(list_words(name))
        case _ if name in OWN_LISTS:
            return tuple(list_own_items(name))
        case _:
            return tuple(htcds.list_items(name))


def list_own_items(name: str) -> Iterator[Item]:
    """Yield the items of one of the lists in `OWN_LISTS`, with their translations."""
    for row in ITEMS[name].values():
        translated = TRANSLATIONS.get((name, row.code))
        yield Item(
            code=row.code,
            labels=translated.texts if translated else {ENGLISH: row.label_en},
            group=row.group,
            note=row.note,
            element=row.element if isinstance(row, IndicatorRow) else None,
            weights=get_weights(row),
            source=row.source,
            confidence=row.confidence,
            translation=translated.confidence if translated else None,
        )


def get_weights(row: ItemRow) -> Weights | None:
    """Return the weights of an indicator, or None if the item does not affect a score."""
    if not isinstance(row, IndicatorRow) or row.element is None:
        return None
    return Weights(adult=row.weight_adult, child=row.weight_child)
