"""Tests that problems, list items and notes have current texts in each language."""

from app.api.http.content_language import TITLES
from app.kernel.problems import list_problem_kinds
from app.reference.lists import ITEMS, NOTE_TRANSLATIONS, TRANSLATIONS

PROMISED = ("es", "fr", "ru", "uz")
PROBLEMS = {
    kind.code: kind for kind in list_problem_kinds() if kind.__module__[:4] == "app."
}


def test_each_problem_is_titled_in_every_language() -> None:
    missing = {
        f"{code}: {language}"
        for code in PROBLEMS
        for language in PROMISED
        if not TITLES.get(code, {}).get(language)
    }

    assert missing == set(), "app/api/data/titles.csv"


def test_what_was_translated_is_what_the_problem_says() -> None:
    said = {code: kind.title for code, kind in PROBLEMS.items()}

    assert {code: titles["en"] for code, titles in TITLES.items()} == said


def test_a_title_is_not_the_english_one_again() -> None:
    for titles in TITLES.values():
        assert len(set(titles.values())) == len(titles), titles["en"]
        assert all(text.endswith(".") for text in titles.values()), titles["en"]


def test_what_was_translated_is_what_the_list_says() -> None:
    for (name, code), row in TRANSLATIONS.items():
        assert row.en == ITEMS[name][code].label_en
        assert set(PROMISED) <= row.texts.keys()


def test_what_was_translated_is_what_the_note_says() -> None:
    for (name, code), row in NOTE_TRANSLATIONS.items():
        assert row.en == ITEMS[name][code].note
        assert set(PROMISED) <= row.texts.keys()
