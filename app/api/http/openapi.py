"""The OpenAPI document that FastAPI builds, adapted for generated clients."""

import json
import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, Final

from fastapi import FastAPI

from app.api.http.authorization import OAUTH2, OAUTH2_PATH, BodyUnexpected
from app.api.http.conditional_requests import JSON
from app.api.http.event_schemas import describe_events
from app.api.http.open_enums import open_vocabularies
from app.api.http.operation_examples import add_examples
from app.api.http.problem_schemas import build_content, build_schemas
from app.api.http.problems import describe_problem
from app.api.http.property_descriptions import describe_properties
from app.api.http.response_headers import add_response_headers, list_used_headers
from app.api.http.schema_references import get_schema_name
from app.api.http.shared_responses import move_shared_responses
from app.api.http.strict_json import FORM, JsonInvalid
from app.api.http.unions import name_unions
from app.kernel.actors import Scope

UNUSED: Final = ("HTTPValidationError", "ValidationError")
LIFECYCLE: Final = re.compile(r"app__(cases|referrals|handovers|returns)__lifecycle__(\w+)")
INPUT: Final = re.compile(r'\b(\w+)-Input"')
OUTPUT: Final = re.compile(r'\b(\w+)-Output"')
RECORDS: Final = {
    "cases": "Case",
    "referrals": "Referral",
    "handovers": "Handover",
    "returns": "Return",
}
EVERYWHERE: Final = {
    "414": "The path with its query is too long.",
    "431": "The headers are too large.",
}
WITH_KEY: Final = {
    "408": "The body did not arrive in time.",
    "413": "The body is too large.",
}
WITH_BODY: Final = {"415": "`Content-Type` is not JSON in UTF-8, or it is compressed."}
WITH_FORM: Final = {"415": "`Content-Type` is not a form in UTF-8, or it is compressed."}
FRAMEWORK_DESCRIPTION: Final = "Successful Response"
NO_BODY: Final = "Done. The answer has no body."
REQUIRED: Final = {"If-Match": "428", "Idempotency-Key": "400"}
SCOPE_DESCRIPTIONS: Final[dict[Scope, str]] = {
    Scope.CASES_READ: "Read cases.",
    Scope.CASES_WRITE: "Create cases and act on them.",
    Scope.SECTIONS_READ: "Open sealed documents.",
    Scope.REFERRALS_READ: "Read referrals.",
    Scope.REFERRALS_WRITE: "Create referrals and act on them.",
    Scope.FEED_READ: "Read the feed of events and the worklist.",
    Scope.APPROVALS_WRITE: "Read and decide approvals.",
    Scope.DIRECTORY_READ: "Read the directory and your own account.",
    Scope.DIRECTORY_WRITE: "Change the directory and report free capacity.",
    Scope.ACCOUNTS_READ: "Read accounts.",
    Scope.ACCOUNTS_WRITE: "Change accounts and their keys.",
    Scope.STATISTICS_READ: "Read statistics.",
    Scope.WEBHOOKS_READ: "Read webhooks and how far they have delivered.",
    Scope.WEBHOOKS_WRITE: "Create and manage webhooks.",
}
OAUTH2_SCHEME: Final = {
    "type": "oauth2",
    "description": "A token `sct_...` for 15 minutes, for a signed JWT (RFC 7523).",
    "flows": {"clientCredentials": {"tokenUrl": OAUTH2_PATH, "scopes": SCOPE_DESCRIPTIONS}},
}


def build_openapi(app: FastAPI) -> Callable[[], dict[str, Any]]:
    """Return a function that builds the OpenAPI document of an app once and caches it."""
    written = app.openapi

    @cache  # building takes seconds
    def build_document() -> dict[str, Any]:
        document = rename_schemas(written())
        document["components"]["securitySchemes"][OAUTH2] = OAUTH2_SCHEME
        document["components"]["schemas"] |= build_schemas()
        for name in UNUSED:
            document["components"]["schemas"].pop(name, None)
        for operation in list_operations(document):
            require_headers(operation)
            describe_unexpected_body(operation)
            add_plain_answers(operation)
            describe_successes(operation, document["components"]["schemas"])
            add_response_headers(operation)
            operation.setdefault("security", [])
        used = list_used_headers(list_operations(document))
        document["components"]["headers"] = used
        for webhook in document["webhooks"].values():
            webhook["post"]["security"] = []  # the signature authenticates the sender
        described = (document["components"]["schemas"], document["paths"])
        for schema in walk_schemas([*described, document["webhooks"]]):
            schema.pop("title", None)
            convert_null_unions(schema)
            drop_reference_types(schema)
            describe_date_bounds(schema)
        describe_events(document["components"]["schemas"])
        open_vocabularies(document)
        describe_properties(document["components"]["schemas"])
        name_unions(document)
        add_examples(document)
        move_shared_responses(document)
        return document

    return build_document


def rename_schemas(document: dict[str, Any]) -> dict[str, Any]:
    """Rename the schemas of life cycles, and of models that differ for input and output.

    For example, `app__cases__lifecycle__State` becomes `CaseState`, `Needs-Input` becomes
    `NeedsInput`, and `Needs-Output` becomes `Needs`.
    """
    text = LIFECYCLE.sub(rename_enum, json.dumps(document))
    text = INPUT.sub(r'\1Input"', OUTPUT.sub(r'\1"', text))
    return dict(json.loads(text))


def rename_enum(found: re.Match[str]) -> str:
    """Return the schema name of a life cycle's enum. Each `Need` becomes `Requirement`."""
    record, enum = found.groups()
    return "Requirement" if enum == "Need" else f"{RECORDS[record]}{enum}"


def list_operations(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield every operation of the document."""
    for path in document["paths"].values():
        yield from path.values()


def require_headers(operation: dict[str, Any]) -> None:
    """Mark a header as required if the operation documents a problem for its absence.

    The routes declare these headers as optional. Otherwise FastAPI would answer 422 for a
    missing header before the checks that have to come first (API.md, order of checks).
    If-Match stays optional if the operation can also create a row.
    """
    for parameter in operation.get("parameters", []):
        alone = parameter["name"] != "If-Match" or not may_create(operation)
        if alone and REQUIRED.get(parameter["name"]) in operation["responses"]:
            parameter["required"] = True


def may_create(operation: dict[str, Any]) -> bool:
    """Return whether an operation can create a row: it takes If-Match and If-None-Match."""
    names = {parameter["name"] for parameter in operation.get("parameters", [])}
    return {"If-Match", "If-None-Match"} <= names


def is_strict(operation: dict[str, Any]) -> bool:
    """Return whether an operation limits the body and the rate of its requests."""
    return "429" in operation["responses"]


def describe_unexpected_body(operation: dict[str, Any]) -> None:
    """Document that a body is refused if the operation takes none (see `StrictRoute`)."""
    if is_strict(operation) and "requestBody" not in operation:
        refused, described = operation["responses"]["422"], describe_problem(BodyUnexpected)
        refused["description"] = refused["description"].replace(
            describe_problem(JsonInvalid), described
        )


def add_plain_answers(operation: dict[str, Any]) -> None:
    """Document the responses of middlewares and dependencies, such as 304, 413 and 415."""
    names = {parameter["name"] for parameter in operation.get("parameters", [])}
    if "If-None-Match" in names and not may_create(operation):
        operation["responses"]["304"] = {"description": "Nothing changed."}
    body = operation.get("requestBody", {}).get("content", {})
    plain = EVERYWHERE | (WITH_KEY if is_strict(operation) else {})
    plain |= (WITH_FORM if FORM in body else WITH_BODY) if body else {}
    for status, why in plain.items():
        operation["responses"][status] = {"description": why, "content": build_content([])}


def describe_successes(operation: dict[str, Any], schemas: dict[str, Any]) -> None:
    """Replace FastAPI's text for a response with the first line about its body."""
    for response in operation["responses"].values():
        if response["description"] == FRAMEWORK_DESCRIPTION:
            body = response.get("content", {}).get(JSON, {}).get("schema", {})
            schema = schemas.get(get_schema_name(body), {}) if body else {}
            response["description"] = schema.get("description", NO_BODY).split("\n")[0]


def walk_schemas(part: Any) -> Iterator[dict[str, Any]]:
    """Yield every schema in a part of the document."""
    if isinstance(part, list):
        for item in part:
            yield from walk_schemas(item)
    elif isinstance(part, dict):
        is_schema = isinstance(part.get("title"), str) or isinstance(part.get("type"), str)
        if is_schema or "anyOf" in part:
            yield part
        for item in part.values():
            yield from walk_schemas(item)


def convert_null_unions(schema: dict[str, Any]) -> None:
    """Replace `anyOf` of a simple type and null with a list of the two types.

    Client generators ignore the null in such an `anyOf`.
    """
    options = schema.get("anyOf", [])
    if {"type": "null"} not in options or len(options) != 2:  # noqa: PLR2004
        return
    [other] = [option for option in options if option != {"type": "null"}]
    if isinstance(other.get("type"), str) and "enum" not in other:
        del schema["anyOf"]
        schema.update({**other, "type": [other["type"], "null"]})


def drop_reference_types(schema: dict[str, Any]) -> None:
    """Remove the type `string` that FastAPI adds next to the `$ref` of a stream."""
    if "$ref" in schema:
        schema.pop("type", None)


def describe_date_bounds(schema: dict[str, Any]) -> None:
    """Move the bounds of a date to its description. JSON Schema has no bounds for dates."""
    for word, keyword in (("After", "gt"), ("Before", "lt")):
        if keyword in schema:
            bound = f"{word} {schema.pop(keyword)}."
            schema["description"] = f"{schema.get('description', '')} {bound}".strip()
