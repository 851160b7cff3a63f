"""Labels for the codes of the service in five languages, which clients can display.

Each list of labels is a reference list: its items have a label in each language, and the
review status of the translation (ADR 52, ADR 58). A test compares the codes with the enums
of the service.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from app.reference.files import read_sheet
from app.reference.kinds import About
from app.reference.rows import WordRow
from app.reference.schemas import Item

NOTE: Final = "Words of this mechanism, in its own translation."
CONFIDENCE: Final = "proposal"
OWN: Final = "own translation: not sourced, and not reviewed by a native speaker"
REVIEWED: Final = "own translation: not sourced; a native speaker reviewed: {languages}"

# fmt: off
WORD_LISTS: Final[Mapping[str, About]] = {
    "case_states": About("States of a case", NOTE),
    "referral_states": About("States of a referral", NOTE),
    "handover_states": About("States of a handover", NOTE),
    "return_states": About("States of a return", NOTE),
    "stages": About("Stages of a case", NOTE),
    "approval_states": About("States of an approval", NOTE),
    "emergency_access_states": About("States of an emergency access", NOTE),
    "case_actions": About("Actions on a case", NOTE),
    "referral_actions": About("Actions on a referral", NOTE),
    "handover_actions": About("Actions on a handover", NOTE),
    "return_actions": About("Actions on a return", NOTE),
    "deadlines": About("Tasks that have a deadline", NOTE),
    "routing_reasons": About("Why an office may be asked, or is left out", NOTE),
    "event_types": About(
        "Types of events, as short titles",
        f"{NOTE} docs/events.md says when each happens."),
    "sections": About("Sections of a case", NOTE),
    "purposes": About(
        "Purposes of a consent",
        f"{NOTE} A service is a purpose, with the words of the list `services`."),
    "reading_purposes": About("Purposes of opening a sealed document (`Purpose`)", NOTE),
    "remedies": About(
        "What to do about an unmet requirement",
        f"{NOTE} One general text for each code in `requirement`; the English `remedy` of "
        "a response can be more exact."),
    "advice": About("Advice on a list of offices", NOTE),
    "priorities": About("Priorities", NOTE),
    "age_classes": About("Age classes", NOTE),
    "relations": About("Relations of an office to a record", NOTE),
    "sides": About("Who can take an action or meet a requirement", NOTE),
    "roles": About("Roles of an account", NOTE),
    "facts": About("Facts of a case", NOTE),
    "vital_interest_reasons": About("Why a case cannot wait for a consent", NOTE),
    "no_go_reasons": About("Why a person must not return", NOTE),
    "referral_outcomes": About("Results of a referral", NOTE),
    "office_kinds": About("Kinds of offices", NOTE),
    "office_functions": About("Main tasks of offices", NOTE),
    "genders": About(
        "Gender of a person",
        f"{NOTE} The codes are those of the HTCDS 2.0 (`prs_Gender`)."),
    "exploitation_forms": About(
        "Forms of exploitation",
        f"{NOTE} The codes are those of the HTCDS 2.0 (`vic_TypeOfExploitation`)."),
    "sexes": About("Whom an office serves, by sex", NOTE),
    "age_groups": About("Whom an office serves, by age", NOTE),
    "approval_actions": About("Actions that a second person approves", NOTE),
    "risk_levels": About("Levels of the danger to the person", NOTE),
    "missed_outcomes": About("What happens if a deadline is missed", NOTE),
    "safe_contact_answers": About("Whether the person may be contacted safely", NOTE),
    "consent_givers": About("Who gives a consent", NOTE),
    "identification_statuses": About("Statuses of the fact `identification`", NOTE),
    "guardian_statuses": About("Statuses of the fact `guardian`", NOTE),
    "best_interests_statuses": About("Statuses of the fact `best_interests`", NOTE),
    "reflection_period_statuses": About("Statuses of the fact `reflection_period`", NOTE),
    "origin_contact_answers": About("Whether the State of origin may be contacted", NOTE),
    "legal_holds": About("Statuses of the fact `legal_hold`", NOTE),
    "presumptions": About("Results of a screening", NOTE),
    "indicator_groups": About("Groups of the list `indicators`", NOTE),
    "sealed_documents": About("Sealed documents other than sections", NOTE),
    "account_kinds": About("Who uses an account", NOTE),
    "nationalities": About("Answers to the check of a nationality", NOTE),
    "return_threats": About("Threats that forbid a return", NOTE),
    "family_findings": About("Results of the family inquiry of a return", NOTE),
    "best_interests_results": About(
        "Whether a return is in the best interests of a child", NOTE),
    "return_protections": About("Protection instead of a return", NOTE),
}
# fmt: on

WORDS: Final[Mapping[tuple[str, str], WordRow]] = {
    (row.list, row.code): row for row in read_sheet("words", WordRow)
}
"""The rows with the labels, by list and code."""


def list_words(name: str) -> Iterator[Item]:
    """Yield the codes of one list with their labels, in the order of the file."""
    for (listed, code), row in WORDS.items():
        if listed == name:
            yield Item(
                code=code,
                labels=row.texts,
                source=None,
                confidence=CONFIDENCE,
                translation=describe_translation(row),
            )


def describe_translation(row: WordRow) -> str:
    """Return who translated the labels of a code, and the languages that were reviewed."""
    return REVIEWED.format(languages=", ".join(row.reviewed)) if row.reviewed else OWN
