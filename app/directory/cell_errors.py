"""Messages about invalid cells of a file. Each message says what is allowed.

A message never quotes a cell. If a line is shifted by one column, any cell of it may
contain the name of a person.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from app.directory.cell_types import REGION_PATTERN, SHORT_NAME_PATTERN
from app.kernel.text import CODE_PATTERN, COUNTRY_PATTERN, LANGUAGE_PATTERN

type Context = Mapping[str, Any]

FORMS: Final = {
    CODE_PATTERN: "a code of 2 to 40 capital letters, digits and _, like KZ_LEAD",
    COUNTRY_PATTERN: "a country code of ISO 3166-1, like KZ",
    LANGUAGE_PATTERN: "a language tag of BCP 47, like uz or uz-Cyrl",
    SHORT_NAME_PATTERN: "a text without a semicolon",
    REGION_PATTERN: "2 to 40 small letters and _, like central_asia",
}
"""A description of the texts that each pattern allows."""
NUMBER: Final = "must be a whole number"
RULES: Final[Mapping[str, Callable[[Context], str]]] = {
    "cell": lambda context: str(context["what"]),
    "text_unsafe": lambda context: f"must not have {context['what']}",
    "string_pattern_mismatch": lambda context: f"must be {describe_form(context)}",
    "string_too_short": lambda _: "must not be empty",
    "string_too_long": lambda context: (
        f"must have at most {context['max_length']} characters"
    ),
    "greater_than_equal": lambda context: f"must be at least {context['ge']}",
    "less_than_equal": lambda context: f"must be at most {context['le']}",
    "greater_than": lambda context: f"must be more than {context['gt']}",
    "less_than": lambda context: f"must be less than {context['lt']}",
    "enum": lambda context: f"must be {list_codes(context)}",
    "literal_error": lambda context: f"must be {list_codes(context)}",
    "date_type": lambda _: "must be a date, like 2026-01-01",
    "int_type": lambda _: NUMBER,
    "int_parsing": lambda _: NUMBER,
    "int_parsing_size": lambda _: NUMBER,
    "int_from_float": lambda _: NUMBER,
}
"""The message for each type of error that Pydantic or a validator of a cell reports."""


def describe_cell_error(error: Mapping[str, Any]) -> str:
    """Return text that says what a cell must contain. A list item is named by position."""
    place, rule = error["loc"], RULES.get(error["type"])
    what = rule(error.get("ctx", {})) if rule else "is not allowed here"
    return f"item {place[1] + 1} {what}" if len(place) > 1 else what


def describe_form(context: Context) -> str:
    """Return a description of the texts that a pattern allows."""
    pattern = context["pattern"]
    return FORMS.get(pattern, f"text of the form {pattern}")


def list_codes(context: Context) -> str:
    """Return the allowed codes as text. Pydantic takes them from the type of the column."""
    *others, last = re.findall(r"'([^']*)'", context["expected"])
    return f"{', '.join(others)} or {last}" if others else last
