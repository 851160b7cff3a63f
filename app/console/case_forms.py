"""A class for the forms of actions on a case, and the forms of sections and facts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from app.console.action_forms import ActionForm
from app.console.case_fields import (
    FACT_COUNTRY,
    SECTION_FIELDS,
    ask_choice,
    ask_date,
    ask_note,
)
from app.console.forms import FieldKind, FormField
from app.console.translations import mark


@dataclass(frozen=True, kw_only=True)
class CaseAction(ActionForm):
    """An action on a case.

    `path` is the path of the operation below the case. An action with `page` has a page
    of its own below the case, and no form here. `fixed` contains values of the body for
    which the form has no field. `variants` contains the forms of an action with several
    forms, by the last part of the address; `variant_words` is the list with their names.
    `per_record` is the part of a case whose records each have the form, with `{id}` in the
    path. `listed_as` and `title` are for an action that `available_actions` lists under
    another code. If `keeps_part` is true, the office is still a party after a response
    without content (204). If `is_on_record` is true, the path of the operation is the path
    of the case.
    """

    method: str = "POST"
    page: str = ""
    fixed: Mapping[str, str] = field(default_factory=dict)
    variants: Mapping[str, "CaseAction"] = field(default_factory=dict)
    variant_words: str = ""
    per_record: str = ""
    listed_as: str = ""
    title: str = ""
    keeps_part: bool = False
    is_on_record: bool = False

    @property
    def step_code(self) -> str:
        """The code of the action in `available_actions`."""
        return self.listed_as or self.action

    @property
    def is_direct(self) -> bool:
        """Whether a button takes the action at once: it needs no input and is not grave."""
        asks = self.page or self.fields or self.variants or self.per_record
        return not (asks or self.is_grave)


def write_section(section: str) -> CaseAction:
    """Return the form that writes a section."""
    return CaseAction(
        action="write_section",
        method="PUT",
        path=f"sections/{section}",
        fixed={"section": section},
        fields=SECTION_FIELDS[section],
        hint=mark("This replaces what was written before. To change it, open it first."),
    )


def record_fact(
    name: str, words: str, more: tuple[FormField, ...] = (), hint: str = ""
) -> CaseAction:
    """Return the form that records a fact. `words` is the reference list of its values."""
    return CaseAction(
        action="record_fact",
        path="facts",
        fixed={"name": name},
        fields=(ask_choice("value", mark("Status"), words), *more, ask_note()),
        hint=hint,
    )


FACTS: Final = {
    "identification": record_fact(
        "identification",
        "identification_statuses",
        (
            FACT_COUNTRY,
            FormField(
                name="body",
                label=mark("Office that decided"),
                kind=FieldKind.OFFICE,
                is_required=False,
            ),
        ),
        mark("Help does not depend on this decision."),
    ),
    "guardian": record_fact("guardian", "guardian_statuses"),
    "best_interests": record_fact("best_interests", "best_interests_statuses"),
    "reflection_period": record_fact(
        "reflection_period",
        "reflection_period_statuses",
        (
            FACT_COUNTRY,
            ask_date("ends_on", mark("First day after the period"), is_required=False),
        ),
    ),
}
SECTIONS: Final = {section: write_section(section) for section in SECTION_FIELDS}
