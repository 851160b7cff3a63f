"""The number of statements of frequent requests, which must not grow.

Each statement is a large part of the cost of a request. If a request needs fewer statements
than its test expects, lower the number in the test.
"""

from collections.abc import Callable
from typing import Final

import pytest
from httpx2 import Response

from tests.support.databases import listen_to, record_statements
from tests.support.world import Json, Someone, World, make_consent, unwrap

TRANSACTION: Final = ("BEGIN", "SELECT set_config(")
"""The beginnings of the statements that begin a transaction, which are not counted."""
CONSENTS: Final = [make_consent()]


def count_statements(world: World, send: Callable[[], Response]) -> int:
    """Return the number of statements of a request, which must succeed."""
    with record_statements(world.database) as statements:
        answer = send()
    assert answer.status_code < 400, answer.text
    return sum(not one.startswith(TRANSACTION) for one in statements)


@pytest.fixture
def case(officer: Someone) -> Json:
    """Return the last of three submitted cases, none of which the lead has read."""
    return [officer.submit(consents=CONSENTS) for _ in range(3)][-1]


def test_page_of_the_feed_takes_two_statements(
    world: World, lead: Someone, case: Json
) -> None:
    assert count_statements(world, lambda: lead.get("/events")) == 2
    assert case["code"] in str(unwrap(lead.get("/events"))["items"])


def test_poll_without_new_events_takes_one_statement(
    world: World, lead: Someone, case: Json
) -> None:
    assert case
    tag = lead.get("/events").headers["ETag"]

    def poll() -> Response:
        return lead.ask("GET", "/events", headers={"If_None_Match": tag})

    assert poll().status_code == 304
    assert count_statements(world, poll) == 1


def test_worklist_takes_two_statements(world: World, lead: Someone, case: Json) -> None:
    assert count_statements(world, lambda: lead.get("/worklist")) == 2
    assert case["code"] in str(unwrap(lead.get("/worklist"))["items"])


def test_read_is_authenticated_in_its_only_transaction(
    world: World, lead: Someone, case: Json
) -> None:
    begun: list[object] = []
    with listen_to(world.database, "begin", begun.append):
        assert case["code"] in str(unwrap(lead.get("/worklist"))["items"])

    assert len(begun) == 1


def test_list_of_cases_takes_no_more_statements(
    world: World, lead: Someone, case: Json
) -> None:
    assert count_statements(world, lambda: lead.get("/cases")) == 3
    assert case["code"] in str(unwrap(lead.get("/cases"))["items"])


def test_read_of_a_case_takes_no_more_statements(
    world: World, lead: Someone, case: Json
) -> None:
    path = f"/cases/{case['code']}"
    unwrap(lead.get(path))  # the first read is recorded

    assert count_statements(world, lambda: lead.get(path)) == 3


def test_submission_takes_no_more_statements(world: World, officer: Someone) -> None:
    """A submission takes 24 statements on PostgreSQL, and 25 on SQLite.

    PostgreSQL locks the key, but inserts the deadlines and parties together.
    """

    def submit() -> Response:
        return officer.create_case(submit=True, consents=CONSENTS)

    unwrap(submit())

    assert count_statements(world, submit) == (25 if world.database.is_sqlite else 24)


def test_acknowledgement_takes_no_more_statements(
    world: World, lead: Someone, case: Json
) -> None:
    path = f"/cases/{case['code']}"
    tag = lead.get(path).headers["ETag"]

    def acknowledge() -> Response:
        return lead.send(f"{path}/acknowledge", if_match=tag, idempotency_key="1")

    assert count_statements(world, acknowledge) == 15 + count_lock(world)


def count_lock(world: World) -> int:
    """Return the number of statements that lock a key: 1 on PostgreSQL, otherwise 0."""
    return 0 if world.database.is_sqlite else 1
