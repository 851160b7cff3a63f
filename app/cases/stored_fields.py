"""Old names in stored documents and records, and the new names that replace them."""

import json
from typing import Final

from app.cases.sections import Paper, Sealable, Section

RENAMED_FIELDS: Final[dict[Sealable, tuple[str, str]]] = {
    Section.NEEDS: ("safety_notice", "safety_alert"),
    Paper.SCREENING: ("signs", "indicators"),
    Paper.ROUTING: ("left_out", "excluded"),
}
"""The old and the new name of the renamed field, by the kind of document."""


def rename_fields(kind: Sealable, content: bytes) -> bytes:
    """Return the JSON of a document with the field names that its schema has today."""
    old, new = RENAMED_FIELDS.get(kind, ("", ""))
    return rename_field(content, old, new) if old else content


def restore_fields(kind: Sealable, content: bytes) -> bytes:
    """Return the JSON of a document with the field names that are stored.

    During an upgrade, processes of an earlier version can thus open the document.
    """
    old, new = RENAMED_FIELDS.get(kind, ("", ""))
    return rename_field(content, new, old) if old else content


def rename_field(content: bytes, name: str, to: str) -> bytes:
    """Return a JSON object in which a field is renamed, encoded without spaces.

    If there is no such field, return `content` unchanged.
    """
    fields = json.loads(content)
    if name not in fields:
        return content
    renamed = {to if one == name else one: value for one, value in fields.items()}
    return json.dumps(renamed, ensure_ascii=False, separators=(",", ":")).encode()


RENAMED_WORDS: Final = {
    "account_for": "locate",
    "safety_notice": "safety_alert",
    "vital_reading": "emergency_access",
}
"""The new word for each old word in a stored document name (`return account_for`)."""


def rename_subject(stored: str) -> str:
    """Return the name of a document, or of the subject of a note, as the API shows it."""
    return " ".join(RENAMED_WORDS.get(word, word) for word in stored.split(" "))
