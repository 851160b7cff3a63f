"""Names in stored documents and records that were renamed after they had been stored."""

import json
from typing import Final

from app.cases.sections import Paper, Sealable, Section

RENAMED_FIELDS: Final[dict[Sealable, tuple[str, str]]] = {
    Section.NEEDS: ("safety_notice", "safety_alert"),
    Paper.SCREENING: ("signs", "indicators"),
    Paper.ROUTING: ("left_out", "excluded"),
}
"""The old and the new name of a field, for each kind of document that has one."""


def rename_fields(kind: Sealable, content: bytes) -> bytes:
    """Return the JSON of a document with the field names that its schema has today."""
    if kind not in RENAMED_FIELDS:
        return content
    old, new = RENAMED_FIELDS[kind]
    fields = json.loads(content)
    if old not in fields:
        return content
    return json.dumps(
        {new if name == old else name: fields[name] for name in fields}
    ).encode()


RENAMED_WORDS: Final = {
    "account_for": "locate",
    "safety_notice": "safety_alert",
    "vital_reading": "emergency_access",
}
"""Renamed words in stored names of documents, as in `return account_for`."""


def rename_subject(stored: str) -> str:
    """Return the name of a document, or of what a note is about, as the API shows it."""
    return " ".join(RENAMED_WORDS.get(word, word) for word in stored.split(" "))
