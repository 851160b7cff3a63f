"""Forms that could not be sent, for example because the session had ended (ADR 71).

They are stored like drafts of forms. Only the person who filled in a form can read it. A
session that has ended can add a form, but cannot read, replace or delete one.
"""

import json
from collections.abc import Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, select

from app.cases.form_drafts import (
    LIFETIME,
    get_owner,
    is_own,
    lock_drafts,
    open_text,
    seal_text,
)
from app.cases.records import UNSENT_PREFIX, FormDraft
from app.kernel.problems import NotFound, Problem
from app.kernel.transactions import ReadTransaction, WriteTransaction

MAX_UNSENT: Final = 5
"""The maximum number of unsent forms that a person can have at one office."""


class TooManyUnsentForms(Problem):
    """You have reached your limit of unsent forms."""

    status = 429

    def __init__(self) -> None:
        super().__init__(
            f"{MAX_UNSENT} of your forms wait to be sent. Sign in, and send or delete one "
            "of them. Each is deleted 24 hours after it was saved."
        )


def save_form(tx: WriteTransaction, case_id: UUID | None, content: str) -> FormDraft:
    """Seal a form of the caller that could not be sent.

    If a form with the same content is stored already, only its times are updated. Raises
    DiskSpaceReserved (503) if the disk is nearly full, or TooManyUnsentForms (429).
    """
    tx.runtime.free_space.require_unreserved()
    lock_drafts(tx)
    same = (row for row, stored in list_forms(tx) if stored == content)
    row = next(same, None) or add_form(tx, case_id, content)
    row.saved_at, row.expires_at = tx.now, tx.now + LIFETIME
    return row


def add_form(tx: WriteTransaction, case_id: UUID | None, content: str) -> FormDraft:
    """Add an unsent form, or raise TooManyUnsentForms (429)."""
    count = select(func.count()).where(is_unsent(tx))
    if (tx.session.scalar(count) or 0) >= MAX_UNSENT:
        raise TooManyUnsentForms
    form_id = tx.create_id()
    row = FormDraft(
        id=form_id,
        owner_id=get_owner(tx),
        focal_point_id=tx.actor.focal_point_id,
        form=f"{UNSENT_PREFIX}{form_id.hex}",
        subject=case_id or get_owner(tx),
        case_id=case_id,
    )
    seal_text(tx, row, json.dumps(content, ensure_ascii=False))
    tx.session.add(row)
    return row


def is_unsent(tx: ReadTransaction) -> ColumnElement[bool]:
    """Return an SQL condition for the unsent forms of the caller that have not expired."""
    unsent = FormDraft.form.startswith(UNSENT_PREFIX)
    return is_own(tx) & unsent & (FormDraft.expires_at > tx.now)


def list_forms(tx: ReadTransaction) -> Sequence[tuple[FormDraft, str]]:
    """Return the unsent forms of the caller with their content, newest first.

    A form whose key is lost is left out.
    """
    newest = FormDraft.saved_at.desc()
    rows = tx.session.scalars(
        select(FormDraft).where(is_unsent(tx)).order_by(newest, FormDraft.id)
    ).all()
    found = list[tuple[FormDraft, str]]()
    for row in rows:
        try:
            found.append((row, json.loads(open_text(tx, row))))
        except NotFound:
            continue
    return found


def delete_form(tx: WriteTransaction, name: str) -> None:
    """Delete an unsent form of the caller, if there is one with this name."""
    named = FormDraft.form == f"{UNSENT_PREFIX}{name}"
    tx.session.execute(delete(FormDraft).where(is_own(tx), named))
