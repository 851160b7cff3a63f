"""Request and response bodies of webhooks, and the messages that are sent."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Final
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictInt

from app.feed.cursors import CURSOR_PATTERN
from app.kernel.text import WHOLE_NUMBER, Code, RequestModel, ResponseModel, SafeLine
from app.webhooks.addresses import MAX_URL_LENGTH, URL_FORM, require_valid_host

LABEL: Final = "The name of the receiving system; never the name of a person."
URL: Final = (
    "`https`, the name of a host that the operator of this service listed, and a path. "
    "No user, query or fragment: messages are authenticated by their signature."
)
MADE: Final = (
    "The secret that signs each message (Standard Webhooks). It is shown once, and is null "
    "in the response to a retry. If you lose it, rotate it."
)
EXAMPLE: Final = "https://hooks.example.org/safe-conduct"


class WebhookState(StrEnum):
    """The state of a webhook."""

    ACTIVE = "active"
    PAUSED = "paused"
    STALLED = "stalled"
    ENDED = "ended"


class WebhookInput(RequestModel):
    """A new receiver for the feed of a focal point."""

    focal_point: Code
    label: Annotated[SafeLine, Field(description=LABEL)]
    url: Annotated[
        str,
        Field(
            pattern=URL_FORM, max_length=MAX_URL_LENGTH, description=URL, examples=[EXAMPLE]
        ),
        AfterValidator(require_valid_host),
    ]


class SecretRotation(RequestModel):
    """The time for which the old secret signs messages together with the new one."""

    overlap_hours: Annotated[
        StrictInt,
        Field(ge=0, le=168, description="0: the old secret ends at once."),
        WHOLE_NUMBER,
    ] = 24


class Replay(RequestModel):
    """A request to send the events after a position in the feed again."""

    after: Annotated[
        Annotated[str, Field(pattern=CURSOR_PATTERN)] | None,
        Field(description="A `cursor` of the feed or a message; null for all events."),
    ]


class Ping(ResponseModel):
    """The last test message and its result."""

    asked_at: datetime
    answer: Annotated[
        str | None, Field(description="A status or an error; null until there is a result.")
    ]


class WebhookOut(ResponseModel):
    """A webhook, with its state and the number of events that are not delivered yet."""

    id: UUID
    focal_point: str
    label: Annotated[str, Field(description=LABEL)]
    url: Annotated[str, Field(description=URL)]
    state: Annotated[
        WebhookState,
        Field(
            description="`stalled`: no delivery for a day, or the receiver answered 410. "
            "Fix the receiver, then resume."
        ),
    ]
    opened_at: datetime
    cursor: Annotated[
        str, Field(description="The feed cursor up to which events have arrived.")
    ]
    undelivered: Annotated[
        int, Field(description="The number of events not delivered yet.")
    ]
    delivered_at: Annotated[
        datetime | None, Field(description="The last delivery; null if there was none.")
    ]
    failing_since: Annotated[
        datetime | None,
        Field(description="The first failure since the last delivery, or null."),
    ]
    last_error: Annotated[
        str | None, Field(description="The last failure: a status or a code.")
    ]
    ping: Annotated[Ping | None, Field(description="Null if no test was requested.")]


class WebhookList(ResponseModel):
    """The webhooks of one focal point, including ended ones, oldest first."""

    items: list[WebhookOut]


class MadeWebhookOut(WebhookOut):
    """A webhook with a new secret, which is shown only in the first response."""

    secret: Annotated[str | None, Field(description=MADE)]


class MessageType(StrEnum):
    """The type of a message: an event in the feed, or a test."""

    EVENT = "feed.event"
    PING = "webhook.ping"


class MessageData(BaseModel):
    """The content of a message: a position in the feed. Read the events with your key."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)

    event: Annotated[
        UUID | None,
        Field(
            description="Always null. An event has the same id for each office of a case, "
            "so a host that serves several offices could tell which of them share a case."
        ),
    ] = None
    cursor: Annotated[
        str, Field(description="Feed cursor after the event. Read on from your own cursor.")
    ]


class WebhookMessage(BaseModel):
    """A message to a receiver, which reports an event without its content (R64)."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)

    type: MessageType
    timestamp: Annotated[
        datetime, Field(description="When it was sent, as in `Webhook-Timestamp`.")
    ]
    data: MessageData

    def encode(self) -> bytes:
        """Return the JSON that is signed and sent."""
        return self.model_dump_json().encode()


def build_example() -> dict[str, Any]:
    """Return an example of a message."""
    return {
        "type": "feed.event",
        "timestamp": "2026-06-01T12:00:00Z",
        "data": {"event": None, "cursor": "Wq0Yb1mXr3vJ8nC5tK2sPdQ7uHfL4aE6zGiBoNxMkTw"},
    }
