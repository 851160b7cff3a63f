"""The fields of all steps of "Refer someone" except "Who may know", and kinds of fields.

The name of a field is its path in the body of `POST /v1/cases`, except `alone`.
There, `needs/` stands for the section `needs`.
"""

from dataclasses import dataclass
from typing import Final

from app.console.forms import FieldKind, FormField
from app.console.translations import mark


@dataclass(frozen=True)
class Option:
    """An answer to a question: a code, and English texts marked for translation."""

    code: str
    text: str
    hint: str = ""


@dataclass(frozen=True, kw_only=True)
class Question(FormField):
    """A question whose answers are shown one below the other."""

    kind: FieldKind = FieldKind.CHOICE
    options: tuple[Option, ...] = ()


ALONE: Final = Question(
    name="alone",
    label=mark("Are you alone with the person?"),
    hint=mark("An interpreter whom the person trusts may be present."),
    options=(
        Option("yes", mark("Yes")),
        Option(
            "no",
            mark("No, and it is not possible now"),
            mark("Then ask nothing more. Write only what you see, and go on."),
        ),
    ),
)
SAFE_CONTACT: Final = Question(
    name="summary/safe_contact",
    label=mark("May the person be contacted safely after today?"),
    hint=mark(
        "The answer of the person, not your guess. Yes, if there is a safe way: step 4 "
        "asks which one."
    ),
    options=(
        Option("yes", mark("Yes")),
        Option("no", mark("No, nobody may contact the person")),
        Option("not_known", mark("The person was not asked yet")),
    ),
)
COUNTRY: Final = FormField(
    name="summary/country",
    label=mark("In which country is the person now?"),
    hint=mark("Not the country of origin. An office in that country takes the case."),
    kind=FieldKind.CHOICE,
    words="countries",
)
AGE: Final = Question(
    name="summary/age_class",
    label=mark("How old is the person?"),
    options=(
        Option("adult", mark("18 or older")),
        Option("child", mark("Younger than 18")),
        Option(
            "presumed_child",
            mark("Not certain"),
            mark("If in doubt, the person is protected as a child."),
        ),
    ),
)
LANGUAGE: Final = FormField(
    name="summary/language",
    label=mark("Which language does the person speak best?"),
    kind=FieldKind.CHOICE,
    words="languages",
)
INDICATORS: Final = FormField(
    name="screening/indicators",
    label=mark("Signs that you saw or heard"),
    kind=FieldKind.CHOICES,
    words="indicators",
    is_required=False,
)
ELEMENTS: Final = {
    "ACT": FormField(
        name="screening/acts",
        label=mark("What was done to the person"),
        kind=FieldKind.CHOICES,
        words="elements",
        is_required=False,
    ),
    "MEANS": FormField(
        name="screening/means",
        label=mark("By which means"),
        kind=FieldKind.CHOICES,
        words="elements",
        is_required=False,
    ),
    "PURPOSE": FormField(
        name="screening/purposes",
        label=mark("For which purpose"),
        kind=FieldKind.CHOICES,
        words="elements",
        is_required=False,
    ),
}
SERVICES: Final = FormField(
    name="summary/services",
    label=mark("What does the person ask for?"),
    kind=FieldKind.CHOICES,
    words="services",
    is_required=False,
)
URGENT: Final = FormField(
    name="summary/urgent_needs",
    label=mark("What cannot wait?"),
    kind=FieldKind.CHOICES,
    words="services",
    is_required=False,
)
PRIORITY: Final = Question(
    name="summary/priority",
    label=mark("How soon is help needed?"),
    options=(
        Option(
            "emergency",
            mark("At once: it is an emergency"),
            mark("Offices that are open now are asked first, day and night."),
        ),
        Option("urgent", mark("Today: it is urgent")),
        Option("normal", mark("In the next days")),
    ),
)
RISK: Final = Question(
    name="risk/level",
    label=mark("How great is the danger to the person?"),
    options=(
        Option("low", mark("Low")),
        Option("medium", mark("Medium")),
        Option("high", mark("High")),
    ),
)
GENDER: Final = FormField(
    name="needs/gender",
    label=mark("Gender"),
    hint=mark("Some offices help only women, or only men. Sealed."),
    kind=FieldKind.CHOICE,
    words="genders",
    is_required=False,
)
NEEDS: Final = FormField(
    name="needs/summary",
    label=mark("In a few words: what does the person need?"),
    hint=mark("Sealed. Write no name and no address."),
    kind=FieldKind.LONG_TEXT,
)
ALERT: Final = FormField(
    name="needs/safety_alert",
    label=mark("What must helpers know, so that nobody is hurt?"),
    hint=mark(
        "Every office that is asked reads this, even without a consent. Write only what is "
        "a danger, and never which office the person fears."
    ),
    kind=FieldKind.LONG_TEXT,
    is_required=False,
)
SAFETY_FIELDS: Final = (ALONE, SAFE_CONTACT, COUNTRY, AGE, LANGUAGE)
SCREENING_FIELDS: Final = (INDICATORS, *ELEMENTS.values())
NEEDS_FIELDS: Final = (SERVICES, URGENT, PRIORITY, RISK, GENDER, NEEDS, ALERT)
REFERENCE: Final = FormField(
    name="external_reference",
    label=mark("The number of the case in your own files"),
    hint=mark("Only letters, digits and . _ / - without the name of the person."),
    is_required=False,
)
