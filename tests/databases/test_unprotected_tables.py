"""Changed rows of the tables without a MAC open nothing that was closed."""

from collections.abc import Iterator
from functools import partial
from random import Random
from typing import Any, Final
from uuid import uuid4

import pytest
from sqlalchemy import select

from app.cases.facts import FactName
from app.cases.models import Case
from app.cases.records import Fact
from app.cases.sections import Section
from app.directory.models import FocalPoint
from app.kernel.actors import SERVICE, Role
from app.kernel.db import Base
from app.kernel.idempotency import Outcome
from app.routing.models import Shortlisted
from tests.support.database_attacks import (
    Attacker,
    Row,
    apply_changes,
    get_key,
    get_table,
)
from tests.support.effort import Run, choose_number
from tests.support.full_world import create_people, create_records
from tests.support.protected_tables import list_unprotected_tables
from tests.support.world import Someone, World, get_path, get_problem, unwrap

SHARE: Final = choose_number(3, sample=9, night=1)
"""Rows of one in this many tables are changed; 1 means all."""
ROWS: Final = 2
"""The number of rows of each table that are changed."""
TRIES: Final = 4
"""The number of closed requests that are sent after each change."""
BELOW: Final = (
    "",
    "/history",
    "/consents",
    "/evidence",
    *(f"/sections/{section}" for section in Section),
)
REFUSED: Final = {401, 403, 404, 409, 410, 422, 500, 503}

type Closed = list[tuple[Someone, str]]


@pytest.fixture
def closed(world: World) -> Closed:
    """Return refused requests, each with its sender, in a world with many records."""
    people = create_people(world)
    create_records(people)
    with world.database.begin_read(SERVICE) as session:
        codes = session.scalars(select(Case.code).order_by(Case.number)).all()
    paths = [f"/cases/{code}{end}" for code in codes for end in BELOW]
    tried = ((one, path) for one in people.values() for path in paths)
    return [(one, path) for one, path in tried if is_refused(one, path)]


def is_refused(one: Someone, path: str) -> bool:
    """Return whether a request is refused to a person."""
    return one.open(path).status_code in REFUSED


def list_tables() -> list[Any]:
    """List the models of the unprotected tables that this run changes."""
    models = {one.class_.__tablename__: one.class_ for one in Base.registry.mappers}
    return [models[name] for name in list_unprotected_tables()][Run.seed % SHARE :: SHARE]


def read_rows(world: World, model: Any) -> list[Row]:
    """Return the first rows of a table."""
    attacker, key = Attacker(world), get_key(model)
    with attacker.connect() as connection:
        found = connection.execute(select(get_table(model)).order_by(key).limit(ROWS))
        return [dict(row) for row in found.mappings()]


def attack(world: World, model: Any) -> Iterator[object]:
    """Change each column of some rows, and delete each row; yield after every change."""
    attacker, names = Attacker(world), [one.name for one in get_table(model).columns]
    for row in read_rows(world, model):
        yield from apply_changes(row, names, partial(attacker.write, model))
        attacker.delete_row(model, row)
        yield "deleted"
        attacker.insert(model, row)


def test_changed_rows_open_nothing(world: World, closed: Closed) -> None:
    chance, tried = Random(Run.seed), 0
    assert len(closed) > 100
    for model in list_tables():
        for change in attack(world, model):
            tried += 1
            for one, path in chance.sample(closed, TRIES):
                assert is_refused(one, path), (one.code, path, model, change)
    assert tried >= len(list_tables())
    assert all(is_refused(one, path) for one, path in closed)


def test_repeated_request_never_shows_a_record_that_the_caller_may_not_see(
    world: World, officer: Someone, lead: Someone
) -> None:
    """A repeated request gets 404 if its stored outcome was changed to the legal hold."""
    case = lead.take_lead(officer.submit())
    path, key = f"{get_path(case)}/facts", str(uuid4())
    body = {"name": "guardian", "value": "not_needed"}
    unwrap(lead.create(path, body, key))
    roles = {Role.PROTECTION_OFFICER}
    watcher, second = (world.add_person("OVERSIGHT_DEMO", roles) for _ in range(2))
    unwrap(watcher.does_with(second, "legal-hold", case, {"value": "in_force"}))
    attacker = Attacker(world)
    hold = attacker.find(Fact, name=FactName.LEGAL_HOLD)
    stored = attacker.find(Outcome, account_id=lead.actor.account_id, key=key)

    attacker.write(Outcome, stored, {"resource_id": hold["id"]})
    shown = lead.create(path, body, key)
    attacker.write(Outcome, stored, {"resource_id": stored["resource_id"]})

    assert get_problem(shown) == (404, "not-found")
    assert unwrap(lead.create(path, body, key))["name"] == "guardian"


def test_office_cannot_be_passed_over_by_a_forged_row(
    world: World, officer: Someone
) -> None:
    """A forged row that says that an office was already asked to lead is not accepted."""
    draft = unwrap(officer.create_case())
    attacker = Attacker(world)
    case_id = attacker.find(Case, code=draft["code"])["id"]
    office = attacker.find(FocalPoint, code="KZ_LEAD")["id"]
    asked = {"case_id": case_id, "place": 1, "focal_point_id": office, "reasons": []}
    attacker.insert(Shortlisted, asked | {"asked_at": world.now, "left_at": world.now})

    assert get_problem(officer.does("submit", draft)) == (500, "records-altered")
    attacker.delete_row(Shortlisted, asked)
    assert unwrap(officer.does("submit", draft))["holder"] == "KZ_LEAD"
