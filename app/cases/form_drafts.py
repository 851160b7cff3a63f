"""Drafts of forms, which keep the entered values until the form is sent (ADR 69).

Only the person who saved a draft can read it, with an account of the same office. A draft
is in no list, event or log, and the worker deletes it 24 hours after it was saved.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import flag_modified

from app.cases import queries as case_queries
from app.cases.form_schemas import FormValue, encode_values
from app.cases.models import Case
from app.cases.records import UNSENT_PREFIX, FormDraft
from app.kernel.db import lock_name
from app.kernel.padding import compute_stepped_length
from app.kernel.problems import NotFound, Problem
from app.kernel.transactions import ReadTransaction, WriteTransaction
from app.kernel.vault import Place, SealedDocument, Unopenable

VALUES: Final = TypeAdapter(list[FormValue])
LIFETIME: Final = timedelta(hours=24)
MAX_DRAFTS: Final = 20
"""The maximum number of drafts that a person can have at one office."""


class TooManyFormDrafts(Problem):
    """You have reached your limit of form drafts."""

    status = 429

    def __init__(self) -> None:
        super().__init__(
            f"You have {MAX_DRAFTS} form drafts. Send or delete one of these forms. "
            "Each draft is deleted 24 hours after it was saved."
        )


def save_draft(
    tx: WriteTransaction, form: str, code: str | None, values: Sequence[FormValue]
) -> FormDraft:
    """Seal the values of a form, in place of the caller's earlier draft of the form.

    `code` is the code of the case that the form is about, or None. Raises NotFound (404) if
    the case is erased or hidden, DiskSpaceReserved (503) if the disk is nearly full, or
    TooManyFormDrafts (429).
    """
    tx.runtime.free_space.require_unreserved()
    case = case_queries.get(tx, code) if code else None
    lock_drafts(tx)
    row = find_row(tx, form, case)
    if row is None:
        require_draft_limit(tx)
        row = FormDraft(
            id=tx.create_id(),
            owner_id=get_owner(tx),
            focal_point_id=tx.actor.focal_point_id,
            form=form,
            subject=get_subject(tx, case),
            case_id=case.id if case else None,
        )
    seal_values(tx, row, values)
    row.saved_at, row.expires_at = tx.now, tx.now + LIFETIME
    tx.session.add(row)
    return row


def get_draft(
    tx: ReadTransaction, form: str, code: str | None
) -> tuple[FormDraft, list[FormValue]]:
    """Return a draft of the caller with its values, or raise NotFound (404)."""
    row = find_row(tx, form, case_queries.get(tx, code) if code else None)
    if row is None or row.expires_at <= tx.now:
        raise NotFound("There is no draft of this form.")
    return row, open_values(tx, row)


def delete_draft(tx: WriteTransaction, form: str, code: str | None) -> None:
    """Delete a draft of the caller, if there is one.

    Raises NotFound (404) if the draft is about a case that the caller does not see.
    """
    row = find_row(tx, form, case_queries.get(tx, code) if code else None)
    if row is not None:
        tx.session.delete(row)


def lock_drafts(tx: WriteTransaction) -> None:
    """Lock the drafts of the caller, so that only one transaction at a time adds drafts."""
    lock_name(tx.session, f"form_draft:{get_owner(tx)}")


def get_owner(tx: ReadTransaction) -> UUID:
    """Return the id of the person, or of a machine's account, that owns the drafts."""
    return tx.actor.person_id or tx.actor.account_id


def get_subject(tx: ReadTransaction, case: Case | None) -> UUID:
    """Return the id of the case that a draft is about, or else the id of its owner."""
    return case.id if case else get_owner(tx)


def is_own(tx: ReadTransaction) -> ColumnElement[bool]:
    """Return an SQL condition for the drafts of the caller at the caller's office."""
    here = FormDraft.focal_point_id == tx.actor.focal_point_id
    return here & (FormDraft.owner_id == get_owner(tx))


def find_row(tx: ReadTransaction, form: str, case: Case | None) -> FormDraft | None:
    """Return the row of a draft of the caller, or None."""
    return tx.session.scalar(
        select(FormDraft).where(
            is_own(tx),
            FormDraft.form == form,
            FormDraft.subject == get_subject(tx, case),
        )
    )


def require_draft_limit(tx: WriteTransaction) -> None:
    """Raise TooManyFormDrafts (429) if the caller has reached the limit of drafts.

    Unsent forms do not count, because a session that has ended can add them.
    """
    drafts = is_own(tx) & ~FormDraft.form.startswith(UNSENT_PREFIX)
    if (tx.session.scalar(select(func.count()).where(drafts)) or 0) >= MAX_DRAFTS:
        raise TooManyFormDrafts


def seal_values(tx: WriteTransaction, row: FormDraft, values: Sequence[FormValue]) -> None:
    """Seal values in a row with a new key."""
    seal_text(tx, row, encode_values(values))


def seal_text(tx: WriteTransaction, row: FormDraft, text: str) -> None:
    """Seal a JSON text in a row with a new key, padded to hide its length."""
    plain = text.encode()
    padded = plain.ljust(compute_stepped_length(len(plain)))
    if row.case_id is None:
        row.version, document = tx.vault.seal_alone(padded, *list_bound_values(row))
    else:
        key = case_queries.get_data_key(tx, row.case_id)
        row.version = key.version
        document = tx.vault.seal(key, build_place(row, row.case_id), padded)
    row.sealed, row.wrapped = document
    flag_modified(row, "version")  # another transaction may have rewrapped the key


def open_values(tx: ReadTransaction, row: FormDraft) -> list[FormValue]:
    """Return the values of a draft, or raise NotFound (404) if its key is lost."""
    return VALUES.validate_json(open_text(tx, row))


def open_text(tx: ReadTransaction, row: FormDraft) -> str:
    """Return the JSON text of a draft, or raise NotFound (404) if its key is lost."""
    try:
        if row.case_id is None:
            document = SealedDocument(row.sealed, row.wrapped)
            plain = tx.vault.open_alone(row.version, document, *list_bound_values(row))
        else:
            key = case_queries.get_data_key(tx, row.case_id)
            place = build_place(row, row.case_id)
            plain = tx.vault.open(key, place, row.sealed, row.wrapped)
    except Unopenable as error:
        raise NotFound("There is no draft of this form.") from error
    return plain.decode()


def list_bound_values(row: FormDraft) -> tuple[str, ...]:
    """Return the values of a row to which its encryption is bound."""
    return FormDraft.__tablename__, str(row.id), str(row.owner_id), row.form


def build_place(row: FormDraft, case_id: UUID) -> Place:
    """Return the place to which the encryption of a draft about a case is bound."""
    section = " ".join(list_bound_values(row)[2:])
    return Place(FormDraft.__tablename__, row.id, case_id, section, row.version)


def has_expired(session: Session, now: datetime) -> bool:
    """Return whether a draft has to be deleted."""
    return (
        session.scalar(select(FormDraft.id).where(FormDraft.expires_at <= now)) is not None
    )


def delete_expired(session: Session, now: datetime) -> int:
    """Delete the drafts that were saved more than 24 hours ago; return their number."""
    expired = delete(FormDraft).where(FormDraft.expires_at <= now)
    return len(session.scalars(expired.returning(FormDraft.id)).all())
