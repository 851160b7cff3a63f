"""Request and response schemas of handovers."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import Field, StrictBool

from app.cases.reasons import DeclineReason
from app.cases.sections import DEFAULT_CONTACTS, DutyContacts, Section
from app.handovers.lifecycle import Action, Need, State
from app.kernel.actors import Side
from app.kernel.paging import Page
from app.kernel.requirements import AvailableAction
from app.kernel.text import Code, RequestModel, ResponseModel, SafeText

OFFER_NOTE = "Sealed with the case; the new lead may read it once it leads."
HELD_BACK = (
    "Sections that the person agreed to share but that no agreement in force allows across "
    "this border: the new lead cannot open them. Shown only to the lead."
)


class HandoverReason(StrEnum):
    """The reasons for a handover that the HTCDS defines."""

    ADDITIONAL_SERVICES = "ADDITIONAL_SERVICES"
    MIGRATION_OR_CHANGE_OF_LOCATION = "MIGRATION_OR_CHANGE_OF_LOCATION"
    OTHER = "OTHER"


class HandoverInput(RequestModel):
    """A handover that offers the lead of a case to one focal point."""

    to: Annotated[Code, Field(description="Code of the focal point that will lead.")]
    reason: HandoverReason
    note: Annotated[SafeText | None, Field(description=OFFER_NOTE)] = None


class AcceptHandover(RequestModel):
    """The contacts and the capacity of a focal point that accepts the lead (BR20, BR22)."""

    contacts: Annotated[DutyContacts | None, Field(description=DEFAULT_CONTACTS)] = None
    capacity_confirmed: Annotated[
        StrictBool, Field(description="Whether you have the capacity to lead.")
    ]


class DeclineHandover(RequestModel):
    """The reason why the focal point declines the lead."""

    reason: DeclineReason
    note: Annotated[SafeText | None, Field(description="Sealed, for the lead.")] = None


class CancelHandover(RequestModel):
    """A request of the lead to cancel its offer."""

    note: Annotated[SafeText | None, Field(description="Sealed.")] = None


class AvailableHandoverAction(AvailableAction[Action, Need]):
    """An action of your office in this state, with its unmet requirements."""


class HandoverOut(ResponseModel):
    """A handover, with the actions that you can take on it."""

    id: UUID
    case: Annotated[str, Field(description="Code of the case.")]
    you_are: list[Side]
    lead: Annotated[
        str, Field(description="Code of the focal point that offered the lead.")
    ]
    to: Annotated[str, Field(description="Code of the focal point that is asked.")]
    reason: HandoverReason
    state: State
    decline_reason: str | None
    offered_at: datetime
    due_at: Annotated[datetime | None, Field(description="When the answer is due.")]
    held_back: Annotated[list[Section], Field(description=HELD_BACK)]
    version: int
    available_actions: list[AvailableHandoverAction]


class HandoverPage(Page[HandoverOut]):
    """A page of your handovers."""
