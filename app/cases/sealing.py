"""Sealing of documents, with padding and the daily quota."""

from app.cases import queries as case_queries
from app.cases.models import Sealed
from app.cases.padding import pad
from app.cases.quotas import count_volume
from app.cases.sections import get_kind
from app.cases.stored_fields import restore_fields
from app.kernel.transactions import WriteTransaction


def seal_padded(tx: WriteTransaction, document: Sealed, plain: bytes) -> None:
    """Pad JSON to hide its length, and seal it in a row.

    Raises DailyVolumeUsed (429) if the daily quota of the account is used up.
    """
    key = case_queries.get_data_key(tx, document.case_id)
    document.key_version = key.version
    kind = get_kind(document.kind)
    padded = pad(kind, restore_fields(kind, plain.rstrip()))
    count_volume(tx, document.case_id, kind, len(padded))
    document.replace_document(
        tx.vault.seal(key, case_queries.build_place(document), padded)
    )
