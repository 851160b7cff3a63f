"""The routing result of a case in the form in which it is sealed (ADR 38)."""

from uuid import UUID

from pydantic import BaseModel


class Waiting(BaseModel):
    """A focal point that is still to be asked, with the reasons why it may lead."""

    focal_point_id: UUID
    reasons: list[str]


class LeftOutOffice(BaseModel):
    """A focal point of the country, with the reasons why it may not lead."""

    focal_point: str
    reasons: list[str]


class RoutingResult(BaseModel):
    """The offices that are still to be asked, in order, and the offices left out."""

    waiting: list[Waiting] = []
    excluded: list[LeftOutOffice] = []
