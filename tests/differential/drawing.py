"""Functions that choose a body and a query for a request, at random."""

import json
from typing import Any, Final
from urllib.parse import quote

from tests.differential.pool import Pool
from tests.support.hostile_input import AWKWARD, encode_json, mutate, mutate_bytes
from tests.support.raw_requests import JSON, Operation, resolve_reference
from tests.support.request_bodies import BODIES
from tests.support.twin_worlds import NAMING, OFFICES
from tests.support.world import (
    SECTIONS,
    make_case,
    make_consent,
    make_handover_consent,
    make_service_consent,
)

MUTATED: Final = 0.12
"""The share of bodies in which values are replaced, left out or added."""
GARBLED: Final = 0.02
"""The share of bodies with changed bytes, and of requests with an unexpected body."""
USUAL: Final = 6
"""A body of `request_bodies` is chosen this many times as often as a recorded example."""
JUNK: Final = [value for value in AWKWARD if not isinstance(value, str) or len(value) < 999]
WRONG_VALUES: Final = ("", "0", "-1", "201", "x", "KZ", "2026-02-30", "%00", "%FF", "true")
OF_TYPE: Final = {"integer": (1, 2, 3, 10, 50, 200), "boolean": ("true", "false")}
"""Valid values of parameters of the query, by their type."""

type Json = dict[str, Any]


def choose_body(operation: Operation, pool: Pool) -> str:
    """Return the body of a request, with one character for each byte."""
    chance = pool.chance
    if not operation.body_schema:
        return "{}" if chance.random() < GARBLED else ""
    body = choose_value(operation, pool)
    if chance.random() < MUTATED:
        body = mutate(body, chance, JUNK)
    raw = encode_json(body)
    if chance.random() < GARBLED:
        raw = mutate_bytes(raw, chance)
    return raw.decode("latin-1")


def choose_value(operation: Operation, pool: Pool) -> Any:
    """Return a valid body with values of this walk, or {} if no valid body is known."""
    chance = pool.chance
    content = operation.spec["requestBody"]["content"][JSON]
    known = [BODIES[operation.name]] * USUAL if operation.name in BODIES else []
    known += [content["example"]] if "example" in content else []
    known += [one["value"] for one in content.get("examples", {}).values()]
    body: Any = json.loads(json.dumps(chance.choice(known or [{}])))
    match operation.name:
        case "create_case" if chance.random() < 0.8:
            return choose_case(pool)
        case "write_section":
            body = dict(chance.choice(SECTIONS))
        case "find_cases":
            body = {"code": pool.choose_id("code")}
        case _:
            pass
    if not isinstance(body, dict):
        return body
    for name in sorted(NAMING & body.keys()):
        body[name] = chance.choice(OFFICES)
    for name in sorted(pool.ids.keys() & body.keys()):
        if isinstance(body[name], str) and chance.random() < 0.9:
            body[name] = pool.choose_id(name)
    return body


def choose_case(pool: Pool) -> Json:
    """Return the request body of a new case, which in most requests submits the case."""
    body = make_case(submit=pool.chance.random() < 0.9)
    if pool.chance.random() < 0.7:
        body["consents"] = [
            make_consent(),
            make_service_consent(),
            make_handover_consent("UZ_LEAD"),
        ]
        guards = {"country_of_origin": "UZ", "origin_contact": "permitted"}
        body |= {"safeguards": guards, "sections": SECTIONS}
    return body


def choose_query(operation: Operation, pool: Pool) -> str:
    """Return a query, which may be empty, or have a wrong value or an unknown name."""
    chance, pairs = pool.chance, list[str]()
    for parameter in operation.spec.get("parameters", []):
        if parameter["in"] != "query" or chance.random() < 0.6:
            continue
        is_wrong = chance.random() < 0.08
        for value in (
            [chance.choice(WRONG_VALUES)]
            if is_wrong
            else choose_parameter(parameter, operation.schemas, pool)
        ):
            pairs.append(f"{parameter['name']}={value}")
    if chance.random() < 0.01:
        pairs.append("unknown=1")
    return f"?{'&'.join(pairs)}" if pairs else ""


def choose_parameter(parameter: Json, schemas: Json, pool: Pool) -> list[str]:
    """Return valid values of a parameter of the query."""
    schema = resolve_reference(parameter["schema"], schemas)
    if schema.get("type") == "array":
        item = resolve_reference(schema["items"], schemas)
        codes = item.get("enum", [item.get("const", "x")])
        return [str(pool.chance.choice(codes)) for _ in range(pool.chance.randint(1, 3))]
    if schema.get("format") == "date":
        return [f"2026-0{pool.chance.randint(4, 6)}-15"]
    values = schema.get("enum") or OF_TYPE.get(schema["type"])
    return [str(pool.chance.choice(values or list_values(parameter["name"], pool)))]


def list_values(name: str, pool: Pool) -> list[str]:
    """Return values for a text in the query, by the name of its parameter."""
    match name:
        case "after":
            return [quote(cursor) for cursor in pool.cursors] or ["x"]
        case "case":
            return [pool.choose_id("code")]
        case "country":
            return ["KZ", "UZ", "JM"]
        case _:
            return [*OFFICES]
