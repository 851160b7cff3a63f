"""An answer and its deadline at the same moment: only one of them takes effect (R89)."""

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

from app.deadlines.breaches import Due
from app.deadlines.limits import ClockKind
from app.deadlines.models import Clock, Firing
from app.worker.firing import Fired, fire_due, fire_one
from tests.support.effort import amount
from tests.support.servers import CHANCE, Handicap, Served, report, served
from tests.support.world import Json, Someone, done, kinds, path_of, problem, promise

pytestmark = [pytest.mark.slow, pytest.mark.race]
CASES = 5
REFERRALS = amount(10, sample=4, night=100)
REROUTED = amount(10, night=100)
type Act = Callable[[], Response]
LATE = promise(at="2026-06-02T09:00:00+05:00")


@pytest.fixture
def world(url: str) -> Iterator[Served]:
    with served(url) as made:
        yield made


def find_deadline(world: Served, record: Json) -> Due:
    """Return the deadline of a record or of its case."""
    of = f"{path_of(record).lstrip('/')}"
    with world.database.reading() as session:
        running = select(Clock).where(Clock.reference == of, Clock.stopped_at.is_(None))
        beside = Clock.kind == ClockKind.CONSENT_ENDS
        clock = session.scalars(running.where(~beside)).one()
        return Due(clock.number, clock.case_id, clock.kind, clock.fires_at)


def run_races(world: Served, ready: list[tuple[Json, Act]]) -> list[Response]:
    """Answer each record while the worker fires its deadline."""
    answers, handicap = list[Response](), Handicap()
    for record, act in ready:
        fires = partial(fire_one, world.ground, find_deadline(world, record))
        answers.append(run_race(act, fires, handicap.seconds))
        handicap.adjust(first_won=answers[-1].is_success)
    handicap.must_have_raced()
    return answers


def run_race[T](act: Callable[[], T], fires: Callable[[], object], handicap: float) -> T:
    """Start both at once, with a handicap of the answer in seconds and some jitter."""
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
    """Return an action based on the version before the deadline."""
    named = {"if_match": who.tag(record), "idempotency_key": str(uuid4())}
    return lambda: who.post(f"{path_of(record)}/{action}", body, **named)


def finish_deadlines(world: Served) -> None:
    """Let the worker process what a race left for later."""
    while (looked := fire_due(world.ground)).found:
        assert looked.failed == 0


def test_a_referral_is_accepted_or_expires_and_whoever_was_late_is_told(
    world: Served,
) -> None:
    officer, lead = world.someone("UZ_CONSULATE_ALMATY"), world.someone("KZ_LEAD")
    shelter = world.someone("KZ_SHELTER_KOGERSHIN")
    sent = [
        done(lead.refers(lead.leads(officer.submits()), "KZ_SHELTER_KOGERSHIN"))
        for _ in range(CASES * REFERRALS)
    ]
    world.passes(hours=3)
    assert fire_due(world.ground, limit=1000) == Fired(len(sent))
    ready = [prepare_act(shelter, "accept", one, LATE) for one in sent]
    world.passes(hours=3)

    answers = run_races(world, list(zip(sent, ready, strict=True)))
    finish_deadlines(world)

    events = [(event["subject"], event["type"]) for event in lead.hears()]
    for one, answer in zip(sent, answers, strict=True):
        state = lead.sees(one)["state"]
        ends = {t for s, t in events if s == f"referrals/{one['id']}"} & {
            *("referral.accepted", "referral.expired"),
        }
        assert state == ("accepted" if answer.is_success else "expired")
        assert ends == {f"referral.{state}"}
        if not answer.is_success:
            assert problem(answer) in {(412, "version-stale"), (409, "action-illegal")}
    report("accept at the deadline", [answer.status_code for answer in answers])
    with world.database.reading() as session:
        fired = Counter(session.scalars(select(Firing.clock_number)))
    assert max(fired.values()) <= 2


def test_a_case_is_acknowledged_or_goes_to_the_next_and_has_one_holder(
    world: Served,
) -> None:
    officer, lead = world.someone("UZ_CONSULATE_ALMATY"), world.someone("KZ_LEAD")
    cases = [officer.submits() for _ in range(REROUTED)]
    ready = [prepare_act(lead, "acknowledge", case, {}) for case in cases]
    lead.hears()
    world.passes(hours=3)

    answers = run_races(world, list(zip(cases, ready, strict=True)))
    finish_deadlines(world)

    heard = lead.hears()
    for case, answer in zip(cases, answers, strict=True):
        told = kinds(e for e in heard if e["subject"] == f"cases/{case['code']}")
        seen = officer.sees(case)
        if answer.is_success:
            assert told == ["case.acknowledged"]
            assert (seen["state"], seen["holder"]) == ("under_review", "KZ_LEAD")
        else:
            assert answer.status_code in {404, 412}
            assert told == ["case.not_acknowledged", "case.rerouted"]
            assert seen["holder"] == "DESK_CENTRAL_ASIA"
    report("acknowledge at the deadline", [answer.status_code for answer in answers])
