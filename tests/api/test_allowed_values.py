"""An error lists the allowed fields or codes, or says where they are, but not the input."""

from typing import Any

import pytest
from httpx2 import Response

from app.api.http.validation_errors import MOST_CODES, describe_codes
from app.cases.schemas import SummaryFields
from app.cases.sections import Needs, Section
from app.casework.schemas import CaseInput
from tests.support.world import Json, Someone, get_path, make_case, make_consent, unwrap

SECRET = "Zarina"
STATES = {"kind": "state", "country": "KZ"}


def get_error(refused: Response) -> tuple[str, str, str]:
    """Return the only error of a refused request: its pointer, code and detail."""
    assert refused.status_code == 422, refused.text
    assert SECRET not in refused.text
    [error] = refused.json()["errors"]
    return error["pointer"], error["code"], error["detail"]


def list_names(detail: str) -> list[str]:
    return detail.split("`")[1::2]


UNKNOWN: list[tuple[Json, str, list[str]]] = [
    ({SECRET: 1}, "#", list(CaseInput.model_fields)),
    (
        {"summary": make_case()["summary"] | {SECRET: 1}},
        "#/summary",
        list(SummaryFields.model_fields),
    ),
    (
        {"sections": [{"section": "needs", "summary": "A bed", SECRET: 1}]},
        "#/sections/0",
        list(Needs.model_fields),
    ),
    (
        {"consents": [make_consent(recipient_class=STATES | {SECRET: 1})]},
        "#/consents/0/recipients/0/recipient_class",
        ["kind", "country", "function"],
    ),
]


@pytest.mark.parametrize(("body", "pointer", "names"), UNKNOWN)
def test_unknown_field_of_object_lists_the_fields_it_has(
    body: Json, pointer: str, names: list[str], officer: Someone
) -> None:
    found, code, detail = get_error(officer.ask("POST", "/cases", make_case(**body)))

    assert (found, code) == (pointer, "extra_forbidden")
    assert set(list_names(detail)) == set(names)


def test_unknown_field_of_section_lists_the_fields_of_that_section(
    officer: Someone,
) -> None:
    path = f"{get_path(unwrap(officer.create_case()))}/sections/needs"
    body = {"section": "needs", "summary": "A bed", SECRET: 1}

    pointer, _, detail = get_error(officer.ask("PUT", path, body))

    assert pointer == "#"
    assert set(list_names(detail)) == set(Needs.model_fields)


CODES: list[tuple[Json, str, str, list[str]]] = [
    (
        {"risk": {"level": SECRET}},
        "#/risk/level",
        "enum",
        ["low", "medium", "high"],
    ),
    (
        {"sections": [{"section": SECRET}]},
        "#/sections/0",
        "union_tag_invalid",
        list(Section),
    ),
]


@pytest.mark.parametrize(("body", "pointer", "code", "names"), CODES)
def test_unknown_code_lists_the_codes_that_are_allowed(
    body: Json, pointer: str, code: str, names: list[str], officer: Someone
) -> None:
    *found, detail = get_error(officer.ask("POST", "/cases", make_case(**body)))

    assert found == [pointer, code]
    assert list_names(detail) == names


def test_unknown_parameter_lists_the_parameters_that_the_operation_has(
    officer: Someone,
) -> None:
    paths = ("events", "focal-points", f"{get_path(unwrap(officer.create_case()))[1:]}")

    refused = [get_error(officer.ask("GET", f"/{path}?{SECRET}=1")) for path in paths]

    assert {one[:2] for one in refused} == {("query", "extra_forbidden")}
    events, offices, case = [list_names(detail) for *_, detail in refused]
    assert events == ["after", "limit"]
    assert {"country", "service", "after", "limit"} <= set(offices)
    assert case == ["include"]


def test_long_list_of_codes_names_the_document_instead() -> None:
    codes: list[Any] = [f"'c{number}'" for number in range(MOST_CODES + 1)]

    assert list_names(describe_codes(", ".join(codes[:-1]))) == [
        c[1:-1] for c in codes[:-1]
    ]
    assert "/openapi.json" in describe_codes(", ".join(codes))
    assert describe_codes("") == ""
