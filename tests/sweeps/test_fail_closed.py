"""Sealed documents are shown only if the access can be recorded (R35)."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import func, select

from app.disclosure.models import AccessEntry
from app.kernel.actors import SERVICE
from tests.support.database_faults import BREAKS
from tests.support.operation_calls import ALL, Hunt, get_name
from tests.support.raw_requests import Answer, Operation
from tests.support.world import World

pytestmark = pytest.mark.slow
OPENING = [one for one in ALL if "Purpose" in one.list_parameters("header")]
"""Operations that open documents: those that require a purpose (see test_canaries.py)."""
CODED = {
    "author",
    "about",
    "section",
    "subject",
    "written_at",
    "codes",
    "case",
    "standard",
    "opened",
    "withheld",
    "cas_Status",
}
"""Fields of responses that contain no text about the person, such as author and time."""

AT_ONCE = {"export_case": 3}
"""The number of documents that an operation opens at once, each with a log entry."""


def secrets(answer: Answer) -> set[str]:
    """Return every text about the person in a response; none if the status is not 200."""
    return set(list_texts(answer.parse_json())) if answer.status == 200 else set()


def list_texts(told: Any) -> Iterator[str]:
    match told:
        case dict():
            for name, value in told.items():
                yield from list_texts(value) if name not in CODED else ()
        case list():
            for value in told:
                yield from list_texts(value)
        case str():
            yield told
        case _:  # a number, a Boolean or null
            pass


def choose_opener(hunt: Hunt, operation: Operation) -> int:
    """Return the index of a caller for whom an operation opens a sealed document."""
    for choose in range(len(hunt.stage.list_callers(operation))):
        if secrets(hunt.ask(operation, choose=choose)):
            return choose
    raise AssertionError(f"{operation.name} opens nothing: add a stage that allows it")


def count_entries(hunt: Hunt) -> int:
    with hunt.wire.world.database.begin_read(SERVICE) as session:
        return session.scalars(select(func.count()).select_from(AccessEntry)).one()


@pytest.mark.parametrize("operation", OPENING, ids=get_name)
def test_each_opens_something_and_says_so(operation: Operation, hunt: Hunt) -> None:
    choose, before = choose_opener(hunt, operation), count_entries(hunt)

    shown = hunt.ask(operation, choose=choose)

    assert secrets(shown)
    assert count_entries(hunt) == before + AT_ONCE.get(operation.name, 1)


@pytest.mark.parametrize("how", BREAKS)
def test_what_cannot_be_recorded_is_not_shown(how: str, hunt: Hunt) -> None:
    chosen = {operation: choose_opener(hunt, operation) for operation in OPENING}
    texts = {one: secrets(hunt.ask(one, choose=chosen[one])) for one in OPENING}
    world, before = hunt.wire.world, count_entries(hunt)

    with BREAKS[how](world, get_url(world), "access_entry"):
        shut = {one: hunt.ask(one, choose=chosen[one]) for one in OPENING}

    for operation, answer in shut.items():
        everything = repr((answer.headers, answer.content.decode()))
        assert (answer.status, answer["Retry-After"]) == (503, "1"), operation.name
        assert answer["Content-Type"] == "application/problem+json"
        assert [text for text in texts[operation] if text in everything] == []
    assert count_entries(hunt) == before
    assert all(secrets(hunt.ask(one, choose=chosen[one])) for one in OPENING)


def choose_refused(hunt: Hunt, operation: Operation) -> int | None:
    """Return the index of a caller whose refusal is logged, or None if there is none."""
    for choose in range(len(hunt.stage.list_callers(operation))):
        before = count_entries(hunt)
        if (
            hunt.ask(operation, choose=choose).status == 404
            and count_entries(hunt) > before
        ):
            return choose
    return None


def test_a_refusal_that_cannot_be_recorded_is_not_told(hunt: Hunt) -> None:
    """If a refused access cannot be recorded, the response is an error (503)."""
    world = hunt.wire.world
    chosen = {operation: choose_refused(hunt, operation) for operation in OPENING}
    trying = {one: choose for one, choose in chosen.items() if choose is not None}

    with BREAKS["refused"](world, get_url(world), "access_entry"):
        shut = [hunt.ask(one, choose=choose).status for one, choose in trying.items()]

    assert len(trying) >= 5
    assert set(shut) == {503}


def get_url(world: World) -> str:
    return world.database.engine.url.render_as_string(hide_password=False)
