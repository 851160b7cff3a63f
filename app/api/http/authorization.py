"""Routes that authenticate and authorize the caller before they read the body.

FastAPI validates a body before it calls any dependency. `GuardedRoute` first authenticates
the caller and checks the scope, so that a caller without a key gets 401 for every body
(API.md, order of checks). Then it parses the body strictly.
"""

from collections.abc import Callable, Coroutine
from functools import cached_property, partial
from http import HTTPStatus
from time import monotonic
from typing import Annotated, Any, Final, override

from fastapi import Request, Response
from fastapi.routing import APIRoute
from fastapi.security import HTTPBearer
from pydantic import BaseModel, TypeAdapter
from pydantic_core import PydanticUndefined
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from app.api.http.authentication import (
    Scoped,
    enforce_rate_limit,
    find_sender,
    read_authenticated,
    require_known_query,
    sign_in,
)
from app.api.http.deprecation import find_deprecation
from app.api.http.read_slots import ReadSlot, ReadSlots
from app.api.http.route_plan import Answer, RoutePlan, wait_for_response
from app.api.http.strict_json import is_json, parse_strict_json
from app.kernel.problems import Problem

EMPTY_BODIES: Final = (b"", b"{}")
PROMPT_BODY_SECONDS: Final = 0.1
"""Seconds within which a body that was sent together with the headers arrives. After a
slower body the caller is authenticated again, because the key may have become invalid
(R21)."""


class BodyUnexpected(Problem):
    """The request takes no body; the body that was sent would have been ignored."""

    status = 422


type Handler = Callable[[Request], Coroutine[Any, Any, Response]]

BEARER: Final = HTTPBearer(
    auto_error=False,
    scheme_name="ApiKey",
    description="An API key `sc_...`, or the token of a session `scs_...`.",
)
OAUTH2_PATH: Final = "/v1/oauth/token"
OAUTH2: Final = "OAuth2"
"""The name of the security scheme for tokens `sct_...` in the OpenAPI document."""


class StrictRoute(APIRoute):
    """A route whose body is parsed strictly."""

    @cached_property
    def body_schema(self) -> dict[str, Any]:
        """The JSON schema of the request body, which is built when it is first needed."""
        body = self.body_field.field_info if self.body_field else None
        annotation: Any = Annotated[body.annotation, body] if body else None
        return TypeAdapter[Any](annotation).json_schema()

    def parse_body(self, request: Request, body: bytes) -> Any:
        """Parse a body; return PydanticUndefined if the request or the route has none.

        Raises BodyUnexpected (422) if the route takes no body but gets one other than `{}`,
        or the errors of `parse_json`.
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
        reads_at_once = right.only_reads and not plan.is_async

        async def handle(request: Request) -> Response:
            if self.deprecation:
                request.state.deprecation_headers = self.deprecation.headers
            if request.method != "GET":
                return await handle_authenticated(request)
            turns: ReadSlots = request.app.state.turns
            async with turns.take_slot() as request.state.turn:
                if not reads_at_once or has_announced_body(request):
                    return await handle_authenticated(request)
                return await handle_read(request)

        async def handle_authenticated(request: Request) -> Response:
            request.state.actor = await run_in_threadpool(sign_in, request, right)
            self.check_request(request)
            parsed = await self.read_parsed_body(request)
            if not reads_at_once:
                return await plan.run(request, parsed)
            arguments = await plan.collect(request, parsed)
            return await run_read(request, partial(plan.call, arguments))

        async def handle_read(request: Request) -> Response:
            arguments = await plan.collect(request, PydanticUndefined)

            def answer() -> Answer:
                self.check_request(request)
                return plan.call(arguments)

            return await run_read(request, answer)

        async def run_read(request: Request, answer: Callable[[], Answer]) -> Response:
            return await wait_for_response(
                await run_in_threadpool(read_authenticated, request, right, answer)
            )

        return handle

    async def read_parsed_body(self, request: Request) -> Any:
        """Return the parsed body of a request whose caller was authenticated.

        After a slow body the caller is authenticated again. Raises the errors of `sign_in`
        and of `parse_body`.
        """
        started = monotonic()
        body = await read_body(request)
        if monotonic() - started > PROMPT_BODY_SECONDS:
            request.state.actor = await run_in_threadpool(sign_in, request, self.right)
        return self.parse_body(request, body)

    def check_request(self, request: Request) -> None:
        """Check the rate limit, and that each query parameter is known.

        Raises TooManyRequests (429) or RequestValidationError (422).
        """
        enforce_rate_limit(request, find_sender(request.state.actor, self.right))
        require_known_query(request, self.queries)


def has_announced_body(request: Request) -> bool:
    """Return whether the headers of a request announce a body."""
    headers = request.headers
    return "transfer-encoding" in headers or headers.get("content-length", "0") != "0"


async def read_body(request: Request) -> bytes:
    """Read the body. A GET request gives up its read slot while an announced body arrives.

    Otherwise clients that announce a body and send nothing would block all reads (ADR 26).
    """
    if request.method != "GET" or not has_announced_body(request):
        return await request.body()
    turn: ReadSlot = request.state.turn
    turn.release()
    body = await request.body()
    await turn.take()
    return body


def parse_json(request: Request, body: bytes) -> Any:
    """Parse a body. Raises HTTPException (415) or JsonInvalid (422) if it is not JSON."""
    if not is_json(request.headers):
        raise HTTPException(HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
    return parse_strict_json(body)
