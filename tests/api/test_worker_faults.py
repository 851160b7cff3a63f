"""A fault in the worker affects nothing else, is visible, and is logged without content."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr
from dataclasses import replace
from io import StringIO
from uuid import UUID, uuid4

import pytest
import structlog
from sqlalchemy import select, update

from app.casework.overdue import handle_missed_deadline
from app.cli.logging_setup import configure_logging
from app.deadlines.missed_deadlines import DueClock
from app.deadlines.models import Clock, Firing
from app.deadlines.worker_health import WorkerHealth, load_worker_health
from app.kernel.heartbeat import Part
from app.kernel.transactions import Runtime
from app.settings import LogLevel
from app.worker import deadline_job
from app.worker.deadline_job import HandledCounts, handle_deadline, handle_missed_deadlines
from app.worker.jobs import DEADLINE_JOB, Job, run_once, start_jobs
from tests.support.databases import ask
from tests.support.returns import HOME, begin_return
from tests.support.worker_process import fail_deadlines
from tests.support.world import Json, Someone, World, get_path, unwrap

SHELTER = "KZ_SHELTER_KOGERSHIN"
SAID = "Oygul waits"
ALLOWED = {
    "event",
    "level",
    "timestamp",
    "logger",
    "error",
    "sqlstate",
    "where",
    "clock",
    "kind",
    "part",
    "parts",
    "unfinished",
    "failures",
    "fired",
    "left",
    "failed",
}
"""The fields that a log line of the worker may have."""


@contextmanager
def listening() -> Iterator[StringIO]:
    """Log as the worker does, but at level DEBUG, and yield the captured output."""
    output = StringIO()
    with redirect_stderr(output):
        configure_logging(LogLevel.DEBUG)
    yield output
    structlog.reset_defaults()


def parse_lines(said: StringIO) -> list[Json]:
    return [json.loads(line) for line in said.getvalue().splitlines()]


def load_state(world: World) -> WorkerHealth:
    with world.database.begin_read() as session:
        return load_worker_health(session, world.now)


def is_silent(world: World) -> bool:
    return Part.CLOCKS in load_state(world).silent


def test_a_clock_that_breaks_in_a_way_nobody_foresaw_stops_no_other(
    world: World, officer: Someone, lead: Someone
) -> None:
    case = lead.take_lead(officer.submit())
    lost, found = (unwrap(lead.refer(case, one)) for one in (SHELTER, "KZ_LEGAL_AID"))
    with world.database.begin_write() as session:
        mine = Clock.reference == f"referrals/{lost['id']}"
        session.execute(update(Clock).where(mine).values(record_id=world.runtime.ids()))
    lead.poll()

    world.wait(hours=3)

    assert [event["type"] for event in lead.poll()] == ["referral.not_acknowledged"]
    assert load_state(world).silent == []
    with world.database.begin_read() as session:
        failing = select(Clock.reference).where(Clock.failures > 0)
        assert list(session.scalars(failing)) == [f"referrals/{lost['id']}"]
    assert found["id"] != lost["id"]


def fail_deadline(
    act: Callable[[Runtime, DueClock], object], patch: pytest.MonkeyPatch
) -> None:
    """Make the job fail to handle a deadline; call `act` before it schedules a retry."""
    put_off = deadline_job.retry_later

    def broken(*_: object) -> bool:
        raise TypeError(SAID)

    def later(runtime: Runtime, due: DueClock, error: Exception) -> bool:
        patch.setattr(deadline_job, "handle_missed_deadline", handle_missed_deadline)
        act(runtime, due)
        return put_off(runtime, due, error)

    patch.setattr(deadline_job, "handle_missed_deadline", broken)
    patch.setattr(deadline_job, "retry_later", later)


def test_a_clock_that_another_fired_meanwhile_is_not_fired_again(
    world: World, officer: Someone, lead: Someone, monkeypatch: pytest.MonkeyPatch
) -> None:
    unwrap(lead.refer(lead.take_lead(officer.submit()), SHELTER))
    lead.poll()
    world.advance(hours=3)
    fail_deadline(handle_deadline, monkeypatch)

    found = handle_missed_deadlines(world.runtime)
    world.wait(minutes=1)

    assert [event["type"] for event in lead.poll()] == ["referral.not_acknowledged"]
    with world.database.begin_read() as session:
        assert len(session.scalars(select(Firing)).all()) == 1
    assert found == HandledCounts(left=1)


def test_a_clock_that_was_stopped_meanwhile_is_not_put_off(
    world: World, officer: Someone, lead: Someone, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = officer.submit()
    world.advance(hours=3)
    fail_deadline(lambda *_: unwrap(lead.does("acknowledge", case)), monkeypatch)

    with listening() as output:
        found = handle_missed_deadlines(world.runtime)

    assert found == HandledCounts(left=1)
    assert "clock.failed" not in [line["event"] for line in parse_lines(output)]
    with world.database.begin_read() as session:
        assert list(session.scalars(select(Clock).where(Clock.failures > 0))) == []


def test_the_deadline_of_a_closed_office_is_handled_again_after_a_failure(
    world: World, officer: Someone, monkeypatch: pytest.MonkeyPatch
) -> None:
    officer.submit()
    world.close_office("KZ_LEAD")
    fail_deadline(lambda *_: None, monkeypatch)

    failed = handle_missed_deadlines(world.runtime)
    world.wait(minutes=1)

    assert failed == HandledCounts(failed=1)
    with world.database.begin_read() as session:
        [missed] = session.scalars(select(Firing)).all()
    assert (missed.kind, missed.at) == ("acknowledge", world.now)


def test_lead_learns_that_the_destination_is_closed_after_a_failure(
    world: World, officer: Someone, lead: Someone, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin_return(world, officer, lead).advance("depart")
    lead.poll()
    world.close_office(HOME)
    fail_deadline(lambda *_: None, monkeypatch)

    failed = handle_missed_deadlines(world.runtime)
    world.wait(minutes=1)

    assert failed == HandledCounts(failed=1)
    [facts] = [e["facts"] for e in lead.poll() if e["type"] == "return.overdue"]
    assert (facts["deadline"], facts["active"]) == ("confirm_arrival", False)


def test_a_missed_deadline_is_not_moved_before_the_worker_has_handled_it(
    world: World, officer: Someone, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = officer.submit(summary={"priority": "emergency"})
    world.advance(minutes=61)
    fail_deadline(lambda *_: None, monkeypatch)

    failed = handle_missed_deadlines(world.runtime)
    path, seen = get_path(case), {"If_Match": officer.get_tag(case)}
    unwrap(officer.ask("PATCH", path, {"priority": "normal"}, headers=seen))
    world.wait(minutes=1)

    assert failed == HandledCounts(failed=1)
    with world.database.begin_read() as session:
        assert [one.kind for one in session.scalars(select(Firing))] == ["acknowledge"]


def test_a_job_that_breaks_in_a_way_nobody_foresaw_is_done_again(world: World) -> None:
    tried = threading.Semaphore(0)
    number = iter(range(100))

    def break_once(_: object) -> int:
        tried.release()
        if next(number) == 0:
            raise TypeError(SAID)
        return 0

    with start_jobs(world.runtime, [Job(Part.CLOCKS, break_once, 1)]):
        again = [tried.acquire(timeout=30) for _ in range(2)]

    assert again == [True, True]


def test_a_worker_that_is_stuck_in_one_firing_does_not_beat(
    world: World, officer: Someone
) -> None:
    world.run_worker()
    officer.submit()
    world.advance(hours=3)
    beat = load_state(world).beats[Part.CLOCKS]
    is_stuck, free = threading.Event(), threading.Event()

    def hangs() -> UUID:
        is_stuck.set()
        free.wait(30)
        return uuid4()

    runtime = replace(world.runtime, ids=hangs)
    working_on_it = threading.Thread(target=run_once, args=(runtime, DEADLINE_JOB))
    working_on_it.start()
    began = is_stuck.wait(30)
    while_stuck = load_state(world)
    free.set()
    working_on_it.join(30)

    assert began
    assert while_stuck.beats[Part.CLOCKS] == beat
    assert Part.CLOCKS in while_stuck.silent
    assert not is_silent(world)


def test_one_worker_that_beats_hides_another_that_died_and_the_clocks_do_not(
    world: World, officer: Someone
) -> None:
    officer.submit()
    world.advance(hours=3, minutes=6)
    idle = Job(Part.CLOCKS, lambda _: 0, 1)

    run_once(world.runtime, idle)

    assert not is_silent(world)
    assert load_state(world).is_late


def test_a_failure_is_told_by_its_class_and_code_and_never_by_its_message(
    world: World, officer: Someone, url: str
) -> None:
    case = officer.submit()
    fail_deadlines(url, SAID)

    with listening() as output:
        world.wait(hours=3)

    [failed] = [line for line in parse_lines(output) if line["event"] == "clock.failed"]
    assert (failed["kind"], failed["failures"]) == ("acknowledge", 1)
    assert failed["level"] == "error"
    assert failed["sqlstate"] in {"SQLITE_CONSTRAINT_TRIGGER", "P0007"}
    assert failed["error"] in {"IntegrityError", "ProgrammingError"}
    assert SAID not in output.getvalue()
    assert case["code"] not in output.getvalue()
    assert {name for line in parse_lines(output) for name in line} <= ALLOWED


def waits_until_it_beats(world: World) -> None:
    deadline = time.monotonic() + 30
    while is_silent(world) and time.monotonic() < deadline:
        time.sleep(0.02)


def test_the_worker_says_one_line_for_a_look_that_did_something(
    world: World, officer: Someone
) -> None:
    officer.submit()
    officer.submit()
    world.advance(hours=3)

    with listening() as output:
        with start_jobs(world.runtime, [DEADLINE_JOB]):
            waits_until_it_beats(world)
        run_once(world.runtime, DEADLINE_JOB)

    lines = parse_lines(output)
    events = [line["event"] for line in lines]
    assert events == ["worker.begun", "clocks", "worker.ended"]
    assert (lines[1]["fired"], lines[1]["left"], lines[1]["failed"]) == (2, 0, 0)
    assert {name for line in lines for name in line} <= ALLOWED


def test_a_database_that_is_away_is_told_of_and_tried_again(world: World, url: str) -> None:
    ask(url, "ALTER TABLE heartbeat RENAME TO heartbeat_away")

    with listening() as output, start_jobs(world.runtime, [DEADLINE_JOB]):
        while "worker.failed" not in output.getvalue():
            time.sleep(0.02)
        ask(url, "ALTER TABLE heartbeat_away RENAME TO heartbeat")
        waits_until_it_beats(world)

    failed = [line for line in parse_lines(output) if line["event"] == "worker.failed"]
    assert {(line["part"], line["level"]) for line in failed} == {("clocks", "error")}
    assert {name for line in parse_lines(output) for name in line} <= ALLOWED
    assert not is_silent(world)
