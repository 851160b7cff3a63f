"""Real names are accepted, and invisible characters only where their script uses them."""

import time
import unicodedata
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from app.kernel.text import SafeLine, SafeText
from tests.support.real_names import INVISIBLE, NAMES

LINE: TypeAdapter[str] = TypeAdapter(SafeLine)
TEXT: TypeAdapter[str] = TypeAdapter(SafeText)
HIDING = {
    "joiners of a family of pictures": "Ana 👩\u200d👧",
    "joiner in Latin": "An\u200da",
    "non-joiner in Cyrillic": "Ан\u200cна",
    "non-joiner in Chinese": "王\u200c明",
    "joiner in Hindi without virama": "रा\u200dज",
    "two joiners": "ক্\u200d\u200dষ",
    "two non-joiners": "علی\u200c\u200cرضا",
    "non-joiner before a space": "علی\u200c رضا",
    "non-joiner before the end": "علی\u200c",
    "joiner after a vowel sign": "শ\u09be\u200d",
    "selectors in a row": "葛\U000e0100\U000e0101",
    "selector after Arabic": "علی\ufe00",
    "selector after a space": "Ana \ufe0f",
    "selector first": "\ufe0fAna",
    "Mongolian selector in Latin": "An\u180ba",
    "Mongolian separator in Latin": "An\u180ea",
    "two Mongolian selectors": "ᠠ\u180b\u180b",
    "two grapheme joiners": "שָ\u034f\u034f",
    "Hangul filler in a name": "An\u3164a",
    "Hangul fillers in jamo": "\u115f\u1160\u11a8ᄀ",
}


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize("adapter", [LINE, TEXT], ids=["line", "text"])
def test_a_real_name_passes_whole(form: Any, adapter: TypeAdapter[str]) -> None:
    typed = {which: unicodedata.normalize(form, name) for which, name in NAMES.items()}

    passed = {which: adapter.validate_python(name) for which, name in typed.items()}

    assert passed == {
        which: unicodedata.normalize("NFC", name) for which, name in NAMES.items()
    }


def test_these_names_are_written_as_they_are_kept() -> None:
    other = {n for n, name in NAMES.items() if not unicodedata.is_normalized("NFC", name)}

    assert other == set()


@pytest.mark.parametrize("text", HIDING.values(), ids=HIDING)
def test_what_hides_is_refused(text: str) -> None:
    with pytest.raises(ValidationError) as refused:
        LINE.validate_python(text)

    assert [e["type"] for e in refused.value.errors(include_input=False)] == ["text_unsafe"]


@pytest.mark.parametrize(
    "around", ["Mar{}ia", "{}Maria", "Maria{}", "Maria {}Lopez", "М{}а"]
)
def test_nothing_that_is_shown_as_nothing_passes_in_letters_with_cases(around: str) -> None:
    passed = []
    for point in INVISIBLE:
        try:
            text = LINE.validate_python(around.format(chr(point)))
        except ValidationError:
            continue
        passed.append((hex(point), text))

    assert passed == []


def test_a_picture_with_its_selector_passes() -> None:
    assert TEXT.validate_python("She drew ❤\ufe0f, ☎\ufe0f and 1\ufe0f\u20e3")


EVIL: dict[str, Callable[[int], str]] = {
    "joiners": lambda size: "ب\u200c" * (size // 2),
    "joiners after piles": lambda size: ("ب" + "\u064b" * 98 + "\u200c") * (size // 100),
    "one pile": lambda size: "ب" + "\u064b" * (size - 3) + "\u200cب",
    "pile out of order": lambda size: "a" + "\u0301\u0327" * (size // 2 - 1),
    "selectors": lambda size: "☎\ufe0f" * (size // 2),
    "spaces": lambda size: " " * (size - 1) + "a",
    "line breaks": lambda size: "\n" * (size - 1) + "a",
    "jamo": lambda size: "ᄀ" * size,
    "growing": lambda size: "\ufdfa" * size,
    "composed": lambda size: "\u0344" * size,
    "virama": lambda size: "क्\u200d" * (size // 3),
}


@pytest.mark.timed
@pytest.mark.parametrize("name", EVIL)
@pytest.mark.parametrize("size", [8000, 64 * 1024])
def test_no_text_takes_long(name: str, size: int) -> None:
    text = EVIL[name](size)

    assert measure_shortest(lambda: validate_text(text)) < 0.05


def validate_text(text: str) -> None:
    for adapter in (LINE, TEXT):
        with suppress(ValidationError):
            adapter.validate_python(text)


def measure_shortest(act: Callable[[], None], tries: int = 5) -> float:
    """Call a function several times, and return its shortest CPU time in seconds."""
    took = []
    for _ in range(tries):
        begun = time.thread_time()
        act()
        took.append(time.thread_time() - begun)
    return min(took)
