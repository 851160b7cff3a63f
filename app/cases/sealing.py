"""Sealing of documents, with padding and the daily quota."""

from uuid import UUID

from app.cases import queries as case_queries
from app.cases.case_changes import delete_records
from app.cases.models import Case, Sealed
from app.cases.padding import pad
from app.cases.quotas import count_volume
from app.cases.sections import Sealable, get_kind
from app.cases.stored_fields import restore_fields
from app.kernel.transactions import WriteTransaction


def seal_padded(tx: WriteTransaction, document: Sealed, plain: bytes) -> None:
    """Pad JSON to hide its length, and seal it in a row.

    The transaction keeps the row in memory. Raises NotFound (404) if the key of the case
    was destroyed, and DailyVolumeUsed (429) if the document exceeds the daily quota.
    """
    key = case_queries.get_data_key(tx, document.case_id)
    document.key_version = key.version
    kind = get_kind(document.kind)
    padded = pad(kind, restore_fields(kind, plain.rstrip()))
    count_volume(tx, document.case_id, kind, len(padded))
    document.replace_document(
        tx.vault.seal(key, case_queries.build_place(document), padded)
    )
    tx.kept_alive.add(document)


def list_new_documents(tx: WriteTransaction, record_id: UUID) -> list[Sealed]:
    """List the documents of a record that this transaction has sealed."""
    sealed = (one for one in tx.kept_alive if isinstance(one, Sealed))
    return [one for one in sealed if one.record_id == record_id and one in tx.session]


def find_document(tx: WriteTransaction, record_id: UUID, kind: Sealable) -> Sealed | None:
    """Return the document of one kind that belongs to a record, or None.

    If this transaction created the record, no earlier document can exist. Therefore, only
    the documents that this transaction sealed are searched, without a query.
    """
    if record_id not in tx.created:
        return case_queries.find_sealed(tx, record_id, kind)
    sealed = list_new_documents(tx, record_id)
    return next((one for one in sealed if one.kind == kind), None)


def delete_sealed(tx: WriteTransaction, case: Case, kind: Sealable) -> None:
    """Delete the sealed documents of one kind that belong to the case itself."""
    named = (Sealed.record_id == case.id) & (Sealed.kind == kind)
    delete_records(tx.session, case.id, Sealed, named)
