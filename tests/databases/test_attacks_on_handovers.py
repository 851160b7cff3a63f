"""Attacks on the handovers that decide what a new lead may open (ADR 49, ADR 81)."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import pytest

from app.handovers.models import Handover
from tests.api.test_handover_borders import (
    WIDE,
    lead_case,
    list_open_sections,
    update_agreement,
)
from tests.support.database_attacks import Attacker
from tests.support.databases import listen_to
from tests.support.servers import Served, serve_world
from tests.support.world import Json, Someone, make_takeover, unwrap


@pytest.fixture
def world(pg_url: str) -> Iterator[Served]:
    with serve_world(pg_url) as made:
        yield made


@pytest.fixture
def successor(world: Served) -> Someone:
    """Return a person of the focal point of Uzbekistan, across the border."""
    return world.add_person("UZ_LEAD")


@pytest.fixture
def case(world: Served, officer: Someone, lead: Someone, successor: Someone) -> Json:
    """Return a case of which only the section `needs` may cross to its new lead."""
    update_agreement(world, level="L1")
    case = lead_case(officer, lead, WIDE)
    unwrap(successor.does("accept", unwrap(lead.offer(case, "UZ_LEAD")), make_takeover()))
    return case


@contextmanager
def forge_for_own_statements(world: Served, **values: UUID) -> Iterator[None]:
    """Change the only handover while a statement runs that selects only from its table.

    Statements that read all records of a case find the row as it was.
    """
    attacker = Attacker(world)
    row = attacker.find(Handover)

    def write(before: bool, said: tuple[Any, ...]) -> None:
        if said[2].startswith("SELECT handover."):
            new = values if before else {name: row[name] for name in values}
            attacker.update(Handover, row["number"], **new)

    database = world.database
    with (
        listen_to(database, "before_cursor_execute", lambda *said: write(True, said)),
        listen_to(database, "after_cursor_execute", lambda *said: write(False, said)),
    ):
        yield


def test_handover_that_is_hidden_for_one_statement_opens_nothing(
    world: Served, lead: Someone, successor: Someone, case: Json
) -> None:
    control = list_open_sections(successor, case)

    with forge_for_own_statements(world, successor_id=lead.id):
        found = list_open_sections(successor, case)

    assert found == control == ["needs"]
