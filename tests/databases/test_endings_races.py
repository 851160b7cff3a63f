"""Races after an agreement ends: between two workers, or between a worker and an office."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier

import pytest

from app.worker.endings import apply_endings
from tests.support.effort import choose_number
from tests.support.endings import end_agreement
from tests.support.returns import HOME
from tests.support.servers import Served, serve_world
from tests.support.world import (
    Json,
    Someone,
    list_types,
    make_acceptance,
    make_consent,
    make_handover_consent,
    make_takeover,
    unwrap,
)

pytestmark = [pytest.mark.slow, pytest.mark.race]
CASES = choose_number(6, sample=3, night=40)
SENT = ["contact", "needs"]
GUARDS: Json = {"country_of_origin": "UZ", "origin_contact": "permitted"}
ABROAD = make_consent(focal_point=HOME, purposes=["SHELTER"], sections=SENT)


@pytest.fixture
def world(url: str) -> Iterator[Served]:
    with serve_world(url) as made:
        yield made


def create_cases(world: Served, lead: Someone) -> list[Json]:
    """Create and return cases led in Kazakhstan, with consents to help in Uzbekistan."""
    officer = world.add_person("UZ_CONSULATE_ALMATY")
    given = [make_consent(), make_handover_consent("UZ_LEAD"), ABROAD]
    bodies = [{"consents": given, "safeguards": GUARDS} for _ in range(CASES)]
    return [lead.take_lead(officer.submit(**body)) for body in bodies]


def run_two_workers(world: Served) -> int:
    """Apply endings in two workers at once; return the total number of updated cases."""
    barrier = Barrier(2)

    def look(_: int) -> int:
        barrier.wait()
        return apply_endings(world.runtime)

    with ThreadPoolExecutor(2) as pool:
        return sum(pool.map(look, range(2)))


def test_two_workers_follow_what_ended_once(world: Served) -> None:
    lead, abroad = world.add_person("KZ_LEAD"), world.add_person(HOME)
    for number, case in enumerate(create_cases(world, lead)):
        sent = unwrap(lead.refer(case, HOME, sections=SENT))
        if number % 2:
            unwrap(abroad.does("accept", sent, make_acceptance()))
    lead.poll()
    end_agreement(world)

    count = run_two_workers(world) + apply_endings(world.runtime)

    assert count == CASES
    event_types = list_types(lead.poll())
    assert event_types.count("referral.without_agreement") == CASES // 2
    assert event_types.count("referral.narrowed") == CASES - CASES // 2
    assert apply_endings(world.runtime) == 0


def test_offer_is_not_accepted_once_the_agreement_ended_whoever_comes_first(
    world: Served,
) -> None:
    lead, there = world.add_person("KZ_LEAD"), world.add_person("UZ_LEAD")
    cases = create_cases(world, lead)
    offers = [unwrap(lead.offer(case, "UZ_LEAD")) for case in cases]
    end_agreement(world)

    with ThreadPoolExecutor(2) as pool:
        looks = pool.submit(apply_endings, world.runtime)
        accepts = partial(there.does, "accept")
        answers = [accepts(one, make_takeover()).status_code for one in offers]
        looks.result()
    apply_endings(world.runtime)

    assert set(answers) <= {404, 409, 412}
    assert {lead.read(one)["state"] for one in offers} == {"cancelled"}
    assert {lead.read(case)["lead"] for case in cases} == {"KZ_LEAD"}
