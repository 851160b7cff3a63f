"""What routing found for a case, as it is sealed with it (ADR 38)."""

from uuid import UUID

from pydantic import BaseModel


class Waiting(BaseModel):
    """A focal point that is still to be asked, and why it may lead."""

    focal_point_id: UUID
    reasons: list[str]


class LeftOutOffice(BaseModel):
    """A focal point of the country that may not lead, and why not."""

    focal_point: str
    reasons: list[str]


class RoutingResult(BaseModel):
    """Who is still to be asked, best first and the desk last; and who may not lead."""

    waiting: list[Waiting] = []
    left_out: list[LeftOutOffice] = []
