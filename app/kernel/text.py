"""Validated input: instants, codes, numbers, and text without deceptive characters."""

import base64
import unicodedata
from collections.abc import Callable, Collection
from datetime import UTC, date, datetime
from typing import Annotated, Any, Final

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
)
from pydantic_core import PydanticCustomError

BIDI: Final = frozenset(
    "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c"
)
JOINERS: Final = frozenset("\u200c\u200d")
"""The zero-width joiner and non-joiner, which Persian and Hindi words may need."""
VIRAMA: Final = 9
GRAPHEME_JOINER: Final = "\u034f"
VOWEL_SEPARATOR: Final = "\u180e"
MONGOLIAN: Final = range(0x1820, 0x18AB)
JOINING: Final = (MONGOLIAN, range(0x07CA, 0x07EB), range(0x1E900, 0x1E944))
"""Letters that join, but do not have the bidirectional class AL: Mongolian, N'Ko, Adlam."""
VARIANT_LETTERS: Final = (
    range(0x3400, 0x4DC0),
    range(0x4E00, 0xA000),
    range(0xF900, 0xFB00),
    range(0x20000, 0x323B0),
    range(0x1000, 0x10A0),
)
"""Letters with variant forms: ideographs, and letters of Burmese and related scripts."""
VARIATION_SELECTORS: Final = (
    range(0x180B, 0x180E),
    range(0x180F, 0x1810),
    range(0xFE00, 0xFE10),
    range(0xE0100, 0xE01F0),
)
FILLERS: Final = frozenset("\u115f\u1160\u3164\uffa0\u17b4\u17b5")
"""Invisible letters, with which two different names could look the same."""
BRAILLE_BLANK: Final = "\u2800"
LINE_BREAKS: Final = frozenset("\n\t")
CONTROL_CATEGORIES: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def encode_base64url(value: bytes) -> str:
    """Encode bytes as base64url without padding."""
    return base64.urlsafe_b64encode(value).decode().rstrip("=")


def normalize_text(text: str) -> str:
    """Return the text in NFC; raise PydanticCustomError if it is unsafe or blank (R67).

    White space at both ends is removed. Control characters and bidirectional overrides can
    make a text look like another text, a lone surrogate cannot be stored, and invisible
    characters can hide another text.
    """
    text = unicodedata.normalize("NFC", text).strip()
    if not all(map(is_plain, set(text))):  # each character once, which is faster
        for index, char in enumerate(text):
            if not is_plain(char):
                require_safe(text, index, char)
    if not any(is_visible(char) for char in text):
        raise build_text_error("no visible character")
    return text


def is_plain(char: str) -> bool:
    """Return whether a character is safe in every position of a text."""
    letter = char.isalpha() and char not in FILLERS
    return letter or (char.isascii() and char.isprintable())


def require_safe(text: str, index: int, char: str) -> None:
    """Raise PydanticCustomError if a character is not safe at its position."""
    if char in BIDI:
        raise build_text_error("a character that changes the text direction")
    if char in FILLERS:
        raise build_text_error("an invisible letter")
    if char in JOINERS:
        if not is_joiner_allowed(text, index):
            raise build_text_error("a zero-width joiner without an effect")
    elif char in INVISIBLE_MARKS or is_in(VARIATION_SELECTORS, char):
        if not is_mark_allowed(text, index):
            raise build_text_error("an invisible mark")
    elif unicodedata.category(char) in CONTROL_CATEGORIES and char not in LINE_BREAKS:
        raise build_text_error("a control or unassigned character")


INVISIBLE_MARKS: Final = frozenset({GRAPHEME_JOINER, VOWEL_SEPARATOR})


def is_joiner_allowed(text: str, index: int) -> bool:
    """Return whether a joiner is allowed at its position (after RFC 5892, appendix A).

    A joiner is allowed before or after a virama of an Indic script, even at the end of a
    word, and within a word beside a letter of a script whose letters join, such as Arabic.
    """
    after = text[index + 1 : index + 2]
    if unicodedata.combining(text[index - 1 : index] or " ") == VIRAMA:
        return True
    before = find_base_character(text, index)
    if not is_word_character(before) or not is_word_character(after):
        return bool(before and after) and unicodedata.combining(after) == VIRAMA
    return is_joining_letter(before) or is_joining_letter(after)


def find_base_character(text: str, index: int) -> str:
    """Return the last character before `index` that is not a nonspacing mark, or ""."""
    for place in range(index - 1, -1, -1):
        if unicodedata.category(text[place]) != "Mn":
            return text[place]
    return ""


def is_word_character(char: str) -> bool:
    """Return whether a character is a letter or a number."""
    return bool(char) and unicodedata.category(char)[0] in "LN"


def is_joining_letter(char: str) -> bool:
    """Return whether a character is a letter of a script whose letters join."""
    return unicodedata.bidirectional(char) == "AL" or is_in(JOINING, char)


def is_mark_allowed(text: str, index: int) -> bool:
    """Return whether an invisible mark is allowed at its position.

    Allowed marks are: a Mongolian mark after a Mongolian letter; a variation selector after
    a letter with variant forms, a number, a punctuation mark or a symbol; and a grapheme
    joiner after a nonspacing mark. Elsewhere, a mark has no effect and could hide data.
    """
    char, before = text[index], text[index - 1 : index]
    if char == VOWEL_SEPARATOR or "\u180b" <= char <= "\u180f":
        return is_in((MONGOLIAN,), before)
    category = unicodedata.category(before or " ")
    if char == GRAPHEME_JOINER:
        return category == "Mn" and before not in INVISIBLE_MARKS
    return is_in(VARIANT_LETTERS, before) or category[0] in "NPS"


def is_in(ranges: Collection[range], char: str) -> bool:
    """Return whether a character is in one of these ranges."""
    return bool(char) and any(ord(char) in part for part in ranges)


def is_visible(char: str) -> bool:
    """Return whether a character is visible by itself."""
    return unicodedata.category(char)[0] in "LNPS" and char != BRAILLE_BLANK


def require_one_line(text: str) -> str:
    """Return the text; raise PydanticCustomError if it contains a line break or a tab."""
    if LINE_BREAKS & set(text):
        raise build_text_error("a line break or tab")
    return text


def limit_length(length: int) -> Callable[[str], str]:
    """Return a validator that limits the length of a text after its conversion to NFC."""

    def validate(text: str) -> str:
        if len(text) > length:
            raise build_text_error(f"more than {length} characters")
        return text

    return validate


def build_text_error(what: str) -> PydanticCustomError:
    """Return an error that says what is wrong with a text, without repeating the text."""
    return PydanticCustomError("text_unsafe", "This text has {what}.", {"what": what})


def require_text(value: object) -> object:
    """Return a string or date unchanged; raise PydanticCustomError for any other value."""
    if not isinstance(value, str | date):
        raise PydanticCustomError("string_type", "This must be a string.")
    return value


Instant = Annotated[
    AwareDatetime,
    BeforeValidator(require_text),
    Field(gt=datetime(2000, 1, 1, tzinfo=UTC), lt=datetime(2100, 1, 1, tzinfo=UTC)),
]


def convert_whole(value: object) -> object:
    """Return a whole float as an integer, because JSON Schema treats 3.0 as an integer."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


WHOLE_NUMBER: Final = BeforeValidator(convert_whole)
"""A validator for whole numbers. In an annotation, place it after the bounds of the number;
otherwise the contract omits the bounds."""
Day = Annotated[date, BeforeValidator(require_text), Field(gt=date(1900, 1, 1))]
SAFE_FORMAT: Final = {"format": "safe-text"}
"""The format of safe text in the contract; the API's description explains it."""
MAX_LINE_LENGTH: Final = 200
"""The maximum number of characters in a line."""
SafeLine = Annotated[
    str,
    StringConstraints(min_length=1, max_length=MAX_LINE_LENGTH),
    Field(json_schema_extra=SAFE_FORMAT),
    AfterValidator(normalize_text),
    AfterValidator(require_one_line),
    AfterValidator(limit_length(MAX_LINE_LENGTH)),
]
SafeText = Annotated[
    str,
    StringConstraints(min_length=1, max_length=8000),
    Field(json_schema_extra=SAFE_FORMAT),
    AfterValidator(normalize_text),
    AfterValidator(limit_length(8000)),
]
COUNTRY_PATTERN: Final = r"^[A-Z]{2}$"
LANGUAGE_PATTERN: Final = r"^[a-z]{2,3}(-[A-Z][a-z]{3})?(-[A-Z]{2})?$"
CODE_PATTERN: Final = r"^[A-Z][A-Z0-9_]{1,39}$"
CountryCode = Annotated[
    str, Field(pattern=COUNTRY_PATTERN, description="ISO 3166-1 alpha-2.", examples=["KZ"])
]
LanguageTag = Annotated[
    str,
    Field(
        pattern=LANGUAGE_PATTERN,
        description="BCP 47: language, script, region.",
        examples=["uz", "uz-Cyrl", "es"],
    ),
]
Phone = Annotated[
    str,
    Field(pattern=r"^\+[1-9][0-9]{6,14}$", description="E.164.", examples=["+77010000000"]),
]
Code = Annotated[str, Field(pattern=CODE_PATTERN, description="A code of a code list.")]


class RequestModel(BaseModel):
    """The base class of request bodies, which rejects unknown fields."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class ResponseModel(BaseModel):
    """The base class of responses. Every field is always present; fields may be added."""

    model_config = ConfigDict(
        from_attributes=True, json_schema_serialization_defaults_required=True
    )


def describe_optional(description: str) -> Any:
    """Return a `Field` for a property that a response omits if its value is None.

    Do not use it in a `ResponseModel`, whose contract requires every property.
    """
    return Field(
        description=description,
        exclude_if=lambda value: value is None,
        json_schema_extra=remove_default,
    )


def remove_default(schema: dict[str, Any]) -> None:
    """Remove the default from the schema of a property that may be absent."""
    del schema["default"]
