"""Tests of the choice of a language: RFC 9110, 12.5.4, with the lookup of RFC 4647, 3.4."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.kernel.languages import ENGLISH, LANGUAGES, choose_language, rank_languages

REST = tuple(language for language in LANGUAGES if language not in {"en", "fr"})


@pytest.mark.parametrize(
    ("header", "ranked"),
    [
        ("ru", ("ru",)),
        ("ru, fr", ("ru", "fr")),
        ("fr;q=0.5, ru", ("ru", "fr")),
        ("fr;q=0.8,es;q=0.8 , ru;q=0.9", ("ru", "fr", "es")),
        ("RU-ru, en ; q=0.5", ("ru", "en")),
        ("uz-Cyrl-UZ", ("uz-Cyrl", "uz")),
        ("UZ-CYRL", ("uz-Cyrl", "uz")),
        ("es-419", ("es",)),
        ("zh-Hant-TW, uz;Q=0.001", ("uz",)),
        ("ru, ru-RU, ru;q=0.1", ("ru",)),
        ("de", ()),
        ("", ()),
        ("*", LANGUAGES),
        ("fr, *;q=0.5", ("fr", "en", *REST)),
        ("fr;q=0.1, *;q=0.5", ("en", *REST, "fr")),
        ("en;q=0, *", ("es", *(one for one in LANGUAGES if one not in {"en", "es"}))),
        ("ru;q=0", ()),
        ("ru;q=0.000, fr", ("fr",)),
        ("*;q=0", ()),
    ],
)
def test_a_wish_is_ranked(header: str, ranked: tuple[str, ...]) -> None:
    assert rank_languages(header) == ranked


@pytest.mark.parametrize(
    "wrong",
    [
        "ru;q=2",
        "ru;q=1.001",
        "ru;q=-1",
        "ru;q=0.1234",
        "ru;q=nan",
        "ru;q=inf",
        "ru;q=",
        "ru;q",
        "ru;",
        "ru;p=1",
        "ru;q=1e-1",
        "ru;q=0_1",
        "ru;q=1;q=1",
        "ru_RU",
        "ру",
        "r\xfc",
        "ru--RU",
        "-ru",
        "ru-",
        "ru RU",
        "1ru",
        "abcdefghi",
        "ru-" + "a1-" * 11 + "a",
        ";;;",
        "**",
        "*-RU",
        "\x00",
        "ru;q=٠.٥",
    ],
)
def test_what_is_no_language_range_is_passed_over_and_the_rest_counts(wrong: str) -> None:
    assert rank_languages(wrong) == ()
    assert rank_languages(f"{wrong}, fr") == ("fr",)
    assert rank_languages(f",,fr;q=0.2,,{wrong},") == ("fr",)


def test_of_a_header_without_end_the_beginning_counts() -> None:
    many = ", ".join(["de"] * 49)

    assert rank_languages(f"{many}, fr, ru") == ("fr",)


@given(st.text(st.characters(max_codepoint=255)))
def test_whatever_is_sent_is_a_ranking_of_languages(header: str) -> None:
    ranked = rank_languages(header)

    assert set(ranked) <= set(LANGUAGES)
    assert len(set(ranked)) == len(ranked)


def test_the_best_that_is_there_is_chosen_else_english() -> None:
    ranked = rank_languages("uz-Cyrl, ru;q=0.5")

    assert choose_language(ranked, {"en", "ru", "uz", "uz-Cyrl"}) == "uz-Cyrl"
    assert choose_language(ranked, {"en", "ru", "uz"}) == "uz"
    assert choose_language(ranked, {"en", "ru"}) == "ru"
    assert choose_language(ranked, {"en", "fr"}) == ENGLISH
    assert choose_language((), {"en", "fr"}) == ENGLISH
