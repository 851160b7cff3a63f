"""If two offices use one connection in turn, neither sees any state of the other."""

from collections.abc import Iterator
from itertools import cycle, islice

import pytest
from fastapi import FastAPI
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from app.cases.models import Case
from app.kernel.db import Database
from app.kernel.transactions import begin_read
from tests.support.effort import choose_number
from tests.support.in_thread import ThreadLoops
from tests.support.world import Json, Someone, World, get_path, unwrap

pytestmark = pytest.mark.slow
TURNS = choose_number(600, sample=200, night=10_000)
PEOPLE = ("UZ_CONSULATE_ALMATY", "JM_CONSULATE_PORT_OF_SPAIN")


@pytest.fixture
def narrow(
    pg_url: str, app: FastAPI, loop: ThreadLoops, monkeypatch: pytest.MonkeyPatch
) -> Iterator[World]:
    """Yield a world in which all requests share one connection."""
    monkeypatch.setattr("app.kernel.db.THREADS", 1)
    monkeypatch.setattr("tests.support.world.open_database", Database)
    made = World(pg_url, app, loop)
    yield made
    made.database.engine.dispose()
    made.close()


def list_all_codes(one: Someone) -> set[str]:
    """Return the codes of the cases that a query without a condition finds."""
    with begin_read(one.world.runtime, one.actor) as tx:
        return set(tx.session.scalars(select(Case.code)))


def list_codes(one: Someone) -> set[str]:
    return {case["code"] for case in unwrap(one.get("/cases"))["items"]}


def is_stopped(world: World) -> bool:
    """Return True if the database refuses a session that sets no office; else fail."""
    with pytest.raises(DBAPIError), world.database.begin_read() as session:
        session.execute(select(Case.code))
    return True


def test_nothing_of_one_is_left_to_the_other(narrow: World) -> None:
    people = [narrow.add_person(code) for code in PEOPLE]
    drafts: list[list[Json]] = [
        [unwrap(one.create_case()) for _ in "123"] for one in people
    ]
    own = [{case["code"] for case in cases} for cases in drafts]
    sides = [(0, 1), (1, 0)]

    for turn, (me, other) in enumerate(islice(cycle(sides), TURNS)):
        one, foreign = people[me], drafts[other][turn % 3]
        match turn // 2 % 4:
            case 0:
                assert list_codes(one) == own[me], turn
            case 1:
                assert list_all_codes(one) == own[me], turn
            case 2:
                assert one.get(get_path(foreign)).status_code == 404, turn
                assert is_stopped(narrow)
            case _:
                refused = one.create(f"{get_path(foreign)}/risk-assessments", RISK)
                assert refused.status_code == 404, turn

    assert narrow.database.engine.pool.status().startswith("Pool size: 1 ")


RISK = {"level": "low"}
