"""Who may pass, before anything they sent is judged.

FastAPI reads and validates a body before it asks any dependency. A route of this house
first finds out who is asking and whether the API key has the scope, so that a stranger
hears 401 whatever the body (API.md, order of judgement), and then reads strictly.
"""

from collections.abc import Callable, Coroutine
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property, partial
from http import HTTPStatus
from time import monotonic
from typing import Any, Final, override
from uuid import UUID

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from fastapi.security import HTTPBearer
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from app.access.credentials import authenticate, must_have, prefix_of
from app.api.strict_json import is_json, must_be_strict
from app.api.throttling import Rate, Throttle
from app.api.turns import Turn, Turns
from app.kernel.actors import Actor, Scope
from app.kernel.problems import Problem, TooManyRequests, TooManyTries, Unauthenticated
from app.kernel.work import Ground

NOTHING: Final = (b"", b"{}")
NO_KEY: Final = ""
AT_ONCE: Final = 0.1
"""Seconds in which a body is here that was sent with its head. Whoever takes longer may
have lost the key or the account meanwhile, and is asked again who it is (R21)."""


class BodyUnexpected(Problem):
    """The request takes no body, and what was sent would have been ignored."""

    status = 422


type Begin[W] = Callable[[], AbstractContextManager[W]]
type Opener[W] = Callable[[Ground, Actor], AbstractContextManager[W]]
type Handler = Callable[[Request], Coroutine[Any, Any, Response]]

BEARER: Final = HTTPBearer(
    auto_error=False, scheme_name="ApiKey", description="An API key: `sc_...`."
)
MACHINES: Final = "OAuth2"
"""What the contract calls the other way to sign in: with a token, `sct_...`."""


@dataclass(frozen=True)
class May[W]:
    """The right to begin work, for holders of a scope."""

    opener: Opener[W]
    scope: Scope

    async def __call__(self, request: Request) -> Begin[W]:
        """Hand a route what it begins its work with."""
        return partial(self.opener, request.app.state.ground, request.state.actor)


class Guarded(APIRoute):
    """A route that asks who and whether before it reads what."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.description += f"\n\nNeeds the scope `{self.scope}`."
        self.openapi_extra = {"security": [{MACHINES: [self.scope]}]}

    @property
    def scope(self) -> Scope:
        """The scope that its work needs; a route without one cannot be built."""
        rights = [d.call for d in self.dependant.dependencies if isinstance(d.call, May)]
        [right] = rights
        return right.scope

    @cached_property
    def queries(self) -> frozenset[str] | None:
        """What its query may name; None where a model of it refuses the rest."""
        fields = self.dependant.query_params
        kinds = [field.field_info.annotation for field in fields]
        if any(isinstance(kind, type) and issubclass(kind, BaseModel) for kind in kinds):
            return None
        return frozenset(field.alias for field in fields)

    @override
    def get_route_handler(self) -> Handler:
        inner, scope = super().get_route_handler(), self.scope

        async def handle(request: Request) -> Response:
            if request.method != "GET":
                return await go_on(request)
            turns: Turns = request.app.state.turns
            async with turns.reading() as request.state.turn:
                return await go_on(request)

        async def go_on(request: Request) -> Response:
            request.state.actor = await run_in_threadpool(sign_in, request, scope)
            must_not_hurry(request, request.state.actor.account_id)
            must_know(request, self.queries)
            began = monotonic()
            body = await body_of(request)
            if monotonic() - began > AT_ONCE:
                request.state.actor = await run_in_threadpool(sign_in, request, scope)
            if self.body_field is None and body.strip() not in NOTHING:
                raise BodyUnexpected("Send no body here, or an empty object.")
            if self.body_field is not None and body:
                must_be_json(request, body)
            return await inner(request)

        return handle


async def body_of(request: Request) -> bytes:
    """Read what was sent; a reader that says it sends something gives its turn meanwhile.

    Else whoever says so and sends nothing keeps the others out (ADR 26).
    """
    heads = request.headers
    said = "transfer-encoding" in heads or heads.get("content-length", "0") != "0"
    if request.method != "GET" or not said:
        return await request.body()
    turn: Turn = request.state.turn
    turn.give()
    body = await request.body()
    await turn.take()
    return body


async def again[W](request: Request, right: May[W]) -> Begin[W]:
    """Find anew who is asking, for what happens later than the request came (R21).

    Raises 401 or 403, as the first time.
    """
    request.state.actor = await run_in_threadpool(sign_in, request, right.scope)
    return await right(request)


def must_know(request: Request, names: frozenset[str] | None) -> None:
    """Refuse a query that names what this route does not know: it would be ignored."""
    for name in set(request.query_params) - names if names is not None else ():
        raise RequestValidationError([{"type": "extra_forbidden", "loc": ("query", name)}])


def must_be_json(request: Request, body: bytes) -> None:
    """Refuse a body that is not called JSON (415), or is not strictly that (422)."""
    if not is_json(request.headers):
        raise HTTPException(HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
    must_be_strict(body)


def sign_in(request: Request, scope: Scope) -> Actor:
    """Find who is asking, in a short transaction of its own; raises 401 or 403.

    Who sends no key takes the steps of who sends one that nobody has, and hears the same.
    Whoever sends wrong ones hears 429 after some: once it is known that they are wrong, so
    that nobody who holds a right one is ever kept out by who guesses.
    """
    if len(request.headers.getlist("authorization")) > 1:  # a proxy may read another one
        raise Unauthenticated("Send one `Authorization` header, not several.")
    kind, _, key = request.headers.get("authorization", "").partition(" ")
    sent = key.strip() if kind.lower() == "bearer" else NO_KEY
    ground: Ground = request.app.state.ground
    try:
        with ground.database.reading() as session:
            actor = authenticate(session, sent, ground.clock())
    except Unauthenticated:
        if sent:
            must_not_guess(request, prefix_of(sent))
        raise
    must_have(actor, scope)
    return actor


def must_not_hurry(request: Request, account_id: UUID) -> None:
    """Raise TooManyRequests (429) where an account asks more often than it may."""
    rate: Rate = request.app.state.rate
    wait = rate.asks(account_id, writes=request.method != "GET")
    if wait:
        raise TooManyRequests(
            "Ask less often; to wait for news, `Prefer: wait`.", wait=wait
        )


def must_not_guess(request: Request, named: str) -> None:
    """Raise TooManyTries (429) where too many wrong keys came from one address.

    Or for one name: the prefix of a key, or the client that an assertion says it is of.
    """
    throttle: Throttle = request.app.state.throttle
    client = request.client.host if request.client else ""
    wait = throttle.wrong(client, named)
    if wait:
        raise TooManyTries("Check the key you use before you try again.", wait=wait)
