"""Problems as HTTP: RFC 9457, and never a word of what the caller sent."""

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

from app.api.languages import title_of, told_in, wished
from app.api.strict_json import JsonRefused
from app.cases.facts import FactName
from app.cases.sections import Section
from app.kernel.languages import ENGLISH
from app.kernel.problems import (
    Busy,
    Forbidden,
    Problem,
    TooManyRequests,
    TooManyTries,
    Unauthenticated,
)
from app.kernel.quotas import DailyVolumeUsed

MESSAGES: Final = {
    "missing": "This field is needed.",
    "extra_forbidden": "This object has a field that is not known here.",
    "json_invalid": "This is not JSON.",
    "enum": "This is not one of the codes listed in the documentation.",
    "literal_error": "This is not one of the codes listed in the documentation.",
    "union_tag_invalid": "This is not one of the kinds listed in the documentation.",
    "union_tag_not_found": "Say which kind this is, as the documentation shows.",
    "uuid_parsing": "This is not a UUID.",
    "uuid_type": "This is not a UUID.",
    "timezone_aware": "This instant needs a time zone.",
    "datetime_parsing": "This is not an instant of RFC 3339.",
    "datetime_from_date_parsing": "This is not an instant of RFC 3339.",
    "date_parsing": "This is not a date: YYYY-MM-DD.",
    "date_from_datetime_parsing": "This is not a date: YYYY-MM-DD.",
    "date_from_datetime_inexact": "This is a date without a time: YYYY-MM-DD.",
    "string_type": "This must be a text.",
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
FAULTS: Final = 500
"""From here on it is our fault: what is behind such a problem is logged."""

PLAINLY: Final = {
    404: "There is no such path: see /openapi.json.",
    405: "See `Allow` for what this path knows.",
    408: "The body took longer than 30 seconds. Send the same again, with the same key.",
    413: "A body has at most 256 KiB: send less.",
    414: "An address has at most 8 KiB: send less.",
    415: "Send `Content-Type: application/json`, in UTF-8, not compressed; a form to "
    "/v1/oauth/token.",
    431: "The headers have at most 16 KiB: send less.",
    500: "This is a fault of ours. Send the same again, with the same key; if that does "
    "not help, tell the operator the `instance`.",
}
"""What to do about what HTTP itself has a word for."""

OURS: Final = frozenset(
    {
        *("text_unsafe", "recipient_unclear", "section_twice", "case_code_mistyped"),
        *("code_unknown", "end_unclear", "url_unsound", "continues_in_unclear"),
        *("private_key_sent", "key_unusable", "kid_differs"),
    }
)
"""Faults whose message is written in this house, and repeats nothing."""

CELL: Final = "cell"
"""What a row of the directory must be: said of a cell in a file, and of a field here."""


class Fault(BaseModel):
    """One thing wrong with a request."""

    pointer: Annotated[str, Field(description="Where: `#/...` in the body, else its name.")]
    code: Annotated[str, Field(description="Such as `missing`; the list will grow.")]
    detail: str


class ProblemDetail(BaseModel):
    """An RFC 9457 problem detail; some carry more members, such as `unmet`."""

    model_config = ConfigDict(extra="allow")

    type: Annotated[str, Field(description="A stable name: see docs/problems.md.")]
    title: Annotated[
        str, Field(description="In the language you asked for, if it is translated.")
    ]
    status: int
    detail: Annotated[str, Field(description="What to do, in English.")]
    instance: Annotated[str, Field(description="The request's id, for the operator.")]
    errors: Annotated[list[Fault], Field(description="What is wrong, where.")] = []


PROBLEM: Final = "application/problem+json"
REFERENCE: Final = "#/components/schemas/{model}"
DETAIL: Final = {PROBLEM: {"schema": {"$ref": REFERENCE.format(model="ProblemDetail")}}}
"""What every answer that is a problem carries. Told as a model, the framework would make a
validator of it for each status of each route: a quarter of what it takes to start."""


def problem_schemas() -> dict[str, Any]:
    """Describe a problem, and what it is made of, for the contract."""
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


def problems(*kinds: type[Problem]) -> dict[int | str, dict[str, Any]]:
    """Document the problems a route can answer with."""
    lines: dict[int, list[str]] = {}
    for kind in dict.fromkeys((*ALWAYS, *kinds)):
        lines.setdefault(kind.status, []).append(listed(kind))
    return {
        status: {"description": "\n".join(said), "content": DETAIL}
        for status, said in sorted(lines.items())
    }


def listed(kind: type[Problem]) -> str:
    """Name a problem in the description of a status."""
    return f"- `{kind.code}`: {kind.title}"


EVERYWHERE: Final = problems()


def respond(request: Request, problem: Problem) -> JSONResponse:
    """Render one problem, with its title in the language of the caller."""
    title, language = title_of(problem, wished(request))
    body = {
        "type": f"/problems/{problem.code}",
        "title": title,
        "status": problem.status,
        "detail": problem.detail,
        **problem.facts,
    }
    later = {} if problem.wait is None else {"Retry-After": str(problem.wait)}
    told = told_in([language])
    return problem_json(request, body, {**told, **problem.headers, **later})


def respond_plainly(
    request: Request, status: int, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """Render what HTTP itself has a word for, in its English, and say what to do."""
    words = HTTPStatus(status)
    body = {
        "type": "about:blank",
        "title": words.phrase,
        "status": int(status),
        "detail": PLAINLY.get(status, words.phrase),
    }
    told = {"Content-Language": ENGLISH}
    return problem_json(request, body, {**told, **(headers or {})})


def problem_json(
    request: Request, body: dict[str, Any], headers: Mapping[str, str]
) -> JSONResponse:
    """Answer with a problem document."""
    body["instance"] = f"urn:uuid:{request.state.request_id}"
    return JSONResponse(body, body["status"], headers, PROBLEM)


def fault(error: Mapping[str, Any]) -> Fault:
    """Say what is wrong in our own words."""
    code = error["type"]
    detail = error["msg"] if code in OURS else MESSAGES.get(code, "Not valid.")
    if code == CELL:
        detail = f"This {error['msg']}."
    return Fault(pointer=pointer(error), code=code, detail=detail)


def pointer(error: Mapping[str, Any]) -> str:
    """Say where: in the body, or which header, query or path parameter.

    An unknown field's name is the caller's text, so it is left out; so is what only tells
    which kind of section, fact or key it is, which stands nowhere in the body.
    """
    place, *path = [str(part) for part in error["loc"]]
    if error["type"] in {"extra_forbidden", "json_invalid"}:
        path.pop()
    if place != "body":
        return path[0] if path else place
    return "#" + "".join(f"/{part}" for part in path if part not in TAGS)


TAGS: Final = frozenset({*Section, *FactName, "EC", "RSA", "OKP"})


def faults(errors: Sequence[Any]) -> list[Fault]:
    """List everything that is wrong with a request.

    That an optional parameter is not null either is nothing to mend.
    """
    told = [error for error in errors if error["type"] != "none_required"]
    return [fault(error) for error in told]


def invalid(found: Sequence[Fault]) -> RequestInvalid:
    """Refuse a request for what is wrong with it."""
    told = {"errors": [one.model_dump() for one in found]}
    return RequestInvalid("See `errors` for what to mend.", told)


def allowed(request: Request) -> str:
    """Name every method of this path; the router names only those of its first match."""
    contexts = iter_route_contexts(request.app.router.routes)
    matching = [c for c in contexts if c.matches(request.scope)[0] is not Match.NONE]
    return ", ".join(sorted({method for c in matching for method in c.methods or ()}))


def install(app: FastAPI) -> None:
    """Teach the application to answer problems."""

    @app.exception_handler(Problem)
    def _(request: Request, problem: Problem) -> JSONResponse:
        request.state.trouble = problem.__cause__ if problem.status >= FAULTS else None
        return respond(request, problem)

    @app.exception_handler(RequestValidationError)
    def _(request: Request, error: RequestValidationError) -> JSONResponse:
        return respond(request, invalid(faults(error.errors())))

    @app.exception_handler(HTTPException)
    def _(request: Request, error: HTTPException) -> JSONResponse:
        if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            return respond_plainly(request, error.status_code, {"Allow": allowed(request)})
        return respond_plainly(request, error.status_code, error.headers)
