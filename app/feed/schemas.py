"""Schemas of events, the worklist and the delivery evidence."""

from datetime import datetime
from enum import IntEnum
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from app.deadlines.limits import DeadlineKind
from app.kernel.paging import Page
from app.kernel.text import ResponseModel
from app.outbox.models import MessageChannel

SUBJECT = (
    "`cases/{code}`, `referrals/{id}`, `handovers/{id}`, `returns/{id}`, `approvals/{id}`, "
    "`accounts/{id}`, `webhooks/{id}` or `focal-points/{code}`; read it below `/v1/`."
)


class EventOut(ResponseModel):
    """An event, which names no person. Read its subject for details.

    If the request for the subject returns 404, your access has ended; skip the event.
    """

    id: UUID
    at: datetime
    type: Annotated[
        str,
        Field(description="What happened. For an unknown type, read or skip the subject."),
    ]
    subject: Annotated[str, Field(description=SUBJECT)]
    by: Annotated[
        str | None,
        Field(
            description="Code of the focal point; null for the system or if undisclosed."
        ),
    ]
    facts: Annotated[
        dict[str, Any], Field(description="Facts of the event: codes and ids.")
    ]


class EventPage(BaseModel):
    """A page of the events after a cursor, oldest first. It always has a `cursor`."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)

    items: list[EventOut]
    cursor: Annotated[
        str, Field(description="Store it with the processed events; send it as `after`.")
    ]
    more: Annotated[bool, Field(description="Whether there are more events now.")]


class HistoryPage(Page[EventOut]):
    """A page of the events of a case that were sent to your focal point, oldest first."""


class WorkOut(ResponseModel):
    """A task of your focal point, with its deadline."""

    subject: Annotated[str, Field(description=SUBJECT)]
    kind: DeadlineKind
    due_at: datetime
    waiting_since: datetime


class Worklist(Page[WorkOut]):
    """A page of the tasks of your focal point, most urgent first."""


class Rank(IntEnum):
    """The rank of a stage of the evidence; a higher rank supersedes a lower rank."""

    SUBMITTED = 1
    AVAILABLE = 2
    RETRIEVED = 3
    ACKNOWLEDGED = 4
    DECIDED = 5


class DeliveryStatus(ResponseModel):
    """One stage of the delivery evidence."""

    rank: Annotated[int, Field(ge=1, le=5)]
    name: str
    at: datetime
    event: Annotated[str | None, Field(description="The event that answered, if any.")]


class MissedDeadlineOut(ResponseModel):
    """A missed deadline; a later stage of the evidence supersedes it."""

    name: Annotated[
        str, Field(description="`not_retrieved`, `not_acknowledged` or `not_decided`.")
    ]
    at: Annotated[datetime, Field(description="When the missed deadline was handled.")]


class SentNotification(ResponseModel):
    """A notification that asked an office to sign in, without the reason."""

    by: Annotated[
        MessageChannel | None, Field(description="Null if the office has no contact.")
    ]
    at: Annotated[datetime, Field(description="When the notification was queued.")]
    sent_at: Annotated[
        datetime | None,
        Field(
            description="When a server accepted the message, which may not have been read."
        ),
    ]


class RecipientEvidence(ResponseModel):
    """The delivery evidence of a record that was sent to one focal point."""

    subject: str
    recipient: Annotated[str | None, Field(description="Null if undisclosed.")]
    rank: Annotated[int, Field(description="The highest rank reached.", ge=1, le=5)]
    statuses: list[DeliveryStatus]
    missed_deadlines: Annotated[
        list[MissedDeadlineOut],
        Field(
            description="Missed deadlines, oldest first. The office that the record went "
            "to next has an item of its own."
        ),
    ]
    notifications: Annotated[
        list[SentNotification],
        Field(description="Notifications while this office had the record, oldest first."),
    ]


class Evidence(ResponseModel):
    """The delivery evidence of a record for each recipient, oldest first.

    Reading the feed does not count as an acknowledgement.
    """

    items: list[RecipientEvidence]
