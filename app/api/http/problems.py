"""Problems as HTTP responses (RFC 9457). A problem never repeats what the caller sent."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import iter_route_contexts
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.routing import Match

from app.api.http.content_language import (
    build_language_headers,
    parse_languages,
    translate_title,
)
from app.api.http.strict_json import JsonRefused
from app.cases.facts import FactName
from app.cases.sections import Section
from app.kernel.idempotency import KeyInFlight, KeyMissing, KeyReused
from app.kernel.languages import ENGLISH
from app.kernel.lifecycle import ActionIllegal, ActionNotYours, RoleMissing
from app.kernel.problems import (
    Busy,
    Forbidden,
    NotFound,
    Problem,
    TooManyRequests,
    TooManyTries,
    Unauthenticated,
)
from app.kernel.quotas import DailyVolumeUsed
from app.kernel.requirements import NeedsUnmet
from app.kernel.versions import VersionNotGiven, VersionStale

MESSAGES: Final = {
    "missing": "This field is required.",
    "extra_forbidden": "This object has an unknown field.",
    "json_invalid": "This is not JSON.",
    "enum": "This is not one of the codes listed in the documentation.",
    "literal_error": "This is not one of the codes listed in the documentation.",
    "union_tag_invalid": "This is not one of the kinds listed in the documentation.",
    "union_tag_not_found": "The field that names the kind is missing.",
    "uuid_parsing": "This is not a UUID.",
    "uuid_type": "This is not a UUID.",
    "timezone_aware": "This date and time needs a time zone.",
    "datetime_parsing": "This is not a date and time of RFC 3339.",
    "datetime_from_date_parsing": "This is not a date and time of RFC 3339.",
    "date_parsing": "This is not a date: YYYY-MM-DD.",
    "date_from_datetime_parsing": "This is not a date: YYYY-MM-DD.",
    "date_from_datetime_inexact": "This must be a date without a time: YYYY-MM-DD.",
    "string_type": "This must be a string.",
    "string_unicode": "This is not Unicode text.",
    "bool_type": "This must be true or false.",
    "bool_parsing": "This must be true or false.",
    "int_type": "This must be a whole number.",
    "int_parsing": "This must be a whole number.",
    "list_type": "This must be a list.",
    "model_attributes_type": "This must be an object.",
    "model_type": "This must be an object.",
    "dict_type": "This must be an object.",
    "string_pattern_mismatch": "This does not have the documented form.",
    "string_too_long": "This is too long.",
    "string_too_short": "This is too short.",
    "too_long": "There are too many of these.",
    "too_short": "There are too few of these.",
    "greater_than_equal": "This is too small.",
    "less_than_equal": "This is too large.",
}
SERVER_ERROR: Final = 500
"""The lowest status of a server error. The cause of such a problem is logged."""

STATUS_DETAILS: Final = {
    404: "There is no such path. See /openapi.json for the paths.",
    405: "See the `Allow` header for the methods of this path.",
    408: "The body took longer than 30 seconds. Send the request again with the same key.",
    413: "A body may have at most 256 KiB. Send a smaller one.",
    414: "A path with its query may have at most 8 KiB. Send a shorter one.",
    415: "Send `Content-Type: application/json`, in UTF-8 and not compressed, or a form to "
    "/v1/oauth/token.",
    431: "The headers may have at most 16 KiB. Send fewer or shorter ones.",
    500: "The service failed. Send the request again with the same key. If it fails again, "
    "give the `instance` to the operator.",
}
"""The details of problems that are HTTP statuses without a code of their own."""

OWN_CODES: Final = frozenset(
    {
        "case_code_mistyped",
        "code_unknown",
        "continues_in_unclear",
        "end_unclear",
        "key_unusable",
        "kid_differs",
        "private_key_sent",
        "recipient_unclear",
        "section_twice",
        "text_unsafe",
        "url_unsound",
    }
)
"""Codes of validation errors whose messages are defined here and repeat no input."""

CELL_RULE: Final = "cell"
"""The code of a violated rule for a directory row, in a file or in a request."""


class Fault(BaseModel):
    """One error in a request."""

    pointer: Annotated[
        str, Field(description="A pointer `#/...` into the body, or a parameter's name.")
    ]
    code: Annotated[str, Field(description="A code such as `missing`. More may be added.")]
    detail: str


class ProblemDetail(BaseModel):
    """An RFC 9457 problem detail. Some problems have more members, such as `unmet`."""

    model_config = ConfigDict(extra="allow")

    type: Annotated[str, Field(description="A stable name. See docs/problems.md.")]
    title: Annotated[
        str, Field(description="In the language that you asked for, if it is translated.")
    ]
    status: int
    detail: Annotated[str, Field(description="What is wrong or what to do, in English.")]
    instance: Annotated[str, Field(description="The id of the request, for the operator.")]
    errors: Annotated[list[Fault], Field(description="The errors in the request.")] = []


PROBLEM: Final = "application/problem+json"
REFERENCE: Final = "#/components/schemas/{model}"
DETAIL: Final = {PROBLEM: {"schema": {"$ref": REFERENCE.format(model="ProblemDetail")}}}
"""The OpenAPI content of every problem. With a model instead, FastAPI would build a
validator for each status of each route, which takes a quarter of the start-up time."""


def build_schemas() -> dict[str, Any]:
    """Return the JSON schemas of a problem and its parts for the OpenAPI document."""
    whole = ProblemDetail.model_json_schema(ref_template=REFERENCE)
    parts: dict[str, Any] = whole.pop("$defs")
    return {"ProblemDetail": whole, **parts}


class RequestInvalid(Problem):
    """The request does not have the right shape."""

    status = 422


ALWAYS: Final[tuple[type[Problem], ...]] = (
    Unauthenticated,
    Forbidden,
    RequestInvalid,
    JsonRefused,
    TooManyTries,
    TooManyRequests,
    DailyVolumeUsed,
    Busy,
)
KEYED: Final = (KeyReused, KeyInFlight)
ACTION: Final = (NotFound, *KEYED, ActionIllegal, ActionNotYours, RoleMissing)
"""The problems of an action on a record."""
VERSIONED: Final = (*ACTION, VersionNotGiven, VersionStale, NeedsUnmet)
"""The problems of an action that needs If-Match."""
CREATION: Final = (*ACTION, KeyMissing)
"""The problems of an action that creates a record, and so needs a key."""
type Answers = dict[int | str, dict[str, Any]]


def list_problems(*kinds: type[Problem]) -> Answers:
    """Return the OpenAPI responses for these problems and the problems of every route."""
    lines: dict[int, list[str]] = {}
    for kind in dict.fromkeys((*ALWAYS, *kinds)):
        lines.setdefault(kind.status, []).append(describe_problem(kind))
    return {
        status: {"description": "\n".join(descriptions), "content": DETAIL}
        for status, descriptions in sorted(lines.items())
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
        "type": f"/problems/{problem.code}",
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
    """Return the response for an HTTP status, as a problem in English with instructions."""
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


def describe_error(error: Mapping[str, Any]) -> Fault:
    """Return a validation error with a message that does not repeat the caller's input."""
    code = error["type"]
    detail = error["msg"] if code in OWN_CODES else MESSAGES.get(code, "Not valid.")
    if code == CELL_RULE:
        detail = f"This {error['msg']}."
    return Fault(pointer=get_pointer(error), code=code, detail=detail)


def get_pointer(error: Mapping[str, Any]) -> str:
    """Return where an error is: a pointer into the body, or the name of a parameter.

    The name of an unknown field is left out, because it is the caller's text. Pydantic also
    adds the name of a section, fact or key type, to say which model it has used. These
    names are left out too, because they are not fields of the body.
    """
    place, *path = [str(part) for part in error["loc"]]
    if error["type"] in {"extra_forbidden", "json_invalid"}:
        path.pop()
    if place != "body":
        return path[0] if path else place
    return "#" + "".join(f"/{part}" for part in path if part not in TAGS)


TAGS: Final = frozenset({*Section, *FactName, "EC", "RSA", "OKP"})


def describe_errors(errors: Sequence[Any]) -> list[Fault]:
    """Return the errors in a request. Errors of the code `none_required` are left out."""
    real = [error for error in errors if error["type"] != "none_required"]
    return [describe_error(error) for error in real]


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
    """Register the exception handlers that answer with problems."""

    @app.exception_handler(Problem)
    def handle_problem(request: Request, problem: Problem) -> JSONResponse:
        request.state.cause = problem.__cause__ if problem.status >= SERVER_ERROR else None
        return render_problem(request, problem)

    @app.exception_handler(RequestValidationError)
    def handle_validation_error(
        request: Request, error: RequestValidationError
    ) -> JSONResponse:
        return render_problem(request, build_invalid(describe_errors(error.errors())))

    @app.exception_handler(HTTPException)
    def handle_http_error(request: Request, error: HTTPException) -> JSONResponse:
        headers = error.headers
        if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            headers = {"Allow": list_methods(request)}
        return render_status(request, error.status_code, headers)
