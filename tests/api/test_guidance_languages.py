"""Guidance is in the caller's language or in English, with the translation's status."""

import pytest
from httpx2 import Response

from app.reference.lists import NOTE_TRANSLATIONS, TRANSLATIONS
from tests.support.world import Json, Someone, unwrap

GUIDANCE = {"questions": 17, "indicators": 101, "conduct": 12}
LANGUAGES = ("es", "fr", "ru", "uz")


def get_list(one: Someone, name: str, wish: str) -> Response:
    answer = one.ask("GET", f"/reference/{name}", headers={"Accept-Language": wish})
    assert answer.status_code == 200, answer.text
    return answer


def list_items(one: Someone, name: str, wish: str) -> list[Json]:
    return list(get_list(one, name, wish).json()["items"])


def get_item(one: Someone, name: str, code: str, wish: str) -> Json:
    [found] = [item for item in list_items(one, name, wish) if item["code"] == code]
    return found


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", GUIDANCE)
def test_guidance_is_read_in_four_languages_with_the_english_beside_it(
    name: str, language: str, officer: Someone
) -> None:
    answer = get_list(officer, name, f"{language}, de;q=0.5")
    items, english = answer.json()["items"], list_items(officer, name, "en")

    assert answer.headers["Content-Language"] == language
    assert answer.headers["Vary"] == "Accept-Language"
    assert len(items) == len(english) == GUIDANCE[name]
    for item, original in zip(items, english, strict=True):
        assert item["language"] == language
        assert item["label"] == item["labels"][language] != original["label"]
        assert item["label_en"] == item["labels"]["en"] == original["label"]
        assert {**original, **get_translation(item)} == item


def get_translation(item: Json) -> Json:
    names = ("label", "language", "translated_note", "translation_status")
    return {name: item[name] for name in names}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", GUIDANCE)
def test_guidance_says_that_nobody_has_reviewed_it(
    name: str, language: str, officer: Someone
) -> None:
    for item in list_items(officer, name, language):
        key = (name, item["code"])
        rows = [table[key] for table in (TRANSLATIONS, NOTE_TRANSLATIONS) if key in table]
        reviewed = all(language in row.reviewed for row in rows)
        assert item["translation_status"] == ("reviewed" if reviewed else "unreviewed")
        assert item["translation"] == rows[0].confidence


def test_a_note_is_translated_and_its_english_stays(officer: Someone) -> None:
    item = get_item(officer, "questions", "URGENT_MEDICAL_NEEDS", "es")

    assert item["note"] == "Must be answered in the first risk assessment."
    assert (
        item["translated_note"] == "Debe responderse en la primera evaluación de riesgos."
    )


def test_a_note_that_is_a_number_of_a_rule_is_not_translated(officer: Someone) -> None:
    item = get_item(officer, "conduct", "PRESUME_CHILD", "ru")

    assert (item["note"], item["translated_note"]) == ("BR14", None)


@pytest.mark.parametrize("wish", ["", "kk", "de, tg;q=0.5", "en", "xx", "en, ru;q=0.5"])
@pytest.mark.parametrize("name", GUIDANCE)
def test_a_language_without_a_translation_is_answered_in_english(
    name: str, wish: str, officer: Someone
) -> None:
    answer = get_list(officer, name, wish)

    assert answer.headers["Content-Language"] == "en"
    for item in answer.json()["items"]:
        assert (item["language"], item["label"]) == ("en", item["label_en"])
        assert item["translation_status"] is None
        assert item["translated_note"] is None


def test_uzbek_in_cyrillic_is_answered_in_latin_and_says_so(officer: Someone) -> None:
    answer = get_list(officer, "questions", "uz-Cyrl-UZ")

    assert answer.headers["Content-Language"] == "uz"
    assert {item["language"] for item in answer.json()["items"]} == {"uz"}


def test_names_of_the_cldr_are_published_and_our_own_lists_are_not(
    officer: Someone,
) -> None:
    def statuses(name: str, wish: str) -> set[tuple[str, str | None]]:
        items = list_items(officer, name, wish)
        return {(item["language"], item["translation_status"]) for item in items}

    assert statuses("countries", "ru") == {("ru", "published")}
    assert statuses("countries", "en") == {("en", None)}
    assert statuses("languages", "tg") == {("tg", "published"), ("en", None)}
    assert statuses("services", "uz") == {("uz", "unreviewed")}
    assert statuses("elements", "ru") == {("en", None)}


@pytest.mark.parametrize("name", GUIDANCE)
def test_guidance_is_the_same_whoever_asks_and_whatever_was_submitted(
    name: str, officer: Someone, lead: Someone, stranger: Someone
) -> None:
    before = get_list(officer, name, "ru")
    case = officer.submit()
    unwrap(officer.screen(case, indicators=["EXPLOITATION_02", "ILO11_09"]))

    for one in (officer, lead, stranger):
        after = get_list(one, name, "ru")
        assert after.content == before.content
        assert after.headers["ETag"] == before.headers["ETag"]
