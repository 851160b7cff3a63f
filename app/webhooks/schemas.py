"""Webhooks as those who look after them send and read them, and what is sent to one."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Final
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictInt

from app.feed.cursors import CURSOR_FORM
from app.kernel.paging import Page
from app.kernel.text import WHOLE, Asked, Code, SafeLine, Shown
from app.webhooks.addresses import LONGEST, URL_FORM, sound

LABEL: Final = "What it is for, or whose: a system, never a person's name."
URL: Final = (
    "`https`, the name of a host that the operator of this service listed, and a path. No "
    "user, query or fragment: what has to be secret is the signature."
)
MADE: Final = (
    "Signs each message, as Standard Webhooks has it; shown this once. Null to a retry: "
    "if you lost it, rotate it."
)
EXAMPLE: Final = "https://hooks.example.org/safe-conduct"


class Standing(StrEnum):
    """Whether a webhook is sent anything."""

    ACTIVE = "active"
    PAUSED = "paused"
    STALLED = "stalled"
    ENDED = "ended"


class NewWebhook(Asked):
    """Where a focal point's feed is to be pushed to."""

    focal_point: Code
    label: Annotated[SafeLine, Field(description=LABEL)]
    url: Annotated[
        str,
        Field(pattern=URL_FORM, max_length=LONGEST, description=URL, examples=[EXAMPLE]),
        AfterValidator(sound),
    ]


class SecretRotation(Asked):
    """How long the secret that is replaced goes on to sign beside the new one."""

    overlap_hours: Annotated[
        StrictInt,
        Field(ge=0, le=168, description="0: it signs nothing any more."),
        WHOLE,
    ] = 24


class Replay(Asked):
    """From where events are to be sent again."""

    after: Annotated[
        Annotated[str, Field(pattern=CURSOR_FORM)] | None,
        Field(
            description="A `next` of the feed or of a message; null: from the first event."
        ),
    ]


class Ping(Shown):
    """The last test message, and what came of it."""

    asked_at: datetime
    answer: Annotated[
        str | None,
        Field(description="A status, or what went wrong; null: it is on its way."),
    ]


class WebhookOut(Shown):
    """Where a feed is pushed to, and how far it has come."""

    id: UUID
    focal_point: str
    label: Annotated[str, Field(description=LABEL)]
    url: Annotated[str, Field(description=URL)]
    standing: Annotated[
        Standing,
        Field(description="`stalled`: nothing arrived for a day; mend it, then resume."),
    ]
    opened_at: datetime
    next: Annotated[
        str, Field(description="The cursor of the feed up to which events have arrived.")
    ]
    behind: Annotated[int, Field(description="How many events have not arrived yet.")]
    delivered_at: Annotated[
        datetime | None, Field(description="When one last arrived; null: none did.")
    ]
    failing_since: Annotated[
        datetime | None, Field(description="Null: the last try succeeded.")
    ]
    trouble: Annotated[
        str | None, Field(description="What the last failure was: a status, or a name.")
    ]
    ping: Annotated[Ping | None, Field(description="Null: it was never tested.")]


class WebhookPage(Page[WebhookOut]):
    """The webhooks of one focal point, ended ones too, oldest first."""


class MadeWebhookOut(WebhookOut):
    """A webhook whose secret was just made."""

    secret: Annotated[str | None, Field(description=MADE)]


class MessageType(StrEnum):
    """What a message is about."""

    EVENT = "feed.event"
    PING = "webhook.ping"


class MessageData(BaseModel):
    """How far the feed has come; what happened, to what, is read with your key."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)

    event: Annotated[
        UUID | None,
        Field(
            description="Always null. The id of an event would be the same for each office "
            "that shares a case: a host that serves several of them could tell which."
        ),
    ] = None
    next: Annotated[
        str,
        Field(description="The cursor behind it. Read the feed from your own cursor on."),
    ]


class WebhookMessage(BaseModel):
    """What a receiver is sent: that there is an event, and not a word of it (R64)."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)

    type: MessageType
    timestamp: Annotated[
        datetime, Field(description="When it was sent, as in `Webhook-Timestamp`.")
    ]
    data: MessageData

    def spelled(self) -> bytes:
        """Spell it as it is signed and sent."""
        return self.model_dump_json().encode()


def example() -> dict[str, Any]:
    """Show one."""
    return {
        "type": "feed.event",
        "timestamp": "2026-06-01T12:00:00Z",
        "data": {
            "event": None,
            "next": "Wq0Yb1mXr3vJ8nC5tK2sPdQ7uHfL4aE6zGiBoNxMkTw",
        },
    }
