"""The parts of the "Refer someone" pages other than the fields: choices and API results."""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any, Final

from starlette.responses import Response

from app.console import refer_consent_fields as consent
from app.console import refer_fields as fields
from app.console import refer_steps as steps
from app.console.api_client import ApiProblem, Json
from app.console.form_drafts import FormDraft, compute_digest
from app.console.formats import load_words
from app.console.forms import FilledForm
from app.console.refer_body import (
    build_routing,
    build_screening,
    find_errors,
    list_services,
)
from app.console.visits import EVERYWHERE, Visit
from app.kernel.languages import ENGLISH

INVALID: Final = 422
SCREENING_STEPS: Final = frozenset({2, 3})
"""The steps that show the result of the screening."""

type Choices = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class PageParts:
    """The choices of a page that depend on the directory and on the entered values."""

    visit: Visit
    draft: FormDraft

    @property
    def country(self) -> str:
        """The country in which the person is, or an empty string if it is not entered."""
        return self.draft.get(fields.COUNTRY.name)

    @property
    def is_adult(self) -> bool:
        """Whether the person is treated as an adult."""
        return self.draft.get(fields.AGE.name) == consent.ADULT

    @property
    def basis(self) -> fields.Question:
        """The question about consent that applies to the age class of the person."""
        return steps.get_basis(self.draft.get(fields.AGE.name))

    def is_served(self, office: Json) -> bool:
        """Return whether an office works in the country in which the person is."""
        return bool({self.country, EVERYWHERE} & set(office["serves"]))

    def list_countries(self) -> tuple[Choices, Choices]:
        """Return the countries in which offices work, and the other countries."""
        near = {code for one in self.visit.offices.values() for code in one["serves"]}
        return self.sort_choices("countries", near)

    def list_languages(self) -> tuple[Choices, Choices]:
        """Return the languages that offices speak, and the other languages."""
        near = {tag for one in self.visit.offices.values() for tag in one["languages"]}
        return self.sort_choices("languages", near)

    def list_consent_languages(self) -> tuple[Choices, Choices]:
        """Return the languages of offices, and the person's own if no office speaks it."""
        near, others = self.list_languages()
        own = {self.draft.get(fields.LANGUAGE.name)}
        return near, [choice for choice in others if choice[0] in own]

    def sort_choices(self, words: str, near: AbstractSet[str]) -> tuple[Choices, Choices]:
        """Return the codes of a list that are in `near`, and the others, sorted by name."""
        formats = self.visit.formats
        named = [
            (code, formats.name_code(words, code)) for code in formats.list_codes(words)
        ]
        named.sort(key=lambda choice: choice[1].casefold())
        return (
            [choice for choice in named if choice[0] in near],
            [choice for choice in named if choice[0] not in near],
        )

    def list_offices(self) -> tuple[Choices, Choices]:
        """Return the active offices that can help, those that work in the country first."""
        return self.sort_offices(
            code
            for code, office in self.visit.offices.items()
            if office["active"] and office["kind"] in consent.CLASSES
        )

    def list_feared(self) -> tuple[Choices, Choices]:
        """Return the offices that the person may fear: all active ones, and ticked ones."""
        ticked = self.draft.values.get(consent.UNSAFE_OFFICES.name, ())
        return self.sort_offices(
            code
            for code, office in self.visit.offices.items()
            if office["active"] or code in ticked
        )

    def sort_offices(self, codes: Iterable[str]) -> tuple[Choices, Choices]:
        """Return the offices that work in the country, and the others, sorted by name."""
        offices = self.visit.offices
        named = [(offices[code], (code, self.visit.name_office(code))) for code in codes]
        named.sort(key=lambda one: one[1][1].casefold())
        return (
            [choice for office, choice in named if self.is_served(office)],
            [choice for office, choice in named if not self.is_served(office)],
        )

    def name_in_english(self, words: str, code: str) -> str:
        """Return the English label of a code, or an empty string if the code is unknown."""
        return load_words(words, ENGLISH).get(code, "")

    def list_indicators(self) -> Mapping[str, Sequence[str]]:
        """Return the codes of the indicators by group."""
        return steps.group_indicators()

    def list_elements(self, group: str) -> Sequence[str]:
        """Return the codes of one group of elements: acts, means or purposes."""
        return steps.list_elements(group)

    def list_services(self) -> Sequence[str]:
        """Return the codes of all services."""
        return self.visit.formats.list_codes("services")

    def list_asked_services(self) -> Sequence[str]:
        """Return the services that the person asks for."""
        return list_services(FilledForm(values=self.draft.values))

    @property
    def digest(self) -> str:
        """The digest of the values that the last step shows."""
        return compute_digest(self.draft, steps.CHECKED_FIELDS)

    def list_recipients(self) -> Sequence[str]:
        """Return the recipients that can be ticked."""
        return consent.list_recipients(self.country)

    def name_recipient(self, recipient: str) -> str:
        """Return the name of a kind of office in a country, or of the chosen office."""
        kind, _, country = recipient.partition("@")
        if kind == consent.OFFICE:
            return self.visit.name_office(self.draft.get(consent.OFFICE))
        place = self.visit.formats.name_country(country) if country else "?"
        return self.visit.texts.translate(consent.COLUMNS[kind], country=place)

    def name_part(self, part: str) -> str:
        """Return the name of a part of the consent matrix."""
        words = consent.PART_WORDS.get(part)
        if words is None:
            return self.visit.formats.name_code("sections", part)
        return self.visit.texts.translate(words.text)

    def describe_part(self, part: str) -> str:
        """Return the description of a part of the consent matrix, or an empty string."""
        words = consent.PART_WORDS.get(part)
        return self.visit.texts.translate(words.hint) if words and words.hint else ""

    def group_ticks(self) -> Mapping[str, Sequence[str]]:
        """Return the parts of the consent matrix that the draft allows, by recipient."""
        return steps.group_ticks(FilledForm(values=self.draft.values))

    def has_grave_ticks(self) -> bool:
        """Return whether one of the most sensitive sections was ticked."""
        ticked = {part for parts in self.group_ticks().values() for part in parts}
        return bool(ticked & set(consent.GRAVE_SECTIONS))

    def find_step(self, field: str) -> int:
        """Return the number of the step that contains a field."""
        return next(
            number
            for number, step in enumerate(steps.STEPS, 1)
            if field in {one.name for one in step.fields}
        )


async def render_step(
    visit: Visit,
    number: int,
    *,
    draft: FormDraft,
    filled: FilledForm,
    problem: ApiProblem | None,
) -> Response:
    """Return the page of a step, with the results of the API for the entered values."""
    missing = find_missing(visit, draft) if number == len(steps.STEPS) else {}
    refused = find_errors(problem, draft, visit.formats) if problem else {}
    shown = FilledForm(
        values={**filled.values, **prepare_suggestions(visit, draft)}, errors=filled.errors
    )
    values: dict[str, Any] = {
        "number": number,
        "steps": steps.STEPS,
        "draft": draft,
        "filled": shown,
        "problem": problem,
        "missing": missing,
        "refused": [
            (field, refused[field.name])
            for field in steps.ALL_FIELDS
            if field.name in refused
        ],
        "fields": fields,
        "consent": consent,
        "page": PageParts(visit, draft),
        "screening": await read_screening(visit, draft, number),
        "routing": await read_routing(visit, draft, number, missing),
    }
    status = problem.status if problem else INVALID if filled.errors else 200
    return visit.render(f"refer_{number}.html", status, **values)


def prepare_suggestions(visit: Visit, draft: FormDraft) -> Mapping[str, Sequence[str]]:
    """Return suggested values for the fields that were not saved yet."""
    suggested = steps.prepare_values(draft.get(fields.LANGUAGE.name), visit.formats)
    return {name: texts for name, texts in suggested.items() if name not in draft.values}


def find_missing(visit: Visit, draft: FormDraft) -> Mapping[int, Mapping[str, str]]:
    """Return the errors of each incomplete step, except the last step."""
    found = {
        number: steps.read_step(number, draft.form, visit.formats).errors
        for number in range(1, len(steps.STEPS))
    }
    return {number: errors for number, errors in found.items() if errors}


async def read_screening(visit: Visit, draft: FormDraft, number: int) -> Json | None:
    """Return the result of the screening, or None if nothing was ticked.

    Also return None for the steps that do not show the result.
    """
    body = build_screening(draft.values) if number in SCREENING_STEPS else {}
    if not body:
        return None
    return (await visit.api.post("screenings", body)).body


async def read_routing(
    visit: Visit, draft: FormDraft, number: int, missing: Mapping[int, object]
) -> Json | None:
    """Return the routing preview, or None before the last step or if fields are missing."""
    if number < len(steps.STEPS) or missing:
        return None
    return (await visit.api.post("routing", build_routing(draft, visit.formats))).body
