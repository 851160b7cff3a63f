"""The catalogues of the console are complete, and have the English placeholders."""

import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from itertools import product
from typing import Final
from zoneinfo import ZoneInfo

import pytest
from babel.dates import format_datetime
from babel.messages.catalog import Message

from app.console import translations
from app.console.translations import REVIEWED_BY, load_texts, read_catalogue
from app.kernel.languages import ENGLISH
from app.reference.cldr import get_country_name
from tests.support.console_browser import ConsoleBrowser
from tests.support.source_code import ROOT
from tests.support.world import Someone, World

LANGUAGES: Final = tuple(one for one in translations.LANGUAGES if one != ENGLISH)
UNREVIEWED: Final = "No native speaker has reviewed this translation."
PLACEHOLDER: Final = re.compile(r"%\(\w+\)s")
MARKUP: Final = re.compile(r"<[^>]*>|&[#\w]+;|[<>&%]")
CYRILLIC: Final = re.compile(r"[\u0400-\u04ff]")
SAME: Final = {
    ("es", "Error:"),
    ("es", "No"),
    ("es", "no"),
    ("fr", "Code"),
    ("fr", "Danger"),
    ("fr", "Document"),
    ("fr", "Documents"),
    ("fr", "Note"),
    ("fr", "Notes"),
    ("fr", "Question"),
    ("fr", "Service"),
    ("fr", "Services"),
    ("fr", "Source"),
    ("fr", "Urgent"),
    *((language, "%(subject)s: %(what)s") for language in ("es", "ru", "uz")),
}
"""The languages and texts for which the translation equals the English text."""

ALMATY: Final = ZoneInfo("Asia/Almaty")

type Forms = tuple[Sequence[str], Sequence[str]]


def list_forms(message: Message) -> Forms:
    """Return the English and the translated forms of a text: singular, and any plurals."""
    if isinstance(message.id, str):
        return (message.id,), (str(message.string),)
    return message.id, message.string or ()


def list_all() -> Iterator[tuple[str, str, str]]:
    """Yield each translated form after its language and the English singular."""
    for language in LANGUAGES:
        for message in read_catalogue(language):
            if message.id:
                english, translated = list_forms(message)
                for form in translated:
                    yield language, english[0], form


def find_placeholders(text: str) -> set[str]:
    """Return the placeholders of a text."""
    return set(PLACEHOLDER.findall(text))


def find_markup(text: str) -> list[str]:
    """Return the tags and entities of a text, and signs that could begin one."""
    return sorted(MARKUP.findall(PLACEHOLDER.sub("", text)))


def test_each_catalogue_has_the_texts_of_the_code_and_all_translations() -> None:
    command = [sys.executable, str(ROOT / "scripts/update_messages.py"), "--check"]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_counted_text_has_all_plural_forms(language: str) -> None:
    catalogue = read_catalogue(language)
    for message in catalogue:
        if message.id and not isinstance(message.id, str):
            assert len(message.string or ()) == catalogue.num_plurals, message.id
    assert catalogue.num_plurals == (3 if language == "ru" else 2)


def test_each_translation_has_the_placeholders_of_the_english_text() -> None:
    wrong = [
        (language, english)
        for language, english, form in list_all()
        if find_placeholders(form) != find_placeholders(english)
    ]
    assert wrong == []


def test_no_translation_has_markup_that_the_english_text_lacks() -> None:
    wrong = [
        (language, english)
        for language, english, form in list_all()
        if find_markup(form) != find_markup(english)
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Case %(code)s", []),
        ("Case %(code)", ["%"]),
        ("Case %code", ["%"]),
        ("less < more", ["<"]),
        ("<b>bold</b> &amp;", ["&amp;", "</b>", "<b>"]),
    ],
)
def test_markup_and_broken_placeholders_are_found(text: str, found: list[str]) -> None:
    assert find_markup(text) == found


def test_a_translation_equals_the_english_text_only_where_it_is_listed() -> None:
    same = {
        (language, english) for language, english, form in list_all() if form == english
    }
    assert same == SAME


def test_each_language_is_written_in_its_own_script() -> None:
    wrong = [
        (language, form)
        for language, _, form in list_all()
        if bool(CYRILLIC.search(form)) != (language == "ru")
        and re.search(r"[^\W\d_]", PLACEHOLDER.sub("", form))
    ]
    assert wrong == []


def test_apostrophes_and_spaces_are_those_of_the_language() -> None:
    wrong = [
        (language, form)
        for language, _, form in list_all()
        if "'" in form
        or form != form.strip()
        or (language == "fr" and re.search(r" [:;?!»]|« |[^\u00a0][?!;»]", form))
        or (language == "es" and form.count("¿") != form.count("?"))
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("count", "russian"),
    [(1, "1 задача"), (3, "3 задачи"), (5, "5 задач"), (11, "11 задач"), (21, "21 задача")],
)
def test_russian_texts_count_in_three_forms(count: int, russian: str) -> None:
    texts = load_texts("ru")
    assert texts.translate_counted("%(count)s task", "%(count)s tasks", count) == russian


@pytest.mark.parametrize(
    ("comment", "is_reviewed"),
    [("# Texts", False), (f"# Texts\n{REVIEWED_BY}Aizhan", True)],
)
def test_a_catalogue_is_reviewed_once_it_names_who_reviewed_it(
    comment: str, is_reviewed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalogue = read_catalogue("ru")
    catalogue.header_comment = comment
    monkeypatch.setattr(translations, "read_catalogue", lambda _: catalogue)
    assert load_texts.__wrapped__("ru").is_reviewed == is_reviewed


@pytest.mark.parametrize("language", LANGUAGES)
def test_pages_are_in_the_language_that_the_browser_asks_for(
    language: str, world: World, officer: Someone, lead: Someone
) -> None:
    texts, asked = load_texts(language), {"Accept-Language": language}
    code = officer.submit()["code"]
    pages = [world.http.get("/console/sign-in", headers=asked)]
    for person, path in product((officer, lead), ("cases?sent=true", f"cases/{code}")):
        pages.append(ConsoleBrowser(person, **asked).get(path))
    pages.append(ConsoleBrowser(lead, **asked).get(""))
    for page in pages:
        assert page.status_code == 200
        assert f'<html lang="{language}"' in page.text
        assert texts.translate(UNREVIEWED) in page.text
    day = format_datetime(world.now.astimezone(ALMATY), "d MMM", locale=texts.locale)
    assert day in pages[2].text
    assert str(get_country_name("KZ", texts.locale)) in pages[-1].text
    assert texts.translate("Sign in") in pages[0].text
