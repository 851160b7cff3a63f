"""Sealed documents that rules use, and the data keys with which they are opened."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from sqlalchemy import Select

from app.cases import statements
from app.cases.case_loading import require_all_loaded
from app.cases.models import CaseKey, Sealed
from app.cases.protected_records import get_document_label
from app.cases.queries import open_sealed
from app.cases.sections import Paper, Safeguards
from app.kernel.recall import load_once
from app.kernel.transactions import ReadTransaction
from app.kernel.vault import WrappedKey

type KeyedDocument = tuple[Sealed, WrappedKey | None]
"""A sealed document with the data key of its case, or None if the key was destroyed."""


def list_keyed(
    tx: ReadTransaction, statement: Select[Sealed, CaseKey], case_ids: Iterable[UUID]
) -> list[KeyedDocument]:
    """List the documents that a statement finds for cases, with the keys of the cases."""
    rows: Iterable[tuple[Sealed, CaseKey | None]] = tx.session.execute(
        statement, {"cases": list(case_ids)}
    )
    found = list[KeyedDocument]()
    for document, key in rows:
        tx.kept_alive.add(key)
        found.append((document, key.as_wrapped() if key else None))
    return found


@load_once(Sealed, CaseKey)
def list_safeguards(tx: ReadTransaction, case_ids: Iterable[UUID]) -> list[KeyedDocument]:
    """List the sealed safeguards of cases, with the keys of the cases.

    Raises NotAuthentic if the safeguards of a case were deleted outside the service.
    """
    found = list_keyed(tx, statements.SAFEGUARDS, case_ids)
    labels = [get_document_label(Paper.SAFEGUARDS)]
    require_all_loaded(tx.session, [*case_ids], labels)
    return found


@load_once(Sealed, CaseKey)
def list_routing(tx: ReadTransaction, case_ids: Iterable[UUID]) -> list[KeyedDocument]:
    """List the sealed routing results of cases, with the keys of the cases."""
    return list_keyed(tx, statements.ROUTING, case_ids)


@load_once(Sealed, CaseKey)
def load_safeguards(
    tx: ReadTransaction, case_ids: Iterable[UUID]
) -> Mapping[UUID, Safeguards]:
    """Return the decrypted safeguards of cases, which only rules may use, by case id."""
    return {
        document.case_id: Safeguards.model_validate_json(open_sealed(tx, document, key))
        for document, key in list_safeguards(tx, case_ids)
    }
