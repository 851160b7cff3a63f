"""Forms of the console: their fields, and the request body that a filled form gives.

The name of a field is its place in the body, so an error of the API finds its field.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from itertools import pairwise
from typing import Any, Final
from zoneinfo import ZoneInfo

from starlette.datastructures import FormData

from app.console.api_client import ApiProblem, Json
from app.console.formats import Formats
from app.console.translations import mark

MISSING: Final = mark("Fill in this field.")
NOT_A_TIME: Final = mark("Write a date and a time.")
ON: Final = "on"


class FieldKind(StrEnum):
    """The kinds of fields; each has a macro of the same name in `forms.html`."""

    TEXT = "text"
    LONG_TEXT = "long_text"
    PHONE = "phone"
    CHOICE = "choice"
    CHOICES = "choices"
    CHECK = "check"
    DATE = "date"
    TIME = "time"


@dataclass(frozen=True, kw_only=True)
class FormField:
    """A field of a form.

    `name` is the place in the body, such as `meeting/at` or `contacts/0/name`. `words` is
    the reference list of a choice, and `codes` the codes that can be chosen, by default
    all of the list. `label` and `hint` are English texts that are marked for translation.
    """

    name: str
    label: str
    kind: FieldKind = FieldKind.TEXT
    words: str = ""
    codes: tuple[str, ...] = ()
    is_required: bool = True
    hint: str = ""

    def list_options(self, formats: Formats) -> Sequence[tuple[str, str]]:
        """Return the codes that can be chosen, each with its words."""
        codes = self.codes or formats.list_codes(self.words)
        return [(code, formats.name_code(self.words, code)) for code in codes]


@dataclass(frozen=True, kw_only=True)
class FilledForm:
    """What a person sent with a form: the values as typed, the body, and local errors.

    `errors` has a marked English text for each field that is missing or malformed.
    """

    values: Mapping[str, Sequence[str]] = field(default_factory=dict)
    body: Json = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)

    def get(self, name: str) -> str:
        """Return the value of a field as it was typed, or an empty text."""
        return next(iter(self.values.get(name, ())), "")

    def has(self, name: str, value: str) -> bool:
        """Return whether a value of a field was chosen."""
        return value in self.values.get(name, ())


EMPTY: Final = FilledForm()


def read_form(fields: Iterable[FormField], form: FormData, zone: ZoneInfo) -> FilledForm:
    """Return what was sent for the given fields. Times are in the given time zone.

    Fields that were left empty are left out of the body.
    """
    values: dict[str, Sequence[str]] = {}
    errors: dict[str, str] = {}
    body: Json = {}
    for one in fields:
        typed = [v.strip() for v in form.getlist(one.name) if isinstance(v, str)]
        values[one.name] = filled = [value for value in typed if value]
        if one.kind == FieldKind.CHECK:
            place_value(body, one.name, bool(filled))
        elif filled:
            try:
                place_value(body, one.name, convert_value(one, filled, zone))
            except ValueError:
                errors[one.name] = NOT_A_TIME
        elif one.is_required:
            errors[one.name] = MISSING
    return FilledForm(values=values, body=body, errors=errors)


def convert_value(one: FormField, filled: Sequence[str], zone: ZoneInfo) -> object:
    """Return the value of the body for a field. Raises ValueError for a malformed time."""
    match one.kind:
        case FieldKind.CHOICES:
            return list(filled)
        case FieldKind.TIME:
            return datetime.fromisoformat(filled[0]).replace(tzinfo=zone).isoformat()
        case _:
            return filled[0]


def place_value(body: Json, name: str, value: object) -> None:
    """Set a value in a body at a place such as `meeting/at` or `contacts/0/name`."""
    names = name.split("/")
    target: Any = body
    for parent, child in pairwise(names):
        empty: Any = [] if child.isdigit() else {}
        target = get_child(target, parent, empty)
    target[names[-1]] = value


def get_child(target: Any, name: str, empty: Any) -> Any:
    """Return the child of an object or a list, which is added if it is missing."""
    if not isinstance(target, list):
        return target.setdefault(name, empty)
    if len(target) <= int(name):
        target.append(empty)
    return target[int(name)]


def find_field_errors(problem: ApiProblem | None, fields: Iterable[FormField]) -> Json:
    """Return the error of each field that the API did not accept, by the field's name."""
    names = [one.name for one in fields]
    found: Json = {}
    for error in problem.body.get("errors", ()) if problem else ():
        pointer = str(error.get("pointer", "")).strip("/")
        name = next((name for name in names if pointer.startswith(name)), None)
        if name is not None:
            found.setdefault(name, error["detail"])
    return found
