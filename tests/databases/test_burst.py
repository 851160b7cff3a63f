"""Many requests at once are all served, and no thread waits for a second connection."""

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Barrier, get_ident
from uuid import uuid4

import pytest
from httpx2 import Response

from app.kernel.db import THREADS, Database
from tests.support.databases import listen_to
from tests.support.effort import choose_number
from tests.support.servers import (
    make_client,
    report,
    serve_world,
    start_server,
    write_key_file,
)
from tests.support.world import Json, Someone, World, get_path, make_contacts, unwrap

pytestmark = pytest.mark.race
REQUESTS, ROUNDS = choose_number(300, sample=120), choose_number(1, night=20)

type Request = Callable[[], Response]


@contextmanager
def count_connections(database: Database) -> Iterator[Counter[int]]:
    """Yield a counter with the maximum number of connections of each thread at one time."""
    holds, most = Counter[int](), Counter[int]()

    def at_checkout(*_: object) -> None:
        holds[get_ident()] += 1
        most[get_ident()] = max(most[get_ident()], holds[get_ident()])

    def at_checkin(*_: object) -> None:
        holds[get_ident()] -= 1

    with (
        listen_to(database, "checkout", at_checkout),
        listen_to(database, "checkin", at_checkin),
    ):
        yield most


def send_together(requests: list[Request]) -> list[Response]:
    """Send all requests at the same moment, each from its own thread."""
    barrier = Barrier(len(requests))

    def send(request: Request) -> Response:
        barrier.wait()
        return request()

    with ThreadPoolExecutor(len(requests)) as pool:
        return list(pool.map(send, requests))


def build_led_case(officer: Someone, lead: Someone) -> Json:
    case = officer.submit()
    unwrap(lead.does("acknowledge", case))
    return unwrap(lead.does("accept-lead", case, {"contacts": make_contacts()}))


def build_requests(world: World) -> list[Request]:
    """Return requests of three kinds: writes (and opened sections), polls and reads."""
    officer, lead = world.add_person("UZ_CONSULATE_ALMATY"), world.add_person("KZ_LEAD")
    shelter = world.add_person("KZ_SHELTER_KOGERSHIN")
    cases = [officer.submit() for _ in range(10)]
    running, *others = [build_led_case(officer, lead) for _ in range(20)]
    sent = unwrap(lead.refer(running, shelter.code))
    seen = [(case, lead.get_tag(case)) for case in cases]
    requests: list[Request] = [
        *(act(lead, case, tag) for case, tag in seen),
        *[lambda: officer.create_case(submit=True)] * 50,
        *[refer(lead, case) for case in (running, *others)],
        *[lambda: lead.open(f"{get_path(running)}/sections/needs")] * 20,
    ]
    polls = [
        lambda: officer.get("/events"),
        lambda: lead.get("/events", limit=200),
        lambda: shelter.get("/events"),
        lambda: lead.get("/worklist"),
    ]
    reads = [
        lambda: lead.get("/cases"),
        lambda: officer.get(get_path(running)),
        lambda: shelter.get(get_path(sent)),
        lambda: lead.get(f"{get_path(running)}/history"),
        lambda: lead.get("/referrals"),
        lambda: lead.get(f"{get_path(sent)}/evidence"),
    ]
    rest = REQUESTS - len(requests)
    half = rest // 2
    requests += [polls[number % len(polls)] for number in range(half)]
    requests += [reads[number % len(reads)] for number in range(rest - half)]
    return requests


def refer(lead: Someone, case: Json) -> Request:
    return lambda: lead.refer(case, "KZ_LEGAL_AID", service="LEGAL_AID")


def act(lead: Someone, case: Json, tag: str) -> Request:
    path = f"{get_path(case)}/acknowledge"
    return lambda: lead.send(path, None, if_match=tag, idempotency_key=str(uuid4()))


@pytest.mark.slow
@pytest.mark.soak
def test_three_hundred_at_once_are_all_served(
    url: str, world: World, tmp_path: Path
) -> None:
    """Requests sent at once all succeed within the client's time-out of 30 seconds."""
    with (
        start_server(url, write_key_file(tmp_path)) as server,
        make_client(server.port) as client,
    ):
        world.http.close()
        world.http = client
        rounds = [send_together(build_requests(world)) for _ in range(ROUNDS)]

    answers = [answer for answers in rounds for answer in answers]
    report("burst", (answer.status_code for answer in answers))
    report("seconds", (round(answer.elapsed.total_seconds()) for answer in answers))
    assert len(answers) == ROUNDS * REQUESTS
    assert {answer.status_code for answer in answers} <= {200, 201}


@pytest.mark.slow
def test_nobody_holds_a_connection_and_waits_for_another(url: str) -> None:
    """A thread never holds two connections, so threads cannot wait for each other."""
    with serve_world(url) as world:
        requests = build_requests(world)
        with count_connections(world.database) as most:
            send_together(requests)
        left = [engine.pool.status() for engine in world.database.engines]

    assert set(most.values()) == {1}
    assert len(most) <= THREADS
    assert all("Current Checked out connections: 0" in one for one in left)


@pytest.mark.slow
def test_a_crowd_of_pollers_does_not_keep_an_officer_waiting(url: str) -> None:
    """200 polls with one new cursor and a new case are all answered within 15 seconds."""
    with serve_world(url) as world:
        officer = world.add_person("UZ_CONSULATE_ALMATY")
        lead = world.add_person("KZ_LEAD")
        for _ in range(5):
            officer.submit()
        page = unwrap(lead.get("/events"))
        polls: list[Request] = [lambda: lead.get("/events", after=page["cursor"])] * 200
        answers = send_together([*polls, lambda: officer.create_case(submit=True)])

    slowest = max(answer.elapsed.total_seconds() for answer in answers)
    report("crowd", (answer.status_code for answer in answers))
    assert {answer.status_code for answer in answers} == {200, 201}
    assert slowest < 15
