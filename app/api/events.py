"""Routes for the feed of events: polling, long polling and a stream of the same events."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Final

from fastapi import Depends, Header, Query, Request, Response
from fastapi.sse import format_sse_event
from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema
from pydantic_core import to_json
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from app.api.http.authentication import Begin, read_authenticated
from app.api.http.conditional_requests import JSON, matches_tag, render_not_modified
from app.api.http.dependencies import CAN_POLL_FEED, IfNoneMatch, PollFeed
from app.api.http.long_polling import (
    APPLIED,
    APPLIED_HEADER,
    FeedWatcher,
    WaitSeconds,
    claim_stream_place,
    wait_unless_disconnected,
)
from app.api.http.problems import Answers, list_problems
from app.api.http.read_slots import ReadSlot, ReadSlots
from app.api.http.response_headers import refer_to_header
from app.api.http.route_plan import Answer
from app.api.http.routers import ResourceRouter
from app.api.http.schema_references import SCHEMAS
from app.feed import actions as feed_actions
from app.feed import queries as feed_queries
from app.feed import situation as feed_situation
from app.feed.cursors import CursorGone
from app.feed.queries import FeedPosition
from app.feed.schemas import EventOut, EventPage
from app.feed.situation import News
from app.kernel.paging import CursorText, CursorUnknown, PageQuery
from app.kernel.problems import Problem
from app.kernel.transactions import AuthenticatedRead, begin_write

STREAM_BATCH: Final = 100
"""The maximum number of events that a stream reads at once."""

HEARTBEAT_SECONDS: Final = 15.0
"""Seconds without an event after which a stream sends a comment to stay open."""

STREAM_SECONDS: Final = 300.0
"""Seconds until a stream ends. Streams end because only the cursor of the next request
proves which events arrived."""

RETRY_MS: Final = 2000
AFTER: Final = "`cursor` of a page, or an id of the stream. Default: the start."
LAST_EVENT_ID: Final = (
    "The id of the last event that you handled. Takes precedence over `after`."
)
DATA: Final = {"$ref": f"{SCHEMAS}{EventOut.__name__}"}
"""The schema of `data`, for clients that are generated from OpenAPI 3.1.

OpenAPI 3.2 also describes the other fields of the stream (`app.cli.openapi_editions`).
"""
STREAM: Final = "text/event-stream"
UNBUFFERED: Final = "X-Accel-Buffering"

router = ResourceRouter("feed", "/events")


class EventStream(StreamingResponse):
    """A response of server-sent events (HTML standard)."""

    media_type = STREAM


Start = Annotated[CursorText | SkipJsonSchema[None], Field(description=AFTER)]


class FeedQuery(PageQuery):
    """The size of a page of events, and the cursor at which the page starts."""

    after: Start = None


class StreamStart(BaseModel):
    """The cursor at which a stream starts."""

    model_config = ConfigDict(extra="forbid")

    after: Start = None


@dataclass(frozen=True)
class Poll:
    """The position of a client in the feed, and the new events.

    `news` is None if the client already has the page. The response is then 304.
    """

    mark: FeedPosition
    news: News | None

    def answer(self, headers: dict[str, str]) -> Response:
        """Return the page of events with its entity tag, or 304."""
        if self.news is None:
            return render_not_modified(self.mark.tag, headers)
        body = feed_situation.render_page(self.mark, self.news)
        return Response(body, 200, {"ETag": self.mark.tag, **headers}, JSON)


def read(tx: AuthenticatedRead, query: PageQuery, if_none_match: str | None = None) -> Poll:
    """Return the events after the cursor, or none if the client already has the page."""
    mark = feed_queries.get_position(tx, query)
    known = if_none_match is not None and matches_tag(if_none_match, mark.tag)
    return Poll(mark, None if known else feed_situation.list_news(tx, mark, query.limit))


def poll(
    begin: Begin[AuthenticatedRead], query: PageQuery, if_none_match: str | None = None
) -> Poll:
    """Return the events after the cursor, and record the earlier events as retrieved."""
    with begin() as tx:
        polled = read(tx, query, if_none_match)
    if polled.mark.advances:
        with begin_write(tx.runtime, tx.actor) as more:
            feed_actions.record_retrieval(more, polled.mark.start)
    return polled


POLL_RESPONSES: Final[Answers] = {
    200: {"headers": APPLIED_HEADER},
    **list_problems(CursorUnknown, CursorGone),
}


@router.get("", response_model=EventPage, responses=POLL_RESPONSES)
def list_events(
    request: Request,
    begin: PollFeed,
    query: Annotated[FeedQuery, Query()],
    wait_seconds: WaitSeconds,
    if_none_match: IfNoneMatch = None,
) -> Answer:
    """List the events after a cursor, oldest first, or wait until there is an event.

    Each event is delivered at least once, in the order of commits. Store `cursor` in the
    same transaction as your own changes, and send it as `after` in the next request. The
    cursor that you send is evidence that you retrieved all events before it. After a 410,
    read the feed from the start and compare it with your data.

    With `Prefer: wait=30` the response comes as soon as there is an event, or after 30
    seconds without an event. You then get each event within a second, with two requests a
    minute.
    """
    polled = poll(begin, query, if_none_match)
    if wait_seconds and not polled.news:
        poll_again = partial(poll, begin, query, if_none_match)
        return answer_after_wait(request, polled, wait_seconds, poll_again)
    return polled.answer(format_applied(wait_seconds))


async def answer_after_wait(
    request: Request, polled: Poll, seconds: int, poll_again: Callable[[], Poll]
) -> Response:
    """Wait for events, authenticate the caller again, and return the new events.

    If no event arrives in time, return the response for `polled`, without authenticating
    again.
    """
    await request.body()  # a disconnect is noticed only after the body is read
    if await wait_for_events(request, polled.mark, seconds):
        polled = await run_authenticated(request, poll_again)
    return polled.answer(format_applied(seconds))


async def run_authenticated[A](request: Request, read: Callable[[], A]) -> A:
    """Authenticate the caller again, run `read` in a thread, and return its result (R21).

    Raises Unauthenticated (401) if the key has expired or was revoked, or Forbidden (403)
    if the key lacks the scope.
    """
    return await run_in_threadpool(read_authenticated, request, CAN_POLL_FEED, read)


def format_applied(wait_seconds: int | None) -> dict[str, str]:
    """Return the header with the applied wait, or {} if the request asked for no wait."""
    return {} if wait_seconds is None else {APPLIED: f"wait={wait_seconds}"}


async def wait_for_events(request: Request, mark: FeedPosition, seconds: float) -> bool:
    """Wait for new events; return False if no event arrives in time.

    The waiting time is not counted in metrics and logs. Raises TooManyRequests (429) if too
    many requests of the account are already waiting, ClientDisconnect if the client
    disconnects, or Busy (503) if no read slot is free after the wait.
    """
    clock = asyncio.get_running_loop().time
    bell: FeedWatcher = request.app.state.bell
    turn: ReadSlot = request.state.turn
    actor, began = request.state.actor, clock()
    with bell.claim_place(actor.account_id):
        turn.release()
        try:
            news = bell.wait_beyond(actor.focal_point_id, mark.head, seconds)
            rang = await wait_unless_disconnected(request, news)
            await turn.take()
        finally:
            request.state.waited = clock() - began
    return rang


STREAM_RESPONSES: Final[Answers] = {
    200: {
        "description": "Server-sent events. `id` is a cursor, `data` is the event as JSON.",
        "content": {STREAM: {"schema": DATA}},
        "headers": {UNBUFFERED: refer_to_header(UNBUFFERED)},
    },
    **list_problems(CursorUnknown, CursorGone),
}


@router.get(
    "/stream",
    response_class=EventStream,
    responses=STREAM_RESPONSES,
    dependencies=[Depends(claim_stream_place)],
)
async def stream_events(
    request: Request,
    begin: PollFeed,
    query: Annotated[StreamStart, Query()],
    last_event_id: Annotated[
        CursorText | SkipJsonSchema[None],
        Header(alias="Last-Event-ID", description=LAST_EVENT_ID),
    ] = None,
) -> Response:
    """Stream the events of the feed as server-sent events.

    Stored events come first, then each new event within a second. After five minutes the
    stream ends. Reconnect with the id of the last event, as clients of server-sent events
    do automatically: this id is evidence of the events that you retrieved. Your key is
    checked again before new events are sent. If the key is not valid then, the stream ends.
    """
    start = PageQuery(after=last_event_id or query.after, limit=STREAM_BATCH)
    polled = await run_authenticated(request, partial(poll, begin, start))
    events = send_events(request, begin, polled)
    return EventStream(events, headers={UNBUFFERED: "no"})


async def send_events(
    request: Request, begin: Begin[AuthenticatedRead], polled: Poll
) -> AsyncIterator[bytes]:
    """Yield events until the stream is too old, the service stops, or a read fails.

    A read fails for example if the key is no longer valid.
    """
    bell: FeedWatcher = request.app.state.bell
    turns: ReadSlots = request.app.state.turns
    clock = asyncio.get_running_loop().time
    reader, ends = request.state.actor.focal_point_id, clock() + STREAM_SECONDS
    yield format_sse_event(retry=RETRY_MS)
    while True:
        mark, position = polled.mark, polled.mark.start
        for position, event in polled.news or ():
            cursor, data = mark.format_cursor(position), to_json(event).decode()
            yield format_sse_event(id=cursor, data_str=data)
        while position >= mark.head and not await bell.wait_beyond(
            reader, position, HEARTBEAT_SECONDS
        ):
            if bell.closed or clock() > ends:
                return
            yield format_sse_event(comment="nothing new")
        if clock() > ends:
            return
        try:
            async with turns.take_slot():
                after = mark.format_cursor(position)
                polled = await run_authenticated(request, partial(read_next, begin, after))
        except Problem:
            return


def read_next(begin: Begin[AuthenticatedRead], after: str) -> Poll:
    """Return the next events of a stream, without recording any event as retrieved."""
    with begin() as tx:
        return read(tx, PageQuery(after=after, limit=STREAM_BATCH))
