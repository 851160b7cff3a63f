"""The tables of the access matrix have exactly the rows that the contract requires."""

import json
from pathlib import Path

from tests.support.operation_calls import ALL, PUBLIC_WRITES
from tests.support.raw_requests import Operation
from tests.sweeps.matrix import plans, reading
from tests.sweeps.matrix.asking import INCLUDED, PARTS
from tests.sweeps.matrix.people import accounts

TABLES = {plan.table: reading.table(plan.table) for plan in plans.ALL}


def list_operations() -> set[str]:
    """Return the names of all operations with a row in a table of the access matrix."""
    return {name for table in TABLES.values() for name in table.operations}


def list_parts(operation: Operation) -> list[str]:
    """Return the names under which an operation is tested.

    If the path names a section, there is one name for each section. If the operation can
    include parts, there is a further name for a response with all of them.
    """
    kinds = [PARTS[key] for key in operation.path_names if key in PARTS]
    parts = [f"{operation.name}.{part}" for kind in kinds for part in kind]
    included = [f"{operation.name}.{INCLUDED}"] if operation.includes else []
    return (parts or [operation.name]) + included


def test_every_operation_has_a_row_and_every_row_an_operation() -> None:
    there = {name for operation in ALL for name in list_parts(operation)}

    assert there - list_operations() == set(), (
        "Add a row: see tests/sweeps/matrix/answers_of_cases.txt"
    )
    assert list_operations() - there == set()


def test_an_operation_that_nobody_wrote_a_row_for_is_noticed() -> None:
    unheard = Operation("GET", "/v1/cases/{code}/new", {"operationId": "get_new"}, {})

    assert set(list_parts(unheard)) - list_operations() == {"get_new"}


def test_every_operation_but_the_public_ones_has_a_scope() -> None:
    scopes = reading.scopes()

    public = {"get_liveness", "get_readiness", *PUBLIC_WRITES}
    assert {one.name for one in ALL} - scopes.keys() == public
    assert scopes.keys() - {one.name for one in ALL} == set()


def test_every_office_of_a_stage_is_somebody() -> None:
    offices = {name.partition("/")[0] for name in accounts()}

    assert {one for told in reading.casting().values() for one in told} <= offices


def test_what_leaves_no_entry_of_access_is_a_fixed_list() -> None:
    entered = {
        row.operation
        for table in TABLES.values()
        for row in table.rows
        if any(said.entries for _, said in row.answers)
    }
    opening = {
        name
        for one in ALL
        if "Purpose" in one.list_parameters("header")
        for name in list_parts(one)
    }

    assert entered == opening


def test_the_committed_contract_is_what_is_asked() -> None:
    path = Path(__file__).parents[2] / "openapi" / "openapi-3.1.json"
    served = json.loads(path.read_text("utf-8"))["paths"]

    assert len(ALL) == sum(map(len, served.values()))
