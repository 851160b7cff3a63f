"""Deadlines that were changed in the database have no effect (ADR 83)."""

from functools import partial
from typing import Final

import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from app.cases.case_protection import protect_case_again
from app.cases.models import Case
from app.casework import case_files
from app.deadlines import actions as deadline_actions
from app.deadlines import queries as deadline_queries
from app.deadlines.limits import DeadlineKind
from app.deadlines.missed_deadlines import DueClock
from app.deadlines.models import Clock, Firing
from app.kernel.actors import SERVICE
from app.kernel.macs import NotAuthentic
from app.kernel.protected_rows import get_columns
from app.worker.deadline_job import handle_deadline
from tests.support.database_attacks import Attacker, Row, apply_changes
from tests.support.world import Json, Someone, World, get_path, get_problem, unwrap

STOP: Final = {"reason": "SURVIVOR_REQUEST", "note": "Enough"}


@pytest.fixture
def stopped(officer: Someone, lead: Someone) -> Json:
    """Return a closed case, whose deadline for erasure is much later."""
    case = lead.take_lead(officer.submit())
    return unwrap(lead.does("stop", case, STOP))


def find_deadline(world: World, kind: DeadlineKind) -> Row:
    """Return the running deadline of a kind. There must be exactly one."""
    return Attacker(world).find(Clock, kind=kind, stopped_at=None)


def bring_forward(world: World) -> None:
    """Change the deadline for the erasure of a closed case so that it is due now."""
    deadline = find_deadline(world, DeadlineKind.ERASE)
    Attacker(world).update(Clock, deadline["number"], due_at=world.now)


def test_case_is_erased_early_without_macs(without_macs: World, stopped: Json) -> None:
    bring_forward(without_macs)
    without_macs.run_worker()
    assert find_state(without_macs, stopped) == "erased"


def find_state(world: World, case: Json) -> str:
    """Return the stored state of a case."""
    return str(Attacker(world).find(Case, code=case["code"])["state"])


def test_case_is_not_erased_early(world: World, stopped: Json, lead: Someone) -> None:
    bring_forward(world)
    with capture_logs() as lines:
        world.run_worker()
    assert find_state(world, stopped) == "closed"
    assert {one["table"] for one in lines if one["event"] == "row.forged"} == {"clock"}
    assert [one["error"] for one in lines if one["event"] == "clock.failed"] == [
        "NotAuthentic"
    ]
    assert lead.read(stopped)["code"] == stopped["code"]


def test_other_deadlines_are_handled(
    world: World, stopped: Json, officer: Someone, lead: Someone
) -> None:
    bring_forward(world)
    case = officer.submit()
    world.advance(hours=5)
    assert world.run_worker() > 0
    assert find_state(world, stopped) == "closed"
    assert get_problem(lead.get(get_path(case))) == (404, "not-found")  # no longer a party


def test_deadline_is_handled_again_once_the_case_was_protected_again(
    world: World, stopped: Json
) -> None:
    bring_forward(world)
    case_id = Attacker(world).find(Case, code=stopped["code"])["id"]
    protect_case_again(world.runtime, case_id)
    world.run_worker()
    assert find_state(world, stopped) == "erased"


def test_changed_column_of_a_deadline_is_noticed(world: World, officer: Someone) -> None:
    officer.submit()
    deadline, tried = find_deadline(world, DeadlineKind.ACKNOWLEDGE), 0
    number, names = deadline["number"], get_columns(Clock).protected
    for changed in apply_changes(deadline, names, partial(Attacker(world).write, Clock)):
        tried += 1
        assert load_deadline(world, number).is_altered, changed
    assert tried > len(names)
    assert not load_deadline(world, number).is_altered


def load_deadline(world: World, number: int) -> Clock:
    """Return a deadline as a new session loads it."""
    with world.database.begin_read(SERVICE) as session:
        return session.scalars(select(Clock).where(Clock.number == number)).one()


def test_lawful_change_of_a_changed_deadline_is_refused(
    world: World, officer: Someone, lead: Someone
) -> None:
    case = lead.take_lead(officer.submit())
    case_id = Attacker(world).find(Case, code=case["code"])["id"]
    deadline = Attacker(world).find(Clock, record_id=case_id, stopped_at=None)
    Attacker(world).update(Clock, deadline["number"], due_at=world.now)
    with lead.begin_write() as tx:
        case_files.load_rule_records(tx, [deadline["case_id"]])
        [clock] = deadline_queries.find_running(tx, [deadline["record_id"]]).values()
        assert clock.is_altered
        clock.waits_on = None
        with pytest.raises(NotAuthentic):
            tx.session.flush()
        tx.session.expunge(clock)
    with lead.begin_write() as tx:
        [clock] = deadline_queries.find_running(tx, [deadline["record_id"]]).values()
        with pytest.raises(NotAuthentic):
            deadline_actions.restart_clock(tx, clock, world.now)


def test_action_that_changes_a_changed_deadline_fails(
    world: World, officer: Someone, lead: Someone
) -> None:
    case = officer.submit()
    deadline = find_deadline(world, DeadlineKind.ACKNOWLEDGE)
    Attacker(world).update(Clock, deadline["number"], due_at=world.now)
    with lead.begin_write() as tx, pytest.raises(NotAuthentic):
        deadline_actions.hand_over(tx, [deadline["record_id"]], officer.id)
    assert lead.does("acknowledge", case).status_code == 200  # it only stops the deadline


def test_earlier_retention_that_runs_again_erases_nothing(
    world: World, stopped: Json, lead: Someone
) -> None:
    earlier, attacker = find_deadline(world, DeadlineKind.ERASE), Attacker(world)
    world.advance(days=300)
    unwrap(lead.does("reopen", stopped, {"reason": "NEW_NEED", "note": "x"}))
    unwrap(lead.does("stop", stopped, STOP))
    current = find_deadline(world, DeadlineKind.ERASE)
    world.advance(days=431)
    attacker.update(Clock, current["number"], stopped_at=world.now)
    attacker.update(Clock, earlier["number"], stopped_at=None)

    with capture_logs() as lines:
        world.run_worker()

    assert earlier["due_at"] <= world.now < current["due_at"]
    assert find_state(world, stopped) == "closed"
    assert "clock.failed" in [one["event"] for one in lines]
    attacker.update(Clock, earlier["number"], stopped_at=world.now)
    attacker.update(Clock, current["number"], stopped_at=None)
    world.wait(days=300)
    assert find_state(world, stopped) == "erased"


def test_deadline_is_not_handled_before_it_is_due(world: World, stopped: Json) -> None:
    deadline = find_deadline(world, DeadlineKind.ERASE)
    Attacker(world).update(Clock, deadline["number"], fires_at=world.now)
    due = DueClock(deadline["number"], deadline["case_id"], deadline["kind"], world.now)

    assert handle_deadline(world.runtime, due) is False
    assert find_state(world, stopped) == "closed"


def test_inserted_miss_does_not_keep_a_case_at_an_office(
    world: World, officer: Someone
) -> None:
    case = officer.submit()
    deadline = find_deadline(world, DeadlineKind.ACKNOWLEDGE)
    names = ("case_id", "record_id", "kind", "waits_on")
    miss = {name: deadline[name] for name in names} | {"at": world.now}
    key = {"clock_number": deadline["number"], "generation": 2}
    Attacker(world).insert(Firing, miss | key)

    world.wait(hours=5)

    assert officer.read(case)["holder"] != "KZ_LEAD"
