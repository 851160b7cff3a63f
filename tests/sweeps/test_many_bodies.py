"""A damaged body never causes a server error in an operation that writes (R67-R74).

No response echoes the input, and a refused request stores nothing. Each body is sent as a
random account that may call the operation. The bodies are valid, damaged or garbled, or are
other JSON.
"""

import json
from collections import Counter
from random import Random
from typing import Any, Final

import pytest
from hypothesis import strategies as st
from structlog.testing import capture_logs

from tests.support.effort import choose_number
from tests.support.hostile_input import CANARY, JUNK, draw_bodies, make_bodies
from tests.support.operation_calls import WRITES, Hunt, find_faults, get_name
from tests.support.raw_requests import Operation
from tests.support.request_bodies import BODIES
from tests.support.servers import report

pytestmark = [
    pytest.mark.slow,
    pytest.mark.soak,
    pytest.mark.filterwarnings("ignore:Generating overly large repr"),
]
"""Marks of all tests; a warning about large values is ignored, as bodies may be large."""
ON_SQLITE: Final = choose_number(80, sample=40, night=1_000)
"""Number of bodies for each operation on SQLite."""
ON_POSTGRESQL: Final = choose_number(20, sample=10, night=100)
"""Number of bodies on PostgreSQL; most are refused before they reach a database."""


def generate_bodies(operation: Operation) -> st.SearchStrategy[Any]:
    """Return a strategy that draws bodies for an operation, which are damaged later.

    If the operation takes no body, the strategy draws any JSON.
    """
    if not operation.body_schema:
        return JUNK
    known = BODIES.get(operation.name)
    return make_bodies(operation) | st.just(known) if known else make_bodies(operation)


@pytest.mark.parametrize("operation", WRITES, ids=get_name)
def test_whatever_is_sent_does_no_harm(operation: Operation, hunt: Hunt) -> None:
    enough = ON_SQLITE if hunt.wire.world.database.is_sqlite else ON_POSTGRESQL
    chance, statuses = Random(operation.name), Counter[int]()

    with capture_logs() as lines:
        for body in draw_bodies(generate_bodies(operation), enough):
            hunt.committed.clear()
            answer = hunt.ask(operation, body, chance.randrange(2**16))
            statuses[answer.status] += 1
            assert find_faults(operation, answer) == [], (body, answer)
            assert answer.status < 400 or not hunt.committed, (body, answer, hunt.committed)

    report(operation.name, statuses.elements())
    assert statuses.total() == enough
    assert CANARY not in json.dumps(lines, default=str)
