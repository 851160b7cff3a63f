"""Authentication, scopes and rate limits, checked before the body of a request.

FastAPI validates a body before it calls any dependency. `GuardedRoute` first authenticates
the caller and checks the scope, so that a caller without a key gets 401 for every body
(API.md, order of checks). Then it parses the body strictly.
"""

from collections.abc import Callable, Coroutine
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property, partial
from http import HTTPStatus
from time import monotonic
from typing import Annotated, Any, Final, override
from uuid import UUID

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from fastapi.security import HTTPBearer
from pydantic import BaseModel, TypeAdapter
from pydantic_core import PydanticUndefined
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from app.access.credentials import authenticate, get_prefix, require_scope
from app.access.session_limits import ENDED_GRACE, NO_GRACE
from app.access.sessions import renew_session
from app.api.http.deprecation import find_deprecation
from app.api.http.rate_limits import RequestRate, WrongKeyLimit, format_rate_headers
from app.api.http.read_slots import ReadSlot, ReadSlots
from app.api.http.route_plan import RoutePlan
from app.api.http.strict_json import is_json, parse_strict_json
from app.kernel.actors import Actor, Scope, SignInMethod
from app.kernel.problems import (
    Forbidden,
    Problem,
    TooManyRequests,
    TooManyWrongKeys,
    Unauthenticated,
)
from app.kernel.transactions import Runtime

EMPTY_BODIES: Final = (b"", b"{}")
NO_KEY: Final = ""
PROMPT_BODY_SECONDS: Final = 0.1
"""Seconds within which a body that was sent together with the headers arrives. After a
slower body the caller is authenticated again, because the key may have become invalid
(R21)."""


class BodyUnexpected(Problem):
    """The request takes no body; the body that was sent would have been ignored."""

    status = 422


type Begin[W] = Callable[[], AbstractContextManager[W]]
type Opener[W] = Callable[[Runtime, Actor], AbstractContextManager[W]]
type Handler = Callable[[Request], Coroutine[Any, Any, Response]]

BEARER: Final = HTTPBearer(
    auto_error=False,
    scheme_name="ApiKey",
    description="An API key `sc_...`, or the token of a session `scs_...`.",
)
OAUTH2_PATH: Final = "/v1/oauth/token"
OAUTH2: Final = "OAuth2"
"""The name of the security scheme for tokens `sct_...` in the OpenAPI document."""


@dataclass(frozen=True)
class Scoped[W]:
    """A dependency that requires a scope and provides a function to begin a transaction."""

    opener: Opener[W]
    scope: Scope
    accepts_ended_session: bool = False
    """Whether a session may be used that ended by itself at most 8 hours ago (ADR 71)."""

    async def __call__(self, request: Request) -> Begin[W]:
        """Return the function with which a route begins its transaction."""
        return partial(self.opener, request.app.state.runtime, request.state.actor)


class StrictRoute(APIRoute):
    """A route whose body is parsed strictly."""

    @cached_property
    def body_schema(self) -> dict[str, Any]:
        """The JSON schema of the body, which is built at the first error."""
        body = self.body_field.field_info if self.body_field else None
        annotation: Any = Annotated[body.annotation, body] if body else None
        return TypeAdapter[Any](annotation).json_schema()

    def parse_body(self, request: Request, body: bytes) -> Any:
        """Parse a body; return PydanticUndefined if the request has none.

        Raises BodyUnexpected (422) if the route takes no body, or the errors of
        `parse_json`.
        """
        if self.body_field is None and body.strip() not in EMPTY_BODIES:
            raise BodyUnexpected("Send no body here, or an empty object.")
        if self.body_field is None or not body:
            return PydanticUndefined
        return parse_json(request, body)


class GuardedRoute(StrictRoute):
    """A route that authenticates and authorizes the caller before it reads the body."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.description += f"\n\nNeeds the scope `{self.right.scope}`."
        self.deprecation = find_deprecation(self.dependencies)
        if self.deprecation:
            self.deprecated = True
            self.description += f" {self.deprecation.describe()}"
        self.openapi_extra = {"security": [{OAUTH2: [self.right.scope]}]}

    @property
    def right(self) -> Scoped[Any]:
        """The scope that the route requires. A route must have exactly one scope."""
        rights = [d.call for d in self.dependant.dependencies if isinstance(d.call, Scoped)]
        [right] = rights
        return right

    @cached_property
    def queries(self) -> frozenset[str] | None:
        """The allowed query parameters, or None if a model rejects unknown parameters."""
        fields = self.dependant.query_params
        kinds = [field.field_info.annotation for field in fields]
        if any(isinstance(kind, type) and issubclass(kind, BaseModel) for kind in kinds):
            return None
        return frozenset(field.alias for field in fields)

    @override
    def get_route_handler(self) -> Handler:
        plan = RoutePlan(self.dependant, embeds_body=self._embed_body_fields)
        right = self.right

        async def handle(request: Request) -> Response:
            if self.deprecation:
                request.state.deprecation_headers = self.deprecation.headers
            if request.method != "GET":
                return await handle_authenticated(request)
            turns: ReadSlots = request.app.state.turns
            async with turns.take_slot() as request.state.turn:
                return await handle_authenticated(request)

        async def handle_authenticated(request: Request) -> Response:
            request.state.actor = await run_in_threadpool(sign_in, request, right)
            enforce_rate_limit(request, find_sender(request.state.actor, right))
            require_known_query(request, self.queries)
            started = monotonic()
            body = await read_body(request)
            if monotonic() - started > PROMPT_BODY_SECONDS:
                request.state.actor = await run_in_threadpool(sign_in, request, right)
            return await plan.run(request, self.parse_body(request, body))

        return handle


async def read_body(request: Request) -> bytes:
    """Read the body. A GET request gives up its read slot while an announced body arrives.

    Otherwise clients that announce a body and send nothing would block all reads (ADR 26).
    """
    headers = request.headers
    announces_body = (
        "transfer-encoding" in headers or headers.get("content-length", "0") != "0"
    )
    if request.method != "GET" or not announces_body:
        return await request.body()
    turn: ReadSlot = request.state.turn
    turn.release()
    body = await request.body()
    await turn.take()
    return body


async def authenticate_again[W](request: Request, right: Scoped[W]) -> Begin[W]:
    """Authenticate the caller again after a wait, and return a new `Begin` (R21).

    Raises Unauthenticated (401) if the key has expired or was revoked, or Forbidden (403)
    if the key lacks the scope.
    """
    request.state.actor = await run_in_threadpool(sign_in, request, right)
    return await right(request)


def require_known_query(request: Request, names: frozenset[str] | None) -> None:
    """Raise RequestValidationError (422) for a query parameter that is not in `names`."""
    for name in set(request.query_params) - names if names is not None else ():
        raise RequestValidationError([{"type": "extra_forbidden", "loc": ("query", name)}])


def parse_json(request: Request, body: bytes) -> Any:
    """Parse a body. Raises HTTPException (415) or JsonInvalid (422) if it is not JSON."""
    if not is_json(request.headers):
        raise HTTPException(HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
    return parse_strict_json(body)


def sign_in(request: Request, right: Scoped[Any]) -> Actor:
    """Authenticate a request in a short transaction of its own, and check the scope.

    Raises Unauthenticated (401) if the key is missing or wrong, Forbidden (403) if it lacks
    the scope or may not be used, or TooManyWrongKeys (429) after several wrong keys. Wrong
    keys are counted only after the key was checked, so that guessing never blocks the
    holder of a valid key.
    """
    if len(request.headers.getlist("authorization")) > 1:  # a proxy may read another
        raise Unauthenticated("Send one `Authorization` header, not several.")
    kind, _, key = request.headers.get("authorization", "").partition(" ")
    key_text = key.strip() if kind.lower() == "bearer" else NO_KEY
    runtime: Runtime = request.app.state.runtime
    try:
        with runtime.database.begin_read() as session:
            grace = ENDED_GRACE if right.accepts_ended_session else NO_GRACE
            actor = authenticate(session, key_text, runtime.clock(), grace)
    except Unauthenticated:
        if key_text:
            limit_wrong_keys(request, get_prefix(key_text))
        raise
    if not runtime.person_keys and has_person_key(actor):
        raise Forbidden("API keys of people are not accepted here. Sign in with a passkey.")
    require_scope(actor, right.scope)
    return actor if right.accepts_ended_session else renew_session(runtime, actor)


def find_sender(actor: Actor, right: Scoped[Any]) -> UUID:
    """Return the id by which the requests of a caller are counted.

    Requests for which a session may have ended are counted by session, so that the holder
    of an ended session cannot use up what the account may send.
    """
    session = actor.session if right.accepts_ended_session else None
    return session.id if session else actor.account_id


def has_person_key(actor: Actor) -> bool:
    """Return whether a person acts with an API key, or a session that a key opened."""
    if actor.session is not None:
        return actor.session.method == SignInMethod.KEY
    return actor.person_id is not None


def enforce_rate_limit(request: Request, account_id: UUID) -> None:
    """Raise TooManyRequests (429) if an account sends more requests than allowed."""
    rate: RequestRate = request.app.state.rate
    writes = request.method != "GET"
    allowance = rate.count_request(account_id, writes=writes)
    if allowance is None:
        return
    request.state.rate_headers = format_rate_headers(allowance, writes=writes)
    if allowance.wait:
        raise TooManyRequests(
            "Send fewer requests. To wait for events, send `Prefer: wait`.",
            wait=allowance.wait,
        )


def get_address(request: Request) -> str:
    """Return the address of the client, or "" if the server does not know it."""
    return request.client.host if request.client else ""


def limit_wrong_keys(request: Request, name: str) -> None:
    """Count a wrong key. Raises TooManyWrongKeys (429) if there were too many.

    Keys are counted by address, and by address and name. The name is the prefix of a key or
    of an enrolment, the id of a passkey, or the client that a signed assertion names.
    """
    throttle: WrongKeyLimit = request.app.state.throttle
    wait = throttle.count_wrong_key(get_address(request), name)
    if wait:
        raise TooManyWrongKeys("Check the key you use before you try again.", wait=wait)
