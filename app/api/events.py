"""The change feed: polled, waited for, or listened to; one reading behind all three."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import Depends, Header, Query, Request, Response
from fastapi.sse import format_sse_event
from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from app.api.conditional import JSON, has, not_modified
from app.api.deps import CAN_READ_FEED, IfNoneMatch, Paging, ReadFeed
from app.api.guard import Begin, again
from app.api.nouns import Noun
from app.api.problems import problems
from app.api.turns import Turn, Turns
from app.api.waiting import (
    APPLIED,
    SAYS_APPLIED,
    Bell,
    Patience,
    listening,
    unless_gone,
)
from app.feed import actions, queries, situation
from app.feed.cursors import CursorGone
from app.feed.queries import Mark
from app.feed.schemas import EventPage
from app.feed.situation import News
from app.kernel.paging import CursorText, CursorUnknown, PageQuery
from app.kernel.problems import Problem
from app.kernel.work import Reading, writing

AT_ONCE: Final = 100
"""Events that are read together for somebody who listens."""

SILENCE: Final = 15.0
"""Seconds after which somebody who listens is told that the line is still open."""

LIFETIME: Final = 300.0
"""Seconds after which a stream ends: where it is taken up again says what arrived."""

RETRY_MS: Final = 2000
AFTER: Final = "`next` of a page of `/v1/events`, or an id of this; absent: the start."
RESUMED: Final = "The id of the last event that you dealt with; it counts before `after`."
EVENT: Final[dict[str, Any]] = {
    "description": "An event of the stream, as a parser of such streams hands it out.",
    "type": "object",
    "properties": {
        "id": {
            "type": "string",
            "description": "A cursor: the browser's `Last-Event-ID`, or `after`.",
        },
        "data": {
            "type": "string",
            "contentMediaType": "application/json",
            "contentSchema": {"$ref": "#/components/schemas/EventOut"},
        },
        "retry": {
            "type": "integer",
            "minimum": 0,
            "description": "Milliseconds to wait before going on; said once, without data.",
        },
    },
    "required": ["id", "data"],
}
"""OpenAPI 3.1 has no word for one item of a stream; 3.2 has, and says it of this."""
STREAM: Final = "text/event-stream"

router = Noun("feed", "/events")


class EventStream(StreamingResponse):
    """Server-sent events, as the HTML standard has them."""

    media_type = STREAM


class Start(BaseModel):
    """Where to start."""

    model_config = ConfigDict(extra="forbid")

    after: Annotated[
        CursorText | SkipJsonSchema[None],
        Field(description=AFTER),
    ] = None


@dataclass(frozen=True)
class Polled:
    """Where a poller stands, and what is new to it; None: it has that page already."""

    mark: Mark
    news: News | None

    def answer(self, headers: dict[str, str]) -> Response:
        """Spell it."""
        if self.news is None:
            return not_modified(self.mark.tag, headers)
        body = situation.page(self.mark, self.news).model_dump_json().encode()
        return Response(body, 200, {"ETag": self.mark.tag, **headers}, JSON)


def read(work: Reading, query: PageQuery, if_none_match: str | None = None) -> Polled:
    """Read what is after the cursor."""
    mark = queries.look(work, query)
    known = if_none_match is not None and has(if_none_match, mark.tag)
    return Polled(mark, None if known else situation.news(work, mark, query.limit))


def poll(
    begin: Begin[Reading], query: PageQuery, if_none_match: str | None = None
) -> Polled:
    """Read what is after the cursor, and keep that its bearer has what is before it."""
    with begin() as work:
        polled = read(work, query, if_none_match)
    if polled.mark.advances:
        with writing(work.ground, work.actor) as more:
            actions.keep_retrieval(more, polled.mark.start)
    return polled


HEARD: Final[dict[int | str, dict[str, Any]]] = {
    200: {"headers": SAYS_APPLIED},
    **problems(CursorUnknown, CursorGone),
}


@router.get("", response_model=EventPage, responses=HEARD)
async def list_events(
    request: Request,
    begin: ReadFeed,
    query: Paging,
    patience: Patience,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Poll for what happened after the cursor, oldest first; or wait until something does.

    Each event arrives at least once, in the order it was committed. Keep `next` together
    with what you did, and send it as `after`: that you passed an event is evidence that you
    retrieved it. After a 410, read from the start and compare.

    With `Prefer: wait=30` an answer without news comes after 30 seconds, one with news as
    soon as there is any: you hear within a second, and ask twice a minute.
    """
    polled = await run_in_threadpool(poll, begin, query, if_none_match)
    if patience and not polled.news and await waited(request, polled.mark, patience):
        begin = await again(request, CAN_READ_FEED)
        polled = await run_in_threadpool(poll, begin, query, if_none_match)
    applied = {} if patience is None else {APPLIED: f"wait={patience}"}
    return polled.answer(applied)


async def waited(request: Request, mark: Mark, seconds: float) -> bool:
    """Wait until there is more than there was; the time is not counted as the service's.

    Raises TooManyRequests (429) where too many of the account wait already.
    """
    clock = asyncio.get_running_loop().time
    bell: Bell = request.app.state.bell
    turn: Turn = request.state.turn
    actor, began = request.state.actor, clock()
    with bell.place(actor.account_id):
        turn.give()
        try:
            news = bell.beyond(actor.focal_point_id, mark.head, seconds)
            rang = await unless_gone(request, news)
            await turn.take()
        finally:
            request.state.waited = clock() - began
    return rang


LISTENED: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "Events as they happen: `id` is a cursor, `data` the event as JSON.",
        "content": {STREAM: {"schema": EVENT}},
    },
    **problems(CursorUnknown, CursorGone),
}


@router.get(
    "/stream",
    response_class=EventStream,
    responses=LISTENED,
    dependencies=[Depends(listening)],
)
async def stream_events(
    request: Request,
    begin: ReadFeed,
    query: Annotated[Start, Query()],
    last_event_id: Annotated[
        CursorText | SkipJsonSchema[None],
        Header(alias="Last-Event-ID", description=RESUMED),
    ] = None,
) -> Response:
    """Listen to the same feed as server-sent events, for as long as you like.

    What was there comes first, then what happens, within a second. After five minutes the
    stream ends: go on from the last id, as clients of server-sent events do by themselves,
    for where you do is evidence of what you retrieved. Your key is judged anew for each
    event; once it has ended, so does the stream.
    """
    start = PageQuery(after=last_event_id or query.after, limit=AT_ONCE)
    polled = await run_in_threadpool(poll, begin, start)
    return EventStream(told(request, polled), headers={"X-Accel-Buffering": "no"})


async def told(request: Request, polled: Polled) -> AsyncIterator[bytes]:
    """Tell what there is, then what comes, until the key, the time or the service ends."""
    bell: Bell = request.app.state.bell
    turns: Turns = request.app.state.turns
    clock = asyncio.get_running_loop().time
    reader, ends = request.state.actor.focal_point_id, clock() + LIFETIME
    yield format_sse_event(retry=RETRY_MS)
    while True:
        mark, position = polled.mark, polled.mark.start
        for position, event in polled.news or ():
            yield format_sse_event(
                id=mark.cursor(position), data_str=event.model_dump_json()
            )
        while position >= mark.head and not await bell.beyond(reader, position, SILENCE):
            if bell.closed or clock() > ends:
                return
            yield format_sse_event(comment="nothing new")
        if clock() > ends:
            return
        try:
            async with turns.reading():
                begin = await again(request, CAN_READ_FEED)
                polled = await run_in_threadpool(goes_on, begin, mark.cursor(position))
        except Problem:
            return


def goes_on(begin: Begin[Reading], after: str) -> Polled:
    """Read what came since; that it was sent is no evidence yet that it arrived."""
    with begin() as work:
        return read(work, PageQuery(after=after, limit=AT_ONCE))
