"""Validation errors of a request, described without the caller's input.

A description names only fields and codes that the schema of the request contains.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Annotated, Any, Final

from fastapi import Request
from fastapi.routing import APIRoute
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
    "timezone_aware": "This needs a time zone, such as `2026-12-01T09:00:00Z`.",
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
        "draft_too_large",
        "end_unclear",
        "key_unusable",
        "kid_differs",
        "one_person_twice",
        "private_key_sent",
        "recipient_unclear",
        "recipients_too_many",
        "recipient_repeated",
        "search_unclear",
        "section_twice",
        "text_unsafe",
        "url_unsound",
    }
)
"""Codes of validation errors with messages of our own, which never repeat the input."""

UNKNOWN_FIELD: Final = "extra_forbidden"
EXPECTED: Final = {
    "enum": "expected",
    "literal_error": "expected",
    "union_tag_invalid": "expected_tags",
}
"""The errors for which Pydantic lists the allowed codes, with the key of that list."""
MOST_CODES: Final = 30
"""The maximum number of codes that a message lists."""
CELL_RULE: Final = "cell"
"""The code of a violated rule for a directory row, in a file or in a request."""


class Fault(BaseModel):
    """One error in a request."""

    pointer: Annotated[
        str, Field(description="A pointer `#/...` into the body, or a parameter's name.")
    ]
    code: Annotated[str, Field(description="A code such as `missing`. More may be added.")]
    detail: str


type Place = tuple[str | int, ...]
"""The place of an error: `body`, `query`, `path` or `header`, then names and indexes."""


def describe_errors(request: Request, errors: Sequence[Any]) -> list[Fault]:
    """Return the errors in a request. Errors with the code `none_required` are left out."""
    real = [error for error in errors if error["type"] != "none_required"]
    return [describe_error(request, error) for error in real]


def describe_error(request: Request, error: Mapping[str, Any]) -> Fault:
    """Return a validation error with a message that does not repeat the caller's input."""
    code = error["type"]
    detail = error["msg"] if code in OWN_CODES else MESSAGES.get(code, "Not valid.")
    if code == CELL_RULE:
        detail = f"This {error['msg']}."
    elif code == UNKNOWN_FIELD:
        detail = describe_unknown_field(request, error["loc"])
    elif code in EXPECTED:
        detail = describe_codes(error.get("ctx", {}).get(EXPECTED[code], "")) or detail
    return Fault(pointer=get_pointer(error), code=code, detail=detail)


def describe_codes(expected: str) -> str:
    """Return a message that lists the allowed codes, or "" if there are none.

    `expected` is the list that Pydantic takes from the schema, such as `'yes' or 'no'`. For
    more than `MOST_CODES` codes, the message refers to the OpenAPI document instead.
    """
    codes = re.findall(r"'([^']*)'", expected)
    if len(codes) > MOST_CODES:
        return "This is not one of the codes in the schema of this field, in /openapi.json."
    return f"Send one of: {format_names(codes)}." if codes else ""


def describe_unknown_field(request: Request, place: Place) -> str:
    """Return a message that lists the fields or parameters that are allowed instead."""
    kind, *path, _ = place
    route = request.scope["route"]
    if kind == "query":
        names = list_parameters(route)
        allowed = f"It has: {format_names(names)}." if names else "It has none."
        return f"This operation has no such parameter. {allowed}"
    names = list_fields(route.body_schema, path)
    allowed = f" Its fields are: {format_names(names)}." if names else ""
    return MESSAGES[UNKNOWN_FIELD] + allowed


def list_parameters(route: APIRoute) -> list[str]:
    """Return the names of the query parameters of a route."""
    names = list[str]()
    for field in route.dependant.query_params:
        kind = field.field_info.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            names += [one.alias or name for name, one in kind.model_fields.items()]
        else:
            names.append(field.alias)
    return names


def list_fields(whole: dict[str, Any], path: Sequence[str | int]) -> list[str]:
    """Return the field names of the object at a path, or [] if unknown or ambiguous."""
    found = [whole]
    for part in path:
        options = [option for one in found for option in list_options(whole, one)]
        found = [child for option in options for child in list_children(option, part)]
    objects = [option for one in found for option in list_options(whole, one)]
    fields = [one["properties"] for one in objects if "properties" in one]
    return list(fields[0]) if len(fields) == 1 else []


def list_options(whole: dict[str, Any], schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the schemas that a reference or a union without a discriminator stands for."""
    if "$ref" in schema:
        yield from list_options(whole, get_definition(whole, schema["$ref"]))
    elif "anyOf" in schema:
        for option in schema["anyOf"]:
            yield from list_options(whole, option)
    else:
        yield schema


def get_definition(whole: dict[str, Any], reference: str) -> dict[str, Any]:
    """Return the definition that a reference points to."""
    definition: dict[str, Any] = whole["$defs"][reference.removeprefix("#/$defs/")]
    return definition


def list_children(schema: dict[str, Any], part: str | int) -> Iterator[dict[str, Any]]:
    """Yield the schema of the field, list item or tagged object that `part` names."""
    kinds = schema.get("discriminator", {}).get("mapping", {})
    if part in kinds:
        yield {"$ref": kinds[part]}
    elif part in schema.get("properties", {}):
        yield schema["properties"][part]
    elif isinstance(part, int) and "items" in schema:
        yield schema["items"]


def format_names(names: Sequence[str]) -> str:
    """Format names in backticks, separated by commas, for use in a sentence."""
    return ", ".join(f"`{name}`" for name in names)


def get_pointer(error: Mapping[str, Any]) -> str:
    """Return the place of an error: a pointer into the body, or the name of a parameter.

    The name of an unknown field is left out, because it is the caller's text. Pydantic also
    inserts the name of a section, fact or key type to mark the kind of an object. Such a
    name is left out too, because it is not a field of the body, unless it names a list.
    """
    place, *path = [str(part) for part in error["loc"]]
    if error["type"] in {UNKNOWN_FIELD, "json_invalid"}:
        path.pop()
    if place != "body":
        return path[0] if path else place
    end = "0" if error["type"] in LIST_ERRORS else ""
    parts = [
        part
        for part, following in pairwise([*path, end])
        if part not in TAGS or following.isdigit()
    ]
    return "#" + "".join(f"/{part}" for part in parts)


LIST_ERRORS: Final = frozenset({"list_type", "too_long", "too_short"})
"""Errors about a list as a whole."""
TAGS: Final = frozenset({*Section, *FactName, "EC", "RSA", "OKP"})
