"""The fields of the forms of a case: summary, sections, safeguards, screening, consents.

The name of a field is its path in the body of the operation; a test compares the fields
with the contract.
"""

from typing import Final

from app.console.forms import FieldKind, FormField
from app.console.translations import mark
from app.reference.lists import list_items

COUNTRIES: Final = "countries"
PHONE_HINT: Final = mark("With the code of the country, such as +998901234567.")
NOTE_HINT: Final = mark("Sealed. Only those who may read the notes of the case see it.")
SEALED_HINT: Final = mark("Sealed.")
LINES_HINT: Final = mark("One on each line.")


def ask_text(
    name: str, label: str, hint: str = "", *, is_required: bool = True
) -> FormField:
    """Return a field for a long text."""
    kind = FieldKind.LONG_TEXT
    return FormField(name=name, label=label, kind=kind, is_required=is_required, hint=hint)


def ask_line(
    name: str, label: str, hint: str = "", *, is_required: bool = True
) -> FormField:
    """Return a field for a text of one line."""
    return FormField(name=name, label=label, is_required=is_required, hint=hint)


def ask_lines(name: str, label: str, *, is_required: bool = True) -> FormField:
    """Return a field for several texts, one on each line."""
    kind = FieldKind.LINES
    hint = LINES_HINT
    return FormField(name=name, label=label, kind=kind, is_required=is_required, hint=hint)


def ask_choice(
    name: str, label: str, words: str, hint: str = "", *, is_required: bool = True
) -> FormField:
    """Return a field for one code of a reference list."""
    return FormField(
        name=name,
        label=label,
        kind=FieldKind.CHOICE,
        words=words,
        is_required=is_required,
        hint=hint,
    )


def ask_choices(
    name: str,
    label: str,
    words: str,
    codes: tuple[str, ...] = (),
    *,
    is_required: bool = True,
) -> FormField:
    """Return a field for several codes of a reference list."""
    return FormField(
        name=name,
        label=label,
        kind=FieldKind.CHOICES,
        words=words,
        codes=codes,
        is_required=is_required,
    )


def ask_check(name: str, label: str) -> FormField:
    """Return a field for a statement that is ticked if it is true."""
    return FormField(name=name, label=label, kind=FieldKind.CHECK)


def ask_office(label: str) -> FormField:
    """Return the field for the office of an action."""
    return FormField(name="focal_point", label=label, kind=FieldKind.OFFICE)


def ask_reason(words: str) -> FormField:
    """Return the field for the reason of an action."""
    return ask_choice("reason", mark("Why?"), words)


def ask_note() -> FormField:
    """Return the field for an optional note."""
    return ask_text("note", mark("Note"), NOTE_HINT, is_required=False)


def ask_time(
    name: str, label: str, hint: str = "", *, is_required: bool = True
) -> FormField:
    """Return a field for a date and a time."""
    kind = FieldKind.TIME
    return FormField(name=name, label=label, kind=kind, is_required=is_required, hint=hint)


def ask_date(name: str, label: str, *, is_required: bool = True) -> FormField:
    """Return a field for a date."""
    return FormField(name=name, label=label, kind=FieldKind.DATE, is_required=is_required)


def ask_indicators(name: str) -> FormField:
    """Return the field for indicators, which are grouped by dimension."""
    return FormField(
        name=name,
        label=mark("Indicators that were seen"),
        kind=FieldKind.GROUPED,
        words="indicators",
        groups="indicator_groups",
        is_required=False,
        hint=mark("Open a group, and tick what was seen or heard."),
    )


def ask_elements(name: str, label: str, group: str) -> FormField:
    """Return the field for one element of trafficking: acts, means or purposes."""
    codes = tuple(item.code for item in list_items("elements") if item.group == group)
    return ask_choices(name, label, "elements", codes, is_required=False)


CONTACT_LABELS: Final = (
    (mark("Name of the first contact person"), mark("Telephone of the first person")),
    (mark("Name of the second contact person"), mark("Telephone of the second person")),
    (mark("Name of the third contact person"), mark("Telephone of the third person")),
    (mark("Name of the fourth contact person"), mark("Telephone of the fourth person")),
    (mark("Name of the fifth contact person"), mark("Telephone of the fifth person")),
)
"""The labels of the fields for all contact persons that a case can have."""
USUAL_CONTACTS: Final = 2


def ask_contacts(
    *, is_required: bool, count: int = USUAL_CONTACTS
) -> tuple[FormField, ...]:
    """Return the fields for the names and telephone numbers of contact persons.

    If `is_required` is true, the first two persons are required. A form that replaces
    stored contact persons has to ask for all of them, or it would delete the others.
    """
    fields = []
    for number, (name, phone) in enumerate(CONTACT_LABELS[:count]):
        needed = is_required and number < USUAL_CONTACTS
        fields.append(ask_line(f"contacts/{number}/name", name, is_required=needed))
        fields.append(
            FormField(
                name=f"contacts/{number}/phone",
                label=phone,
                kind=FieldKind.PHONE,
                is_required=needed,
                hint=PHONE_HINT,
            )
        )
    return tuple(fields)


REMARKS: Final = ask_text("remarks", mark("Remarks"), SEALED_HINT, is_required=False)
SUMMARY_FIELDS: Final = (
    ask_choice(
        "country", mark("Country where the person is"), COUNTRIES, is_required=False
    ),
    ask_choice(
        "age_class",
        mark("Age"),
        "age_classes",
        mark("If in doubt, treat the person as a child."),
        is_required=False,
    ),
    ask_choice("language", mark("Language of the person"), "languages", is_required=False),
    ask_choice("priority", mark("Priority"), "priorities", is_required=False),
    ask_choice(
        "safe_contact",
        mark("May the person be contacted safely?"),
        "safe_contact_answers",
        is_required=False,
    ),
    ask_choices(
        "services", mark("Services that the person needs"), "services", is_required=False
    ),
    ask_choices(
        "urgent_needs",
        mark("Services that cannot wait for a lead"),
        "services",
        is_required=False,
    ),
)
SAFEGUARD_FIELDS: Final = (
    ask_choice(
        "country_of_origin", mark("Country of origin"), COUNTRIES, is_required=False
    ),
    ask_check(
        "fear_of_state", mark("The person fears the authorities of the country of origin")
    ),
    ask_check("official_implicated", mark("An official may be involved")),
    ask_check("seeks_asylum", mark("The person seeks asylum, or wants to")),
    ask_choice(
        "origin_contact",
        mark("May the authorities of the country of origin be contacted?"),
        "origin_contact_answers",
    ),
    FormField(
        name="unsafe_focal_points",
        label=mark("Offices that must not know of the person"),
        kind=FieldKind.OFFICES,
        is_required=False,
    ),
    ask_text(
        "unsafe_people",
        mark("People who must not learn of the person"),
        SEALED_HINT,
        is_required=False,
    ),
)
SCREENING_FIELDS: Final = (
    ask_indicators("indicators"),
    ask_elements("acts", mark("What was done to the person"), "ACT"),
    ask_elements("means", mark("By which means"), "MEANS"),
    ask_elements("purposes", mark("For which purpose"), "PURPOSE"),
    REMARKS,
)
CONSENT_FIELDS: Final = (
    ask_choice("given_by", mark("Who gives the consent?"), "consent_givers"),
    ask_choice("language", mark("Language in which it was explained"), "languages"),
    ask_check("interpreter", mark("An interpreter was present")),
    ask_date("obtained_on", mark("Day of the consent")),
    ask_time(
        "expires_at",
        mark("The consent ends on"),
        mark("The person can withdraw it at any time before."),
    ),
    ask_line(
        "form_version",
        mark("Version of the form"),
        mark("As it is printed on the form that was used."),
    ),
    ask_text(
        "evidence",
        mark("How the consent was given"),
        mark("Such as where the signed form is kept. Sealed."),
        is_required=False,
    ),
)
FACT_COUNTRY: Final = ask_choice("country", mark("Country"), COUNTRIES)
SECTION_FIELDS: Final = {
    "needs": (
        ask_text("summary", mark("What the person needs"), mark("Without names.")),
        ask_choice("gender", mark("Gender"), "genders", is_required=False),
        ask_text(
            "access_needs",
            mark("What the person needs to use a service"),
            mark("Such as an entrance without steps."),
            is_required=False,
        ),
        ask_text(
            "safety_alert",
            mark("What people who meet the person must know"),
            mark("Everyone who meets the person may read this."),
            is_required=False,
        ),
    ),
    "contact": (
        ask_line("alias", mark("First name or alias")),
        ask_line(
            "safe_channel",
            mark("How to reach the person safely"),
            mark("Also say which ways must never be used."),
        ),
        ask_line(
            "safe_times", mark("When it is safe to contact the person"), is_required=False
        ),
    ),
    "identity": (
        ask_lines("names", mark("Names")),
        ask_date("birth_date", mark("Date of birth"), is_required=False),
        ask_choice("nationality", mark("Nationality"), COUNTRIES, is_required=False),
        ask_lines("documents", mark("Identity documents"), is_required=False),
    ),
    "narrative": (
        ask_text("text", mark("What happened"), mark("In the words of the person.")),
    ),
    "indicators": (
        ask_indicators("codes"),
        ask_choices(
            "exploitation",
            mark("Forms of exploitation"),
            "exploitation_forms",
            is_required=False,
        ),
        REMARKS,
    ),
    "perpetrators": (ask_text("text", mark("What is known about the perpetrators")),),
    "health": (ask_text("text", mark("What medical staff must know")),),
}
"""The fields of each section of a case."""
