"""The answers of "Refer someone" as text, for a page that has no form."""

from collections.abc import Sequence
from typing import Final

from app.console import refer_consent_fields as consent
from app.console.form_drafts import FormDraft
from app.console.forms import FieldKind, FilledForm, FormField
from app.console.refer_fields import Question
from app.console.refer_page import PageParts
from app.console.refer_steps import Step
from app.console.translations import mark
from app.console.visits import Visit

CHOSEN: Final = mark("Yes")
OFFICES: Final = (consent.ONE_OFFICE.name, consent.UNSAFE_OFFICES.name)
"""The fields whose values are codes of offices."""
OPTIONS: Final = (*consent.BASIS.options, *consent.CHILD_BASIS.options)
"""The answers to the question about consent, at any age."""


def list_answers(
    visit: Visit, step: Step, typed: FilledForm
) -> Sequence[tuple[str, Sequence[str]]]:
    """Return the label of each field that is not empty, with its values as text."""
    page = PageParts(visit, FormDraft(values=typed.values))
    return [
        (one.label, [name_value(page, one, value) for value in typed.values[one.name]])
        for one in step.fields
        if typed.values.get(one.name)
    ]


def name_value(page: PageParts, field: FormField, value: str) -> str:
    """Return a value as text: the label of a code, or the entered text."""
    visit = page.visit
    if isinstance(field, Question):
        options = OPTIONS if field.name == consent.BASIS.name else field.options
        texts = (option.text for option in options if option.code == value)
        return visit.texts.translate(next(texts, value))
    if field.kind == FieldKind.CHECK:
        return visit.texts.translate(CHOSEN)
    if field.name == consent.ALLOW.name:
        return name_tick(page, value)
    if field.name in OFFICES:
        return visit.name_office(value)
    return visit.formats.name_code(field.words, value) if field.words else value


def name_tick(page: PageParts, value: str) -> str:
    """Return a ticked box of the consent matrix as text: the recipient and the part."""
    recipient, _, part = value.partition(":")
    return f"{page.name_recipient(recipient)}: {page.name_part(part)}"
