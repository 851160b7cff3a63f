"""Tests that each error response in the contract is a problem with its own members."""

import re
from collections.abc import Iterator

import pytest
from pydantic import ValidationError

from app.api.http.problem_schemas import (
    PROBLEM,
    get_schema_name,
)
from app.cases import lifecycle as cases
from app.handovers import lifecycle as handovers
from app.kernel.problems import list_problem_kinds
from app.referrals import lifecycle as referrals
from app.returns import lifecycle as returns
from tests.support.contract import list_options, load_contract
from tests.support.documented_answers import list_problem_differences
from tests.support.world import Json

LISTED = re.compile(r"^- `([a-z-]+)`", re.MULTILINE)


@pytest.fixture(scope="module", name="document")
def load_document() -> Json:
    return load_contract()


def list_operations(document: Json) -> Iterator[tuple[str, Json]]:
    """Yield the path and responses of every operation that requires an API key."""
    for path, methods in document["paths"].items():
        for operation in methods.values():
            if operation["security"]:
                yield path, operation["responses"]


def test_each_error_is_one_of_the_problems_that_its_description_lists(
    document: Json,
) -> None:
    typed = {kind.code: get_schema_name(kind) for kind in TYPED}
    schemas = document["components"]["schemas"]

    for path, responses in list_operations(document):
        assert {"401", "403", "422", "503"} <= responses.keys(), path
        for status, response in responses.items():
            if status >= "400":
                listed = LISTED.findall(response["description"])
                names = sorted(typed[code] for code in listed if code in typed)
                schema = response["content"][PROBLEM]["schema"]
                assert set(response["content"]) == {PROBLEM}, (path, status)
                assert list_options(schema, schemas) == [*names, "ProblemDetail"], (
                    path,
                    status,
                )
                assert response["description"]


TYPED = [kind for kind in list_problem_kinds() if kind.members]


def test_each_problem_with_members_has_a_schema_with_its_type(document: Json) -> None:
    schemas = document["components"]["schemas"]

    assert len(TYPED) >= 7
    for kind in TYPED:
        properties = schemas[get_schema_name(kind)]["properties"]
        added = properties.keys() - schemas["ProblemDetail"]["properties"].keys()
        assert properties["type"]["const"] == f"/problems/{kind.code}"
        assert added
        assert all(properties[name]["description"] for name in added), kind


def test_codes_of_problems_are_open_enums_over_all_life_cycles(document: Json) -> None:
    schemas = document["components"]["schemas"]
    modules = (cases, referrals, handovers, returns)
    needs = {code for module in modules for code in module.Need}
    states = {code for module in modules for code in module.State}
    actions = {code for module in modules for code in module.Action}

    for name, codes in (("Requirement", needs), ("State", states), ("Action", actions)):
        schema = schemas[f"Any{name if name == 'Requirement' else f'Record{name}'}"]
        assert set(schema["x-extensible-enum"]) == codes
    unmet, consent = schemas["UnmetRequirement"], schemas["RequiredConsent"]
    assert list_options(unmet["properties"]["requirement"], schemas) == ["AnyRequirement"]
    assert list_options(consent["properties"]["purpose"], schemas) == ["AnyPurpose"]
    assert list_options(consent["properties"]["sections"]["items"], schemas) == [
        "AnySection"
    ]
    [asked] = {
        schemas[name]["properties"]["asks"]["items"]["$ref"].rpartition("/")[2]
        for name in schemas
        if name.startswith("Available") and "asks" in schemas[name]["properties"]
    }
    assert asked == "AnyRequirement"


@pytest.mark.parametrize(
    ("problem", "differences"),
    [
        ({"type": "/problems/idempotency-key-in-use", "status": 409, "key": "k"}, ["key"]),
        ({"type": "/problems/needs-unmet", "status": 409}, ["unmet"]),
        ({"type": "/problems/needs-unmet", "status": 409, "unmet": []}, []),
        (
            {"type": "/problems/return-exists", "status": 409, "return": None},
            ["no schema ReturnExistsProblem"],
        ),
        ({"type": "about:blank", "status": 415}, []),
    ],
    ids=str,
)
def test_check_of_answers_finds_members_that_are_not_declared(
    problem: Json, differences: list[str]
) -> None:
    assert list_problem_differences("POST", "/v1/cases", problem) == differences


def test_check_of_answers_finds_members_of_another_type() -> None:
    problem = {"type": "/problems/needs-unmet", "status": 409, "unmet": [{"need": "x"}]}

    with pytest.raises(ValidationError):
        list_problem_differences("POST", "/v1/cases", problem)
