"""A notification says that something waits, in the reader's language, and nothing more."""

from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.kernel.text import normalize_text
from app.notifications.words import WORDS, get_words, write_message

SIGN_IN = "https://sign-in.example.org"
ASKED_FOR = {"en", "es", "ru", "fr", "uz", "kk", "ky", "tg", "pt", "ht", "nl"}
TELLING = (
    "safe conduct",
    "case",
    "traffick",
    "victim",
    "referral",
    "shelter",
    "urgent",
    "дело",
    "жертв",
    "торговл",
    "срочн",
    "caso",
    "trata",
    "urgent",
    "zaak",
    "spoed",
)
"""Words that would reveal the subject of a message to other people at the screen."""


def test_there_are_words_in_every_language_of_the_mechanism() -> None:
    assert WORDS.keys() >= ASKED_FOR
    assert len(set(WORDS.values())) == len(WORDS)


@pytest.mark.parametrize(
    ("tag", "found"),
    [
        ("uz", "uz"),
        ("uz-Cyrl", "uz-Cyrl"),
        ("uz-Cyrl-UZ", "uz-Cyrl"),
        ("uz-Latn", "uz"),
        ("es-GT", "es"),
        ("pt-BR", "pt"),
        ("kk-Cyrl-KZ", "kk"),
        ("ar", "en"),
        ("fil", "en"),
    ],
)
def test_a_language_falls_back_on_its_base_and_then_on_english(
    tag: str, found: str
) -> None:
    assert get_words(tag) == WORDS[found]


@pytest.mark.parametrize("tag", WORDS)
def test_words_are_short_plain_and_tell_nothing(tag: str) -> None:
    made = write_message(UUID(int=7), "duty@example.org", tag, SIGN_IN)

    for text in (made.subject, made.text):
        assert normalize_text(text) == text
        assert "\n" not in text
        assert not [word for word in TELLING if word in text.lower()]
    rest = made.text.replace(SIGN_IN, "")
    assert not any(char.isdigit() for char in made.subject + rest)
    assert not {"@", "/", "#", "<", "%"} & set(made.subject + rest)
    assert made.text.count(SIGN_IN) == 1


@pytest.mark.parametrize("tag", WORDS)
def test_without_a_place_to_sign_in_a_text_message_is_one_message(tag: str) -> None:
    made = write_message(UUID(int=7), "+447700900101", tag, None)

    length = 160 if made.text.isascii() else 70
    assert len(made.text) <= length


@given(st.sampled_from(sorted(WORDS)))
def test_a_notice_is_the_same_whatever_it_is_about(tag: str) -> None:
    one, other = (write_message(uuid4(), "duty@example.org", tag, SIGN_IN) for _ in "12")

    assert (one.subject, one.text) == (other.subject, other.text)
