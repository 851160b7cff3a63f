"""Tests that the generated editions of the contract are current, valid and consistent."""

import json
from copy import deepcopy

import jsonschema_rs
import pytest
from openapi_spec_validator import OpenAPIV32SpecValidator, validate

from app.cli import generated_pages
from app.cli.openapi_editions import (
    EVENT_STREAM,
    PARENT_TAGS,
    convert_to_3_2,
    remove_webhooks,
)
from tests.support.source_code import ROOT
from tests.support.world import Json, Someone

PARSED = {"id": str, "data": str, "event": str, "retry": int}
"""The fields that a parser of server-sent events returns (HTML, 9.2.6)."""
WEBHOOK: Json = {
    "post": {
        "tags": ["rings"],
        "operationId": "ring",
        "requestBody": {
            "content": {
                "application/json": {"schema": {"$ref": "#/components/schemas/Ring"}}
            }
        },
        "responses": {"204": {"description": "Heard."}},
    }
}


@pytest.fixture(scope="module")
def contract() -> Json:
    return dict(json.loads((ROOT / generated_pages.CONTRACT).read_text("utf-8")))


@pytest.fixture
def with_webhooks(contract: Json) -> Json:
    """Return the contract with a new webhook, and with the webhook's schemas and tag."""
    event = {"$ref": "#/components/schemas/EventOut"}
    ring = {"type": "array", "items": {"$ref": "#/components/schemas/Inner"}}
    document = deepcopy(contract)
    document["components"]["schemas"] |= {"Inner": {"anyOf": [event]}, "Ring": ring}
    document["tags"].append({"name": "rings", "description": "Of others."})
    document["webhooks"] = {**contract.get("webhooks", {}), "ring": WEBHOOK}
    return document


def test_every_edition_that_is_committed_is_current() -> None:
    made = generated_pages.build_contracts()

    assert generated_pages.find_stale(made, write=False) == [], "make openapi"
    assert len(made) == 6


@pytest.mark.whole
@pytest.mark.parametrize(
    "name", [generated_pages.WITHOUT_WEBHOOKS, generated_pages.CONTRACT_3_2]
)
def test_an_edition_is_valid(name: str) -> None:
    validate(json.loads((ROOT / name).read_text("utf-8")))


def test_one_of_them_is_valid_as_openapi_3_2_alone(contract: Json) -> None:
    document = convert_to_3_2(contract)
    wrong = deepcopy(document)
    wrong["tags"][0]["kind"] = ["nav"]

    assert document["openapi"] == "3.2.0"
    assert OpenAPIV32SpecValidator(document).is_valid()
    assert not OpenAPIV32SpecValidator(wrong).is_valid()
    assert not OpenAPIV32SpecValidator({**document, "openapi": "3.1.0"}).is_valid()


def test_in_3_2_it_says_what_it_says_in_3_1(contract: Json) -> None:
    before, document = deepcopy(contract), convert_to_3_2(contract)

    stream = document["paths"]["/v1/events/stream"]["get"]["responses"]["200"]
    spoken = contract["paths"]["/v1/events/stream"]["get"]["responses"]["200"]
    assert stream["content"].keys() == spoken["content"].keys() == {EVENT_STREAM}
    data = stream["content"][EVENT_STREAM]["itemSchema"]["properties"]["data"]
    assert spoken["content"][EVENT_STREAM]["schema"] == data["contentSchema"]
    assert stream["content"][EVENT_STREAM].keys() == {"itemSchema"}
    stream["content"] = spoken["content"]
    assert contract == before
    assert document["paths"] == contract["paths"]
    assert document["components"] == contract["components"]
    tags = [(tag["name"], tag["description"]) for tag in document["tags"]]
    assert tags == [(tag["name"], tag["description"]) for tag in contract["tags"]]


def test_schema_of_stream_in_3_1_is_event_in_data(contract: Json) -> None:
    answer = contract["paths"]["/v1/events/stream"]["get"]["responses"]["200"]

    schema = answer["content"][EVENT_STREAM]["schema"]
    assert schema == {"$ref": "#/components/schemas/EventOut"}


def test_tags_stand_under_tags_that_are_there(contract: Json) -> None:
    tags = {tag["name"]: tag for tag in convert_to_3_2(contract)["tags"]}

    assert PARENT_TAGS.keys() | set(PARENT_TAGS.values()) <= tags.keys()
    assert {tags[name].get("parent") for name in PARENT_TAGS.values()} == {None}
    assert {tag["kind"] for tag in tags.values()} == {"nav"}
    assert tags["case actions"]["summary"] == "Case actions"


def test_what_is_streamed_is_what_is_told_of_it(
    officer: Someone, lead: Someone, contract: Json
) -> None:
    officer.submit()
    officer.submit()
    document = convert_to_3_2(contract)
    answer = document["paths"]["/v1/events/stream"]["get"]["responses"]["200"]
    item = answer["content"][EVENT_STREAM]["itemSchema"]
    data = item["properties"]["data"]

    first, *events = [
        parse_block(block) for block in split_blocks(lead.get("/events/stream").text)
    ]

    one = jsonschema_rs.validator_for(item)
    inside = jsonschema_rs.validator_for(
        {**data["contentSchema"], "components": document["components"]}
    )
    assert jsonschema_rs.meta.is_valid(item)
    assert data["contentMediaType"] == "application/json"
    assert first.keys() == {"retry"}
    assert first.keys() | events[0].keys() == item["properties"].keys()
    assert len(events) == 2
    for event in events:
        assert one.is_valid(event)
        assert inside.is_valid(json.loads(event["data"]))
        assert not inside.is_valid({**json.loads(event["data"]), "at": None})
    assert not one.is_valid({"data": "{}"})


def split_blocks(stream: str) -> list[str]:
    return [block for block in stream.split("\n\n") if block]


def parse_block(block: str) -> Json:
    fields = [line.split(": ", 1) for line in block.splitlines()]
    return {name: PARSED[name](value) for name, value in fields}


def test_without_webhooks_there_is_nothing_that_only_they_need(
    contract: Json, with_webhooks: Json
) -> None:
    left = remove_webhooks(with_webhooks)

    assert left == remove_webhooks(contract)
    assert "webhooks" not in left
    assert left["components"]["schemas"].keys() & {"Ring", "Inner"} == set()
    assert "EventOut" in left["components"]["schemas"]
    assert left["paths"] == contract["paths"]
    validate(with_webhooks)


def test_without_webhooks_is_the_same_where_there_are_none(contract: Json) -> None:
    there_are_none = remove_webhooks(contract)

    assert remove_webhooks(there_are_none) == there_are_none
    assert remove_webhooks({**there_are_none, "webhooks": {}}) == there_are_none
