"""Having a feed pushed: where to, how far it is, and what is sent there."""

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Body, Header, Request, Response

from app.access.actions import ApprovalUnusable
from app.api.accounts import OfOffice
from app.api.acting import CREATED, Headers, Kept, located, once_only
from app.api.approvals import ASKED, Answers
from app.api.conditional import answer
from app.api.deps import ApprovalId, IfNoneMatch, Once, ReadWebhooks, WriteWebhooks
from app.api.nouns import Noun
from app.api.problems import problems
from app.api.throttling import Rate
from app.directory.queries import FocalPointUnknown
from app.feed.cursors import CursorGone
from app.kernel.idempotency import KeyInFlight, KeyMissing, KeyReused
from app.kernel.lifecycle import RoleMissing
from app.kernel.paging import CursorUnknown
from app.kernel.problems import NotFound
from app.kernel.work import Reading
from app.webhooks import actions, queries
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
    NewWebhook,
    Replay,
    SecretRotation,
    WebhookMessage,
    WebhookOut,
    WebhookPage,
    example,
)

router = Noun("pushing", "/webhooks")
told = APIRouter(tags=["webhooks"])
"""What a receiver is sent: described for who builds one, served by nobody here."""

CHANGING: Final = (NotFound, RoleMissing, WebhookEnded, KeyReused, KeyInFlight)
CHANGE: Final = problems(*CHANGING)
PING: Final = problems(*CHANGING, TooManyPings)
PINGS_PER_MINUTE: Final = 10
"""Test messages that one account may ask for, of all webhooks together."""
ROTATE: Final[Answers] = {
    201: {"model": MadeWebhookOut, "description": "The secret, shown this once."},
    **problems(*CHANGING, KeyMissing),
}
OPENING: Final = (
    *(RoleMissing, FocalPointUnknown, HostNotListed, TooManyWebhooks),
    *(ApprovalUnusable, KeyReused, KeyInFlight, KeyMissing),
)
OPEN: Final[Answers] = {
    201: {"model": MadeWebhookOut, "description": "It is open; keep its secret."},
    **ASKED,
    **problems(*OPENING),
}
REPLAY: Final = problems(*CHANGING, CursorUnknown, CursorGone)


def show(work: Reading, webhook: Webhook, status: int, headers: Headers) -> Response:
    """Show a webhook as it is now."""
    return answer(queries.show_one(work, webhook), status=status, headers=headers)


def show_made(work: Reading, made: MadeWebhook, status: int, headers: Headers) -> Response:
    """Show one with its secret, if that is for the first time."""
    shown = queries.show_one(work, made.row).model_dump()
    extra = located(made.row.reference, status, headers)
    body = MadeWebhookOut.model_validate({**shown, "secret": made.secret})
    return answer(body, status=status, headers=extra)


WEBHOOK: Final = Kept(queries.find, show)
MADE: Final = Kept(lambda work, it: MadeWebhook(queries.find(work, it), None), show_made)


@router.get("", response_model=WebhookPage, responses=problems(NotFound))
def list_webhooks(
    begin: ReadWebhooks,
    focal_point: OfOffice = None,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """List where your feed is pushed to, and how far it has come; ended ones too.

    An administrator reads those of any focal point.
    """
    with begin() as work:
        of = queries.office(work, focal_point)
        items = queries.show(work, of, queries.listed(work, of.id))
        page = WebhookPage(items=items, next=None, more=False)
        return answer(page, if_none_match=if_none_match)


@router.get("/{webhook_id}", response_model=WebhookOut, responses=problems(NotFound))
def get_webhook(
    begin: ReadWebhooks, webhook_id: UUID, if_none_match: IfNoneMatch = None
) -> Response:
    """Read one: how far it has come, since when it fails, and what its test came to."""
    with begin() as work:
        found = queries.show_one(work, queries.find(work, webhook_id))
        return answer(found, if_none_match=if_none_match)


@router.post("", response_model=MadeWebhookOut, responses=OPEN)
def open_webhook(
    begin: WriteWebhooks, once: Once, new: NewWebhook, approval: ApprovalId = None
) -> Response:
    """Have a feed pushed to a receiver from now on, with a second person.

    For administrators, and supervisors of the focal point. The answer is 202 with the
    question to the second person; once it is approved, send the same again with
    `Approval: {id}` and a fresh Idempotency-Key. The host has to be one that the operator
    of this service listed. An address is never changed: open another, then end this one.
    """
    with begin() as work:
        return once_only(
            work,
            once,
            MADE,
            lambda: actions.open_webhook(work, new, approval),
            status=CREATED,
            key_needed=True,
        )


@router.post(
    "/{webhook_id}/rotate-secret",
    response_model=MadeWebhookOut,
    responses=ROTATE,
    status_code=CREATED,
)
def rotate_webhook_secret(
    begin: WriteWebhooks, webhook_id: UUID, once: Once, how: SecretRotation
) -> Response:
    """Sign with a new secret; the old one signs on beside it for `overlap_hours`.

    A message then carries both signatures, so that a receiver can change over.
    """
    with begin() as work:
        return once_only(
            work,
            once,
            MADE,
            lambda: actions.rotate_secret(work, webhook_id, how.overlap_hours),
            status=CREATED,
            key_needed=True,
        )


@router.post("/{webhook_id}/ping", response_model=WebhookOut, responses=PING)
def ping_webhook(
    request: Request, begin: WriteWebhooks, webhook_id: UUID, once: Once
) -> Response:
    """Send a test message within seconds, also to one that is paused.

    What came of it stands in `ping.answer` of the webhook. A webhook can be tested every
    30 seconds, and an account may test 10 times in a minute.
    """
    with begin() as work:

        def ping() -> Webhook:
            pinged = actions.ping(work, webhook_id)
            count_ping(request, work.actor.account_id)
            return pinged

        return once_only(work, once, WEBHOOK, ping)


def count_ping(request: Request, account_id: UUID) -> None:
    """Count a test message, or raise TooManyPings (429) if the account asks too often."""
    pings: Rate = request.app.state.pings
    wait = pings.asks(account_id, writes=True)
    if wait:
        raise TooManyPings(
            f"Your account may ask for {PINGS_PER_MINUTE} test messages in a minute, of "
            "all webhooks together.",
            wait=wait,
        )


@router.post("/{webhook_id}/replay", response_model=WebhookOut, responses=REPLAY)
def replay_webhook(
    begin: WriteWebhooks, webhook_id: UUID, once: Once, where: Replay
) -> Response:
    """Send again what is after a cursor, in order, each with the id that it had."""
    with begin() as work:
        return once_only(
            work, once, WEBHOOK, lambda: actions.replay(work, webhook_id, where.after)
        )


@router.post("/{webhook_id}/pause", response_model=WebhookOut, responses=CHANGE)
def pause_webhook(begin: WriteWebhooks, webhook_id: UUID, once: Once) -> Response:
    """Send nothing until it is resumed; nothing is lost meanwhile."""
    with begin() as work:
        return once_only(work, once, WEBHOOK, lambda: actions.pause(work, webhook_id))


@router.post("/{webhook_id}/resume", response_model=WebhookOut, responses=CHANGE)
def resume_webhook(begin: WriteWebhooks, webhook_id: UUID, once: Once) -> Response:
    """Go on from where it stopped: one that was paused, or that stalled."""
    with begin() as work:
        return once_only(work, once, WEBHOOK, lambda: actions.resume(work, webhook_id))


@router.post("/{webhook_id}/end", response_model=WebhookOut, responses=CHANGE)
def end_webhook(begin: WriteWebhooks, webhook_id: UUID, once: Once) -> Response:
    """Send nothing there any more; it does not come back."""
    with begin() as work:
        return once_only(work, once, WEBHOOK, lambda: actions.end(work, webhook_id))


@told.post(
    "feed.event",
    operation_id="receive_feed_event",
    status_code=204,
    responses={
        "2XX": {"description": "It arrived: the next one follows."},
        "4XX": {"description": "It is sent again, ever later; after 410 nothing more is."},
        "5XX": {"description": "It is sent again, ever later."},
    },
)
def receive_feed_event(
    message: Annotated[WebhookMessage, Body(examples=[example()])],
    webhook_id: Annotated[
        str,
        Header(alias="Webhook-Id", description="The same however often a message is sent."),
    ],
    webhook_timestamp: Annotated[
        str,
        Header(
            alias="Webhook-Timestamp",
            description="When it was sent, in seconds; refuse what is over 5 minutes off.",
        ),
    ],
    webhook_signature: Annotated[
        str,
        Header(
            alias="Webhook-Signature",
            description="One or more `v1,` and the HMAC-SHA256 in base64 of "
            "`{id}.{timestamp}.{body}`; one that fits is enough.",
        ),
    ],
) -> None:
    """Hear that something stands in your feed: read it from your cursor on, with your key.

    Events come one by one, in the order of the feed, each at least once. A message says
    nothing of what happened. Before you believe it, verify the signature (Standard
    Webhooks); answer within ten seconds, and do the work afterwards.
    """
