"""Validation errors of a request, described without the caller's input."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

from pydantic import BaseModel, Field

from app.cases.facts import FactName
from app.cases.sections import Section

MESSAGES: Final = {
    "missing": "This field is required.",
    "extra_forbidden": "This object has an unknown field.",
    "json_invalid": "This is not JSON.",
    "enum": "This is not one of the codes listed in the documentation.",
    "literal_error": "This is not one of the codes listed in the documentation.",
    "union_tag_invalid": "This is not one of the kinds listed in the documentation.",
    "union_tag_not_found": "The field that names the kind is missing.",
    "uuid_parsing": "This is not a UUID.",
    "uuid_type": "This is not a UUID.",
    "timezone_aware": "This date and time needs a time zone.",
    "datetime_parsing": "This is not a date and time of RFC 3339.",
    "datetime_from_date_parsing": "This is not a date and time of RFC 3339.",
    "date_parsing": "This is not a date: YYYY-MM-DD.",
    "date_from_datetime_parsing": "This is not a date: YYYY-MM-DD.",
    "date_from_datetime_inexact": "This must be a date without a time: YYYY-MM-DD.",
    "string_type": "This must be a string.",
    "string_unicode": "This is not Unicode text.",
    "bool_type": "This must be true or false.",
    "bool_parsing": "This must be true or false.",
    "int_type": "This must be a whole number.",
    "int_parsing": "This must be a whole number.",
    "list_type": "This must be a list.",
    "model_attributes_type": "This must be an object.",
    "model_type": "This must be an object.",
    "dict_type": "This must be an object.",
    "string_pattern_mismatch": "This does not have the documented form.",
    "string_too_long": "This is too long.",
    "string_too_short": "This is too short.",
    "too_long": "There are too many of these.",
    "too_short": "There are too few of these.",
    "greater_than_equal": "This is too small.",
    "less_than_equal": "This is too large.",
}
OWN_CODES: Final = frozenset(
    {
        "case_code_mistyped",
        "code_unknown",
        "continues_in_unclear",
        "end_unclear",
        "key_unusable",
        "kid_differs",
        "private_key_sent",
        "recipient_unclear",
        "section_twice",
        "text_unsafe",
        "url_unsound",
    }
)
"""Codes of validation errors whose messages are defined here and repeat no input."""

CELL_RULE: Final = "cell"
"""The code of a violated rule for a directory row, in a file or in a request."""


class Fault(BaseModel):
    """One error in a request."""

    pointer: Annotated[
        str, Field(description="A pointer `#/...` into the body, or a parameter's name.")
    ]
    code: Annotated[str, Field(description="A code such as `missing`. More may be added.")]
    detail: str


def describe_errors(errors: Sequence[Any]) -> list[Fault]:
    """Return the errors in a request. Errors of the code `none_required` are left out."""
    real = [error for error in errors if error["type"] != "none_required"]
    return [describe_error(error) for error in real]


def describe_error(error: Mapping[str, Any]) -> Fault:
    """Return a validation error with a message that does not repeat the caller's input."""
    code = error["type"]
    detail = error["msg"] if code in OWN_CODES else MESSAGES.get(code, "Not valid.")
    if code == CELL_RULE:
        detail = f"This {error['msg']}."
    return Fault(pointer=get_pointer(error), code=code, detail=detail)


def get_pointer(error: Mapping[str, Any]) -> str:
    """Return where an error is: a pointer into the body, or the name of a parameter.

    The name of an unknown field is left out, because it is the caller's text. The names of
    sections, facts and key types with which Pydantic marks a kind of object are left out
    too, because they are not fields of the body.
    """
    place, *path = [str(part) for part in error["loc"]]
    if error["type"] in {"extra_forbidden", "json_invalid"}:
        path.pop()
    if place != "body":
        return path[0] if path else place
    return "#" + "".join(f"/{part}" for part in path if part not in TAGS)


TAGS: Final = frozenset({*Section, *FactName, "EC", "RSA", "OKP"})
