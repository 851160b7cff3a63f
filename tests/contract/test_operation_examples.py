"""Every operation in the contract has an example that was recorded from the service."""

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any, Final

import jsonschema_rs
import pytest
from fastapi import FastAPI

from app.api.http.operation_examples import (
    LISTED_CODE,
    PLACES,
    SHARED,
    find_success_bodies,
    load_examples,
)
from app.api.http.schema_references import list_reachable_schemas
from tests.examples.operations.bodies import PHONES, RESERVED_PHONE
from tests.support.contract import load_contract
from tests.support.databases import Copy
from tests.support.example_files import FOLDER, JOURNEYS, format_examples, play_journey
from tests.support.in_thread import ThreadLoops
from tests.support.operation_player import CHANGING
from tests.support.raw_requests import Operation, list_operations
from tests.support.world import Json

PROBLEM: Final = "application/problem+json"
SHARED_BY: Final = 10
"""A problem of at least this many operations needs an example."""
UNPLAYED: Final = {
    "busy": "the database must not answer",
    "idempotency-key-in-use": "two requests must arrive at the same time",
    "too-many-wrong-keys": "it takes hundreds of requests with wrong keys",
    "too-many-requests": "it takes hundreds of requests within a minute",
    "daily-volume-used": "it takes megabytes of sealed content",
    "daily-cap-reached": "it takes as many opened documents as an account may open",
    "too-many-refused-openings": "it takes many refused openings",
    "records-altered": "somebody must change the database",
}
"""Problems without an example, each with the reason."""
EXPLAINED: Final = {"409", "412", "428", "422"}
"""Statuses that a client handles. An operation with such a response needs an example."""
OPTIONAL: Final = {"Idempotency-Key", "Accept-Language"}
"""Optional headers that an example may leave out."""
HOW_TO: Final = (
    "play the operation in a journey of tests/examples/operations, then `make examples "
    "openapi` (see CONTRIBUTING.md, Add an example)"
)
AGAIN: Final = (
    "the answer of the service is no longer the example: if that is intended, `make "
    "examples openapi`, and read the difference"
)
PHONE: Final = re.compile(r"\+[1-9][0-9]{6,14}")
DOCUMENT: Final = load_contract()
OPERATIONS: Final = {one.name: one for one in list_operations(DOCUMENT)}
EXAMPLES, PROBLEMS = load_examples()


@pytest.mark.parametrize("journey", JOURNEYS)
def test_played_journey_gets_the_recorded_answers(
    journey: str, copy: Copy, app: FastAPI, loop: ThreadLoops
) -> None:
    played = json.loads(format_examples(play_journey(journey, copy, app, loop)))

    recorded = json.loads(FOLDER.joinpath(f"{journey}.json").read_text("utf-8"))
    for name, example in played.items():
        assert recorded.get(name) == example, f"{name}: {AGAIN}"
    assert recorded.keys() == played.keys(), AGAIN


def test_every_operation_is_played_in_one_journey_and_every_file_is_a_journey() -> None:
    files = {file.name: json.loads(file.read_text("utf-8")) for file in FOLDER.iterdir()}
    names = [name for file in files if file != SHARED for name in files[file]]

    assert files.keys() == {f"{journey}.json" for journey in JOURNEYS}, AGAIN
    assert sorted(names) == sorted({*names})


def find_missing(operation: Operation, example: Json) -> list[str]:
    """Return descriptions of the parts that an operation's example lacks."""
    request, bodies = example.get("request", {}), example.get("responses", {})
    if not bodies:
        return ["a call"]
    missing = [
        f"the {parameter['in']} parameter {parameter['name']}"
        for parameter in operation.spec.get("parameters", [])
        if needs_example(parameter)
        and parameter["name"] not in request.get(PLACES[parameter["in"]], {})
    ]
    if "requestBody" in operation.spec and "body" not in request:
        missing.append("a body")
    found = find_success_bodies(operation.spec, bodies)
    return missing + [
        f"an answer with the status {status}"
        for status, response in operation.spec["responses"].items()
        if status.startswith("2") and response.get("content")
        if status not in found and "204" not in bodies
    ]


def needs_example(parameter: Json) -> bool:
    """Return whether a parameter needs a value in an example."""
    name = parameter["name"]
    may_create = name == "If-Match" and not parameter.get("required")
    return name not in CHANGING and (
        parameter.get("required") or not (may_create or name in OPTIONAL)
    )


def test_every_operation_has_an_example() -> None:
    missing = {
        name: lacks
        for name, operation in OPERATIONS.items()
        if (lacks := find_missing(operation, EXAMPLES.get(name, {})))
    }

    assert missing == {}, HOW_TO
    assert EXAMPLES.keys() == OPERATIONS.keys(), "make examples"


def test_operation_without_a_part_of_its_example_is_found() -> None:
    operation, example = OPERATIONS["close_case"], EXAMPLES["close_case"]
    request, responses = example["request"], example["responses"]
    without = {name: one for name, one in responses.items() if name != "202"}

    assert find_missing(operation, {}) == ["a call"]
    assert find_missing(operation, {"responses": responses}) == [
        "the path parameter code",
        "the header parameter If-Match",
        "a body",
    ]
    assert find_missing(operation, {"request": request, "responses": without}) == [
        "an answer with the status 202"
    ]


def test_every_frequent_problem_has_an_example() -> None:
    codes = [
        code
        for operation in OPERATIONS.values()
        for response in operation.spec["responses"].values()
        for code in LISTED_CODE.findall(response["description"])
    ]

    frequent = {code for code in codes if codes.count(code) >= SHARED_BY}
    assert frequent - PROBLEMS.keys() == UNPLAYED.keys(), HOW_TO
    assert {code: body["type"] for code, body in PROBLEMS.items()} == {
        code: f"/problems/{code}" for code in PROBLEMS
    }


def test_every_explained_status_has_an_example() -> None:
    bare = [
        (name, status)
        for name, operation in OPERATIONS.items()
        for status, response in operation.spec["responses"].items()
        if status in EXPLAINED and not response["content"][PROBLEM].get("examples")
        if {*LISTED_CODE.findall(response["description"])} - UNPLAYED.keys()
    ]

    assert bare == [], HOW_TO


def list_values(operation: Operation) -> Iterator[tuple[str, Json, Any]]:
    """Yield the place, the schema and the value of each example of an operation."""
    for parameter in operation.spec.get("parameters", []):
        if "example" in parameter:
            yield parameter["name"], parameter["schema"], parameter["example"]
    parts = {"body": operation.spec.get("requestBody", {}), **operation.spec["responses"]}
    shared = DOCUMENT["components"]["examples"]
    for place, part in parts.items():
        for media in part.get("content", {}).values():
            if "example" in media:
                yield place, media["schema"], media["example"]
            for code, example in media.get("examples", {}).items():
                named = shared[code] if "$ref" in example else example
                yield f"{place} {code}", media["schema"], named["value"]


@cache
def build_validator(schema: str) -> jsonschema_rs.Validator:
    """Return the validator of a schema, with the schemas that it refers to."""
    whole, schemas = json.loads(schema), DOCUMENT["components"]["schemas"]
    named = {name: schemas[name] for name in list_reachable_schemas(DOCUMENT, whole)}
    return jsonschema_rs.validator_for(
        {**whole, "components": {"schemas": named}}, validate_formats=True
    )


def test_every_example_in_the_contract_is_valid() -> None:
    invalid, count = [], 0
    for name, operation in OPERATIONS.items():
        for place, schema, value in list_values(operation):
            validator = build_validator(json.dumps(schema))
            invalid += [f"{name} {place}: {e}" for e in validator.iter_errors(value)]
            count += 1

    assert invalid == []
    assert count > 3 * len(OPERATIONS)


def test_telephone_numbers_of_examples_are_reserved_for_fiction() -> None:
    text = json.dumps([EXAMPLES, PROBLEMS], ensure_ascii=False)

    phones = PHONE.findall(text)
    assert [one for one in phones if not RESERVED_PHONE.fullmatch(one)] == []
    assert {*PHONES} <= {*phones}
