"""Strict input: texts that cannot lie, codes that can be checked."""

import unicodedata
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Annotated, Final

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
"""Zero-width (non-)joiners spell real Persian and Hindi names, between letters."""
VIRAMA: Final = 9
MARKS: Final = "\u064b\u064c\u064d\u064e\u064f\u0650\u0651\u0652\u0670"
BLANKS: Final = frozenset("\u115f\u1160\u2800\u3164\uffa0")
LINES: Final = frozenset("\n\t")
UNPRINTED: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def safe(text: str) -> str:
    """Normalise a text to NFC, or say why it is refused (ASSURANCE.md R67).

    Control characters and bidirectional overrides make a text read as another one; a lone
    surrogate cannot be stored.
    """
    text = unicodedata.normalize("NFC", text).strip()
    for index, char in enumerate(text):
        if char in JOINERS:
            if not joins(text, index):
                raise refused("a joiner that joins nothing")
        elif char in BIDI:
            raise refused("a character that changes the direction of reading")
        elif unicodedata.category(char) in UNPRINTED and char not in LINES:
            raise refused("a control or unassigned character")
    if not any(shows(char) for char in text):
        raise refused("nothing that can be seen")
    return text


def joins(text: str, index: int) -> bool:
    """Say whether a joiner stands where a script needs one (after RFC 5892, appendix A).

    Next to a virama inside a word of an Indic script, or between two letters of a script
    that joins its letters, as Arabic does.
    """
    if not 0 < index < len(text) - 1:
        return False
    before = text[:index].rstrip(MARKS)[-1:]
    after = text[index + 1]
    virama = VIRAMA in (
        unicodedata.combining(text[index - 1]),
        unicodedata.combining(after),
    )
    return virama or {
        unicodedata.bidirectional(before or " "),
        unicodedata.bidirectional(after),
    } == {"AL"}


def shows(char: str) -> bool:
    """Say whether a character is something to see by itself."""
    return unicodedata.category(char)[0] in "LNPS" and char not in BLANKS


def one_line(text: str) -> str:
    """Refuse a line break where one line is meant."""
    if LINES & set(text):
        raise refused("a line break or tab")
    return text


def at_most(length: int) -> Callable[[str], str]:
    """Measure a text again: NFC makes some longer."""

    def measured(text: str) -> str:
        if len(text) > length:
            raise refused(f"more than {length} characters")
        return text

    return measured


def refused(what: str) -> PydanticCustomError:
    """Say what is wrong without repeating it."""
    return PydanticCustomError("text_unsafe", "This text holds {what}.", {"what": what})


def spelled(value: object) -> object:
    """Take instants and days as texts alone: a number could mean seconds or millis."""
    if not isinstance(value, str | date):
        raise PydanticCustomError("string_type", "This must be a text.")
    return value


Instant = Annotated[
    AwareDatetime,
    BeforeValidator(spelled),
    Field(gt=datetime(2000, 1, 1, tzinfo=UTC), lt=datetime(2100, 1, 1, tzinfo=UTC)),
]
Day = Annotated[date, BeforeValidator(spelled), Field(gt=date(1900, 1, 1))]
SafeLine = Annotated[
    str,
    StringConstraints(min_length=1, max_length=200),
    AfterValidator(safe),
    AfterValidator(one_line),
    AfterValidator(at_most(200)),
]
SafeText = Annotated[
    str,
    StringConstraints(min_length=1, max_length=8000),
    AfterValidator(safe),
    AfterValidator(at_most(8000)),
]
CountryCode = Annotated[
    str,
    Field(pattern=r"^[A-Z]{2}$", description="ISO 3166-1 alpha-2.", examples=["KZ"]),
]
LanguageTag = Annotated[
    str,
    Field(
        pattern=r"^[a-z]{2,3}(-[A-Z][a-z]{3})?(-[A-Z]{2})?$",
        description="BCP 47: language, script, region.",
        examples=["uz", "uz-Cyrl", "es"],
    ),
]
Phone = Annotated[
    str,
    Field(pattern=r"^\+[1-9][0-9]{6,14}$", description="E.164.", examples=["+77010000000"]),
]
Code = Annotated[
    str, Field(pattern=r"^[A-Z][A-Z0-9_]{1,39}$", description="A code of a code list.")
]


class Asked(BaseModel):
    """Something a caller sends; a field we do not know is refused."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class Shown(BaseModel):
    """Something we answer; every field is always there, and more may come in time."""

    model_config = ConfigDict(
        from_attributes=True, json_schema_serialization_defaults_required=True
    )
