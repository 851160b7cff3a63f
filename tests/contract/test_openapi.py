"""The committed contract equals the served contract, and suits code generators."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import validate

from app.api.http.openapi import NO_BODY
from app.api.http.property_descriptions import EVERY_SCHEMA, load_descriptions
from app.cases.lifecycle import TABLE as CASE
from app.cases.sections import Section
from app.handovers.lifecycle import OFFER
from app.handovers.lifecycle import TABLE as HANDOVER
from app.kernel.actors import Scope, Side
from app.main import create_app
from app.referrals.lifecycle import TABLE as REFERRAL
from app.returns.lifecycle import TABLE as RETURN
from tests.support.contract import resolve_responses
from tests.support.operation_calls import ALL, PUBLIC_WRITES
from tests.support.repeated_writes import AGAIN
from tests.support.world import Json, World

COMMITTED = Path(__file__).parents[2] / "openapi" / "openapi-3.1.json"
PROBLEM = "application/problem+json"
HEADERS = {"Idempotency-Key", "If-Match", "If-None-Match", "Purpose", "Approval"}
HEADERS |= {"Prefer", "Last-Event-ID", "Accept-Language"}
TABLES = (
    ("cases/{code}", CASE),
    ("referrals/{referral_id}", REFERRAL),
    ("handovers/{handover_id}", HANDOVER),
    ("returns/{return_id}", RETURN),
)
VERBS = """
accept acknowledge answer approve ask assess assign call cancel close complete confirm
create decide declare decline delete determine disable discard end erase export find get
grant hold inform issue list locate monitor offer open pause permit ping place plan preview
receive record redirect refuse register release relocate remove reopen replace replay report
request resume review revoke rotate save score send start stop stream submit suspend take
update verify withdraw write
"""
FROZEN = {
    "CaseState": "the life cycle of a case: what a client shows, and waits for",
    "ReferralState": "the life cycle of a referral",
    "HandoverState": "the life cycle of a handover",
    "ReturnState": "the life cycle of a return",
    "EmergencyAccessState": "the state of an emergency access",
    "ApprovalState": "the decision about an approval",
    "Stage": "derived from the state of a case",
}
"""The enums in responses whose values a client must know completely, with the reason."""
ANY = "#/components/schemas/Any"
TOKEN = "/v1/oauth/token"
UNKEYED = {"/livez", "/readyz"} | {one.path for one in ALL if one.name in PUBLIC_WRITES}
METHODS = {"get", "post", "put", "patch", "delete"}


@pytest.fixture
def document(world: World) -> Json:
    return resolve_responses(world.app.openapi())


def list_operations(document: Json) -> Iterator[tuple[str, str, Json]]:
    """Yield the method, path and content of each operation that requires an API key."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if path not in UNKEYED:
                yield method, path, operation


def walk_objects(part: Any) -> Iterator[Json]:
    """Yield every object inside a part of the document."""
    if isinstance(part, dict):
        yield part
        for inner in part.values():
            yield from walk_objects(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from walk_objects(inner)


def collect_schemas(document: Json, part: Any, seen: set[str]) -> set[str]:
    """Return the names of all schemas that are needed to resolve a part of the document."""
    for ref in re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(part)):
        if ref not in seen:
            seen.add(ref)
            collect_schemas(document, document["components"]["schemas"][ref], seen)
    return seen


def list_answer_schemas(document: Json) -> set[str]:
    """Return the names of the schemas of successful responses."""
    good = [
        response
        for _, _, operation in list_operations(document)
        for status, response in operation["responses"].items()
        if status.startswith("2")
    ]
    return collect_schemas(document, good, set())


def read(document: Json) -> set[str]:
    """Return the schemas that clients read: responses, problems and webhook bodies."""
    answers = [
        operation["responses"]
        for methods in document["paths"].values()
        for operation in methods.values()
    ]
    brought = [
        operation.get("requestBody", {})
        for methods in document.get("webhooks", {}).values()
        for operation in methods.values()
    ]
    return collect_schemas(document, [answers, brought], set())


def list_body_schemas(document: Json) -> set[str]:
    """Return the names of the schemas of request bodies."""
    bodies = [
        op["requestBody"] for *_, op in list_operations(document) if "requestBody" in op
    ]
    return collect_schemas(document, bodies, set())


def test_it_is_valid(document: Json) -> None:
    validate(document)

    assert document["openapi"].startswith("3.1")


def test_what_is_committed_is_what_is_served(world: World) -> None:
    document = create_app(world.runtime).openapi()
    written = json.dumps(document, indent=2, ensure_ascii=False, sort_keys=False) + "\n"

    assert COMMITTED.exists(), "make openapi"
    assert COMMITTED.read_text("utf-8") == written


def test_it_is_served_as_it_is_told(world: World, document: Json) -> None:
    served = world.http.get("/openapi.json").json()

    assert resolve_responses(served) == document


def test_asked_twice_it_says_the_same(world: World, document: Json) -> None:
    again = resolve_responses(world.app.openapi())

    assert json.dumps(again) == json.dumps(document)


def test_each_operation_is_named_by_a_verb_and_once(document: Json) -> None:
    names = [operation["operationId"] for *_, operation in list_operations(document)]

    assert len(names) == len(set(names)) > 40
    assert {name.split("_")[0] for name in names} == set(VERBS.split())
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)+", name) for name in names)


def test_no_schema_is_named_by_where_it_stands(document: Json) -> None:
    """No schema name contains `__`, as it would if two classes had the same name."""
    assert [name for name in document["components"]["schemas"] if "__" in name] == []


def test_each_operation_is_described_and_tagged(document: Json) -> None:
    tags = {tag["name"] for tag in document["tags"]}

    for _, path, operation in list_operations(document):
        assert operation["description"], path
        assert len(operation["tags"]) == 1, path
        assert set(operation["tags"]) <= tags
    assert all(tag["description"] for tag in document["tags"])


def test_each_operation_says_which_scope_it_needs(document: Json) -> None:
    for _, path, operation in list_operations(document):
        [scope] = re.findall(r"scope `([a-z:]+)`", operation["description"])
        assert scope in set(Scope), path


def test_the_frameworks_own_errors_are_not_there(document: Json) -> None:
    assert "ValidationError" not in json.dumps(document)


def test_an_action_on_a_version_says_what_may_go_wrong(document: Json) -> None:
    for _, path, operation in list_operations(document):
        names = {parameter["name"] for parameter in operation.get("parameters", [])}
        if "If-Match" in names:
            assert {"404", "412", "428"} <= operation["responses"].keys(), path


def test_what_may_be_sent_again_takes_a_key_or_a_version(document: Json) -> None:
    """Each write takes an idempotency key or a version, except operations in `AGAIN`."""
    neither = {
        operation["operationId"]
        for method, _, operation in list_operations(document)
        if method != "get"
        and not {"Idempotency-Key", "If-Match"}
        & {p["name"] for p in operation.get("parameters", [])}
    }
    assert neither == AGAIN.keys()


def test_no_private_number_or_id_is_shown(document: Json) -> None:
    schemas = document["components"]["schemas"]
    shown = {
        name: set(schemas[name].get("properties", {}))
        for name in list_answer_schemas(document)
    }

    for name, properties in shown.items():
        private = {p for p in properties if p == "number" or p.endswith("_id")}
        assert private == set(), name
    with_id = {name for name, properties in shown.items() if "id" in properties}
    assert with_id == {
        "AccessEntryOut",
        "AccountOut",
        "ApprovalOut",
        "ConfirmedEnrolmentOut",
        "ConsentOut",
        "CurrentSession",
        "DocumentTaskOut",
        "EmergencyAccessOut",
        "EnrolmentOut",
        "EventOut",
        "FactOut",
        "FigureReleaseOut",
        "FigureReleaseSummary",
        "HandoverOut",
        "LoweredAccountOut",
        "MadeEnrolmentOut",
        "MadeWebhookOut",
        "MeetingPointOut",
        "OpenedSessionOut",
        "PasskeyDescriptor",
        "PasskeyOut",
        "PasskeyUser",
        "PersonOut",
        "QuestionOut",
        "ReferralOut",
        "RelyingPartyOut",
        "ReturnOut",
        "ScreeningOut",
        "SessionOut",
        "VitalInterestOut",
        "WebhookOut",
    }


def test_what_is_answered_may_grow_and_what_is_asked_is_strict(document: Json) -> None:
    schemas = document["components"]["schemas"]
    shown, sent = list_answer_schemas(document), list_body_schemas(document)

    for name in shown:
        assert schemas[name].get("additionalProperties") is not False, name
    for name in sent:  # the members of a union refuse other fields
        if schemas[name].get("type") == "object" and "oneOf" not in schemas[name]:
            assert schemas[name].get("additionalProperties") is False, name


def test_no_enum_is_read_but_those_that_are_frozen(document: Json) -> None:
    """Every enumeration that clients read is frozen.

    A new value of such an enumeration would break generated clients.
    """
    schemas, names = document["components"]["schemas"], read(document)

    closed = {name for name in names if "enum" in schemas[name]}
    inside = [part for name in names - closed for part in walk_objects(schemas[name])]

    assert closed == FROZEN.keys()
    assert [part for part in inside if "enum" in part] == []
    consts = {part["const"] for part in inside if "const" in part}
    types = {one for one in consts if one.startswith("/problems/")}
    assert consts - types == {*Section, "HTCDS 2.0"}  # sections; the standard


def test_what_is_open_where_it_is_read_is_closed_where_it_is_sent(document: Json) -> None:
    schemas, sent = document["components"]["schemas"], list_body_schemas(document)
    parameters = [op.get("parameters", []) for *_, op in list_operations(document)]
    sent |= collect_schemas(document, parameters, set())

    growing = {name for name in schemas if "x-extensible-enum" in schemas[name]}

    referring = [
        part for part in walk_objects(document) if part.get("$ref", "").startswith(ANY)
    ]
    assert growing <= read(document)
    assert [part for part in referring if "default" in part] == []
    assert growing & sent == set()
    assert all(re.fullmatch(r"Any[A-Z]\w+", name) for name in growing)
    for name in growing:
        known, strict = schemas[name]["x-extensible-enum"], name.removeprefix("Any")
        assert set(schemas[name]["examples"]) <= set(known), name
        if strict in sent:
            assert schemas[strict]["enum"] == known, name
    assert {
        "AnyPriority",
        "AnySide",
        "AnyScope",
        "AnyDeadlineKind",
        "AnyRequirement",
    } <= growing
    assert {"Priority", "Scope", "DeadlineKind"} <= sent


def test_every_field_of_an_answer_is_always_there_except_next_and_what_is_included(
    document: Json,
) -> None:
    schemas = document["components"]["schemas"]
    parts = set(schemas["CasePart"]["enum"])
    included = {"WorkOut": {"case"}, "CaseWithParts": {"included"}, "CaseParts": parts}

    for name in list_answer_schemas(document) - {"EventFacts"}:  # differ by event type
        fields = set(schemas[name].get("properties", {}))
        optional = fields - set(schemas[name].get("required", []))
        assert optional == fields & {"next"} | included.get(name, set()), name


def test_a_null_is_a_type_or_an_alternative_to_something_named(document: Json) -> None:
    null = {"type": "null"}

    for part in walk_objects(document):
        options = part.get("anyOf", [])
        if isinstance(options, list) and null in options:
            [other] = [option for option in options if option != null]
            assert "$ref" in other or "enum" in other, part
        assert "nullable" not in part


def test_a_text_in_a_body_says_what_it_may_be(document: Json) -> None:
    """Each text in a request body has an enum, a constant, a format or a pattern."""
    schemas, sent = document["components"]["schemas"], list_body_schemas(document)
    single = {name for name in sent if "oneOf" not in schemas[name]}  # no unions

    bare = [
        (name, p) for name in single for p in walk_objects(schemas[name]) if is_any_text(p)
    ]

    assert bare == []
    assert {"CaseInput", "PutFocalPoint"} <= sent


def is_any_text(schema: Json) -> bool:
    kinds = schema.get("type", [])
    is_text = "string" in ([kinds] if isinstance(kinds, str) else kinds)
    return is_text and not schema.keys() & {"enum", "const", "format", "pattern"}


def test_a_bound_that_json_schema_does_not_know_is_told_in_words(document: Json) -> None:
    properties = document["components"]["schemas"]["PutAgreement"]["properties"]
    bounds = {word for part in walk_objects(document) for word in part} & {
        "gt",
        "ge",
        "lt",
        "le",
    }

    assert bounds == set()
    assert properties["in_force_from"]["description"] == "After 1900-01-01."
    assert properties["in_force_until"]["description"].endswith("is set. After 1900-01-01.")


def test_headers_are_spelled_as_they_are_documented(document: Json) -> None:
    spelled = {
        parameter["name"]
        for *_, operation in list_operations(document)
        for parameter in operation.get("parameters", [])
        if parameter["in"] == "header"
    }

    assert spelled == HEADERS


def test_a_parameter_is_absent_or_a_value_and_never_null(document: Json) -> None:
    for _, path, operation in list_operations(document):
        for parameter in operation.get("parameters", []):
            assert "null" not in json.dumps(parameter["schema"]), (path, parameter["name"])


def test_each_parameter_that_is_not_plain_is_described(document: Json) -> None:
    for _, path, operation in list_operations(document):
        for parameter in operation.get("parameters", []):
            if parameter["in"] == "header":
                assert parameter["description"], (path, parameter["name"])


def test_each_action_that_somebody_can_take_has_a_path(document: Json) -> None:
    posts = {path for method, path, _ in list_operations(document) if method == "post"}

    with_path = {
        f"{record} {step.action}"
        for record, table in TABLES
        for step in table.steps
        if f"/v1/{record}/{step.action.replace('_', '-')}" in posts
    }

    assert with_path == {
        f"{record} {step.action}"
        for record, table in TABLES
        for step in table.steps
        if step.sides != {Side.SYSTEM} and step is not OFFER
    }


def test_each_operation_asks_for_a_key_or_a_token_with_its_scope(document: Json) -> None:
    schemes = document["components"]["securitySchemes"]
    key, machine = schemes["ApiKey"], schemes["OAuth2"]

    assert (key["type"], key["scheme"], machine["type"]) == ("http", "bearer", "oauth2")
    assert key["description"]
    assert machine["description"]
    for _, path, operation in list_operations(document):
        [scope] = re.findall(r"scope `([a-z:]+)`", operation["description"])
        assert operation["security"] == [{"ApiKey": []}, {"OAuth2": [scope]}], path


def test_the_contract_tells_where_tokens_are_and_what_each_scope_allows(
    document: Json,
) -> None:
    [(flow, told)] = document["components"]["securitySchemes"]["OAuth2"]["flows"].items()

    assert (flow, told["tokenUrl"]) == ("clientCredentials", TOKEN)
    assert set(told["scopes"]) == set(Scope)
    assert all(told["scopes"].values())


def test_what_asks_for_a_token_is_a_form_and_what_refuses_it_has_two_shapes(
    document: Json,
) -> None:
    operation = document["paths"][TOKEN]["post"]
    shapes = {
        status: {kind: content["schema"]["$ref"].rpartition("/")[2]}
        for status, response in operation["responses"].items()
        for kind, content in response["content"].items()
    }

    assert operation["security"] == []
    assert set(operation["requestBody"]["content"]) == {"application/x-www-form-urlencoded"}
    assert shapes.pop("200") == {"application/json": "TokenOut"}
    oauth = {shapes.pop(status)["application/json"] for status in ("400", "401")}
    assert oauth == {"TokenRefused"}
    assert shapes.keys() == {"404", "408", "413", "414", "415", "429", "431", "503"}
    assert all(shape == {PROBLEM: "ProblemDetail"} for shape in shapes.values())


def test_every_response_is_described_by_what_it_has(document: Json) -> None:
    described = [
        (operation["operationId"], status, response["description"])
        for *_, operation in list_operations(document)
        for status, response in operation["responses"].items()
    ]

    assert [one for one in described if one[2] in {"", "Successful Response"}] == []
    bodiless = [one[:2] for one in described if one[2] == NO_BODY]
    assert {status for _, status in bodiless} == {"204"}


def test_every_property_is_described(document: Json) -> None:
    bare = [
        f"{schema}.{name}"
        for schema, body in document["components"]["schemas"].items()
        for name, described in body.get("properties", {}).items()
        if not described.get("description")
    ]

    assert bare == []


def test_every_row_of_the_descriptions_of_properties_is_used(document: Json) -> None:
    schemas = document["components"]["schemas"]
    used = {
        key
        for schema, body in schemas.items()
        for name, described in body.get("properties", {}).items()
        for key in ((schema, name), (EVERY_SCHEMA, name))
        if load_descriptions().get(key) == described.get("description")
    }

    assert load_descriptions().keys() - used == set()


def test_only_declared_methods_are_there(document: Json) -> None:
    assert {method for method, *_ in list_operations(document)} <= METHODS


def test_paths_are_told_with_their_version(document: Json) -> None:
    assert {path.split("/")[1] for path in document["paths"]} == {"v1", "livez", "readyz"}
