"""Routes for webhooks, which announce the events of a feed, and the schema of messages."""

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Body, Header, Request, Response

from app.access.approvals import ApprovalUnusable
from app.api.accounts import OfOffice
from app.api.approvals import ASKED
from app.api.http.conditional_requests import render
from app.api.http.dependencies import (
    ApprovalId,
    IfNoneMatch,
    Once,
    ReadWebhooks,
    WriteWebhooks,
)
from app.api.http.problems import KEYED, NOT_FOUND, Answers, list_problems
from app.api.http.rate_limits import RequestRate
from app.api.http.routers import ResourceRouter
from app.api.idempotent_requests import Headers, View, add_location
from app.directory.queries import FocalPointUnknown
from app.feed.cursors import CursorGone
from app.kernel.idempotency import IdempotencyKeyMissing
from app.kernel.lifecycle import RoleMissing
from app.kernel.paging import CursorUnknown
from app.kernel.problems import NotFound
from app.kernel.transactions import ReadTransaction, WriteTransaction
from app.webhooks import actions as webhook_actions
from app.webhooks import queries as webhook_queries
from app.webhooks.actions import (
    HostNotListed,
    MadeWebhook,
    TooManyPings,
    TooManyWebhooks,
    WebhookEnded,
)
from app.webhooks.models import Webhook
from app.webhooks.schemas import (
    MadeWebhookOut,
    Replay,
    SecretRotation,
    WebhookInput,
    WebhookList,
    WebhookMessage,
    WebhookOut,
    build_example,
)

router = ResourceRouter("webhooks", "/webhooks")
webhook_messages = APIRouter(tags=["webhook messages"])
"""The webhook in the OpenAPI document, for developers of receivers. It is not served."""

CHANGING: Final = (NotFound, RoleMissing, WebhookEnded, *KEYED)
PINGS_PER_MINUTE: Final = 10
"""Test messages that one account may send each minute, for all webhooks together."""
ROTATE: Final[Answers] = {
    201: {"model": MadeWebhookOut, "description": "The secret. It is shown only once."},
    **list_problems(*CHANGING, IdempotencyKeyMissing),
}
OPENING: Final = (
    RoleMissing,
    IdempotencyKeyMissing,
    *KEYED,
    FocalPointUnknown,
    HostNotListed,
    TooManyWebhooks,
    ApprovalUnusable,
)
OPEN: Final[Answers] = {
    201: {"model": MadeWebhookOut, "description": "The webhook is open. Store its secret."},
    **ASKED,
    **list_problems(*OPENING),
}


def show_webhook(
    tx: ReadTransaction, webhook: Webhook, status: int, headers: Headers
) -> Response:
    """Return the response that shows a webhook as it is now."""
    return render(webhook_queries.show_webhook(tx, webhook), status=status, headers=headers)


def show_made_webhook(
    tx: ReadTransaction, made: MadeWebhook, status: int, headers: Headers
) -> Response:
    """Return the response with a webhook. The response to a retry lacks the new secret."""
    shown = webhook_queries.show_webhook(tx, made.row).model_dump()
    extra = add_location(made.row.reference, status, headers)
    body = MadeWebhookOut.model_validate({**shown, "secret": made.secret})
    return render(body, status=status, headers=extra)


WEBHOOK: Final = View(webhook_queries.get_webhook, show_webhook)
MADE_WEBHOOK: Final = View(
    lambda tx, it: MadeWebhook(webhook_queries.get_webhook(tx, it), None), show_made_webhook
)


@router.get("", response_model=WebhookList, responses=NOT_FOUND)
def list_webhooks(
    begin: ReadWebhooks, focal_point: OfOffice = None, if_none_match: IfNoneMatch = None
) -> Response:
    """List the webhooks of your focal point and their progress, including ended webhooks.

    An administrator may list the webhooks of any focal point.
    """
    with begin() as tx:
        of = webhook_queries.get_office(tx, focal_point)
        found = webhook_queries.list_webhooks(tx, of.id)
        items = webhook_queries.show_webhooks(tx, of, found)
        return render(WebhookList(items=items), if_none_match=if_none_match)


@router.get("/{webhook_id}", response_model=WebhookOut, responses=NOT_FOUND)
def get_webhook(
    begin: ReadWebhooks, webhook_id: UUID, if_none_match: IfNoneMatch = None
) -> Response:
    """Read one webhook, with its progress, any failure and the result of the last test."""
    with begin() as tx:
        webhook = webhook_queries.get_webhook(tx, webhook_id)
        shown = webhook_queries.show_webhook(tx, webhook)
        return render(shown, if_none_match=if_none_match)


@router.post("", response_model=MadeWebhookOut, responses=OPEN)
def create_webhook(
    begin: WriteWebhooks, key: Once, new: WebhookInput, approval: ApprovalId = None
) -> Response:
    """Announce new events of a feed to a receiver. A second person has to approve this.

    Only administrators and the supervisors of the focal point may do this. The first
    response is 202 with the approval. Once the approval is given, send the same request
    again with `Approval: {id}` and a new Idempotency-Key. The operator of this service must
    have listed the host of the receiver. The URL of a webhook cannot be changed: create
    another webhook and end the old one.
    """
    return MADE_WEBHOOK.create_once(
        begin, key, lambda tx: webhook_actions.create_webhook(tx, new, approval)
    )


@router.post(
    "/{webhook_id}/rotate-secret",
    response_model=MadeWebhookOut,
    responses=ROTATE,
    status_code=201,
)
def rotate_webhook_secret(
    begin: WriteWebhooks, webhook_id: UUID, key: Once, body: SecretRotation
) -> Response:
    """Replace the secret of a webhook. The old secret stays in use for `overlap_hours`.

    During that time each message has both signatures, so that the receiver can switch.
    """
    return MADE_WEBHOOK.create_once(
        begin,
        key,
        lambda tx: webhook_actions.rotate_secret(tx, webhook_id, body.overlap_hours),
    )


@router.serve_action("/{webhook_id}/ping", WebhookOut, *CHANGING, TooManyPings)
def ping_webhook(
    request: Request, begin: WriteWebhooks, webhook_id: UUID, key: Once
) -> Response:
    """Send a test message within seconds, even if the webhook is paused.

    The result is in `ping.answer` of the webhook. A webhook can be tested once in 30
    seconds, and an account may send 10 test messages a minute.
    """

    def send_ping(tx: WriteTransaction) -> Webhook:
        pinged = webhook_actions.request_ping(tx, webhook_id)
        count_ping(request, tx.actor.account_id)
        return pinged

    return WEBHOOK.run_once(begin, key, send_ping)


def count_ping(request: Request, account_id: UUID) -> None:
    """Count a test message. Raises TooManyPings (429) if the account sends too many."""
    pings: RequestRate = request.app.state.pings
    allowance = pings.count_request(account_id, writes=True)
    if allowance is not None and allowance.wait:
        raise TooManyPings(
            f"Your account may send {PINGS_PER_MINUTE} test messages a minute, for all "
            "webhooks together.",
            wait=allowance.wait,
        )


@router.serve_action(
    "/{webhook_id}/replay", WebhookOut, *CHANGING, CursorUnknown, CursorGone
)
def replay_webhook(
    begin: WriteWebhooks, webhook_id: UUID, key: Once, body: Replay
) -> Response:
    """Send the messages for events after a cursor again, in order and with the same ids."""
    return WEBHOOK.run_once(
        begin, key, lambda tx: webhook_actions.replay_events(tx, webhook_id, body.after)
    )


@router.serve_action("/{webhook_id}/pause", WebhookOut, *CHANGING)
def pause_webhook(begin: WriteWebhooks, webhook_id: UUID, key: Once) -> Response:
    """Pause a webhook. Messages for new events are sent when the webhook is resumed."""
    return WEBHOOK.run_once(
        begin, key, lambda tx: webhook_actions.pause_webhook(tx, webhook_id)
    )


@router.serve_action("/{webhook_id}/resume", WebhookOut, *CHANGING)
def resume_webhook(begin: WriteWebhooks, webhook_id: UUID, key: Once) -> Response:
    """Resume a paused or stalled webhook. The messages that were not sent are then sent."""
    return WEBHOOK.run_once(
        begin, key, lambda tx: webhook_actions.resume_webhook(tx, webhook_id)
    )


@router.serve_action("/{webhook_id}/end", WebhookOut, *CHANGING)
def end_webhook(begin: WriteWebhooks, webhook_id: UUID, key: Once) -> Response:
    """End a webhook permanently, so that it cannot be resumed."""
    return WEBHOOK.run_once(
        begin, key, lambda tx: webhook_actions.end_webhook(tx, webhook_id)
    )


@webhook_messages.post(
    "feed.event",
    operation_id="receive_feed_event",
    status_code=204,
    responses={
        "2XX": {"description": "The message arrived. The next one follows."},
        "4XX": {"description": "It is sent again with growing delays, except after 410."},
        "5XX": {"description": "It is sent again with growing delays."},
    },
)
def receive_feed_event(
    message: Annotated[WebhookMessage, Body(examples=[build_example()])],
    webhook_id: Annotated[
        str,
        Header(alias="Webhook-Id", description="The id of the message, also in a retry."),
    ],
    webhook_timestamp: Annotated[
        str,
        Header(
            alias="Webhook-Timestamp",
            description="Unix time of sending. Refuse a message if this time is more than "
            "5 minutes in the past or in the future.",
        ),
    ],
    webhook_signature: Annotated[
        str,
        Header(
            alias="Webhook-Signature",
            description="Signatures: each is `v1,` and the HMAC-SHA256 in base64 of "
            "`{id}.{timestamp}.{body}`. One valid signature is enough.",
        ),
    ],
) -> None:
    """Receive a message that says that your feed has a new event.

    The message does not contain the event: read it from the feed with your key and cursor.
    Messages are sent one by one, in the order of the feed, each at least once. Verify the
    signature first (Standard Webhooks). Respond within ten seconds, and process the event
    after that.
    """
