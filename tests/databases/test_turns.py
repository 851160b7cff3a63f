"""Readers wait for a turn, writers never wait for readers, and rates are limited."""

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Event, Thread
from uuid import UUID

import anyio
import pytest

from app.api.http.rate_limits import Allowance, RequestRate
from app.api.http.read_slots import MAX_READS, ReadSlots
from app.kernel.db import THREADS
from app.kernel.problems import Busy
from tests.support.effort import choose_number
from tests.support.servers import make_client, serve_world
from tests.support.world import Someone, Watch, World, get_problem, unwrap

pytestmark = pytest.mark.race
LONG = 60.0
"""Seconds that a request may wait; an immediate refusal takes less than half that time."""
READING, WRITING = choose_number(100, sample=30, night=400), choose_number(10, sample=5)


def test_there_is_always_room_for_who_writes() -> None:
    assert MAX_READS * 2 <= THREADS


def test_readers_wait_for_a_turn_and_not_for_ever() -> None:
    async def play() -> None:
        turns, let_go = ReadSlots(readers=1, queue=1, patience=0.2), anyio.Event()

        async def first() -> None:
            async with turns.take_slot():
                await let_go.wait()

        async with anyio.create_task_group() as group:
            group.start_soon(first)
            await anyio.sleep(0.01)
            with pytest.raises(Busy):
                async with turns.take_slot():
                    pass
            turns.queue, turns.patience = 0, LONG
            with anyio.fail_after(LONG / 2), pytest.raises(Busy):
                async with turns.take_slot():
                    pass
            let_go.set()
        turns.queue = 1
        async with turns.take_slot() as turn:
            turn.release()
            async with turns.take_slot():
                pass
            await turn.take()
        async with turns.take_slot():
            pass

    anyio.run(play)


def test_a_submission_finds_room_while_many_read(url: str) -> None:
    over = Event()
    with serve_world(url) as world, ThreadPoolExecutor(READING) as pool:
        world.http.close()
        world.http = make_client(world.port, READING + 10)
        lead, officer = world.add_person("KZ_LEAD"), world.add_person("UZ_CONSULATE_ALMATY")
        officer.submit()

        def reads() -> set[int]:
            statuses = set[int]()
            while not over.is_set():
                statuses.add(lead.get("/cases").status_code)
            return statuses

        reading = [pool.submit(reads) for _ in range(READING)]
        time.sleep(choose_number(1000, sample=300) / 1000)
        try:
            answers = [officer.create_case(submit=True) for _ in range(WRITING)]
        finally:
            over.set()
        statuses = set[int]().union(*(one.result() for one in reading))

    assert [one.status_code for one in answers] == [201] * WRITING
    assert statuses <= {200, 503}


def test_who_asks_too_often_is_told_when_to_come_back(
    world: World, officer: Someone, lead: Someone
) -> None:
    watch, before = Watch(), world.app.state.rate
    world.app.state.rate = RequestRate(60, watch)
    try:
        read = [lead.get("/me").status_code for _ in range(60)]
        refused = lead.get("/me")
        written = unwrap(officer.create_case())
        other = officer.get("/me")
        watch.now += 0.5
        early = lead.get("/me")
        watch.now += 0.5
        late = lead.get("/me")
    finally:
        world.app.state.rate = before

    assert read == [200] * 60
    assert get_problem(refused) == (429, "too-many-requests")
    assert refused.headers["Retry-After"] == "1"
    assert written["code"]
    assert [one.status_code for one in (other, early, late)] == [200, 429, 200]


def test_who_reads_too_often_can_still_submit(world: World, officer: Someone) -> None:
    before, world.app.state.rate = world.app.state.rate, RequestRate(60, Watch())
    try:
        statuses = {officer.get("/me").status_code for _ in range(70)}
        submitted = officer.create_case(submit=True)
    finally:
        world.app.state.rate = before
    assert statuses == {200, 429}
    assert submitted.status_code == 201


def test_answers_say_what_is_left_of_the_rate_limit(world: World, officer: Someone) -> None:
    watch, before = Watch(), world.app.state.rate
    world.app.state.rate = RequestRate(60, watch)
    try:
        reads = [officer.get("/me") for _ in range(62)]
        watch.now += 2.5
        later, submitted = officer.get("/me"), officer.create_case()
        nobody = world.http.get("/v1/me")
    finally:
        world.app.state.rate = before

    headers = [one.headers for one in (*reads, later)]
    assert {one["RateLimit-Policy"] for one in headers} == {'"reads";q=60;w=60'}
    assert headers[0]["RateLimit"] == '"reads";r=59;t=1'
    assert headers[59]["RateLimit"] == headers[61]["RateLimit"] == '"reads";r=0;t=60'
    assert reads[61].status_code == 429
    assert later.headers["RateLimit"] == '"reads";r=1;t=59'
    assert submitted.headers["RateLimit"] == '"writes";r=59;t=1'
    assert "RateLimit" not in nobody.headers


def test_without_a_limit_no_answer_names_one(officer: Someone) -> None:
    assert not {"ratelimit", "ratelimit-policy"} & officer.get("/me").headers.keys()


def test_counting_is_exact_however_many_ask_at_once() -> None:
    rate, counted = RequestRate(600, Watch()), list[Allowance | None]()

    def ask() -> None:
        counted.extend(rate.count_request(UUID(int=1), writes=False) for _ in range(200))

    threads = [Thread(target=ask) for _ in range(5)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    taken = [one for one in counted if one and not one.wait]
    assert len(taken) == 600
    assert {one.remaining for one in taken} == set(range(600))
