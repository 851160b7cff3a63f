"""API schemas of form drafts: the values of a form that has not been sent."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Final

from pydantic import AfterValidator, Field
from pydantic.json_schema import SkipJsonSchema
from pydantic_core import PydanticCustomError

from app.cases.sections import Grows
from app.kernel.text import RequestModel, ResponseModel

MAX_DRAFT_BYTES: Final = 64 * 1024
"""The maximum size of the values of a form draft, as JSON in UTF-8."""
VALUES: Final = (
    "The values as they were typed, at most 64 KiB as JSON; sealed. A field with several "
    "values has one item for each."
)


class FormValue(Grows):
    """One value of a form field."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_/-]{1,80}$")]
    value: Annotated[str, Field(pattern=r"^[^\x00]*$", max_length=16_000)]


def encode_values(values: Sequence[FormValue]) -> str:
    """Return the values as JSON."""
    return json.dumps([one.model_dump() for one in values], ensure_ascii=False)


def require_size(values: list[FormValue]) -> list[FormValue]:
    """Raise a validation error if the values are larger than `MAX_DRAFT_BYTES`."""
    if len(encode_values(values).encode()) > MAX_DRAFT_BYTES:
        message = f"The values have more than {MAX_DRAFT_BYTES} bytes as JSON."
        raise PydanticCustomError("draft_too_large", message)
    return values


class FormDraftInput(RequestModel):
    """The values of a form that has not been sent."""

    values: Annotated[
        list[FormValue],
        AfterValidator(require_size),
        Field(max_length=500, description=VALUES),
    ]


class FormDraftSaved(ResponseModel):
    """The times at which a draft was saved, and at which it is deleted."""

    saved_at: datetime
    expires_at: datetime


class FormDraftOut(FormDraftSaved):
    """A draft that you saved."""

    values: Annotated[list[FormValue], Field(description=VALUES)]


def require_short(content: str) -> str:
    """Raise a validation error if an unsent form is larger than `MAX_DRAFT_BYTES`."""
    if len(content.encode()) > MAX_DRAFT_BYTES:
        message = f"The content has more than {MAX_DRAFT_BYTES} bytes in UTF-8."
        raise PydanticCustomError("draft_too_large", message)
    return content


RecordPath = Annotated[
    str, Field(pattern=r"^(cases|referrals|handovers|returns)/[A-Za-z0-9-]{1,40}$")
]
FormContent = Annotated[
    str,
    Field(pattern=r"^[^\x00]+$", max_length=MAX_DRAFT_BYTES),
    AfterValidator(require_short),
]


class UnsentFormInput(RequestModel):
    """A form that could not be sent, and the record that it is about."""

    record: RecordPath | SkipJsonSchema[None] = None
    content: FormContent


class UnsentFormOut(FormDraftSaved):
    """A form of yours that could not be sent."""

    form: str
    content: FormContent


class UnsentFormList(ResponseModel):
    """Your forms that could not be sent."""

    items: list[UnsentFormOut]
