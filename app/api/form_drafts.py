"""Routes for form drafts, which keep entered values until the form is sent (ADR 69)."""

from typing import Annotated, Final

from fastapi import Path, Query, Response
from pydantic import BaseModel, ConfigDict
from pydantic.json_schema import SkipJsonSchema

from app.api.http.conditional_requests import render
from app.api.http.dependencies import ScreenSigns, WriteCases
from app.api.http.problems import list_problems
from app.api.http.routers import ResourceRouter
from app.cases import form_drafts
from app.cases.form_drafts import TooManyFormDrafts
from app.cases.form_schemas import FormDraftInput, FormDraftOut, FormDraftSaved
from app.kernel.codes import CaseCodeText
from app.kernel.free_space import DiskSpaceReserved
from app.kernel.problems import NotFound

router = ResourceRouter("form drafts", "/form-drafts/{form}")
FORM: Final = "A name of the form that you choose, such as `refer`."
FormName = Annotated[str, Path(pattern=r"^[a-z][a-z0-9-]{0,39}$", description=FORM)]


class DraftQuery(BaseModel):
    """The case that a form is about, if any."""

    model_config = ConfigDict(extra="forbid")

    case: CaseCodeText | SkipJsonSchema[None] = None


About = Annotated[DraftQuery, Query()]


@router.put(
    "",
    response_model=FormDraftSaved,
    responses=list_problems(NotFound, TooManyFormDrafts, DiskSpaceReserved),
)
def save_form_draft(
    begin: WriteCases, form: FormName, about: About, draft: FormDraftInput
) -> Response:
    """Save the values entered in a form, and replace your earlier draft of the form.

    The draft is sealed. Only you can read it, with an account of the same focal point. It
    is deleted after 24 hours, or when its case is erased. No earlier version is kept, and
    no event is recorded.
    """
    with begin() as tx:
        row = form_drafts.save_draft(tx, form, about.case, draft.values)
        return render(FormDraftSaved.model_validate(row))


@router.get("", response_model=FormDraftOut, responses=list_problems(NotFound))
def get_form_draft(begin: ScreenSigns, form: FormName, about: About) -> Response:
    """Read the draft of a form that you saved in the last 24 hours."""
    with begin() as tx:
        row, values = form_drafts.get_draft(tx, form, about.case)
        shown = FormDraftOut(
            saved_at=row.saved_at, expires_at=row.expires_at, values=values
        )
        return render(shown)


@router.delete("", status_code=204, responses=list_problems(NotFound))
def delete_form_draft(begin: WriteCases, form: FormName, about: About) -> Response:
    """Delete your draft of a form. It need not exist."""
    with begin() as tx:
        form_drafts.delete_draft(tx, form, about.case)
        return Response(status_code=204)
