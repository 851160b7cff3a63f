"""Tests that cases that were copied with SQL behave like other cases."""

import pytest

from tests.bench.checks import (
    GAPS,
    LOST,
    Lost,
    count_cases,
    require_answers,
    select_numbers,
)
from tests.bench.filling import copy_cases, count_rows
from tests.bench.sides import Side
from tests.support.databases import ask
from tests.support.world import Someone, World, unwrap

CODES = 'SELECT count(DISTINCT code) FROM "case"'
RUNNING = "SELECT count(*) FROM clock WHERE stopped_at IS NULL"
CASES = 100


def submit_and_copy(url: str, world: World, officer: Someone, lead: Someone) -> list[str]:
    """Submit two cases, acknowledge one, and copy both to get 100 cases; return the log."""
    before, lines = count_rows(url), list[str]()
    lead.does("acknowledge", officer.submit())
    officer.submit()
    world.database.engine.dispose()
    copy_cases(url, before, CASES, lines.append)
    return lines


@pytest.fixture(autouse=True)
def many(url: str, world: World, officer: Someone, lead: Someone) -> None:
    assert submit_and_copy(url, world, officer, lead)


def test_copies_have_own_codes_and_positions(url: str) -> None:
    cases, codes, gaps, lost = select_numbers(
        url, 'SELECT count(*) FROM "case"', CODES, GAPS, LOST
    )

    assert (cases, codes, gaps, lost) == (CASES, CASES, 0, 0)


def test_only_newest_copies_have_running_deadlines(url: str) -> None:
    [running] = select_numbers(url, RUNNING)

    each = 3  # a case has a deadline for itself and for each of its two consents
    assert 2 * each <= running <= 4 * each  # two originals, and up to two copies


def test_service_works_with_copied_cases(officer: Someone, lead: Someone) -> None:
    events = lead.poll()
    new = officer.submit()
    unwrap(lead.does("acknowledge", new))

    assert len({event["id"] for event in events}) == len(events) >= CASES
    assert len({event["subject"] for event in events}) == CASES
    assert unwrap(lead.get("/worklist"))["items"]
    assert len(lead.poll()) == 2


def test_more_answers_than_cases_raise_lost(url: str) -> None:
    side = Side("product", 0, "", "", float, made=1)

    with pytest.raises(Lost, match="100 cases for 1 answers"):
        require_answers(url, side, count_cases(url))


def test_lost_delivery_raises_lost(url: str) -> None:
    side = Side("product", 0, "", "", float)
    assert require_answers(url, side, count_cases(url))

    unguarded = "SET LOCAL session_replication_role = 'replica'"
    moved = "UPDATE mailbox SET head = head + 1 WHERE head > 0"
    ask(url, *([unguarded] if url.startswith("postgresql") else []), moved)

    with pytest.raises(Lost, match="mailboxes with a gap"):
        require_answers(url, side, count_cases(url))
