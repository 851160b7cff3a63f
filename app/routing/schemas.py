"""Routing as the outside world sees it."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from app.kernel.text import Shown


class CandidateOut(Shown):
    """A focal point that may lead, and why."""

    place: int
    focal_point: str
    reasons: Annotated[
        list[str],
        Field(description="Codes, such as `body_of_the_country`; the list will grow."),
    ]
    asked_at: datetime | None
    declined_at: datetime | None


class LeftOutOut(Shown):
    """A focal point of the country that may not lead, and why not."""

    focal_point: str
    reasons: list[str]


class RoutingOut(Shown):
    """Who is asked to lead, in which order and why; at the end of the list, the desk."""

    holder: Annotated[str | None, Field(description="Who has it now.")]
    candidates: list[CandidateOut]
    left_out: list[LeftOutOut]
