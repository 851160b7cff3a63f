"""Resealing of documents that lack padding or a key of their own (ADR 37, ADR 44).

Older versions of the service wrote such documents.
"""

from uuid import UUID

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session, lazyload

from app.cases import queries as case_queries
from app.cases.models import CaseKey, DocumentKey, Sealed
from app.cases.padding import is_padded
from app.cases.sealing import seal_padded
from app.cases.sections import get_kind
from app.kernel.statements import lock_rows
from app.kernel.transactions import WriteTransaction


def list_outdated(session: Session) -> list[UUID]:
    """Return the ids of rows that must be sealed again and whose case still has a key."""
    has_key = exists().where(DocumentKey.document_id == Sealed.id)
    rows = select(Sealed.id, Sealed.kind, func.length(Sealed.sealed), has_key).join(
        CaseKey, CaseKey.case_id == Sealed.case_id
    )
    found = session.execute(rows.order_by(Sealed.id))
    return [
        one
        for one, kind, size, has_own_key in found
        if not (has_own_key and is_padded(get_kind(kind), size))
    ]


def seal_again(tx: WriteTransaction, sealed_id: UUID) -> bool:
    """Seal a row again if this is needed and possible; return whether it was sealed."""
    row = select(Sealed).where(Sealed.id == sealed_id).options(lazyload(Sealed.key))
    document = tx.session.scalar(lock_rows(row))
    if document is None:
        return False
    if document.key and is_padded(get_kind(document.kind), len(document.sealed)):
        return False
    if tx.session.get(CaseKey, document.case_id) is None:
        return False
    seal_padded(tx, document, case_queries.open_sealed(tx, document))
    return True
