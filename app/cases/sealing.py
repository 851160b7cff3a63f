"""Sealing of documents: one function pads, counts and encrypts them."""

from app.cases import queries
from app.cases.models import Sealed
from app.cases.padding import pad
from app.cases.quotas import count_volume
from app.cases.sections import get_kind
from app.kernel.transactions import Writing


def seal_padded(work: Writing, document: Sealed, plain: bytes) -> None:
    """Seal JSON in a row, padded to hide its length; raises DailyVolumeUsed (429)."""
    key = queries.get_data_key(work, document.case_id)
    document.key_version = key.version
    kind = get_kind(document.kind)
    padded = pad(kind, plain.rstrip())
    count_volume(work, document.case_id, kind, len(padded))
    document.replace_document(work.vault.seal(key, queries.build_place(document), padded))
