"""Column types for names and codes that have one form in the database and one in the API.

The journal is never rewritten. A type or fact that was renamed keeps its old name in the
table, in new rows too, so that one name in the table has one meaning. The old name is
replaced on reading, and the new name on writing and in comparisons.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final, override

from sqlalchemy import JSON, Dialect, Enum, String
from sqlalchemy.types import TypeDecorator

STORED_TYPES: Final[Mapping[str, str]] = {
    "account.created": "account.opened",
    "account.key_created": "account.key_made",
    "approval.expired": "approval.lapsed",
    "approval.requested": "approval.asked",
    "case.emergency_access_ended": "case.vital_reading_ended",
    "case.emergency_access_expired": "case.vital_reading_lapsed",
    "case.emergency_access_granted": "case.vital_reading_granted",
    "case.emergency_access_refused": "case.vital_reading_refused",
    "case.emergency_access_requested": "case.vital_reading_asked",
    "case.emergency_access_reviewed": "case.vital_reading_reviewed",
    "case.person_informed": "case.person_told",
    "case.referring_again": "case.fell_back",
    "case.summary_changed": "case.notice_changed",
    "case.vital_interest_declared": "case.vital_interest",
    "focal_point.deadline_missed": "focal_point.silent",
    "referral.created": "referral.opened",
    "return.child_received": "return.child_provided_for",
    "return.document_requested": "return.papers_asked",
    "return.person_located": "return.person_accounted_for",
    "webhook.created": "webhook.opened",
}
"""The stored name of each event type that was renamed."""
STORED_FACTS: Final[Mapping[str, str]] = {
    "deadline": "clock",
    "emergency_access": "reading",
    "missed": "silence",
}
"""The stored name of each fact that was renamed."""
STORED_DEADLINES: Final[Mapping[str, str]] = {
    "decide_emergency_access": "decide_reading",
    "emergency_access_ends": "reading_ends",
    "inform_person": "tell_person",
}
"""The stored code of each kind of deadline that was renamed."""
SERVED_TYPES: Final = {old: new for new, old in STORED_TYPES.items()}
SERVED_FACTS: Final = {old: new for new, old in STORED_FACTS.items()}
SERVED_DEADLINES: Final = {old: new for new, old in STORED_DEADLINES.items()}


def store_enum(
    kind: type[StrEnum], name: str | None, stored: Mapping[str, str] | None = None
) -> Enum:
    """Return the type of a column of text that a CHECK constraint restricts to an enum.

    Rows keep the codes with which they were written. If a code of the enum was renamed,
    `stored` maps the new code to the code in the table. `name` is the name of the
    constraint. None is for the type map of `Base`, which uses the lower-case class name.
    """
    old_codes = stored or {}
    return Enum(
        kind,
        name=name,
        native_enum=False,
        create_constraint=True,
        length=40,
        values_callable=lambda kind: [old_codes.get(one, one.value) for one in kind],
    )


class EventTypeName(TypeDecorator[str]):
    """The column type of event types. It stores old names and returns current names."""

    impl = String
    cache_ok = True

    @override
    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return value and STORED_TYPES.get(value, value)

    @override
    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        return value and SERVED_TYPES.get(value, value)


class EventFacts(TypeDecorator[dict[str, Any]]):
    """The column type of event facts. It stores old names and returns current names."""

    impl = JSON(none_as_null=True)
    cache_ok = True

    @override
    def process_bind_param(
        self, value: dict[str, Any] | None, dialect: Dialect
    ) -> dict[str, Any] | None:
        return value and rename_facts(value, STORED_FACTS, STORED_DEADLINES)

    @override
    def process_result_value(
        self, value: dict[str, Any] | None, dialect: Dialect
    ) -> dict[str, Any] | None:
        return value and rename_stored_facts(value)


def rename_stored_facts(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return stored facts with the names that the API uses."""
    return rename_facts(facts, SERVED_FACTS, SERVED_DEADLINES)


def rename_facts(
    facts: Mapping[str, Any], names: Mapping[str, str], deadlines: Mapping[str, str]
) -> dict[str, Any]:
    """Return facts with their keys and the kind of their deadline renamed."""
    renamed = {names.get(name, name): value for name, value in facts.items()}
    for name in ("deadline", "clock"):
        if name in renamed:
            renamed[name] = deadlines.get(renamed[name], renamed[name])
    return renamed
