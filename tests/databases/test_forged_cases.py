"""Rows of a case that were changed in the database give no office a right (ADR 81)."""

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
from app.kernel.actors import SERVICE
from app.screening.models import Screening
from tests.support.database_attacks import (
    Attacker,
    Row,
    apply_changes,
    get_key,
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
SHARE: Final = choose_number(1, sample=6)
"""A run changes every n-th column of each table, where n is this number."""
BELOW: Final[dict[Any, str]] = {
    EmergencyAccess: "/emergency-access",
    Question: "/questions",
    Screening: "/screenings",
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


def list_case_rows(world: World, model: Any) -> Iterator[tuple[Any, str]]:
    """Yield the primary key of rows that one read verifies, and the code of their case."""
    of_case = Case.id == (Case.id if model is Case else model.case_id)
    found = select(get_key(model), Case.code).select_from(model).where(of_case)
    if model is Sealed:
        found = found.where(Sealed.kind == Paper.SAFEGUARDS)
    if model is not Case:
        found = found.join(Case, of_case)
    with world.database.begin_read(SERVICE) as session:
        rows = session.execute(found.order_by(get_key(model))).all()
    assert rows, model
    yield from {tuple(rows[0]), tuple(rows[-1])}


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
        for key, code in list_case_rows(world, model):
            path, original = get_path(model, code), attacker.read(model, key)
            readers = find_readers(people, path)
            assert readers, (model, code)
            for changed in apply_changes(original, columns, partial(attacker.write, model)):
                tried += 1
                assert_refused(readers, path, (model, changed))
            assert find_readers(people, path) == readers
    assert tried > FEWEST_TRIES / SHARE / 2


def copy_row(model: Any, row: Row) -> Row:
    """Return a copy of a row that the database accepts beside the row."""
    copy = {name: value for name, value in row.items() if name != "number"}
    if model is Party:
        return copy | {"since": row["since"] - timedelta(seconds=1), "until": row["since"]}
    return copy | {"id": uuid4()}


def test_deleted_or_copied_row_closes_the_case(
    world: World, people: dict[str, Someone]
) -> None:
    attacker = Attacker(world)
    for model in list_record_models():
        for key, code in list_case_rows(world, model):
            path, original = get_path(model, code), attacker.read(model, key)
            readers = find_readers(people, path)
            copy = copy_row(model, original)
            try:
                attacker.insert(model, copy)
            except DBAPIError:  # at most one such row is possible
                continue
            assert_refused(readers, path, ("copied", model))
            known = {k: v for k, v in copy.items() if k in {"id", "since", "record_id"}}
            attacker.delete(model, attacker.find(model, **known)[get_key(model).name])
            attacker.delete(model, key)
            assert_refused(readers, path, ("deleted", model))
            attacker.insert(model, original)
            assert find_readers(people, path) == readers
