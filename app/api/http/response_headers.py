"""The response headers of each operation, for the OpenAPI document."""

from collections.abc import Iterable
from typing import Any, Final

from app.api.http.conditional_requests import JSON
from app.kernel.languages import ENGLISH

REFERENCE: Final = "#/components/headers/{name}"
FIRST_ERROR: Final = "400"
"""The lowest status of a problem."""
NO_CONTENT: Final = "204"
NOT_MODIFIED: Final = "304"
UNAUTHORIZED: Final = "401"
WITH_WAIT: Final = frozenset({"409", "429", "503"})
"""Statuses of problems that may say when a retry makes sense."""


def describe_header(
    description: str, example: str, *, required: bool = False
) -> dict[str, Any]:
    """Return the Header Object of a header whose value is text."""
    needed = {"required": True} if required else {}
    return {
        "description": description,
        **needed,
        "schema": {"type": "string"},
        "example": example,
    }


HEADERS: Final[dict[str, dict[str, Any]]] = {
    "X-Request-Id": describe_header(
        "The id of the request. Give it to the operator with a question about an answer.",
        "0b7f1f2e-8a55-4c0e-9f0a-3d1d3f0a8f61",
        required=True,
    ),
    "Cache-Control": describe_header(
        "`no-store`: no cache may keep the answer. Only the reference lists, which are the "
        "same for every office, have `private, no-cache`: keep them, and send their `ETag` "
        "as `If-None-Match` before you use them again.",
        "no-store",
        required=True,
    ),
    "RateLimit-Policy": describe_header(
        "The limit that the request was counted under (draft-ietf-httpapi-ratelimit-headers"
        "-10): `q` requests in `w` seconds. Reads and writes of an account are counted "
        "separately. Absent without valid credentials.",
        '"reads";q=600;w=60',
    ),
    "RateLimit": describe_header(
        "What is left of the limit: `r` requests. All are available again in `t` seconds.",
        '"reads";r=598;t=1',
    ),
    "ETag": describe_header(
        "The entity tag of the answer (RFC 9110). Send it as `If-Match` with the next "
        "action on the record, or as `If-None-Match` to read it again.",
        '"3.9f2c1b7e5a604d18"',
        required=True,
    ),
    "Location": describe_header(
        "The path of the record that was created, if it has one of its own.",
        "/v1/cases/SC-7K3F-9QXM-4T2B-3",
    ),
    "Idempotent-Replayed": describe_header(
        "`true` if an earlier request with this `Idempotency-Key` did the work. The answer "
        "shows the record as it is now. Absent otherwise.",
        "true",
    ),
    "Retry-After": describe_header(
        "The seconds after which a retry makes sense. If it is absent, wait a few seconds "
        "and longer after each further refusal.",
        "1",
    ),
    "WWW-Authenticate": describe_header(
        "How to authenticate (RFC 9110, 11.6.1; RFC 9470 if the sign-in was too long ago).",
        "Bearer",
        required=True,
    ),
    "Content-Language": describe_header(
        "The languages of the texts in the answer, in the order of `Accept-Language`.",
        ENGLISH,
    ),
    "X-Accel-Buffering": describe_header(
        "Always `no`, which tells a proxy not to hold events back.", "no", required=True
    ),
    "Deprecation": describe_header(
        "The time of deprecation, in seconds since 1970-01-01 UTC (RFC 9745).",
        "@1798761600",
        required=True,
    ),
    "Sunset": describe_header(
        "The time until which the operation works (RFC 8594).",
        "Sat, 01 Jan 2028 23:59:59 GMT",
        required=True,
    ),
    "Link": describe_header(
        "The page that says what to use instead (RFC 8288).",
        '</problems>; rel="deprecation"; type="text/html"',
        required=True,
    ),
    "Vary": describe_header(
        "The request headers that the answer depends on (RFC 9110, 12.5.5).",
        "Accept-Language",
    ),
}
ALWAYS: Final = ("X-Request-Id", "Cache-Control")
DEPRECATION_HEADERS: Final = ("Deprecation", "Sunset", "Link")
"""The headers of each response of a deprecated operation."""


def list_header_names(
    status: str, *, tagged: bool, keyed: bool, translated: bool, limited: bool
) -> list[str]:
    """Return the names of the headers of a response with the given status.

    If `tagged` is true, successful responses have an entity tag. If `keyed` is true, the
    operation takes an idempotency key. If `translated` is true, the response has texts in
    the caller's language. If `limited` is true, the rate limit of an account applies.
    """
    names = [*ALWAYS, *(("RateLimit-Policy", "RateLimit") if limited else ())]
    if status >= FIRST_ERROR:
        names += ["WWW-Authenticate"] if status == UNAUTHORIZED else []
        names += ["Retry-After"] if status in WITH_WAIT else []
        return [*names, "Content-Language", "Vary"]
    names += ["ETag"] if tagged and status != NO_CONTENT else []
    names += ["Location"] if status == "201" else []
    names += ["Idempotent-Replayed"] if keyed and status != NOT_MODIFIED else []
    return [*names, *(("Content-Language", "Vary") if translated else ())]


def add_response_headers(operation: dict[str, Any]) -> None:
    """Add references to the possible headers of each response of an operation."""
    names = {parameter["name"] for parameter in operation.get("parameters", [])}
    responses = operation["responses"]
    own = responses.get("200", {}).get("headers", {})
    for status, response in responses.items():
        found = list_header_names(
            status,
            tagged="security" in operation and is_json(response),
            keyed="Idempotency-Key" in names,
            translated="Accept-Language" in names,
            limited="429" in responses,
        )
        found += DEPRECATION_HEADERS if operation.get("deprecated") else ()
        response["headers"] = {
            **{name: refer_to_header(name) for name in found},
            **(own if status in {"200", NOT_MODIFIED} else {}),
        }


def list_used_headers(operations: Iterable[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the headers in `HEADERS` to which at least one response refers."""
    used = {
        name
        for operation in operations
        for response in operation["responses"].values()
        for name in response["headers"]
    }
    return {name: header for name, header in HEADERS.items() if name in used}


def is_json(response: dict[str, Any]) -> bool:
    """Return whether the body of a response is JSON, or the response has no body."""
    return JSON in response.get("content", (JSON,))


def refer_to_header(name: str) -> dict[str, str]:
    """Return a reference to one of `HEADERS`."""
    return {"$ref": REFERENCE.format(name=name)}
