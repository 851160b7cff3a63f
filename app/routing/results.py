"""The routing result of a case in the form in which it is sealed (ADR 38)."""

from uuid import UUID

from pydantic import BaseModel


class Waiting(BaseModel):
    """A focal point that is still to be asked, and why it may lead."""

    focal_point_id: UUID
    reasons: list[str]


class LeftOutOffice(BaseModel):
    """A focal point of the country that may not lead, and why."""

    focal_point: str
    reasons: list[str]


class RoutingResult(BaseModel):
    """The offices still to be asked, best first and the desk last, and those left out."""

    waiting: list[Waiting] = []
    left_out: list[LeftOutOffice] = []
