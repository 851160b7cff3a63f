"""Tests that no office can read a case whose rows were altered in the database (ADR 81)."""

from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from typing import Any, Final
from uuid import uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from app.cases.models import Case, Party, Sealed
from app.cases.protected_records import list_record_models
from app.cases.records import EmergencyAccess, Question
from app.cases.sections import Paper
from app.routing.models import Shortlisted
from app.screening.models import Screening
from tests.support.database_attacks import (
    Attacker,
    Row,
    apply_changes,
    get_table,
)
from tests.support.effort import Run, choose_number
from tests.support.full_world import create_people, create_records
from tests.support.world import Someone, World, unwrap

UNPROTECTED: Final = {
    "number": "orders lists",
}
MODELS: Final[list[Any]] = [Case, *list_record_models()]
FEWEST_TRIES: Final = 250
SHARE: Final = choose_number(3, sample=12, night=1)
"""One in this many columns of each table is changed; 1 means all."""
BELOW: Final[dict[Any, str]] = {
    EmergencyAccess: "/emergency-access",
    Question: "/questions",
    Screening: "/screenings",
    Shortlisted: "/routing",
}
"""The end of the path of the list that contains the records of a model."""
GUARDIAN: Final = {"name": "guardian", "value": "not_needed"}


@pytest.fixture
def people(world: World) -> dict[str, Someone]:
    """Return the people of a world with records of each kind."""
    people = create_people(world)
    create_records(people)
    urgent = {"reason": "RISK_TO_LIFE", "note": "She is in danger"}
    unwrap(people["officer"].create_case(vital_interest=urgent))
    led = people["lead"].take_lead(people["officer"].submit())
    unwrap(people["lead"].create(f"/cases/{led['code']}/facts", GUARDIAN))
    return people


def list_case_rows(world: World, model: Any) -> Iterator[tuple[Row, str]]:
    """Yield the first and the last row of a model, each with the code of its case."""
    table, case = get_table(model), get_table(Case)
    found = select(table).order_by(*table.primary_key)
    if model is Sealed:
        found = found.where(table.c.kind == Paper.SAFEGUARDS)
    with Attacker(world).connect() as connection:
        rows = [dict(row) for row in connection.execute(found).mappings()]
        codes = {row.id: row.code for row in connection.execute(select(case))}
    assert rows, model
    for row in [rows[0], *rows[1:][-1:]]:
        yield row, codes[row["id" if model is Case else "case_id"]]


def get_path(model: Any, code: str) -> str:
    """Return the path of a read that verifies the rows of a model."""
    return f"/cases/{code}{BELOW.get(model, '')}"


def find_readers(people: dict[str, Someone], path: str) -> list[Someone]:
    """Return the people who can read a path and, if it is a list, see an item."""
    answers = [(one, one.get(path)) for one in people.values()]
    return [
        one
        for one, answer in answers
        if answer.status_code == 200 and answer.json().get("items", True)
    ]


def assert_refused(readers: list[Someone], path: str, what: object) -> None:
    """Raise AssertionError if one of the readers can read the path."""
    for one in readers:
        assert one.get(path).status_code in {403, 404, 500}, (one.code, what)


def test_changed_column_closes_the_case(world: World, people: dict[str, Someone]) -> None:
    attacker, tried = Attacker(world), 0
    for model in MODELS:
        names = {one.name for one in get_table(model).columns} - UNPROTECTED.keys()
        columns = sorted(names)[Run.seed % SHARE :: SHARE]
        for original, code in list_case_rows(world, model):
            path = get_path(model, code)
            readers = find_readers(people, path)
            assert readers, (model, code)
            for changed in apply_changes(original, columns, partial(attacker.write, model)):
                tried += 1
                assert_refused(readers, path, (model, changed))
            assert find_readers(people, path) == readers
    assert tried > FEWEST_TRIES / SHARE / 2


def copy_row(model: Any, row: Row) -> Row:
    """Return a copy of a row, changed so that the database may accept it beside the row."""
    copy = {name: value for name, value in row.items() if name != "number"}
    if model is Party:
        return copy | {"since": row["since"] - timedelta(seconds=1), "until": row["since"]}
    if model is Shortlisted:
        return copy | {"place": row["place"] + 7}
    return copy | ({"id": uuid4()} if "id" in row else {})


def test_deleted_or_copied_row_closes_the_case(
    world: World, people: dict[str, Someone]
) -> None:
    attacker = Attacker(world)
    for model in list_record_models():
        for original, code in list_case_rows(world, model):
            path = get_path(model, code)
            readers, copy = find_readers(people, path), copy_row(model, original)
            try:
                attacker.insert(model, copy)
            except DBAPIError:  # at most one such row is possible
                pass
            else:
                assert_refused(readers, path, ("copied", model))
                attacker.delete_like(model, copy)
            attacker.delete_row(model, original)
            assert_refused(readers, path, ("deleted", model))
            attacker.insert(model, original)
            assert find_readers(people, path) == readers
