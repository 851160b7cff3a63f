"""Tests of the query cache of a transaction, and of the writes that invalidate it."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import bindparam, select, update

from app.cases import queries as case_queries
from app.cases.facts import FactName
from app.cases.models import Case
from app.cases.records import Fact
from app.consents import queries as consent_queries
from app.deadlines import actions as deadline_actions
from app.deadlines import queries as deadline_queries
from app.deadlines.models import Clock
from app.kernel.db import Database
from app.kernel.transactions import WriteTransaction
from tests.support.databases import record_statements
from tests.support.world import Someone, World


@pytest.fixture
def case_id(officer: Someone) -> UUID:
    code = officer.submit()["code"]
    with officer.begin_read() as tx:
        return case_queries.get(tx, code).id


@pytest.fixture
def tx(lead: Someone, case_id: UUID) -> Iterator[WriteTransaction]:  # noqa: ARG001 - in turn
    """Yield a write transaction that begins after the case was created.

    Writers wait for each other, so the case has to exist before the transaction begins.
    """
    with lead.begin_write() as tx:
        yield tx


def database_of(tx: WriteTransaction) -> Database:
    return tx.runtime.database


def build_fact(tx: WriteTransaction, case_id: UUID) -> Fact:
    return Fact(
        id=uuid4(),
        case_id=case_id,
        name=FactName.LEGAL_HOLD,
        value="yes",
        recorded_by=tx.actor.focal_point_id,
        recorded_at=tx.now,
    )


def list_values(tx: WriteTransaction, case_id: UUID) -> list[str]:
    return [fact.value for fact in case_queries.load_facts(tx, [case_id]).get(case_id, [])]


def test_what_was_read_is_not_asked_again(
    tx: WriteTransaction, case_id: UUID, world: World
) -> None:
    other = uuid4()
    first = case_queries.load_facts(tx, [case_id, other])

    with record_statements(world.database) as statements:
        again = case_queries.load_facts(tx, (one for one in (other, case_id, other)))

    assert again is first
    assert statements == []


def test_what_waits_to_be_written_counts(tx: WriteTransaction, case_id: UUID) -> None:
    before = list_values(tx, case_id)
    tx.session.add(build_fact(tx, case_id))

    assert before == []
    assert list_values(tx, case_id) == ["yes"]


def test_what_was_changed_is_read_anew(tx: WriteTransaction, case_id: UUID) -> None:
    consent, *_ = consent_queries.list_for_cases(tx, [case_id])[case_id]
    with record_statements(database_of(tx)) as statements:
        consent.withdrawn_at = tx.now
        consent_queries.list_for_cases(tx, [case_id])

    *before, update_statement, query = [one.split()[0] for one in statements]
    assert (update_statement, query) == ("UPDATE", "SELECT")
    assert "UPDATE" not in before  # the case is locked and verified first


def test_what_a_statement_changed_is_read_anew(tx: WriteTransaction, case_id: UUID) -> None:
    running = deadline_queries.find_running(tx, [case_id])
    ended = update(Clock).where(Clock.record_id == case_id).values(stopped_at=tx.now)
    tx.session.execute(ended)

    assert running.keys() == {case_id}
    assert deadline_queries.find_running(tx, [case_id]) == {}


def test_a_record_in_memory_hears_of_rows_that_are_changed_without_it(
    tx: WriteTransaction, case_id: UUID
) -> None:
    clock = deadline_queries.find_running(tx, [case_id])[case_id]
    due_at, waits_on = clock.due_at, tx.actor.focal_point_id
    clock.failures = 3

    deadline_actions.hand_over(tx, [case_id], waits_on)

    assert (clock.waits_on, clock.due_at, clock.failures) == (waits_on, due_at, 3)
    deadline_actions.stop(tx, case_id)
    assert clock.stopped_at == tx.now
    assert deadline_queries.find_running(tx, [case_id]) == {}


def test_what_is_read_without_records_counts_what_waits_to_be_written(
    tx: WriteTransaction, case_id: UUID
) -> None:
    clock = deadline_queries.find_running(tx, [case_id])[case_id]
    clock.failures = 3

    query = select(Clock.failures).where(Clock.record_id == bindparam("record"))

    assert tx.read_columns(query, {"record": case_id}).scalars().all() == [3]


def test_a_statement_that_does_not_say_what_it_writes_lets_all_be_read_anew(
    tx: WriteTransaction, case_id: UUID
) -> None:
    deadline_queries.find_running(tx, [case_id])
    table = Clock.metadata.tables[Clock.__tablename__]
    ended = update(table).where(table.c.record_id == case_id)
    tx.session.execute(ended.values(stopped_at=tx.now))

    assert deadline_queries.find_running(tx, [case_id]) == {}


def test_all_that_rests_on_what_was_changed_is_read_anew(
    tx: WriteTransaction, case_id: UUID
) -> None:
    both = (case_id, uuid4())
    case_queries.load_facts(tx, [case_id])
    case_queries.load_facts(tx, both)
    case_queries.find_in_vital_interest(tx, both)
    tx.session.add(build_fact(tx, case_id))
    tx.session.flush()

    with record_statements(database_of(tx)) as statements:
        case_queries.load_facts(tx, [case_id])
        case_queries.load_facts(tx, both)
        case_queries.find_in_vital_interest(tx, both)

    assert len(statements) == 2


def test_what_another_table_changed_is_not_read_anew(
    tx: WriteTransaction, case_id: UUID, world: World
) -> None:
    first = case_queries.load_facts(tx, [case_id])
    tx.session.execute(update(Case).where(Case.id == case_id).values(version=7))

    with record_statements(world.database) as statements:
        again = case_queries.load_facts(tx, [case_id])

    assert again is first
    assert statements == []


def test_once_a_case_is_held_everything_is_read_anew(
    tx: WriteTransaction, case_id: UUID, world: World
) -> None:
    code = case_queries.get_by_id(tx, case_id).code
    case_queries.load_facts(tx, [case_id])
    case_queries.lock(tx, code)

    with record_statements(world.database) as statements:
        case_queries.load_facts(tx, [case_id])

    assert len(statements) == 1


def test_at_another_moment_everything_is_read_anew(
    tx: WriteTransaction, case_id: UUID, world: World
) -> None:
    case_queries.find_in_vital_interest(tx, [case_id])
    later = replace(tx, now=tx.now + timedelta(hours=1))

    with record_statements(world.database) as statements:
        case_queries.find_in_vital_interest(later, [case_id])

    assert len(statements) == 1


def test_another_unit_of_work_knows_nothing_of_it(
    lead: Someone, case_id: UUID, world: World
) -> None:
    with lead.begin_read() as tx:
        case_queries.load_facts(tx, [case_id])
    with lead.begin_read() as tx, record_statements(world.database) as statements:
        case_queries.load_facts(tx, [case_id])

    assert any("fact" in statement for statement in statements)
