"""The contract we publish: what the framework writes, made good for generated clients."""

import json
import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, Final

from fastapi import FastAPI

from app.api.guard import MACHINES, BodyUnexpected
from app.api.problems import DETAIL, listed, problem_schemas
from app.api.strict_json import JsonRefused
from app.api.tokens import FORM, PATH
from app.api.vocabularies import open_vocabularies
from app.kernel.actors import Scope

UNUSED: Final = ("HTTPValidationError", "ValidationError")
LIFECYCLE: Final = re.compile(r"app__(cases|referrals|handovers|returns)__lifecycle__(\w+)")
SENT: Final = re.compile(r'\b(\w+)-Input"')
SHOWN: Final = re.compile(r'\b(\w+)-Output"')
NOUNS: Final = {
    "cases": "Case",
    "referrals": "Referral",
    "handovers": "Handover",
    "returns": "Return",
}
EVERYWHERE: Final = {
    "414": "The path and query are too long.",
    "431": "The headers are too large.",
}
WITH_KEY: Final = {
    "408": "The body did not arrive in time.",
    "413": "The body is too large.",
}
WITH_BODY: Final = {"415": "The body is not said to be plain JSON in UTF-8."}
WITH_FORM: Final = {"415": "The body is not said to be a plain form in UTF-8."}
REQUIRED: Final = {"If-Match": "428", "Idempotency-Key": "400"}
ALLOWS: Final[dict[Scope, str]] = {
    Scope.CASES_READ: "Read cases.",
    Scope.CASES_WRITE: "Write cases, and act on them.",
    Scope.SECTIONS_READ: "Open what is sealed.",
    Scope.REFERRALS_READ: "Read referrals.",
    Scope.REFERRALS_WRITE: "Write referrals, and act on them.",
    Scope.FEED_READ: "Follow what happens.",
    Scope.APPROVALS_WRITE: "Read and answer what waits for a second person.",
    Scope.DIRECTORY_READ: "Read the directory, and who one is.",
    Scope.DIRECTORY_WRITE: "Change the directory, and say what is free.",
    Scope.ACCOUNTS_READ: "Read accounts.",
    Scope.ACCOUNTS_WRITE: "Change accounts and their keys.",
    Scope.STATISTICS_READ: "Read numbers.",
    Scope.WEBHOOKS_READ: "Read where a feed is pushed to, and how far it has come.",
    Scope.WEBHOOKS_WRITE: "Have a feed pushed, and look after that.",
}
OF_MACHINES: Final = {
    "type": "oauth2",
    "description": "A machine signs for a token of 15 minutes, `sct_...`: RFC 7523.",
    "flows": {"clientCredentials": {"tokenUrl": PATH, "scopes": ALLOWS}},
}


def describe(app: FastAPI) -> Callable[[], dict[str, Any]]:
    """Wrap the framework's description: every error is a problem, every null a type."""
    written = app.openapi

    @cache  # anybody may ask for it, and nobody else is served meanwhile
    def openapi() -> dict[str, Any]:
        document = named(written())
        document["components"]["securitySchemes"][MACHINES] = OF_MACHINES
        document["components"]["schemas"] |= problem_schemas()
        for name in UNUSED:
            document["components"]["schemas"].pop(name, None)
        for operation in operations(document):
            require_headers(operation)
            tell_of_bodies(operation)
            add_plain_answers(operation)
            operation.setdefault("security", [])
        for told in document["webhooks"].values():
            told["post"]["security"] = []  # who we are, its signature says
        described = (document["components"]["schemas"], document["paths"])
        for schema in schemas([*described, document["webhooks"]]):
            schema.pop("title", None)
            flatten_null(schema)
            refer_alone(schema)
            tell_of_bounds(schema)
        open_vocabularies(document)
        return document

    return openapi


def named(document: dict[str, Any]) -> dict[str, Any]:
    """Name the states, actions and needs of each life cycle after what has it.

    What is written strictly and read tolerantly is two shapes: `NewNeeds`, and `Needs`.
    """
    text = LIFECYCLE.sub(lambda m: f"{NOUNS[m[1]]}{m[2]}", json.dumps(document))
    text = SENT.sub(r'New\1"', SHOWN.sub(r'\1"', text))
    return dict(json.loads(text))


def operations(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Find every operation."""
    for path in document["paths"].values():
        yield from path.values()


def require_headers(operation: dict[str, Any]) -> None:
    """Say that a header is required where its absence is a problem of its own.

    To the framework they are optional, or it would answer 422 before the order of judgement
    has come to them.
    """
    for parameter in operation.get("parameters", []):
        alone = parameter["name"] != "If-Match" or not creates(operation)
        if alone and REQUIRED.get(parameter["name"]) in operation["responses"]:
            parameter["required"] = True


def creates(operation: dict[str, Any]) -> bool:
    """Say whether it writes what may not be there: If-None-Match instead of If-Match."""
    names = {parameter["name"] for parameter in operation.get("parameters", [])}
    return {"If-Match", "If-None-Match"} <= names


def tell_of_bodies(operation: dict[str, Any]) -> None:
    """Say that a body is refused where none is asked for, as the guard does."""
    if "security" in operation and "requestBody" not in operation:
        refused, told = operation["responses"]["422"], listed(BodyUnexpected)
        refused["description"] = refused["description"].replace(listed(JsonRefused), told)


def add_plain_answers(operation: dict[str, Any]) -> None:
    """Describe what is answered around the routes, not by them."""
    names = {parameter["name"] for parameter in operation.get("parameters", [])}
    if "If-None-Match" in names and not creates(operation):
        operation["responses"]["304"] = {"description": "Nothing changed."}
    body = operation.get("requestBody", {}).get("content", {})
    plain = EVERYWHERE | (WITH_KEY if "security" in operation or body else {})
    plain |= (WITH_FORM if FORM in body else WITH_BODY) if body else {}
    for status, why in plain.items():
        operation["responses"][status] = {"description": why, "content": DETAIL}


def schemas(part: Any) -> Iterator[dict[str, Any]]:
    """Walk every schema, not the names of properties."""
    if isinstance(part, list):
        for item in part:
            yield from schemas(item)
    elif isinstance(part, dict):
        told = isinstance(part.get("title"), str) or isinstance(part.get("type"), str)
        if told or "anyOf" in part:
            yield part
        for item in part.values():
            yield from schemas(item)


def flatten_null(schema: dict[str, Any]) -> None:
    """Spell a simple type or null as a list of types: generators drop the other form."""
    options = schema.get("anyOf", [])
    if {"type": "null"} not in options or len(options) != 2:  # noqa: PLR2004
        return
    [other] = [option for option in options if option != {"type": "null"}]
    if isinstance(other.get("type"), str) and "enum" not in other:
        del schema["anyOf"]
        schema.update({**other, "type": [other["type"], "null"]})


def refer_alone(schema: dict[str, Any]) -> None:
    """Let a reference say what it is: the framework adds that a stream is a text."""
    if "$ref" in schema:
        schema.pop("type", None)


def tell_of_bounds(schema: dict[str, Any]) -> None:
    """Say in words between which days a day has to be: JSON Schema bounds numbers alone."""
    for word, keyword in (("After", "gt"), ("Before", "lt")):
        if keyword in schema:
            told = f"{word} {schema.pop(keyword)}."
            schema["description"] = f"{schema.get('description', '')} {told}".strip()
