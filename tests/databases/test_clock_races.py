"""If an answer and its deadline coincide, only one of them takes effect (R89)."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier
from uuid import uuid4

import pytest
from httpx2 import Response
from sqlalchemy import select

from app.deadlines.limits import DeadlineKind
from app.deadlines.missed_deadlines import DueClock
from app.deadlines.models import Clock, Firing
from app.worker.deadline_job import HandledCounts, handle_deadline, handle_missed_deadlines
from tests.support.effort import choose_number
from tests.support.servers import CHANCE, Handicap, Served, report, serve_world
from tests.support.world import (
    Json,
    Someone,
    get_path,
    get_problem,
    list_types,
    make_acceptance,
    unwrap,
)

pytestmark = [pytest.mark.slow, pytest.mark.race]
CASES = 5
REFERRALS = choose_number(10, sample=4, night=100)
REROUTED = choose_number(10, night=100)
type Act = Callable[[], Response]
LATE = make_acceptance(at="2026-06-02T09:00:00+05:00")


@pytest.fixture
def world(url: str) -> Iterator[Served]:
    with serve_world(url) as made:
        yield made


def find_deadline(world: Served, record: Json) -> DueClock:
    """Return the running deadline of a case, a referral or another record."""
    of = f"{get_path(record).lstrip('/')}"
    with world.database.begin_read() as session:
        running = select(Clock).where(Clock.reference == of, Clock.stopped_at.is_(None))
        beside = Clock.kind == DeadlineKind.CONSENT_ENDS
        clock = session.scalars(running.where(~beside)).one()
        return DueClock(clock.number, clock.case_id, clock.kind, clock.fires_at)


def run_races(world: Served, ready: list[tuple[Json, Act]]) -> list[Response]:
    """Let each action race with the worker, which handles the deadline of the record."""
    answers, handicap = list[Response](), Handicap()
    for record, act in ready:
        fires = partial(handle_deadline, world.runtime, find_deadline(world, record))
        answers.append(run_race(act, fires, handicap.seconds))
        handicap.update(first_won=answers[-1].is_success)
    handicap.require_race()
    return answers


def run_race[T](act: Callable[[], T], fires: Callable[[], object], handicap: float) -> T:
    """Run an action and a deadline in parallel, and return the result of the action.

    If `handicap` is positive, the action starts that many seconds later. If `handicap` is
    negative, the deadline starts later.
    """
    barrier = Barrier(2)

    def start[R](do: Callable[[], R], later: float) -> R:
        barrier.wait()
        time.sleep(max(0.0, later) + CHANCE.uniform(0, 0.004))
        return do()

    with ThreadPoolExecutor(2) as pool:
        fired = pool.submit(start, fires, -handicap)
        answered = pool.submit(start, act, handicap)
        fired.result()
        return answered.result()


def prepare_act(who: Someone, action: str, record: Json, body: Json) -> Act:
    """Return a function that takes an action on the current version of a record."""
    named = {"if_match": who.get_tag(record), "idempotency_key": str(uuid4())}
    return lambda: who.send(f"{get_path(record)}/{action}", body, **named)


def finish_deadlines(world: Served) -> None:
    """Run the worker until it has handled all deadlines that a race left open."""
    while (looked := handle_missed_deadlines(world.runtime)).found:
        assert looked.failed == 0


def test_a_referral_is_accepted_or_expires_and_whoever_was_late_is_told(
    world: Served,
) -> None:
    officer, lead = world.add_person("UZ_CONSULATE_ALMATY"), world.add_person("KZ_LEAD")
    shelter = world.add_person("KZ_SHELTER_KOGERSHIN")
    sent = [
        unwrap(lead.refer(lead.take_lead(officer.submit()), "KZ_SHELTER_KOGERSHIN"))
        for _ in range(CASES * REFERRALS)
    ]
    world.advance(hours=3)
    assert handle_missed_deadlines(world.runtime, limit=1000) == HandledCounts(len(sent))
    ready = [prepare_act(shelter, "accept", one, LATE) for one in sent]
    world.advance(hours=3)

    answers = run_races(world, list(zip(sent, ready, strict=True)))
    finish_deadlines(world)

    events = [(event["subject"], event["type"]) for event in lead.poll()]
    for one, answer in zip(sent, answers, strict=True):
        state = lead.read(one)["state"]
        ends = {t for s, t in events if s == f"referrals/{one['id']}"} & {
            "referral.accepted",
            "referral.expired",
        }
        assert state == ("accepted" if answer.is_success else "expired")
        assert ends == {f"referral.{state}"}
        if not answer.is_success:
            assert get_problem(answer) in {(412, "version-stale"), (409, "action-illegal")}
    report("accept at the deadline", [answer.status_code for answer in answers])
    with world.database.begin_read() as session:
        fired = Counter(session.scalars(select(Firing.clock_number)))
    assert max(fired.values()) <= 2


def test_a_case_is_acknowledged_or_goes_to_the_next_and_has_one_holder(
    world: Served,
) -> None:
    officer, lead = world.add_person("UZ_CONSULATE_ALMATY"), world.add_person("KZ_LEAD")
    cases = [officer.submit() for _ in range(REROUTED)]
    ready = [prepare_act(lead, "acknowledge", case, {}) for case in cases]
    lead.poll()
    world.advance(hours=3)

    answers = run_races(world, list(zip(cases, ready, strict=True)))
    finish_deadlines(world)

    events = lead.poll()
    for case, answer in zip(cases, answers, strict=True):
        event_types = list_types(
            e for e in events if e["subject"] == f"cases/{case['code']}"
        )
        seen = officer.read(case)
        if answer.is_success:
            assert event_types == ["case.acknowledged"]
            assert (seen["state"], seen["holder"]) == ("under_review", "KZ_LEAD")
        else:
            assert answer.status_code in {404, 412}
            assert event_types == ["case.not_acknowledged", "case.rerouted"]
            assert seen["holder"] == "DESK_CENTRAL_ASIA"
    report("acknowledge at the deadline", [answer.status_code for answer in answers])
