"""API schemas of form drafts: the values of a form that has not been sent."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Final

from pydantic import AfterValidator, Field
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
    """A value of a field of a form."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_/-]{1,80}$")]
    value: Annotated[str, Field(pattern=r"^[^\x00]*$", max_length=16_000)]


def encode_values(values: Sequence[FormValue]) -> bytes:
    """Return the values as JSON in UTF-8."""
    plain = [one.model_dump() for one in values]
    return json.dumps(plain, ensure_ascii=False).encode()


def require_size(values: list[FormValue]) -> list[FormValue]:
    """Raise a validation error if the values are larger than `MAX_DRAFT_BYTES`."""
    if len(encode_values(values)) > MAX_DRAFT_BYTES:
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
    """When a draft was saved, and when it is deleted."""

    saved_at: datetime
    expires_at: datetime


class FormDraftOut(FormDraftSaved):
    """A draft that you saved."""

    values: Annotated[list[FormValue], Field(description=VALUES)]
