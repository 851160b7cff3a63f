"""Rows that a new record cannot have are not queried; rows of older records are."""

from collections.abc import Iterator
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select, text, update

from app.access.approvals import ApprovalRequest, ask_second_person, expire_approvals
from app.access.models import Approval, ApprovalState
from app.cases.actions import add_risk_assessment, open_draft
from app.cases.models import Case
from app.cases.queries import load_latest_risks
from app.cases.risk import RiskLevel
from app.cases.schemas import RiskInput, SummaryFields
from app.deadlines import actions as deadline_actions
from app.deadlines.limits import DeadlineKind
from app.deadlines.models import Clock
from app.deadlines.queries import find_running, list_running_of_kind
from app.kernel.actors import Role
from app.kernel.recall import may_have_rows, store_result, write_rows
from app.kernel.transactions import WriteTransaction
from tests.support.databases import record_statements
from tests.support.world import Json, Someone, World

KIND = DeadlineKind.ACKNOWLEDGE


@pytest.fixture
def old(officer: Someone) -> Json:
    """Return a case that was submitted in an earlier transaction."""
    return officer.submit()


@pytest.fixture
def tx(old: Json, officer: Someone) -> Iterator[WriteTransaction]:
    assert old
    with officer.begin_write() as made:
        yield made


@pytest.fixture
def case(tx: WriteTransaction) -> Case:
    """Return a draft that the transaction has created."""
    return open_draft(tx, SummaryFields(), None)


def get_old(tx: WriteTransaction, old: Json) -> Case:
    return tx.session.scalars(select(Case).where(Case.code == old["code"])).one()


def may_have_deadline(tx: WriteTransaction, case: Case) -> bool:
    return may_have_rows(tx, Clock, case.id, lambda clock: clock.case_id == case.id)


def start(tx: WriteTransaction, case: Case) -> None:
    due_at = tx.now + timedelta(days=1)
    deadline_actions.start(tx, case, KIND, due_at, waits_on=None)


def request_approval(tx: WriteTransaction, case: Case) -> Approval:
    request = ApprovalRequest(
        action="close",
        subject=case.reference,
        fingerprints=["0" * 64],
        facts={},
        roles={Role.SUPERVISOR},
        lapses_at=tx.now + timedelta(days=1),
        case_id=case.id,
    )
    return ask_second_person(tx, request)


def test_new_case_has_no_deadline_to_stop(
    world: World, tx: WriteTransaction, case: Case
) -> None:
    with record_statements(world.database) as statements:
        deadline_actions.stop(tx, case.id)
        listed = list_running_of_kind(tx, case.id, KIND)
        ended = expire_approvals(tx, case.id)

    assert (statements, listed, ended) == ([], [], [])


def test_deadline_of_an_older_case_is_stopped(tx: WriteTransaction, old: Json) -> None:
    found = get_old(tx, old)
    assert may_have_deadline(tx, found)
    assert len(list_running_of_kind(tx, found.id, KIND)) == 1

    deadline_actions.stop(tx, found.id)

    assert find_running(tx, [found.id]) == {}


@pytest.mark.parametrize("flushes", [True, False])
def test_deadline_that_a_new_case_got_since_is_stopped(
    tx: WriteTransaction, case: Case, *, flushes: bool
) -> None:
    start(tx, case)
    if flushes:
        tx.session.flush()
    listed = list_running_of_kind(tx, case.id, KIND)

    deadline_actions.stop(tx, case.id)

    assert [clock.record_id for clock in listed] == [case.id]
    assert find_running(tx, [case.id]) == {}
    assert listed[0].stopped_at == tx.now


@pytest.mark.parametrize("flushes", [True, False])
def test_approval_that_a_new_case_got_since_expires(
    tx: WriteTransaction, case: Case, *, flushes: bool
) -> None:
    approval = request_approval(tx, case)
    if flushes:
        tx.session.flush()

    ended = expire_approvals(tx, case.id)

    assert ended == [approval.id]
    assert approval.decision == ApprovalState.EXPIRED


def test_pending_deadline_of_another_case_does_not_count(
    tx: WriteTransaction, case: Case
) -> None:
    other = open_draft(tx, SummaryFields(), None)
    start(tx, other)

    assert may_have_deadline(tx, other)
    assert not may_have_deadline(tx, case)


@pytest.mark.parametrize("way", ["change", "flush", "orm", "core", "text"])
def test_every_way_to_write_a_table_is_noticed(
    tx: WriteTransaction, old: Json, case: Case, way: str
) -> None:
    nothing = update(Clock).where(Clock.record_id == uuid4()).values(stopped_at=tx.now)
    assert not may_have_deadline(tx, case)

    [clock] = list_running_of_kind(tx, get_old(tx, old).id, KIND)
    match way:
        case "change":
            clock.failures += 1
        case "flush":
            clock.failures += 1
            tx.session.flush()
        case "orm":
            tx.session.execute(nothing)
        case "core":
            write_rows(tx.session, nothing, {})
        case _:
            tx.session.execute(text("UPDATE clock SET failures = 0 WHERE failures < 0"))

    assert may_have_deadline(tx, case)


def test_read_does_not_count_as_a_write(
    tx: WriteTransaction, old: Json, case: Case
) -> None:
    assert find_running(tx, [get_old(tx, old).id])

    assert not may_have_deadline(tx, case)


def test_cached_result_is_kept_while_a_change_of_another_table_is_pending(
    world: World, tx: WriteTransaction, old: Json
) -> None:
    found = get_old(tx, old)
    running = find_running(tx, [found.id])
    found.raise_version()

    with record_statements(world.database) as statements:
        again = find_running(tx, [found.id])

    assert statements == []
    assert again is running
    assert found in tx.session.dirty


def test_cached_result_is_read_again_if_a_change_of_its_table_is_pending(
    tx: WriteTransaction, case: Case
) -> None:
    assert find_running(tx, [case.id]) == {}

    start(tx, case)

    assert list(find_running(tx, [case.id])) == [case.id]


def test_deadline_that_was_started_is_not_read_back(
    world: World, tx: WriteTransaction, case: Case
) -> None:
    start(tx, case)
    tx.session.flush()

    with record_statements(world.database) as statements:
        found = find_running(tx, [case.id])

    assert statements == []
    assert found[case.id].number
    deadline_actions.stop(tx, case.id)
    assert find_running(tx, [case.id]) == {}


def test_deadline_that_was_started_and_moved_belongs_to_the_other_record(
    tx: WriteTransaction, case: Case
) -> None:
    other = open_draft(tx, SummaryFields(), None)
    start(tx, case)

    deadline_actions.move_to_record(tx, [case.id], other.id)

    assert list(find_running(tx, [case.id, other.id])) == [other.id]


def test_result_stored_with_a_pending_object_is_outdated_by_the_next(
    world: World, tx: WriteTransaction, old: Json
) -> None:
    found = get_old(tx, old)
    assessment = add_risk_assessment(tx, found, RiskInput(level=RiskLevel.LOW))
    store_result(tx, load_latest_risks, {found.id: assessment}, [found.id])

    with record_statements(world.database) as statements:
        first = load_latest_risks(tx, [found.id])
        tx.session.flush()
        again = load_latest_risks(tx, [found.id])
    later = add_risk_assessment(tx, found, RiskInput(level=RiskLevel.HIGH))

    assert not any(one.startswith("SELECT risk") for one in statements)
    assert first == again == {found.id: assessment}
    assert load_latest_risks(tx, [found.id]) == {found.id: later}
