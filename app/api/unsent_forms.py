"""Routes for forms that could not be sent, for example because a session ended (ADR 71)."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Annotated, Final
from uuid import UUID

from fastapi import Path, Response
from pydantic_core import PydanticCustomError

from app.api.http.conditional_requests import render
from app.api.http.dependencies import KeepForms, ManageSessions, ReadDirectory
from app.api.http.problems import list_problems
from app.api.http.routers import ResourceRouter
from app.cases import queries as case_queries
from app.cases import unsent_forms
from app.cases.form_schemas import (
    FormDraftSaved,
    UnsentFormInput,
    UnsentFormList,
    UnsentFormOut,
)
from app.cases.records import UNSENT_PREFIX
from app.cases.unsent_forms import TooManyUnsentForms
from app.handovers import queries as handover_queries
from app.kernel.codes import normalize_case_code
from app.kernel.free_space import DiskSpaceReserved
from app.kernel.problems import NotFound
from app.kernel.transactions import ReadTransaction, WriteTransaction
from app.referrals import queries as referral_queries
from app.returns import queries as return_queries

router = ResourceRouter("form drafts", "/unsent-forms")
NO_CONTENT: Final = 204
FORM: Final = "The `form` of an item of the list."
FormId = Annotated[str, Path(pattern=r"^[a-z0-9-]{1,40}$", description=FORM)]
FINDERS: Final[Mapping[str, Callable[[ReadTransaction, str], UUID]]] = {
    "cases": lambda tx, code: case_queries.get(tx, normalize_case_code(code)).id,
    "referrals": lambda tx, text: referral_queries.get(tx, UUID(text)).case_id,
    "handovers": lambda tx, text: handover_queries.get(tx, UUID(text)).case_id,
    "returns": lambda tx, text: return_queries.get(tx, UUID(text)).case_id,
}
"""The function that finds the case of a record, by the first part of its path."""


def find_case(tx: WriteTransaction, record: str | None) -> UUID | None:
    """Return the id of the case of a record, or None if the case cannot be used.

    The result is None without a record, and for a record that is unknown, erased or not
    visible to the caller. The caller must not be able to distinguish these records, because
    the session may have ended.
    """
    if record is None:
        return None
    kind, _, identity = record.partition("/")
    with suppress(NotFound, ValueError, PydanticCustomError):
        case_id = FINDERS[kind](tx, identity)
        case_queries.get_data_key(tx, case_id)
        return case_id
    return None


@router.post(
    "",
    response_model=FormDraftSaved,
    responses=list_problems(TooManyUnsentForms, DiskSpaceReserved),
)
def save_unsent_form(begin: KeepForms, form: UnsentFormInput) -> Response:
    """Save a form that could not be sent, even if your session has ended.

    A session ends by itself after 15 minutes without a request, or after 8 hours. Only this
    operation accepts such a session, for another 8 hours. It does not accept a session that
    was signed out or ended with its account. The form is sealed, with the key of the case
    of `record` if you may see that record. Only you can read it, after you have signed in
    again to an account of the same focal point. It is deleted after 24 hours, or when its
    case is erased. It does not replace another form; the same content is stored once.
    """
    with begin() as tx:
        case_id = find_case(tx, form.record)
        row = unsent_forms.save_form(tx, case_id, form.content)
        return render(FormDraftSaved.model_validate(row))


@router.get("", response_model=UnsentFormList)
def list_unsent_forms(begin: ReadDirectory) -> Response:
    """List your forms of the last 24 hours that could not be sent, newest first."""
    with begin() as tx:
        items = [
            UnsentFormOut(
                form=row.form.removeprefix(UNSENT_PREFIX),
                saved_at=row.saved_at,
                expires_at=row.expires_at,
                content=content,
            )
            for row, content in unsent_forms.list_forms(tx)
        ]
        return render(UnsentFormList(items=items))


@router.delete("/{form}", status_code=NO_CONTENT)
def delete_unsent_form(begin: ManageSessions, form: FormId) -> Response:
    """Delete one of your forms that could not be sent, if it exists."""
    with begin() as tx:
        unsent_forms.delete_form(tx, form)
        return Response(status_code=NO_CONTENT)
