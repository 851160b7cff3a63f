"""Tests that each missed deadline is handled once even if workers are killed (R55).

Some of the workers have wrong clocks.
"""

import time
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import func, select

from app.deadlines.limits import DeadlineKind
from app.deadlines.models import Clock, Firing
from app.kernel.db import Database, get_database_time
from app.kernel.journal import Delivery, Entry, Mailbox
from tests.support.child_processes import Child
from tests.support.effort import choose_number
from tests.support.servers import report, write_key_file
from tests.support.worker_process import copy_case, run_worker, run_workers
from tests.support.world import World, make_acceptance, make_case, make_closure, unwrap

pytestmark = pytest.mark.slow
PLAIN: dict[str, Any] = {k: v for k, v in make_case().items() if k != "safeguards"}
SHELTERS = ("KZ_SHELTER_KOGERSHIN", "KZ_SHELTER_TANSHOLPAN", "KZ_LEGAL_AID")
WRONG = (0, 600, -600, 300, -540)
"""Seconds by which the clock of each worker's machine is wrong, at most 10 minutes."""


def create_overdue(world: World, whole: int) -> int:
    """Create about `whole` overdue deadlines of several kinds, and return their number."""
    officer, lead = world.add_person("UZ_CONSULATE_ALMATY"), world.add_person("KZ_LEAD")
    shelter = world.add_person(SHELTERS[0])
    new = unwrap(officer.create("/cases", PLAIN | {"submit": True}))
    led = lead.take_lead(unwrap(officer.create("/cases", PLAIN | {"submit": True})))
    unwrap(lead.does("close", led, make_closure()))
    told: list[list[str]] = [[], ["needs"], ["contact"]]
    sent = [unwrap(lead.refer(led, SHELTERS[0], sections=one)) for one in told]
    unwrap(shelter.does("acknowledge", sent[1]))
    unwrap(shelter.does("accept", sent[2], make_acceptance()))
    unwrap(lead.refer(led, SHELTERS[1], send=False))
    copy_case(world, new, whole // 6)
    copy_case(world, led, whole // 7)
    with world.database.begin_read() as session:
        late = Clock.stopped_at.is_(None) & (Clock.due_at < get_database_time(session))
        return session.scalars(select(func.count()).where(late)).one()


def count_left(database: Database) -> int:
    """Return the number of overdue deadlines that no worker has handled or postponed."""
    with database.begin_read() as session:
        late = Clock.stopped_at.is_(None) & (Clock.due_at < get_database_time(session))
        waits = late & Clock.fires_at.is_(None)
        return session.scalars(select(func.count()).where(waits)).one()


def check(world: World, overdue: int, begun_with: int) -> None:
    """Check that each deadline was handled once, with one effect and its events."""
    with world.database.begin_read() as session:
        fired = session.execute(select(Firing.clock_number, Firing.kind)).all()
        entries = Counter(session.scalars(select(Entry.type)))
        heads = dict(session.execute(select(Mailbox.focal_point_id, Mailbox.head)).all())
        kept = select(Delivery.focal_point_id, func.count(), func.max(Delivery.position))
        found = session.execute(kept.group_by(Delivery.focal_point_id)).all()
        failures = session.scalars(select(func.sum(Clock.failures))).one()
    kinds = Counter(kind for _, kind in fired)
    report("fired", [kind for _, kind in fired])
    assert len({number for number, _ in fired}) == len(fired) == overdue
    assert failures == 0
    silent = ("case.not_acknowledged", "referral.not_acknowledged")
    assert sum(entries[name] for name in silent) == kinds[DeadlineKind.ACKNOWLEDGE]
    assert entries["case.rerouted"] == entries["case.not_acknowledged"]
    assert entries["referral.expired"] == (
        entries["referral.not_acknowledged"] + entries["referral.not_decided"]
    )
    assert entries["approval.expired"] == kinds[DeadlineKind.APPROVE]
    assert (
        entries["case.overdue"]
        == entries["case.escalated"]
        == kinds[DeadlineKind.REVIEW_RISK]
    )
    assert entries["referral.overdue"] == kinds[DeadlineKind.MEET_PERSON]
    assert begun_with < sum(entries.values())
    for reader, count, last in found:
        assert heads[reader] == count == last, "a feed has a gap"


def count_entries(world: World) -> int:
    with world.database.begin_read() as session:
        return session.scalars(select(func.count()).select_from(Entry)).one()


def test_five_workers_whose_clocks_are_wrong_and_who_are_killed(
    pg_url: str, tmp_path: Path
) -> None:
    world, chance = World(pg_url), Random(5)
    overdue = create_overdue(world, choose_number(400, sample=150, night=5_000))
    before, keys, kills = count_entries(world), write_key_file(tmp_path), 0

    with run_workers(pg_url, keys, WRONG) as workers:
        while count_left(world.database):
            unlucky = chance.randrange(len(workers))
            time.sleep(chance.uniform(0, 0.5))
            workers[unlucky].kill()
            kills += 1
            workers[unlucky] = Child(run_worker, pg_url, keys, WRONG[unlucky])
            workers[unlucky].wait_for_report()

    report("kills", ["killed"] * kills)
    assert kills
    check(world, overdue, before)
    world.close()


def test_one_worker_that_is_killed_again_and_again(sqlite_url: str, tmp_path: Path) -> None:
    world, chance = World(sqlite_url), Random(1)
    overdue = create_overdue(world, choose_number(150, night=1_500))
    before, keys = count_entries(world), write_key_file(tmp_path)

    for _ in range(choose_number(5, sample=3, night=50)):
        with run_workers(sqlite_url, keys, [0]):
            time.sleep(chance.uniform(0, 0.5))
    left = count_left(world.database)
    with run_workers(sqlite_url, keys, [0]):
        while count_left(world.database):
            time.sleep(0.1)

    report("left after the kills", ["clock"] * left)
    check(world, overdue, before)
    world.close()
