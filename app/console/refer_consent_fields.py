"""The fields of the step "Who may know" of "Refer someone".

The name of a field is its path in the body of `POST /v1/cases`, where `consent/` stands
for the first consent form, and `identity/` and `contact/` stand for sections. The consents
are built from `basis`, `allow` and `office`, which the body does not contain.
"""

from enum import StrEnum
from typing import Final

from app.console.forms import FieldKind, FormField
from app.console.refer_fields import Option, Question
from app.console.translations import mark

ADULT: Final = "adult"
REFER: Final = "refer"
IDENTITY: Final = "identity"
LEAD_IDENTITY: Final = "identity_lead"
"""A part of the consent matrix: the section `identity`, for the leading office only."""
SECTIONS: Final = ("needs", "contact", IDENTITY)
"""The sections that can be written in the form."""
GRAVE_SECTIONS: Final = ("narrative", "indicators", "perpetrators", "health")
ALL_SECTIONS: Final = frozenset(SECTIONS + GRAVE_SECTIONS)
ROWS: Final = (REFER, "needs", "contact", LEAD_IDENTITY, IDENTITY)
"""The rows of the consent matrix that are always shown."""
PARTS: Final = ROWS + GRAVE_SECTIONS
"""The parts that a recipient may be allowed to see, in the order of the consent matrix."""
PART_WORDS: Final = {
    one.code: one
    for one in (
        Option(
            REFER,
            mark("That help is asked for"),
            mark("country, age group, language, what is asked for"),
        ),
        Option("needs", mark("What is needed"), mark("the line that you wrote")),
        Option(
            "contact", mark("How to reach the person"), mark("another name, and a safe way")
        ),
        Option(
            LEAD_IDENTITY,
            mark("Who the person is: only the office that leads"),
            mark("names, date of birth, documents"),
        ),
        Option(
            IDENTITY,
            mark("Who the person is: also offices that help"),
            mark("names, date of birth, documents"),
        ),
        Option("indicators", mark("Signs")),
    )
}
"""The texts of parts whose label is not that of the reference list `sections`."""
OFFICE: Final = "office"
CLASSES: Final = ("state", "non_state", "intergovernmental")
RECIPIENTS: Final = (*CLASSES, OFFICE)
COLUMNS: Final = {
    "state": mark("State offices: %(country)s"),
    "non_state": mark("NGOs: %(country)s"),
    "intergovernmental": mark("International organisations: %(country)s"),
}
"""The name of each kind of office on the pages, with a placeholder for the country."""


class Basis(StrEnum):
    """The basis on which the case is sent, or the reason why it is not sent."""

    PERSON = "person"
    GUARDIAN = "guardian_with_assent"
    BEST_INTERESTS = "best_interests_decision"
    VITAL_INTEREST = "vital_interest"
    REFUSED = "refused"


def list_recipients(country: str) -> tuple[str, ...]:
    """Return the recipients that can be ticked: kinds of offices, and the chosen office.

    A kind of office includes its country, so that a consent never moves to another country.
    """
    return (*(f"{kind}@{country}" for kind in CLASSES), OFFICE)


CONSENTS: Final = frozenset({Basis.PERSON, Basis.GUARDIAN, Basis.BEST_INTERESTS})
"""The bases on which a consent is recorded."""


BASIS: Final = Question(
    name="basis",
    label=mark("Does the person agree?"),
    hint=mark("Ask in a language that the person understands, without pressure."),
    options=(
        Option(Basis.PERSON, mark("Yes, the person agrees")),
        Option(
            Basis.VITAL_INTEREST,
            mark("The person cannot be asked, and a life or the health is in danger"),
            mark("Only the summary and the warning for helpers are sent, for 4 hours."),
        ),
        Option(
            Basis.REFUSED,
            mark("The person does not want to be referred"),
            mark("Then nothing is sent, and nothing is kept."),
        ),
    ),
)
CHILD_BASIS: Final = Question(
    name="basis",
    label=mark("Who agrees for the child?"),
    hint=mark(
        "A child cannot agree alone. Do not ask a guardian who may be involved in what "
        "happened: choose a best-interests decision, or that nobody can agree yet."
    ),
    options=(
        Option(Basis.GUARDIAN, mark("The guardian agrees, and so does the child")),
        Option(
            Basis.BEST_INTERESTS,
            mark(
                "The competent body decided that it is in the best interests of the child"
            ),
        ),
        Option(
            Basis.VITAL_INTEREST,
            mark("Nobody can agree yet, and the child cannot wait"),
            mark("Only the summary and the warning for helpers are sent, for 4 hours."),
        ),
    ),
)
VITAL_REASON: Final = FormField(
    name="vital_interest/reason",
    label=mark("Why can it not wait for a consent?"),
    kind=FieldKind.CHOICE,
    words="vital_interest_reasons",
)
VITAL_NOTE: Final = FormField(
    name="vital_interest/note",
    label=mark("What do you know about the danger?"),
    hint=mark("Sealed."),
    kind=FieldKind.LONG_TEXT,
)
ALLOW: Final = FormField(
    name="allow",
    label=mark("Who may know what?"),
    kind=FieldKind.CHOICES,
    is_required=False,
)
ONE_OFFICE: Final = FormField(
    name=OFFICE,
    label=mark("One office that the person chose"),
    hint=mark("Leave it empty if the person did not name an office."),
    kind=FieldKind.CHOICE,
    is_required=False,
)
CONSENT_LANGUAGE: Final = FormField(
    name="consent/language",
    label=mark("In which language was it explained?"),
    kind=FieldKind.CHOICE,
    words="languages",
)
INTERPRETER: Final = FormField(
    name="consent/interpreter",
    label=mark("An interpreter was present"),
    kind=FieldKind.CHECK,
    is_required=False,
)
OBTAINED_ON: Final = FormField(
    name="consent/obtained_on",
    label=mark("On which day did the person agree?"),
    kind=FieldKind.DATE,
)
EXPIRES_ON: Final = FormField(
    name="consent/expires_at",
    label=mark("Until which day is it valid?"),
    hint=mark("It can be taken back at any time before."),
    kind=FieldKind.DATE,
)
FORM_VERSION: Final = FormField(
    name="consent/form_version",
    label=mark("Which form was used?"),
    hint=mark(
        "The name of your printed form. Leave console-1 if you asked with this page."
    ),
)
EVIDENCE: Final = FormField(
    name="consent/evidence",
    label=mark("How was it given?"),
    hint=mark("Such as spoken, or signed and kept where. Sealed."),
    is_required=False,
)
ORIGIN: Final = FormField(
    name="safeguards/country_of_origin",
    label=mark("From which country does the person come?"),
    hint=mark("Sealed. It decides which offices must not know."),
    kind=FieldKind.CHOICE,
    words="countries",
    is_required=False,
)
FEARS: Final = (
    FormField(
        name="safeguards/fear_of_state",
        label=mark("The person fears the State of origin"),
        kind=FieldKind.CHECK,
    ),
    FormField(
        name="safeguards/official_implicated",
        label=mark("An official of that State may be involved"),
        kind=FieldKind.CHECK,
    ),
    FormField(
        name="safeguards/seeks_asylum",
        label=mark("The person seeks asylum"),
        kind=FieldKind.CHECK,
    ),
)
UNSAFE_OFFICES: Final = FormField(
    name="safeguards/unsafe_focal_points",
    label=mark("Offices that must not know"),
    kind=FieldKind.CHOICES,
    is_required=False,
)
UNSAFE_PEOPLE: Final = FormField(
    name="safeguards/unsafe_people",
    label=mark("People or local officials whom the person fears"),
    hint=mark(
        "Sealed. The office that leads can open it, and an office that is asked to lead "
        "after it has confirmed that it received the case. An office that is ticked above "
        "cannot."
    ),
    kind=FieldKind.LONG_TEXT,
    is_required=False,
)
NAMES: Final = FormField(
    name="identity/names",
    label=mark("What is the name of the person?"),
    hint=mark("Sealed. You can also write it later, on the page of the case."),
    kind=FieldKind.LINES,
    is_required=False,
)
ALIAS: Final = FormField(
    name="contact/alias",
    label=mark("Which other name may be used for the person?"),
    hint=mark("Not the real name, unless the person wants it. Sealed."),
    is_required=False,
)
CHANNEL: Final = FormField(
    name="contact/safe_channel",
    label=mark("How can the person be reached without danger?"),
    hint=mark("When, how, and what must never be used. Sealed."),
    kind=FieldKind.LONG_TEXT,
    is_required=False,
)
DAYS: Final = (OBTAINED_ON, EXPIRES_ON)
TERMS: Final = (CONSENT_LANGUAGE, *DAYS, FORM_VERSION)
"""The fields that a consent needs."""
DANGER: Final = (VITAL_REASON, VITAL_NOTE)
"""The fields that a vital interest needs."""
CONSENT_FIELDS: Final = (
    *(BASIS, VITAL_REASON, VITAL_NOTE, ALLOW, ONE_OFFICE, CONSENT_LANGUAGE),
    *(INTERPRETER, OBTAINED_ON, EXPIRES_ON, FORM_VERSION, EVIDENCE, ORIGIN),
    *(*FEARS, UNSAFE_OFFICES, UNSAFE_PEOPLE, ALIAS, CHANNEL, NAMES),
)
