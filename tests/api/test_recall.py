"""Tests of the query cache of a transaction, which a write invalidates."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import bindparam, select, update

from app.cases import queries
from app.cases.facts import FactName
from app.cases.models import Case
from app.cases.records import Fact
from app.consents import queries as consents
from app.deadlines import actions as clocks
from app.deadlines import queries as deadlines
from app.deadlines.models import Clock
from app.kernel.db import Database
from app.kernel.statements import read_columns
from app.kernel.transactions import Writing
from tests.support.databases import record_statements
from tests.support.world import Someone, World


@pytest.fixture
def case_id(officer: Someone) -> UUID:
    code = officer.submit()["code"]
    with officer.begin_read() as work:
        return queries.get(work, code).id


@pytest.fixture
def work(lead: Someone, case_id: UUID) -> Iterator[Writing]:  # noqa: ARG001 - in turn
    """Open a write transaction after the case exists, because writers block each other."""
    with lead.begin_write() as work:
        yield work


def database_of(work: Writing) -> Database:
    return work.runtime.database


def build_fact(work: Writing, case_id: UUID) -> Fact:
    return Fact(
        id=uuid4(),
        case_id=case_id,
        name=FactName.LEGAL_HOLD,
        value="yes",
        recorded_by=work.actor.focal_point_id,
        recorded_at=work.now,
    )


def list_values(work: Writing, case_id: UUID) -> list[str]:
    return [fact.value for fact in queries.load_facts(work, [case_id]).get(case_id, [])]


def test_what_was_read_is_not_asked_again(
    work: Writing, case_id: UUID, world: World
) -> None:
    other = uuid4()
    first = queries.load_facts(work, [case_id, other])

    with record_statements(world.database) as said:
        again = queries.load_facts(work, (one for one in (other, case_id, other)))

    assert again is first
    assert said == []


def test_what_waits_to_be_written_counts(work: Writing, case_id: UUID) -> None:
    before = list_values(work, case_id)
    work.session.add(build_fact(work, case_id))

    assert before == []
    assert list_values(work, case_id) == ["yes"]


def test_what_was_changed_is_read_anew(work: Writing, case_id: UUID) -> None:
    consent, *_ = consents.list_for_cases(work, [case_id])[case_id]
    with record_statements(database_of(work)) as said:
        consent.withdrawn_at = work.now
        consents.list_for_cases(work, [case_id])

    assert [statement.split()[0] for statement in said] == ["UPDATE", "SELECT"]


def test_what_a_statement_changed_is_read_anew(work: Writing, case_id: UUID) -> None:
    running = deadlines.find_running(work, [case_id])
    ended = update(Clock).where(Clock.record_id == case_id).values(stopped_at=work.now)
    work.session.execute(ended)

    assert running.keys() == {case_id}
    assert deadlines.find_running(work, [case_id]) == {}


def test_a_record_in_memory_hears_of_rows_that_are_changed_without_it(
    work: Writing, case_id: UUID
) -> None:
    clock = deadlines.find_running(work, [case_id])[case_id]
    due_at, waits_on = clock.due_at, work.actor.focal_point_id
    clock.failures = 3

    clocks.hand_over(work, [case_id], waits_on)

    assert (clock.waits_on, clock.due_at, clock.failures) == (waits_on, due_at, 3)
    clocks.stop(work, case_id)
    assert clock.stopped_at == work.now
    assert deadlines.find_running(work, [case_id]) == {}


def test_what_is_read_without_records_counts_what_waits_to_be_written(
    work: Writing, case_id: UUID
) -> None:
    clock = deadlines.find_running(work, [case_id])[case_id]
    clock.failures = 3

    asked = select(Clock.failures).where(Clock.record_id == bindparam("record"))

    assert read_columns(work.session, asked, {"record": case_id}).scalars().all() == [3]


def test_a_statement_that_does_not_say_what_it_writes_lets_all_be_read_anew(
    work: Writing, case_id: UUID
) -> None:
    deadlines.find_running(work, [case_id])
    table = Clock.metadata.tables[Clock.__tablename__]
    ended = update(table).where(table.c.record_id == case_id)
    work.session.execute(ended.values(stopped_at=work.now))

    assert deadlines.find_running(work, [case_id]) == {}


def test_all_that_rests_on_what_was_changed_is_read_anew(
    work: Writing, case_id: UUID
) -> None:
    both = (case_id, uuid4())
    queries.load_facts(work, [case_id])
    queries.load_facts(work, both)
    queries.find_in_vital_interest(work, both)
    work.session.add(build_fact(work, case_id))
    work.session.flush()

    with record_statements(database_of(work)) as said:
        queries.load_facts(work, [case_id])
        queries.load_facts(work, both)
        queries.find_in_vital_interest(work, both)

    assert len(said) == 2


def test_what_another_table_changed_is_not_read_anew(
    work: Writing, case_id: UUID, world: World
) -> None:
    first = queries.load_facts(work, [case_id])
    work.session.execute(update(Case).where(Case.id == case_id).values(version=7))

    with record_statements(world.database) as said:
        again = queries.load_facts(work, [case_id])

    assert again is first
    assert said == []


def test_once_a_case_is_held_everything_is_read_anew(
    work: Writing, case_id: UUID, world: World
) -> None:
    code = queries.get_by_id(work, case_id).code
    queries.load_facts(work, [case_id])
    queries.lock(work, code)

    with record_statements(world.database) as said:
        queries.load_facts(work, [case_id])

    assert len(said) == 1


def test_at_another_moment_everything_is_read_anew(
    work: Writing, case_id: UUID, world: World
) -> None:
    queries.find_in_vital_interest(work, [case_id])
    later = replace(work, now=work.now + timedelta(hours=1))

    with record_statements(world.database) as said:
        queries.find_in_vital_interest(later, [case_id])

    assert len(said) == 1


def test_another_unit_of_work_knows_nothing_of_it(
    lead: Someone, case_id: UUID, world: World
) -> None:
    with lead.begin_read() as work:
        queries.load_facts(work, [case_id])
    with lead.begin_read() as work, record_statements(world.database) as said:
        queries.load_facts(work, [case_id])

    assert any("fact" in statement for statement in said)
