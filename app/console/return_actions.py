"""The forms of the actions on a return, and the steps of its checklist."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from app.console.action_forms import ActionForm, RecordKind
from app.console.api_client import Json
from app.console.case_actions import VISITS
from app.console.case_fields import (
    ask_check,
    ask_choice,
    ask_choices,
    ask_contacts,
    ask_line,
    ask_note,
    ask_text,
    ask_time,
)
from app.console.forms import FormField
from app.console.translations import mark
from app.returns.lifecycle import STEPS, TABLE, Action

EARLY: Final = ask_check("early", mark("It took place before its planned date."))
PERSON_MET: Final = ask_check("person_met", mark("The person was met."))
RISK: Final[tuple[FormField, ...]] = (
    ask_choice("level", mark("How great is the danger?"), "risk_levels"),
    ask_choices(
        "threats", mark("Which threats were found?"), "return_threats", is_required=False
    ),
)
CONTACTS: Final = tuple(
    replace(contact, name=f"plan/{contact.name}")
    for contact in ask_contacts(is_required=True)
)
PLAN: Final = (
    ask_text("plan/route", mark("How does the person travel?")),
    ask_time("plan/arrives_at", mark("When does the person arrive?")),
    ask_line("plan/met_by", mark("Who meets the person at arrival?")),
    ask_line("plan/safe_contact", mark("How can the person call for help?")),
    ask_line(
        "plan/escort",
        mark("Who travels with the person?"),
        mark("A child must not travel alone."),
        is_required=False,
    ),
    *CONTACTS,
    ask_check("person_agrees", mark("The person agrees to this plan.")),
)

FORMS: Final = (
    ActionForm(
        action="inform",
        fields=(
            ask_check(
                "right_to_stay_explained",
                mark("The person was told of any right to stay."),
            ),
            ask_check(
                "options_explained", mark("The person was told of the other options.")
            ),
            ask_note(),
        ),
    ),
    ActionForm(action="permit_contact"),
    ActionForm(
        action="verify_nationality",
        fields=(
            ask_choice(
                "nationality", mark("Is the nationality confirmed?"), "nationalities"
            ),
        ),
    ),
    ActionForm(action="assess_destination", fields=(*RISK, ask_note())),
    ActionForm(
        action="assess_origin",
        fields=(
            *RISK,
            ask_choice("family", mark("What about the family?"), "family_findings"),
            ask_choices(
                "services",
                mark("Which services are there?"),
                "services",
                is_required=False,
            ),
            ask_note(),
        ),
    ),
    ActionForm(
        action="determine_interests",
        fields=(
            ask_choice(
                "interests",
                mark("Is the return in the best interests of the child?"),
                "best_interests_results",
            ),
            ask_note(),
        ),
    ),
    ActionForm(
        action="receive_child",
        fields=(
            ask_check("carer_receives", mark("A carer receives the child.")),
            ask_check("guardian_at_arrival", mark("A guardian is there at arrival.")),
            ask_note(),
        ),
    ),
    ActionForm(
        action="go",
        hint=mark("A supervisor has to approve this."),
        fields=(
            ask_check(
                "person_asked_to_leave",
                mark("The person asked to leave before the reflection period ends."),
            ),
            ask_note(),
        ),
    ),
    ActionForm(
        action="no_go",
        is_grave=True,
        hint=mark("A supervisor has to approve this. The return ends with it."),
        fields=(
            ask_choice("reason", mark("Why?"), "no_go_reasons"),
            ask_choices(
                "protection",
                mark("Which protection does the person get instead?"),
                "return_protections",
            ),
            ask_note(),
        ),
    ),
    ActionForm(
        action="issue_document",
        fields=(
            ask_check(
                "without_marker",
                mark("The document does not say what happened to the person."),
            ),
        ),
    ),
    ActionForm(action="plan", fields=PLAN),
    ActionForm(action="accept_plan"),
    ActionForm(
        action="depart",
        fields=(
            ask_check(
                "reconfirmed_today", mark("The person said today that they want to go.")
            ),
        ),
    ),
    ActionForm(action="arrive", fields=(PERSON_MET, EARLY, ask_note())),
    ActionForm(
        action="monitor",
        fields=VISITS,
        hint=mark(
            "Without dates, the visits are after 7 days and after 1, 3, 6 and 12 months."
        ),
    ),
    ActionForm(action="report", fields=(PERSON_MET, EARLY, ask_note())),
    ActionForm(
        action="call_off",
        is_grave=True,
        hint=mark("The person does not want to return. Nobody may ask why."),
        fields=(ask_note(),),
    ),
    ActionForm(action="locate", fields=(PERSON_MET, ask_note())),
)
RETURNS: Final = RecordKind(
    path="returns",
    words="return_actions",
    forms={form.action: form for form in FORMS},
    frequent=tuple(form.action for form in FORMS if not form.is_grave),
)


@dataclass(frozen=True)
class Gate:
    """A step of the checklist: its actions with their sides, and the steps taken."""

    number: int
    actions: Sequence[tuple[str, Sequence[str]]]
    taken: Sequence[Json]


def build_checklist(taken: Iterable[Json]) -> Sequence[Gate]:
    """Return the twelve steps of a return, each with its items of `taken`."""
    done = list(taken)
    return [
        Gate(
            number,
            [(action, sides) for action, sides in SIDES.items() if STEPS[action] == number],
            [one for one in done if one["step"] == number],
        )
        for number in sorted(set(STEPS.values()))
    ]


def list_sides() -> Mapping[Action, Sequence[str]]:
    """Return the sides that may take each action of the checklist, from `TABLE`."""
    sides: dict[Action, list[str]] = {action: [] for action in STEPS}
    for step in TABLE.steps:
        if step.action in sides:
            sides[step.action] += sorted(step.sides)
    return sides


SIDES: Final = list_sides()
"""The sides that may take each action of the checklist."""
