"""The five steps of "Refer someone", and the checks of the values of each step."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Final

from starlette.datastructures import FormData

from app.console import refer_consent_fields as consent
from app.console import refer_fields as fields
from app.console.formats import Formats
from app.console.forms import MISSING, FilledForm, FormField, read_form
from app.console.refer_consent_fields import CONSENTS, Basis
from app.console.translations import mark
from app.reference.lists import list_items

type Errors = dict[str, str]

NOT_AN_ANSWER: Final = mark("Answer this question again.")
NOBODY: Final = mark("Tick at least one office or kind of office that may be asked.")
OTHER_COUNTRY: Final = mark(
    "The country has changed. Ask the person again who may know, and tick the answers."
)
NO_OFFICE: Final = mark("Choose the office for which you ticked something.")
NO_TICKS: Final = mark("Tick what the office that you chose may know.")
NOT_A_DAY: Final = mark("Write a day, such as 2026-12-31.")
IN_FUTURE: Final = mark("This day is in the future.")
IS_OVER: Final = mark("This day is over.")
VALIDITY: Final = timedelta(days=180)
"""The time for which a consent is valid by default. The number of days is our choice."""
LAST_SECOND: Final = time(23, 59, 59)
"""The time at which a consent ends on its last day, so that pages show that day."""
FORM_OF_THIS_PAGE: Final = "console-1"
"""The version of the consent form on this page. Raise it if the questions change."""


@dataclass(frozen=True)
class Step:
    """A step of the form: its name, and its fields."""

    title: str
    fields: tuple[FormField, ...]


STEPS: Final[Sequence[Step]] = (
    Step(mark("Safe now?"), fields.SAFETY_FIELDS),
    Step(mark("Signs"), fields.SCREENING_FIELDS),
    Step(mark("Needs and danger"), fields.NEEDS_FIELDS),
    Step(mark("Who may know"), consent.CONSENT_FIELDS),
    Step(mark("Check and send"), (fields.REFERENCE,)),
)
ALL_FIELDS: Final = tuple(field for step in STEPS for field in step.fields)
CHECKED_FIELDS: Final = tuple(field for step in STEPS[:-1] for field in step.fields)
"""The fields that the last step shows, so that the officer checks them."""
CHECKED: Final = "checked"
"""The hidden field of the last step with the digest of the fields that it shows."""


def get_basis(age_class: str) -> fields.Question:
    """Return the question about consent for an adult, or else that for a child (BR14)."""
    return consent.BASIS if age_class == consent.ADULT else consent.CHILD_BASIS


def read_step(number: int, form: FormData, formats: Formats) -> FilledForm:
    """Return the entered values of a step, with the errors of its fields."""
    filled = read_form(STEPS[number - 1].fields, form, formats.zone)
    errors = dict(filled.errors)
    if STEPS[number - 1].fields is consent.CONSENT_FIELDS:
        for field in (*consent.TERMS, *consent.DANGER):  # needed on some bases only
            errors.pop(field.name, None)
        age = str(form.get(fields.AGE.name, ""))
        errors |= check_consent(filled, age, formats.now.astimezone(formats.zone).date())
        if filled.get(consent.BASIS.name) in CONSENTS:
            errors |= check_country(filled, str(form.get(fields.COUNTRY.name, "")))
    return replace(filled, errors=errors)


def check_consent(filled: FilledForm, age_class: str, today: date) -> Errors:
    """Return the errors of the step "Who may know" that depend on several fields."""
    basis = filled.get(consent.BASIS.name)
    errors = check_pair(filled, (consent.ALIAS, consent.CHANNEL))
    if basis and basis not in {one.code for one in get_basis(age_class).options}:
        errors[consent.BASIS.name] = NOT_AN_ANSWER
    elif basis == Basis.VITAL_INTEREST:
        errors |= require(filled, *consent.DANGER)
    elif basis in CONSENTS:
        errors |= require(filled, *consent.TERMS)
        errors |= check_days(filled, today)
        errors |= check_recipients(filled)
    return errors


def require(filled: FilledForm, *needed: FormField) -> Errors:
    """Return an error for each field in `needed` that was left empty."""
    return {one.name: MISSING for one in needed if not filled.get(one.name)}


def check_pair(filled: FilledForm, pair: Sequence[FormField]) -> Errors:
    """Return an error for the empty field if only one of a pair is filled in, else {}."""
    is_begun = any(filled.get(one.name) for one in pair)
    return require(filled, *pair) if is_begun else {}


def check_days(filled: FilledForm, today: date) -> Errors:
    """Return the errors of the days on which a consent begins and ends."""
    errors: Errors = {}
    begin, end = (parse_day(filled.get(one.name)) for one in consent.DAYS)
    for field, day in zip(consent.DAYS, (begin, end), strict=True):
        if filled.get(field.name) and day is None:
            errors[field.name] = NOT_A_DAY
    if begin and begin > today:
        errors[consent.OBTAINED_ON.name] = IN_FUTURE
    if end and end < today:
        errors[consent.EXPIRES_ON.name] = IS_OVER
    return errors


def check_recipients(filled: FilledForm) -> Errors:
    """Return the errors of the consent matrix of recipients and sections."""
    ticked = group_ticks(filled)
    if consent.OFFICE in ticked and not filled.get(consent.OFFICE):
        return {consent.OFFICE: NO_OFFICE}
    if filled.get(consent.OFFICE) and consent.OFFICE not in ticked:
        return {consent.ALLOW.name: NO_TICKS}
    return {} if ticked else {consent.ALLOW.name: NOBODY}


def check_country(filled: FilledForm, country: str) -> Errors:
    """Return an error if offices of another country were ticked, otherwise {}."""
    possible = consent.list_recipients(country)
    is_same = all(one in possible for one in group_ticks(filled))
    return {} if is_same else {consent.ALLOW.name: OTHER_COUNTRY}


def group_ticks(filled: FilledForm) -> Mapping[str, Sequence[str]]:
    """Return the ticked parts for each recipient, in the order of the consent matrix.

    A recipient for which a section is ticked may also be asked for help.
    """
    ticked: dict[str, set[str]] = {}
    for value in filled.values.get(consent.ALLOW.name, ()):
        recipient, _, part = value.partition(":")
        ticked.setdefault(recipient, {consent.REFER}).add(part)
    return {
        one: [part for part in consent.PARTS if part in parts]
        for kind in consent.RECIPIENTS
        for one, parts in ticked.items()
        if one.partition("@")[0] == kind
    }


def parse_day(text: str) -> date | None:
    """Parse a day such as `2026-12-31`. Return None if the text is not a day."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def prepare_values(language: str, formats: Formats) -> Mapping[str, Sequence[str]]:
    """Return the suggested values of the step "Who may know"."""
    today = formats.now.astimezone(formats.zone).date()
    return {
        consent.CONSENT_LANGUAGE.name: [language] if language else [],
        consent.OBTAINED_ON.name: [today.isoformat()],
        consent.EXPIRES_ON.name: [(today + VALIDITY).isoformat()],
        consent.FORM_VERSION.name: [FORM_OF_THIS_PAGE],
    }


def find_end(day: date, formats: Formats) -> datetime:
    """Return the last second of a day in the time zone of the reader."""
    return datetime.combine(day, LAST_SECOND, formats.zone)


def group_indicators() -> Mapping[str, Sequence[str]]:
    """Return the codes of the indicators by their group, in the order of the list."""
    groups: dict[str, list[str]] = {}
    for item in list_items("indicators"):
        groups.setdefault(item.group or "", []).append(item.code)
    return groups


def list_elements(group: str) -> Sequence[str]:
    """Return the codes of one group of elements: acts, means or purposes."""
    return [item.code for item in list_items("elements") if item.group == group]
