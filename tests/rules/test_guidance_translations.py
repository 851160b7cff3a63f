"""The translations of the guidance are complete and use the right alphabet.

These tests find a text that is missing, was not translated, is in another script, or uses
another term. Only a reader of both languages can judge whether the translation is right.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest
from pydantic import ValidationError

from app.reference.kinds import TranslationStatus
from app.reference.lists import ITEMS, NOTE_TRANSLATIONS, TRANSLATIONS, get_status
from app.reference.rows import TranslationRow

PAGE: Final = (Path(__file__).parents[2] / "docs" / "identification.md").read_text("utf-8")
LANGUAGES: Final = ("es", "fr", "ru", "uz")
LISTS: Final = ("questions", "indicators", "conduct")
RULE: Final = re.compile(r"\bBR\d+\b")
LETTERS: Final = {
    "es": r"[A-Za-zÁÉÍÑÓÚÜáéíñóúü]",
    "fr": r"[A-Za-zÀÂÇÈÉÊËÎÏÔŒÙÛÜàâçèéêëîïôœùûü]",
    "ru": r"[А-ЯЁа-яё]",
    "uz": r"[A-Za-zʻʼ]",
}
MARKS: Final = {
    "es": " .,:;()¿?«»-",
    "fr": " .,:;()?«»’-",
    "ru": " .,:;()?«»—-",
    "uz": " .,:;()?«»-",
}
ADDRESS_OF_A_FRIEND: Final = {
    "es": r"\b(tú|te|ti|tus?|vos|vosotr[oa]s)\b",
    "fr": r"\b(tu|te|toi|ton|ta|tes)\b",
    "ru": r"\b(ты|тебя|тебе|тво[йяёи]\w*)\b",
    "uz": r"\b(sen|seni|sening|senga|senda|sendan)\b",
}
LONGEST: Final = 320
TERMS: Final = {
    term: expressions
    for line in (Path(__file__).parent / "guidance_terms.txt")
    .read_text("utf-8")
    .splitlines()
    if not line.startswith("#")
    for term, *expressions in [line.split(" ; ")]
}
"""Each term: a pattern of the English text, and one for each translation."""


@dataclass(frozen=True)
class Text:
    """One text and its translations by language."""

    name: str
    english: str
    row: TranslationRow | None


def list_texts() -> Iterator[Text]:
    for name in LISTS:
        for code, item in ITEMS[name].items():
            key = (name, code)
            yield Text(f"{name} {code}", item.label_en, TRANSLATIONS.get(key))
            if item.note and not RULE.fullmatch(item.note):
                yield Text(f"{name} {code} note", item.note, NOTE_TRANSLATIONS.get(key))


TEXTS: Final = list(list_texts())
TRANSLATED: Final = [
    (text, language, text.row.texts.get(language, ""))
    for text in TEXTS
    for language in LANGUAGES
    if text.row
]


def test_each_text_has_four_translations_of_what_it_says() -> None:
    assert len(TEXTS) == 17 + 101 + 12 + 12
    assert [text.name for text in TEXTS if text.row is None] == []
    assert [text.name for text in TEXTS if text.row and text.row.en != text.english] == []
    missing = [
        f"{text.name}: {language}"
        for text, language, translation in TRANSLATED
        if not translation
    ]
    assert missing == []


def test_no_translation_is_the_english_again_or_another_language() -> None:
    for text in TEXTS:
        assert text.row
        translations = [text.row.texts[language] for language in LANGUAGES]
        assert text.english.lower() not in {one.lower() for one in translations}, text.name
        assert len({*translations}) == len(LANGUAGES), text.name


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_has_the_letters_of_its_language_alone(language: str) -> None:
    allowed = re.compile(rf"(?:{LETTERS[language]}|[{re.escape(MARKS[language])}])+")
    texts = {one: RULE.sub("", one) for _, tag, one in TRANSLATED if tag == language}

    assert [one for one, rest in texts.items() if not allowed.fullmatch(rest)] == []


def test_uzbek_has_its_own_apostrophes() -> None:
    """In Uzbek texts, U+02BB is used only after o and g, and U+02BC after other letters."""
    texts = [one for _, language, one in TRANSLATED if language == "uz"]

    assert [one for one in texts if re.search(r"(?<![OoGg])ʻ|[OoGg]ʼ|\bʼ", one)] == []
    assert sum("ʻ" in one for one in texts) > len(texts) / 3


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_has_the_form_of_its_english(language: str) -> None:
    for text, tag, translation in TRANSLATED:
        if tag != language:
            continue
        english = text.english
        assert RULE.findall(translation) == RULE.findall(english), text.name
        assert translation == " ".join(translation.split()), text.name
        assert translation[0].isupper() or translation[0] == "¿", text.name
        assert translation.endswith("?") == english.endswith("?"), text.name
        full_stop = english.endswith(".") and not english.endswith("etc.")
        assert not full_stop or translation.endswith("."), text.name
        assert translation.count("(") == translation.count(")"), text.name
        assert len(english) / 2 - 6 <= len(translation) <= 2 * len(english) + 20, text.name
        assert len(translation) <= LONGEST, text.name


@pytest.mark.parametrize("language", LANGUAGES)
def test_nobody_is_addressed_as_a_friend_or_a_child(language: str) -> None:
    wrong = re.compile(ADDRESS_OF_A_FRIEND[language], re.IGNORECASE)

    assert [
        one for _, tag, one in TRANSLATED if tag == language and wrong.search(one)
    ] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_same_english_has_one_translation_and_another_has_another(
    language: str,
) -> None:
    pairs = {(text.english, said) for text, tag, said in TRANSLATED if tag == language}

    assert len({english for english, _ in pairs}) == len(pairs)
    assert len({said for _, said in pairs}) == len(pairs)


@pytest.mark.parametrize("term", TERMS)
def test_a_term_is_one_word_in_each_language(term: str) -> None:
    found, *stems = TERMS[term]
    used = [text for text in TEXTS if re.search(found, text.english, re.IGNORECASE)]

    assert used != []
    for text in used:
        assert text.row
        for language, stem in zip(LANGUAGES, stems, strict=True):
            translations = text.row.texts[language]
            assert re.search(stem, translations, re.IGNORECASE), (
                text.name,
                translations,
                stem,
            )


def test_the_page_for_officers_has_the_same_terms() -> None:
    rows = [line.strip("| ").split(" | ") for line in PAGE.splitlines() if "|" in line]
    listed = {cells[0]: cells[1:] for cells in rows if cells[0] in TERMS}

    assert list(listed) == list(TERMS)
    for term, cells in listed.items():
        for stem, cell in zip(TERMS[term][1:], cells, strict=True):
            assert re.search(stem, cell, re.IGNORECASE), (term, cell)


def build_translation(reviewed: str, **texts: str) -> TranslationRow:
    cells = dict.fromkeys(TranslationRow.model_fields, "")
    columns = {"list": "questions", "code": "ANY", "en": "English", "confidence": "own"}
    return TranslationRow.model_validate(
        {**cells, **columns, **texts, "reviewed": reviewed}
    )


def test_a_text_is_reviewed_once_its_label_and_its_note_are() -> None:
    half = build_translation("ru", ru="Слово", es="Palabra")
    whole = build_translation("es ru", ru="Слово", es="Palabra")

    assert get_status([half], "ru") == TranslationStatus.REVIEWED
    assert get_status([half], "es") == TranslationStatus.UNREVIEWED
    assert get_status([whole, half], "ru") == TranslationStatus.REVIEWED
    assert get_status([whole, half], "es") == TranslationStatus.UNREVIEWED


@pytest.mark.parametrize("reviewed", ["fr", "ru fr", "en", "russian", "ru ru"])
def test_what_is_not_translated_cannot_be_marked_as_reviewed(reviewed: str) -> None:
    with pytest.raises(ValidationError):
        build_translation(reviewed, ru="Слово")
