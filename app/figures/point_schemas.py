"""Requests and responses of follow-up points of meetings."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from app.kernel.text import Day, RequestModel, ResponseModel, SafeLine

MEETING = "The day of the meeting that wants the point done."
TEXT = (
    "What is to be done, in one line; sealed. The report for a meeting contains it, so "
    "never write about a person or a case."
)
COMPLETED = "When the point was done. Null while it is open."


class MeetingPointInput(RequestModel):
    """A new follow-up point of a meeting."""

    meeting: Annotated[Day, Field(description=MEETING)]
    text: Annotated[SafeLine, Field(description=TEXT)]


class MeetingPointOut(ResponseModel):
    """A follow-up point of a meeting. It is open until it is done."""

    id: UUID
    meeting: Annotated[date, Field(description=MEETING)]
    text: Annotated[
        str | None, Field(description="What is to be done. Null if its key is lost.")
    ]
    focal_point: Annotated[str, Field(description="The focal point that wrote it.")]
    written_at: datetime
    completed_at: Annotated[datetime | None, Field(description=COMPLETED)]


class MeetingPointList(ResponseModel):
    """The follow-up points of meetings: open ones first, then done ones, latest first."""

    items: list[MeetingPointOut]
