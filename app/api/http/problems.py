"""Problems as HTTP responses (RFC 9457). A problem never repeats the caller's input."""

from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Annotated, Any, ClassVar, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import iter_route_contexts
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.routing import Match

from app.api.http.content_language import (
    build_language_headers,
    parse_languages,
    translate_title,
)
from app.api.http.problem_schemas import PROBLEM, build_content
from app.api.http.strict_json import JsonInvalid
from app.api.http.validation_errors import Fault, describe_errors
from app.kernel.idempotency import (
    IdempotencyKeyInUse,
    IdempotencyKeyMissing,
    IdempotencyKeyReused,
)
from app.kernel.languages import ENGLISH
from app.kernel.lifecycle import ActionIllegal, ActionNotYours, RoleMissing
from app.kernel.macs import NotAuthentic
from app.kernel.problems import (
    Busy,
    Forbidden,
    NotFound,
    Problem,
    RecordsAltered,
    TooManyRequests,
    TooManyWrongKeys,
    Unauthenticated,
)
from app.kernel.quotas import DailyVolumeUsed
from app.kernel.requirements import NeedsUnmet
from app.kernel.versions import VersionNotGiven, VersionStale

SERVER_ERROR: Final = 500
"""The lowest status of a server error. The cause of such a problem is logged."""

STATUS_DETAILS: Final = {
    404: "There is no such path. See /openapi.json for the paths.",
    405: "See the `Allow` header for the methods of this path.",
    408: "The body took longer than 30 seconds, or 5 seconds in a request without a "
    "credential. Send the request again, with the same key if it had one.",
    413: "A body may have at most 256 KiB, or 8 KiB in a request without a credential. "
    "Send a smaller one.",
    414: "A path with its query may have at most 8 KiB. Send a shorter one.",
    415: "Send `Content-Type: application/json`, in UTF-8 and not compressed, or a form to "
    "/v1/oauth/token.",
    431: "The headers may have at most 16 KiB. Send fewer or shorter ones.",
    500: "The service failed. Send the request again with the same key. If it fails again, "
    "give the `instance` to the operator.",
}
"""The `detail` of each problem that has an HTTP status but no code of its own."""
ALTERED: Final = (
    "Nothing was done. Do not send the request again: the answer stays the same until an "
    "operator of the service has looked at the records. Tell the operator, give the "
    "`instance`, and use another safe way to help the person meanwhile."
)
"""The `detail` of `records-altered` (ADR 81). The log says which row it is."""


class RequestInvalidMembers(BaseModel):
    """The errors in a request."""

    errors: Annotated[list[Fault], Field(description="The errors in the request.")]


class RequestInvalid(Problem):
    """The request does not have the right shape."""

    status = 422
    members: ClassVar = RequestInvalidMembers


ALWAYS: Final[tuple[type[Problem], ...]] = (
    Unauthenticated,
    Forbidden,
    RequestInvalid,
    JsonInvalid,
    TooManyWrongKeys,
    TooManyRequests,
    DailyVolumeUsed,
    RecordsAltered,
    Busy,
)
ANONYMOUS: Final = (RequestInvalid, JsonInvalid, TooManyWrongKeys, Busy)
"""The problems of a route that needs no credential."""
KEYED: Final = (IdempotencyKeyReused, IdempotencyKeyInUse)
ACTION: Final = (NotFound, *KEYED, ActionIllegal, ActionNotYours, RoleMissing)
"""The problems of an action on a record."""
VERSIONED: Final = (*ACTION, VersionNotGiven, VersionStale, NeedsUnmet)
"""The problems of an action that needs If-Match."""
CREATION: Final = (*ACTION, IdempotencyKeyMissing)
"""The problems of an action that creates a record and needs an idempotency key."""
type Answers = dict[int | str, dict[str, Any]]


def list_problems(*kinds: type[Problem]) -> Answers:
    """Return the OpenAPI responses for these problems and those that any route can have."""
    return describe_kinds(dict.fromkeys((*ALWAYS, *kinds)))


def list_anonymous_problems(*kinds: type[Problem]) -> Answers:
    """Return the OpenAPI responses of a route that needs no credential."""
    return describe_kinds(dict.fromkeys((*ANONYMOUS, *kinds)))


def describe_kinds(kinds: Iterable[type[Problem]]) -> Answers:
    """Return the OpenAPI responses for these kinds of problems, by status."""
    found: dict[int, list[type[Problem]]] = {}
    for kind in kinds:
        found.setdefault(kind.status, []).append(kind)
    return {
        status: {
            "description": "\n".join(map(describe_problem, listed)),
            "content": build_content(listed),
        }
        for status, listed in sorted(found.items())
    }


def describe_problem(kind: type[Problem]) -> str:
    """Return the line for a problem in the description of an HTTP status."""
    return f"- `{kind.code}`: {kind.title}"


EVERYWHERE: Final = list_problems()
NOT_FOUND: Final = list_problems(NotFound)


def render_problem(request: Request, problem: Problem) -> JSONResponse:
    """Return the response for a problem, with its title in the caller's language."""
    title, language = translate_title(problem, parse_languages(request))
    body = {
        "type": problem.uri,
        "title": title,
        "status": problem.status,
        "detail": problem.detail,
        **problem.facts,
    }
    later = {} if problem.wait is None else {"Retry-After": str(problem.wait)}
    translated = build_language_headers([language])
    return build_response(request, body, {**translated, **problem.headers, **later})


def render_status(
    request: Request, status: int, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """Return a problem response for an HTTP status, with an English title and detail."""
    words = HTTPStatus(status)
    body = {
        "type": "about:blank",
        "title": words.phrase,
        "status": int(status),
        "detail": STATUS_DETAILS.get(status, words.phrase),
    }
    english = {"Content-Language": ENGLISH}
    return build_response(request, body, {**english, **(headers or {})})


def build_response(
    request: Request, body: dict[str, Any], headers: Mapping[str, str]
) -> JSONResponse:
    """Return the response for a problem, with the id of the request as `instance`."""
    body["instance"] = f"urn:uuid:{request.state.request_id}"
    return JSONResponse(body, body["status"], headers, PROBLEM)


def build_invalid(found: Sequence[Fault]) -> RequestInvalid:
    """Build the problem for a request that has errors."""
    facts = {"errors": [one.model_dump() for one in found]}
    return RequestInvalid("See `errors` for what to correct.", facts)


def list_methods(request: Request) -> str:
    """Return the methods of all routes of a path, not only those of the first route."""
    contexts = iter_route_contexts(request.app.router.routes)
    matching = [c for c in contexts if c.matches(request.scope)[0] is not Match.NONE]
    return ", ".join(sorted({method for c in matching for method in c.methods or ()}))


def install(app: FastAPI) -> None:
    """Register the exception handlers that return problems."""

    @app.exception_handler(Problem)
    def handle_problem(request: Request, problem: Problem) -> JSONResponse:
        request.state.cause = problem.__cause__ if problem.status >= SERVER_ERROR else None
        return render_problem(request, problem)

    @app.exception_handler(NotAuthentic)
    def handle_altered_records(request: Request, error: NotAuthentic) -> JSONResponse:
        request.state.cause = error
        return render_problem(request, RecordsAltered(ALTERED))

    @app.exception_handler(RequestValidationError)
    def handle_validation_error(
        request: Request, error: RequestValidationError
    ) -> JSONResponse:
        return render_problem(
            request, build_invalid(describe_errors(request, error.errors()))
        )

    @app.exception_handler(HTTPException)
    def handle_http_error(request: Request, error: HTTPException) -> JSONResponse:
        headers = error.headers
        if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            headers = {"Allow": list_methods(request)}
        return render_status(request, error.status_code, headers)
