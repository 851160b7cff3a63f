"""The journal, the worklist and the evidence as the outside world sees them."""

from datetime import datetime
from enum import IntEnum
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from app.deadlines.limits import ClockKind
from app.kernel.paging import Page
from app.kernel.text import Shown
from app.outbox.models import Way

TYPE = "Such as `case.submitted` or `referral.accepted`; the list will grow."
SUBJECT = (
    "`cases/{code}`, `referrals/{id}`, `handovers/{id}`, `returns/{id}`, "
    "`approvals/{id}`, `accounts/{id}`, `webhooks/{id}`: read it under /v1/."
)


class EventOut(Shown):
    """A change. It names no person: fetch its subject.

    A subject that answers 404 means that your access has ended: skip the event.
    """

    id: UUID
    at: datetime
    type: Annotated[str, Field(description=TYPE)]
    subject: Annotated[str, Field(description=SUBJECT)]
    by: Annotated[
        str | None,
        Field(
            description="Code of the focal point; null: the system, or not yours to know."
        ),
    ]
    facts: Annotated[dict[str, Any], Field(description="Codes and ids alone.")]


class EventPage(BaseModel):
    """What happened after the cursor, oldest first; there is always a next cursor."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)

    items: list[EventOut]
    next: Annotated[
        str, Field(description="Keep it with what you did; send it as `after`.")
    ]
    more: Annotated[bool, Field(description="Whether there is more now.")]


class HistoryPage(Page[EventOut]):
    """What happened in a case, as far as you were told, oldest first."""


class WorkOut(Shown):
    """Something that waits for your focal point."""

    subject: Annotated[str, Field(description=SUBJECT)]
    kind: ClockKind
    due_at: datetime
    waiting_since: datetime


class Worklist(Page[WorkOut]):
    """What waits for your focal point, the most urgent first."""


class Rank(IntEnum):
    """How far something that was sent has come; a higher rank overrules a lower one."""

    SUBMITTED = 1
    AVAILABLE = 2
    RETRIEVED = 3
    ACKNOWLEDGED = 4
    DECIDED = 5


class Rung(Shown):
    """One step of the ladder of evidence."""

    rank: Annotated[int, Field(ge=1, le=5)]
    name: str
    at: datetime
    event: Annotated[str | None, Field(description="Of a decision: which.")]


class Silence(Shown):
    """That a deadline passed without an answer; a later rung overrules it."""

    name: Annotated[
        str, Field(description="`not_retrieved`, `not_acknowledged` or `not_decided`.")
    ]
    at: Annotated[datetime, Field(description="When it was noticed.")]


class SentNotice(Shown):
    """That an office was called on to sign in, without a word of why."""

    by: Annotated[
        Way | None, Field(description="Null: nobody could be, it has no contact.")
    ]
    at: Annotated[datetime, Field(description="When it was to be called on.")]
    sent_at: Annotated[
        datetime | None,
        Field(
            description="When a server took the message; that anybody read it is not known."
        ),
    ]


class Ladder(Shown):
    """What became of something that was sent to one focal point."""

    subject: str
    recipient: Annotated[str | None, Field(description="Null: not yours to know.")]
    rank: Annotated[int, Field(description="The highest that was reached.", ge=1, le=5)]
    rungs: list[Rung]
    silences: Annotated[
        list[Silence],
        Field(
            description="Deadlines that passed, oldest first; whom it went to then has "
            "a ladder of its own."
        ),
    ]
    notices: Annotated[
        list[SentNotice],
        Field(description="How this office was called on while it had this, oldest first."),
    ]


class Evidence(Shown):
    """What became of what was sent, oldest first. Polling is not acknowledging."""

    items: list[Ladder]
