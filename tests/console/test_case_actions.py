"""Tests of the forms of the actions on a case: their fields and their effects."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import pytest

from app.cases.further_actions import FURTHER
from app.cases.lifecycle import TABLE
from app.console.case_actions import ACTIONS
from app.console.case_forms import CaseAction
from app.kernel.actors import Side
from tests.support.contract import load_contract

type Schema = Mapping[str, Any]


def list_forms() -> Iterator[CaseAction]:
    """Yield each form of an action on a case, except actions with a page of their own."""
    for action in ACTIONS.values():
        if not action.page:
            yield from action.variants.values() or (action,)


FORMS: Final = {f"{one.action} {one.path}": one for one in list_forms()}


def find_operation(one: CaseAction) -> Schema:
    """Return the operation of a form in the contract."""
    end = "" if one.is_on_record else f"/{one.last_path}"
    ids = {"questions": "{question_id}", "consents": "{consent_id}"}
    end = end.replace("{id}", ids.get(one.per_record, ""))
    head = "sections/{section}" if one.action == "write_section" else end.strip("/")
    path = f"/v1/cases/{{code}}/{head}".rstrip("/")
    operation: Schema = load_contract()["paths"][path][one.method.lower()]
    return operation


def find_body(one: CaseAction) -> Schema | None:
    """Return the schema of the body of a form, or None if its operation has none."""
    operation = find_operation(one)
    if "requestBody" not in operation:
        return None
    schema = resolve(operation["requestBody"]["content"]["application/json"]["schema"])
    mapping = schema.get("discriminator", {}).get("mapping", {})
    [chosen] = one.fixed.values() or [""]
    return resolve({"$ref": mapping[chosen]}) if chosen else schema


def resolve(schema: Schema) -> Schema:
    """Follow the references of a schema, and return the schema to which they lead."""
    while "$ref" in schema:
        schema = load_contract()["components"]["schemas"][schema["$ref"].split("/")[-1]]
    return schema


def find_place(schema: Schema, names: list[str]) -> Schema | None:
    """Return the schema at the path `names` in a body, or None if there is no such path."""
    schema = resolve(schema)
    for option in schema.get("oneOf", schema.get("anyOf", [])):
        if (found := find_place(option, names)) is not None:
            return found
    if not names:
        return schema
    if names[0].isdigit():
        return find_place(schema["items"], names[1:]) if "items" in schema else None
    inner = schema.get("properties", {}).get(names[0])
    return None if inner is None else find_place(inner, names[1:])


@pytest.mark.parametrize("name", FORMS)
def test_form_has_a_field_for_every_required_property(name: str) -> None:
    form = FORMS[name]
    body = find_body(form)

    assert bool(form.fields or form.fixed) == (body is not None)
    asked = {field.name.split("/")[0] for field in form.fields} | form.fixed.keys()
    assert set((body or {}).get("required", ())) <= asked
    required = {field.name.split("/")[0] for field in form.fields if field.is_required}
    assert required <= asked


@pytest.mark.parametrize("name", FORMS)
def test_form_has_no_field_that_the_operation_does_not_know(name: str) -> None:
    form = FORMS[name]
    body = find_body(form) or {}

    unknown = [
        field.name
        for field in form.fields
        if find_place(body, field.name.split("/")) is None
    ]
    assert unknown == []
    assert form.fixed.keys() <= body.get("properties", {}).keys()


@pytest.mark.parametrize("name", FORMS)
def test_form_has_a_field_for_every_property(name: str) -> None:
    form = FORMS[name]
    asked = {field.name.split("/")[0] for field in form.fields} | form.fixed.keys()

    assert (find_body(form) or {}).get("properties", {}).keys() == asked


def test_every_action_of_an_office_has_a_form_or_a_page() -> None:
    rows = (*TABLE.steps, *FURTHER.steps)
    of_offices = {str(row.action) for row in rows if row.sides != {Side.SYSTEM}}

    listed = {one.listed_as or one.action for one in ACTIONS.values()}
    assert listed == of_offices
