"""Schemas of events, the worklist and the delivery evidence."""

from datetime import datetime
from enum import IntEnum
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

from app.cases.lifecycle import Stage, State
from app.cases.schemas import Summary
from app.casework.schemas import CASE_CODE, CASE_STAGE, CASE_STATE
from app.deadlines.limits import DeadlineKind
from app.kernel.paging import Page
from app.kernel.text import ResponseModel, describe_optional
from app.outbox.models import MessageChannel

SUBJECT = (
    "`cases/{code}`, `referrals/{id}`, `handovers/{id}`, `returns/{id}`, `approvals/{id}`, "
    "`accounts/{id}`, `webhooks/{id}` or `focal-points/{code}`; read it under `/v1/`."
)

SENDER = (
    "Code of the focal point from which the task came: the holder of the case or, if you "
    "hold it, the submitter. Null if you may not know it."
)
WORK_CASE = (
    "With `include=summary`: the case of the task. Absent without it, and if you may not "
    "read the case."
)
SENT = (
    "The open cases that your focal point submitted, without its drafts. Null if your key "
    "may not read cases."
)
OTHERS = (
    "The referrals and handovers of your focal point that wait for the answer of another "
    "office. Null if your key may not read cases and referrals."
)
DRAFTS = "The drafts of your focal point. Null if your key may not read cases."

TELEPHONES = (
    "While no worker sends notifications (`worker_silent` of `GET /v1/me`) and the office "
    "has not answered: the telephone numbers of its duty posts, in E.164 format, because "
    "perhaps nobody there was told. Otherwise empty, also for your own office."
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


class WorkCase(ResponseModel):
    """The case of a task, with the fields of a case list and the values that you may see.

    Reading these fields here does not count as reading the case.
    """

    code: Annotated[str, Field(description=CASE_CODE)]
    stage: Annotated[Stage, Field(description=CASE_STAGE)]
    state: Annotated[State, Field(description=CASE_STATE)]
    summary: Summary
    sender: Annotated[str | None, Field(description=SENDER)]


class WorkOut(BaseModel):
    """A task of your focal point, with its deadline."""

    subject: Annotated[str, Field(description=SUBJECT)]
    kind: DeadlineKind
    due_at: datetime
    waiting_since: datetime
    case: Annotated[WorkCase | SkipJsonSchema[None], describe_optional(WORK_CASE)] = None


class TaskList(ResponseModel):
    """The tasks of your focal point in one case, with the most urgent deadline first."""

    items: list[WorkOut]


class WorkCounts(ResponseModel):
    """The current numbers of tasks and cases in the lists of your focal point.

    `waiting` is the sum of `late`, `soon`, `today` and `later`.
    """

    waiting: Annotated[int, Field(description="The tasks in the worklist.")]
    late: Annotated[int, Field(description="The tasks whose deadline has passed.")]
    soon: Annotated[int, Field(description="The tasks that are due within four hours.")]
    today: Annotated[
        int, Field(description="The tasks that are due later today, in your time zone.")
    ]
    later: Annotated[int, Field(description="The tasks that are due after today.")]
    others: Annotated[int | None, Field(description=OTHERS)]
    sent: Annotated[int | None, Field(description=SENT)]
    drafts: Annotated[int | None, Field(description=DRAFTS)]


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
    event: Annotated[str | None, Field(description="The event of the answer, if any.")]


class MissedDeadlineOut(ResponseModel):
    """A deadline that the recipient missed.

    The entry no longer counts once the delivery evidence has a later stage.
    """

    name: Annotated[
        str, Field(description="`not_retrieved`, `not_acknowledged` or `not_decided`.")
    ]
    at: Annotated[datetime, Field(description="When the missed deadline was handled.")]


class SentNotification(ResponseModel):
    """A notification that asked an office to sign in and did not state the reason."""

    by: Annotated[
        MessageChannel | None, Field(description="Null if the office has no contact.")
    ]
    at: Annotated[datetime, Field(description="When the notification was queued.")]
    sent_at: Annotated[
        datetime | None,
        Field(
            description="When a server accepted the message, which may not have been read. "
            "Null for all but the office itself, because it depends on other cases."
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
        Field(
            description="Notifications to this office while the record was with it, "
            "oldest first. Only the office itself sees repetitions of failed messages."
        ),
    ]
    telephones: Annotated[list[str], Field(description=TELEPHONES)]


class Evidence(ResponseModel):
    """The delivery evidence of a record for each recipient, oldest first.

    Reading the feed does not count as an acknowledgement.
    """

    items: list[RecipientEvidence]
