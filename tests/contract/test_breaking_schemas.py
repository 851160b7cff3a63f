"""Tests of the comparison of schemas, including forms that our contract does not use."""

from typing import Any

import pytest
from compatibility.documents import compare

from tests.support.contract_edits import build_contract
from tests.support.world import Json

TEXT, NUMBER, NULL = {"type": "string"}, {"type": "integer"}, {"type": "null"}
A, B, C = ({"$ref": f"#/components/schemas/{name}"} for name in "ABC")
NAMED = {"A": {"type": "object", "properties": {"a": TEXT}, "required": ["a"]}, "B": TEXT}
OBJECT, LIST, REAL = {"type": "object"}, {"type": "array"}, {"type": "number"}
STRICT = OBJECT | {"additionalProperties": False}
TEXTS, NUMBERS = (OBJECT | {"additionalProperties": it} for it in (TEXT, NUMBER))
SHORT = {"maxLength": 9}


def build_properties(**properties: Any) -> Json:
    return {"properties": properties}


def build_schema_contract(sent: Any, read: Any, schemas: Json = NAMED) -> Json:
    return build_contract(sent, read, schemas)


def is_breaking(old: Json, new: Json) -> bool:
    return any(change.breaks for change in compare(old, new))


def find_direction(old: Any, new: Any) -> str:
    """Return the direction in which a change breaks clients: `sent`, `read` or `both`.

    The result is `neither` if the change breaks no client, and `same` if the schemas do not
    differ.
    """
    changes = compare(build_schema_contract(old, old), build_schema_contract(new, new))
    sent = is_breaking(build_schema_contract(old, {}), build_schema_contract(new, {}))
    read = is_breaking(build_schema_contract({}, old), build_schema_contract({}, new))
    named = {(True, True): "both", (True, False): "sent", (False, True): "read"}
    return named.get((sent, read), "neither" if changes else "same")


@pytest.mark.parametrize(
    ("old", "new", "way"),
    [
        # Two spellings of the same schema.
        ({"type": ["string", "null"]}, {"anyOf": [TEXT, NULL]}, "same"),
        ({"type": ["string", "integer"]}, {"anyOf": [NUMBER, TEXT]}, "same"),
        ({"enum": ["a", None]}, {"anyOf": [{"const": "a"}, NULL]}, "same"),
        (
            {"type": ["string", "null"], "enum": ["a"]},
            {"const": "a", "type": "string"},
            "same",
        ),
        ({"allOf": [A]}, A, "same"),
        ({"allOf": [TEXT, SHORT]}, {"type": "string", "maxLength": 9}, "same"),
        (
            {"allOf": [TEXT, SHORT], "maxLength": 7},
            {"type": "string", "maxLength": 7},
            "same",
        ),
        ({**B, "maxLength": 9}, {"allOf": [B, SHORT]}, "same"),
        (True, {}, "same"),
        (OBJECT, OBJECT | {"additionalProperties": True}, "same"),
        (OBJECT, {"type": "object", "additionalProperties": {}}, "same"),
        (LIST, LIST | {"items": True}, "same"),
        ({"enum": [1, 2]}, {"enum": [2.0, 1.0], "type": "integer"}, "same"),
        (
            {"minimum": 1, "type": "integer"},
            {"minimum": 1.0, "exclusiveMinimum": 0, "type": "integer"},
            "same",
        ),
        ({"anyOf": [A, B]}, {"oneOf": [B, A]}, "same"),
        # Conjunctions.
        (A, {"allOf": [A, {"required": ["b"]}]}, "sent"),
        (
            {"allOf": [A, build_properties(b=TEXT)]},
            {"allOf": [A, build_properties(b=NUMBER)]},
            "both",
        ),
        ({"allOf": [A, build_properties(a=SHORT)]}, A, "read"),
        ({"allOf": [{"enum": [1, 2]}, {"enum": [2, 3]}]}, {"const": 2}, "same"),
        ({"allOf": [{"enum": [1, 2]}, {"enum": [2, 3]}]}, {"enum": [1, 2]}, "read"),
        (
            {"allOf": [{"type": ["string", "null"]}, {"type": ["string", "integer"]}]},
            TEXT,
            "same",
        ),
        ({"allOf": [{"anyOf": [TEXT, NUMBER]}, TEXT]}, {"anyOf": [TEXT, NUMBER]}, "read"),
        ({"allOf": [REAL, NUMBER]}, NUMBER, "same"),
        # Unions of named and of unnamed schemas.
        ({"anyOf": [A, B]}, A, "sent"),
        (A, {"anyOf": [A, B]}, "read"),
        (TEXT, {"anyOf": [NUMBER, TEXT]}, "read"),
        ({"anyOf": [TEXT, NUMBER]}, {}, "read"),
        ({"anyOf": [A, NULL]}, {"anyOf": [B, NULL]}, "both"),
        (
            {"oneOf": [A, B], "discriminator": {"propertyName": "k"}},
            {"oneOf": [A, B]},
            "both",
        ),
        # Null.
        (A, {"anyOf": [A, NULL]}, "read"),
        ({"enum": ["a", None]}, {"enum": ["a"]}, "sent"),
        ({"const": "a"}, {"enum": ["a", None]}, "read"),
        (NULL, TEXT, "both"),
        ({}, {"type": ["string", "null"]}, "sent"),
        # Booleans are schemas; `false` stands for a missing one.
        (False, TEXT, "read"),
        (OBJECT | build_properties(a=TEXT), OBJECT | build_properties(a=False), "both"),
        (LIST | {"items": TEXT}, LIST | {"items": False}, "sent"),
        (LIST, LIST | {"items": TEXT}, "sent"),
        # The formats of strings.
        (TEXT, TEXT | {"contentSchema": NUMBER}, "sent"),
        (TEXT | {"contentSchema": TEXT}, TEXT | {"contentSchema": NUMBER}, "both"),
        (TEXT | {"contentSchema": REAL}, TEXT | {"contentSchema": NUMBER}, "sent"),
        # Maps and additional properties.
        (STRICT, OBJECT, "read"),
        (TEXTS, NUMBERS, "both"),
        (TEXTS, STRICT, "sent"),
        (TEXTS, OBJECT, "read"),
        (TEXTS, TEXTS | build_properties(a=NUMBER), "both"),
        (TEXTS, TEXTS | build_properties(a=TEXT), "neither"),
        (STRICT, STRICT | build_properties(a=TEXT), "read"),
        (OBJECT, OBJECT | {"required": ["a"]}, "sent"),
        ({"maxLength": 5}, TEXT, "both"),
        (OBJECT | {"required": ["a"]}, OBJECT | build_properties(a=TEXT), "read"),
        (OBJECT | {"required": ["a"]}, A, "neither"),
        (
            {
                "allOf": [
                    STRICT | build_properties(a=TEXT),
                    STRICT | build_properties(a=TEXT, b=TEXT),
                ]
            },
            STRICT | build_properties(a=TEXT),
            "same",
        ),
        # Numbers.
        (REAL, NUMBER, "sent"),
        (REAL | {"minimum": 1}, REAL | {"exclusiveMinimum": 1}, "sent"),
        (REAL | {"maximum": 1}, REAL | {"exclusiveMaximum": 2}, "read"),
        (
            REAL | {"exclusiveMaximum": 2},
            REAL | {"exclusiveMaximum": 2, "maximum": 1},
            "sent",
        ),
        (
            LIST | {"minItems": 1, "maxItems": 2},
            LIST | {"minItems": 0, "maxItems": 1},
            "both",
        ),
        (OBJECT | {"minProperties": 1}, OBJECT | {"maxProperties": 1}, "both"),
        (REAL | {"multipleOf": 2}, REAL | {"multipleOf": 4}, "both"),
        # Extensible enums.
        (
            {**TEXT, "x-extensible-enum": ["a", "b"]},
            {**TEXT, "x-extensible-enum": ["b", "c"]},
            "sent",
        ),
        ({**TEXT, "x-extensible-enum": ["a"]}, TEXT, "neither"),
        ({"enum": ["a"]}, {**TEXT, "x-extensible-enum": ["a"]}, "read"),
        # A new name changes nothing; a client may use a removed name as a type.
        (TEXT, B, "same"),
        (B, TEXT, "both"),
    ],
)
def test_it_matters_which_way_a_schema_travels(old: Any, new: Any, way: str) -> None:
    assert find_direction(old, new) == way


def build_circle(inner: Any) -> Json:
    """Return three schemas, each of which refers to itself, directly or in a part."""
    person = OBJECT | build_properties(name=inner, friends=LIST | {"items": A})
    return {"A": person, "B": {"anyOf": [B, A]}, "C": {"$ref": "#/components/schemas/C"}}


@pytest.mark.parametrize("root", [A, B, {"anyOf": [A, C]}])
def test_circles_end_and_hide_nothing(root: Json) -> None:
    old, new = (
        build_schema_contract({}, root, build_circle(inner)) for inner in (TEXT, NUMBER)
    )

    assert compare(old, old) == {}
    where = {change.where for change in compare(old, new)}
    assert where == {"/components/schemas/A/properties/name/type"}


def test_a_property_that_is_new_and_required_is_told_once() -> None:
    new = OBJECT | build_properties(a=TEXT) | {"required": ["a"]}

    changes = compare(build_schema_contract(OBJECT, {}), build_schema_contract(new, {}))

    assert [change.message for change in changes] == ["Request: `a` is added and required."]


def test_what_is_said_beside_a_name_counts_as_well() -> None:
    narrowed = {**B, "maxLength": 9}
    old = build_schema_contract(narrowed, narrowed, {"B": TEXT})
    new = build_schema_contract(narrowed, narrowed, {"B": TEXT | {"maxLength": 20}})

    assert compare(old, new) == {}


def test_what_is_meant_in_many_places_is_told_once_and_of_all_of_them() -> None:
    old, new = (
        build_schema_contract(A, A),
        build_schema_contract(A, A, NAMED | {"A": {"type": "object"}}),
    )
    for each in (old, new):
        each["paths"]["/b"] = each["paths"]["/a"]

    changes = compare(old, new)

    assert {(c.where, c.message) for c in changes if "removed" in c.message} == {
        ("/components/schemas/A/properties/a", "Request: `a` is removed."),
        ("/components/schemas/A/properties/a", "Response: `a` is removed."),
    }
    assert all(operations == {"POST /a", "POST /b"} for operations in changes.values())


HOOK = {
    "post": {
        "requestBody": {"content": {"application/json": {"schema": NUMBER}}},
        "responses": {"204": {"description": ""}},
    }
}


@pytest.mark.parametrize(
    ("schema", "verdict"), [({"type": "number"}, True), ({"const": 1}, False)]
)
def test_what_is_sent_to_a_webhook_is_read_by_the_client(
    schema: Json, verdict: bool
) -> None:
    old = build_schema_contract({}, {}) | {"webhooks": {"case": HOOK}}
    body = {"content": {"application/json": {"schema": schema}}}
    new = old | {"webhooks": {"case": {"post": HOOK["post"] | {"requestBody": body}}}}

    assert is_breaking(old, new) is verdict
    assert is_breaking(old, old | {"webhooks": {}})
    assert not is_breaking(build_schema_contract({}, {}), old)


@pytest.mark.parametrize(
    ("old", "new", "verdict"),
    [({}, {"required": True}, False), ({"required": True}, {}, True)],
)
def test_a_body_that_is_sent_to_a_webhook_may_not_come_to_be_missing(
    old: Json, new: Json, verdict: bool
) -> None:
    def hook(body: Json | None) -> Json:
        post: Json = {"responses": {}}
        post |= {} if body is None else {"requestBody": body}
        return build_schema_contract({}, {}) | {"webhooks": {"w": {"post": post}}}

    content = {"content": {"application/json": {"schema": TEXT}}}
    assert is_breaking(hook(content | old), hook(content | new)) is verdict
    assert not is_breaking(hook(None), hook(content | new))
    assert is_breaking(hook(content | old), hook(None))


def test_how_a_webhook_is_signed_in_is_not_judged_and_so_breaks() -> None:
    def hook(security: list[Json]) -> Json:
        post = {"responses": {}, "security": security}
        return build_schema_contract({}, {}) | {"webhooks": {"w": {"post": post}}}

    assert is_breaking(hook([]), hook([{"Key": []}]))
    assert is_breaking(hook([{"Key": []}]), hook([]))


def test_what_a_webhook_may_answer_is_sent_by_the_client() -> None:
    def hook(schema: Json) -> Json:
        answer = {"description": "", "content": {"application/json": {"schema": schema}}}
        hooks = {"w": {"post": {"responses": {"200": answer}}}}
        return build_schema_contract({}, {}) | {"webhooks": hooks}

    assert is_breaking(hook(TEXT), hook({"const": "a"}))
    assert not is_breaking(hook({"const": "a"}), hook(TEXT))


@pytest.mark.parametrize(
    ("old", "new", "verdict"),
    [
        ({"required": True, "schema": TEXT}, {"schema": TEXT}, True),
        ({"schema": TEXT}, {"required": True, "schema": TEXT}, False),
        ({"schema": TEXT}, {"schema": NUMBER}, True),
        ({"schema": TEXT}, {"schema": {"const": "a"}}, False),
        ({"schema": TEXT}, {"schema": TEXT, "explode": True}, True),
    ],
)
def test_headers_of_an_answer_are_read(old: Json, new: Json, verdict: bool) -> None:
    def answering(header: Json, name: str) -> Json:
        document = build_schema_contract({}, {})
        document["paths"]["/a"]["post"]["responses"]["200"]["headers"] = {name: header}
        return document

    assert is_breaking(answering(old, "ETag"), answering(new, "etag")) is verdict


def test_what_stands_elsewhere_is_found_there() -> None:
    old = build_schema_contract({}, {})
    parameter = {"name": "p", "in": "query", "schema": TEXT}
    new = build_schema_contract({}, {})
    old["paths"]["/a"]["post"]["parameters"] = [parameter]
    new["paths"]["/a"]["parameters"] = [{"$ref": "#/components/parameters/P"}]
    new["components"]["parameters"] = {"P": parameter}
    answer = new["paths"]["/a"]["post"]["responses"].pop("200")
    new["paths"]["/a"]["post"]["responses"] = {"200": {"$ref": "#/components/responses/R"}}
    new["components"]["responses"] = {"R": answer}

    assert compare(old, new) == {}
    new["components"]["parameters"]["P"] = parameter | {"schema": NUMBER}
    [change] = compare(old, new)
    assert change.where == "/components/parameters/P/schema/type"


def test_who_is_let_in_everywhere_is_let_in_here() -> None:
    old = build_schema_contract({}, {}) | {"security": [{"Key": []}]}
    new = build_schema_contract({}, {})
    new["paths"]["/a"]["post"]["security"] = [{"Key": []}]

    assert compare(old, new) == {}
    assert is_breaking(build_schema_contract({}, {}), old)
    assert not is_breaking(old, build_schema_contract({}, {}))
