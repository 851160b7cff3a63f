"""Tests that nobody can read or continue a return whose steps were altered (ADR 85)."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from app.cases.models import Case
from app.kernel.actors import SERVICE
from app.kernel.problems import Busy
from app.returns import step_digests
from app.returns.models import Done, Return
from tests.support.database_attacks import Attacker, Row, apply_changes
from tests.support.protection import protect_rows
from tests.support.returns import NO_GO, Homecoming, begin_return
from tests.support.world import Someone, World, get_path, get_problem

ALTERED = (500, "records-altered")
HIGH = {"level": "high", "threats": ["RETRIBUTION"]}


@pytest.fixture
def travel(world: World, officer: Someone, lead: Someone) -> Homecoming:
    """Return a return whose two risks were assessed, and in which nothing is decided."""
    begun = begin_return(world, officer, lead)
    begun.advance("assess-origin")
    return begun


def list_stored(travel: Homecoming) -> list[Row]:
    """Return the stored steps of the return, oldest first."""
    with travel.world.database.begin_read(SERVICE) as session:
        own = select(Done.number).where(Done.return_id == UUID(travel.record["id"]))
        numbers = session.scalars(own.order_by(Done.number)).all()
    return [Attacker(travel.world).read(Done, number) for number in numbers]


def assert_refused(travel: Homecoming, what: object) -> None:
    """Raise AssertionError if reading the return or a GO decision is not refused."""
    for one in (travel.lead, travel.home):
        assert get_problem(one.get(get_path(travel.record))) == ALTERED, what
    answer = travel.lead.send(f"{get_path(travel.record)}/go", {}, if_match='"1"')
    assert get_problem(answer) == ALTERED, what


def test_changed_column_of_a_step_is_noticed(travel: Homecoming) -> None:
    attacker, tried = Attacker(travel.world), 0
    names = [*step_digests.COLUMNS, "return_id"]
    for step in list_stored(travel):
        for changed in apply_changes(step, names, partial(attacker.write, Done)):
            tried += 1
            assert_refused(travel, changed)
    assert tried > 50
    assert travel.read()["state"] == "assessing"


def test_high_risk_that_was_deleted_or_hidden_is_noticed(travel: Homecoming) -> None:
    """The latest assessment counts, so an earlier one must not become the latest."""
    travel.does("lead", "assess-destination", HIGH)
    attacker, steps = Attacker(travel.world), list_stored(travel)
    [low, high] = [one for one in steps if one["action"] == "assess_destination"]

    attacker.delete(Done, high["number"])
    assert_refused(travel, "deleted")
    attacker.insert(Done, high)
    assert travel.read()["steps"]

    attacker.update(Done, low["number"], number=high["number"] + 7)
    assert_refused(travel, "order")
    attacker.update(Done, high["number"] + 7, number=low["number"])

    attacker.insert(Done, low | {"number": high["number"] + 7, "id": uuid4()})
    assert_refused(travel, "copied")
    attacker.delete(Done, high["number"] + 7)
    assert travel.read()["steps"]


def test_digest_cannot_be_changed_or_removed(travel: Homecoming) -> None:
    attacker = Attacker(travel.world)
    stored = attacker.find(Return, id=UUID(travel.record["id"]))
    [*_, last] = list_stored(travel)
    attacker.delete(Done, last["number"])

    for digest in (None, b"", b"0" * 32):
        attacker.update(Return, stored["number"], steps_digest=digest)
        answer = travel.lead.get(get_path(travel.record))
        assert answer.status_code == 500, digest


def test_cancellation_of_a_return_keeps_its_steps_verified(travel: Homecoming) -> None:
    ended = travel.does("lead", "no-go", NO_GO)
    assert ended.status_code == 200
    assert len(travel.read()["steps"]) == len(list_stored(travel))


@pytest.fixture(params=[b"", None], ids=["upgraded", "during the upgrade"])
def earlier(travel: Homecoming, request: pytest.FixtureRequest) -> Homecoming:
    """Return a return as an earlier version stored it, while such returns are accepted."""
    attacker, macs = Attacker(travel.world), travel.world.runtime.row_macs
    stored = attacker.find(Return, id=UUID(travel.record["id"]))
    attacker.update(Return, stored["number"], steps_digest=request.param)
    number = attacker.find(Case, code=travel.case["code"])["number"]
    attacker.update(Case, number, mac=None)
    macs.accepts_missing = lambda: True
    return travel


def test_steps_of_an_earlier_version_are_protected_once(earlier: Homecoming) -> None:
    runtime = earlier.world.runtime
    assert earlier.read()["state"] == "assessing"
    earlier.does("lead", "assess-destination", HIGH)
    with runtime.database.begin_read(SERVICE) as session:
        assert step_digests.has_unprotected(session)

    assert list(step_digests.protect_steps(runtime)) == [(1, 1)]
    assert list(step_digests.protect_steps(runtime)) == []
    protect_rows(runtime)
    runtime.row_macs.accepts_missing = lambda: False

    assert len(earlier.read()["steps"]) == len(list_stored(earlier))
    with runtime.database.begin_read(SERVICE) as session:
        assert not step_digests.has_unprotected(session)
    Attacker(earlier.world).delete(Done, list_stored(earlier)[-1]["number"])
    assert_refused(earlier, "deleted")


def test_steps_without_a_digest_are_refused_after_the_date(earlier: Homecoming) -> None:
    protect_rows(earlier.world.runtime)
    earlier.world.runtime.row_macs.accepts_missing = lambda: False
    with capture_logs() as logs:
        assert get_problem(earlier.lead.get(get_path(earlier.record))) == ALTERED
    assert "return_step" in {one.get("table") for one in logs}


def test_deleted_steps_of_an_earlier_version_are_refused_after_the_date(
    earlier: Homecoming,
) -> None:
    """The migration has marked the return, so that a return without steps is detected."""
    attacker = Attacker(earlier.world)
    number = attacker.find(Return, id=UUID(earlier.record["id"]))["number"]
    attacker.update(Return, number, steps_digest=b"")
    protect_rows(earlier.world.runtime)
    earlier.world.runtime.row_macs.accepts_missing = lambda: False

    for step in list_stored(earlier):
        attacker.delete(Done, step["number"])

    assert get_problem(earlier.lead.get(get_path(earlier.record))) == ALTERED


def test_operator_protects_steps_again(travel: Homecoming) -> None:
    attacker, runtime = Attacker(travel.world), travel.world.runtime
    attacker.delete(Done, list_stored(travel)[-1]["number"])
    case_id = attacker.find(Case, code=travel.case["code"])["id"]
    with runtime.database.begin_read(SERVICE) as session:
        shown = [row["action"] for _, row in step_digests.list_rows(session, case_id)]
    assert shown == ["inform", "permit_contact", "verify_nationality", "assess_destination"]

    step_digests.protect_steps_again(runtime, case_id)

    assert len(travel.read()["steps"]) == len(shown)


def test_step_of_another_transaction_is_no_alarm(pg_url: str, travel: Homecoming) -> None:
    """If another step is taken after a return was loaded without a lock, Busy is raised."""
    assert pg_url
    own = UUID(travel.record["id"])
    with capture_logs() as logs, pytest.raises(Busy):
        load_while_a_step_is_taken(travel, own)
    assert not [one for one in logs if one["event"] == "row.forged"]


def load_while_a_step_is_taken(travel: Homecoming, return_id: UUID) -> None:
    """Load the steps of a return that was loaded before another step was taken."""
    step = ("lead", "assess-destination", HIGH)
    with travel.lead.begin_write() as tx:
        own = select(Return).where(Return.id == return_id)
        record = tx.session.scalars(own).one()
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(travel.does, *step).result(20).status_code == 200
        step_digests.load_steps(tx, record)
