"""Forms of the console: their fields, and the request body of a filled form.

The name of a field is its path in the body, so that API errors can be matched to it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from zoneinfo import ZoneInfo

from starlette.datastructures import FormData

from app.console.api_client import ApiProblem, Json
from app.console.formats import Formats
from app.console.translations import mark

MISSING: Final = mark("Fill in this field.")
NOT_A_TIME: Final = mark("Write a date and a time.")
NOT_A_NUMBER: Final = mark("Write a whole number.")
TAG: Final = "tag"
"""The hidden field with the entity tag of the version that the person saw."""
KEY: Final = "key"
"""The hidden field with the idempotency key of the form."""
ON: Final = "on"
YES: Final = "yes"


class FieldKind(StrEnum):
    """The kinds of fields, which the macro `field` in `forms.html` renders."""

    TEXT = "text"
    LONG_TEXT = "long_text"
    PHONE = "phone"
    CHOICE = "choice"
    CHOICES = "choices"
    GROUPED = "grouped"
    OFFICE = "office"
    OFFICES = "offices"
    CHECK = "check"
    YES_NO = "yes_no"
    LINES = "lines"
    DATE = "date"
    TIME = "time"
    NUMBER = "number"


MALFORMED: Final = {FieldKind.TIME: NOT_A_TIME, FieldKind.NUMBER: NOT_A_NUMBER}
"""The error for a malformed field, by the kind of the field."""


CHOSEN: Final = frozenset({FieldKind.CHOICES, FieldKind.GROUPED, FieldKind.OFFICES})
"""The kinds of fields in which several values can be chosen."""
LISTS: Final = CHOSEN | {FieldKind.LINES}
"""The kinds of fields whose value is a list, which may be empty."""


@dataclass(frozen=True, kw_only=True)
class FormField:
    """A field of a form.

    `name` is the path in the body, such as `meeting/at` or `contacts/0/name`. `words` is
    the reference list of a choice. `codes` contains the codes that can be chosen, by
    default all codes of the list. `groups` is the reference list with the names of the
    groups. `label` and `hint` are English texts that are marked for translation.
    """

    name: str
    label: str
    kind: FieldKind = FieldKind.TEXT
    words: str = ""
    codes: tuple[str, ...] = ()
    groups: str = ""
    is_required: bool = True
    hint: str = ""

    def list_options(self, formats: Formats) -> Sequence[tuple[str, str]]:
        """Return the codes that can be chosen, each with its label."""
        codes = self.codes or formats.list_codes(self.words)
        return [(code, formats.name_code(self.words, code)) for code in codes]

    def write_value(self, value: Any) -> Sequence[str]:
        """Convert a value of a request body to the texts of this field in a form."""
        if value is None or value is False:
            return ()
        if value is True:
            return (ON,)
        if self.kind == FieldKind.LINES:
            return ("\n".join(value),)
        return tuple(value) if self.kind in LISTS else (str(value),)

    def list_groups(self, formats: Formats) -> Sequence[tuple[str, Sequence[str]]]:
        """Return the groups of the list, each with its name and its codes."""
        groups = formats.group_codes(self.words)
        return [(formats.name_code(self.groups, key), groups[key]) for key in groups]


@dataclass(frozen=True, kw_only=True)
class FilledForm:
    """A submitted form: the entered values, the request body, and the errors.

    `errors` has an English text, marked for translation, for each missing or malformed
    field.
    """

    values: Mapping[str, Sequence[str]] = field(default_factory=dict)
    body: Json = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)

    def get(self, name: str) -> str:
        """Return the first entered value of a field, or an empty string if it has none."""
        return next(iter(self.values.get(name, ())), "")

    def has(self, name: str, value: str) -> bool:
        """Return whether a value of a field was chosen."""
        return value in self.values.get(name, ())


EMPTY: Final = FilledForm()


def read_texts(form: FormData, name: str) -> list[str]:
    """Return the text values of a field, with CR LF line breaks replaced by LF."""
    sent = (value for value in form.getlist(name) if isinstance(value, str))
    return [value.replace("\r\n", "\n") for value in sent]


def read_form(fields: Iterable[FormField], form: FormData, zone: ZoneInfo) -> FilledForm:
    """Return the filled form with the given fields. Entered times are in `zone`.

    The body omits fields that were left empty, except lists, which are empty, and
    checkboxes, which are false.
    """
    values: dict[str, Sequence[str]] = {}
    errors: dict[str, str] = {}
    body: Json = {}
    for one in fields:
        typed = [value.strip() for value in read_texts(form, one.name)]
        values[one.name] = filled = [value for value in typed if value]
        if one.kind == FieldKind.CHECK:
            set_value(body, one.name, bool(filled))
        elif filled:
            try:
                set_value(body, one.name, convert_value(one, filled, zone))
            except ValueError:
                errors[one.name] = MALFORMED[one.kind]
        elif one.is_required:
            errors[one.name] = MISSING
        elif one.kind in LISTS:
            set_value(body, one.name, [])
    return FilledForm(values=values, body=close_lists(body), errors=errors)


def convert_value(one: FormField, filled: Sequence[str], zone: ZoneInfo) -> object:
    """Return the value of a field for the request body.

    Raises ValueError for a malformed time or number.
    """
    match one.kind:
        case kind if kind in CHOSEN:
            return list(filled)
        case FieldKind.LINES:
            return [line.strip() for line in filled[0].splitlines() if line.strip()]
        case FieldKind.YES_NO:
            return filled[0] == YES
        case FieldKind.TIME:
            return datetime.fromisoformat(filled[0]).replace(tzinfo=zone).isoformat()
        case FieldKind.NUMBER:
            return int(filled[0])
        case _:
            return filled[0]


def set_value(body: Json, name: str, value: object) -> None:
    """Set the value at a path in a body, such as `meeting/at` or `contacts/0/name`.

    List items are stored under their index until `close_lists` is called.
    """
    *parents, last = name.split("/")
    target: Any = body
    for parent in parents:
        target = target.setdefault(parent, {})
    target[last] = value


def close_lists(value: Any) -> Any:
    """Return a body in which items that are stored under their index become lists.

    A missing index leaves no gap.
    """
    if not isinstance(value, dict):
        return value
    closed = {key: close_lists(child) for key, child in value.items()}
    if closed and all(key.isdigit() for key in closed):
        return [closed[key] for key in sorted(closed, key=int)]
    return closed


def find_field(place: str, names: Iterable[str]) -> str | None:
    """Return the name of the field to which a path in the body belongs, or None."""
    return next((one for one in names if f"{place}/".startswith(f"{one}/")), None)


def find_field_errors(problem: ApiProblem | None, fields: Iterable[FormField]) -> Json:
    """Return the first error of each field that the API refused, by the field's name."""
    names = [one.name for one in fields]
    found: Json = {}
    for error in problem.body.get("errors", ()) if problem else ():
        name = find_field(str(error.get("pointer", "")).lstrip("#/"), names)
        if name is not None:
            found.setdefault(name, error["detail"])
    return found
