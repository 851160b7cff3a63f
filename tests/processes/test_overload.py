"""Tests that overload loses no accepted case, and that submissions succeed (R56).

Overload means ten times the requests per second that the server can answer. The server runs
in one process, and all clients run in another process.
"""

import asyncio
import os
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from uuid import uuid4

import httpx2
import pytest

from tests.support.effort import choose_number, is_night
from tests.support.servers import (
    Killed,
    get_address,
    make_client,
    report,
    start_server,
    write_key_file,
)
from tests.support.slow_sockets import open_slow_sockets
from tests.support.world import Someone, World, make_case, unwrap

pytestmark = [pytest.mark.slow, pytest.mark.soak, pytest.mark.timed]
FORMS: Final = choose_number(600, sample=300, night=3000)
FORMS_ROOM: Final = 50 * 1024 * 1024
"""Bytes of memory by which a server may grow while `FORMS` clients send half a form."""
SLOW: Final = choose_number(200, night=1000)
ASKED: Final = choose_number(300, sample=150, night=5000)
SECONDS: Final = choose_number(1, night=30)
OVER: Final = 10
"""Requests per second under overload, as a multiple of what the server can answer."""
READS: Final = 9
"""Number of reads for each submission."""
ROOMY: Final = 64 * 1024 * 1024
"""Bytes of memory by which a server may grow; four times as many under overload."""
NOISE: Final = 0 if is_night() else 0.2
"""Seconds that other load may add to a request; a night run has the machine to itself."""


@pytest.fixture(autouse=True)
def room_for_sockets() -> None:
    """Raise the limit of open files to the maximum."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


@pytest.fixture
def server(url: str, world: World, tmp_path: Path) -> Iterator[Killed]:
    """Yield a server in another process, to which `world` sends its requests."""
    with (
        start_server(url, write_key_file(tmp_path)) as made,
        make_client(made.port) as http,
    ):
        world.http.close()
        world.http = http
        yield made


def compute_p99(seconds: list[float]) -> float:
    return sorted(seconds)[round(len(seconds) * 0.99) - 1]


def measure_requests(one: Someone) -> float:
    """Return the 99th percentile of the durations of successive requests, in seconds."""
    took = list[float]()
    for _ in range(ASKED):
        began = time.monotonic()
        unwrap(one.get("/me"))
        took.append(time.monotonic() - began)
    return compute_p99(took)


@contextmanager
def split_cores(server: Killed) -> Iterator[None]:
    """Run the server on one core, and this process and its children on another.

    In production the clients run on other machines, so the server must not share a core.
    """
    ours = os.sched_getaffinity(0)
    os.sched_setaffinity(server.pid, {min(ours)})
    os.sched_setaffinity(0, {max(ours)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, ours)


def test_slow_sockets_hardly_slow_down_others(server: Killed, lead: Someone) -> None:
    with split_cores(server):
        alone, before = measure_requests(lead), server.get_memory()
        with open_slow_sockets(server.port, lead.key, SLOW) as slow:
            beside = measure_requests(lead)
            grown, shut = server.get_memory() - before, slow.finish()
        again = measure_requests(lead)

    report("p99 in ms", [(round(alone * 1e3), round(beside * 1e3), round(again * 1e3))])
    report("grown by KiB, sockets shut", [(grown // 1024, shut)])
    assert beside < 2 * max(alone, again) + NOISE
    assert grown < ROOMY


def test_half_sent_forms_of_nobody_cost_next_to_nothing(
    server: Killed, lead: Someone
) -> None:
    with split_cores(server):
        alone, before = measure_livez(server), server.get_memory()
        with open_slow_sockets(server.port, "", FORMS) as slow:
            beside = measure_livez(server)
            grown, shut = server.get_memory() - before, slow.finish()
        again = measure_livez(server)

    report("p99 in ms", [(round(alone * 1e3), round(beside * 1e3), round(again * 1e3))])
    report("grown by KiB, sockets shut", [(grown // 1024, shut)])
    assert grown < FORMS_ROOM
    assert beside < max(0.2, NOISE)
    assert unwrap(lead.get("/me"))


def measure_livez(server: Killed) -> float:
    """Request /livez on new connections, and return the 99th percentile in seconds."""
    took = list[float]()
    for _ in range(ASKED):
        began = time.monotonic()
        assert (
            httpx2.get(f"{get_address(server.port)}/livez", timeout=10).status_code == 200
        )
        took.append(time.monotonic() - began)
    return compute_p99(took)


@dataclass
class Crowd:
    """Clients that send requests at a fixed rate, even if no responses come."""

    port: int
    officer: Someone
    reader: Someone
    accepted: list[str] = field(default_factory=list)
    failed: int = 0
    statuses: list[int] = field(default_factory=list)

    async def reads(self, http: httpx2.AsyncClient) -> None:
        """Send one read request, without a retry."""
        try:
            answer = await http.get("/v1/cases", headers=self.reader.make_headers())
        except httpx2.TransportError:
            self.statuses.append(0)
        else:
            self.statuses.append(answer.status_code)

    async def submits(self, http: httpx2.AsyncClient) -> None:
        """Submit a case in at most 30 tries, with the pauses that the server asks for."""
        headers = self.officer.make_headers() | {"Idempotency-Key": str(uuid4())}
        body = make_case(submit=True, external_reference=str(uuid4()))
        for _ in range(30):
            try:
                answer = await http.post("/v1/cases", json=body, headers=headers)
            except httpx2.TransportError:
                wait = 1.0
            else:
                self.statuses.append(answer.status_code)
                if answer.status_code == 201:
                    self.accepted.append(answer.json()["code"])
                    return
                wait = float(answer.headers.get("Retry-After", 1))
            await asyncio.sleep(wait)
        self.failed += 1

    async def asks(self, rate: float, seconds: float) -> None:
        """Send requests at a rate per second. Nine in ten read, and one in ten submits."""
        limits = httpx2.Limits(max_connections=None, max_keepalive_connections=200)
        base = f"http://127.0.0.1:{self.port}"
        async with (
            httpx2.AsyncClient(base_url=base, timeout=90, limits=limits) as http,
            asyncio.TaskGroup() as group,
        ):
            began = time.monotonic()
            for number in range(int(rate * seconds)):
                late = began + number / rate - time.monotonic()
                await asyncio.sleep(max(late, 0))
                turn = number % (READS + 1)
                group.create_task(self.reads(http) if turn else self.submits(http))

    async def can(self, seconds: float) -> float:
        """Return the requests per second that eight sequential clients can complete."""
        count, end = 0, time.monotonic() + seconds
        base = f"http://127.0.0.1:{self.port}"

        async def goes_on(http: httpx2.AsyncClient) -> None:
            nonlocal count
            turn = 0
            while time.monotonic() < end:
                await (self.reads(http) if turn % (READS + 1) else self.submits(http))
                turn, count = turn + 1, count + 1

        async with (
            httpx2.AsyncClient(base_url=base, timeout=90) as http,
            asyncio.TaskGroup() as group,
        ):
            for _ in range(8):
                group.create_task(goes_on(http))
        return count / seconds


@pytest.mark.whole
def test_ten_times_what_it_carries_loses_nothing(
    server: Killed, officer: Someone, lead: Someone
) -> None:
    crowd = Crowd(server.port, officer, lead)
    officer.submit()
    carries, before = asyncio.run(crowd.can(2)), server.get_memory()
    crowd.statuses.clear()
    asyncio.run(crowd.asks(OVER * carries, SECONDS))
    grown, asked = server.get_memory() - before, len(crowd.accepted) + crowd.failed

    report("answers", crowd.statuses)
    report("carries a second, grown by KiB", [(round(carries), grown // 1024)])
    there = {case["code"] for case in officer.list_all("/cases", limit=200)}
    assert len(set(crowd.accepted)) == len(crowd.accepted)
    assert set(crowd.accepted) <= there
    assert len(there) == len(crowd.accepted) + 1
    assert len(crowd.accepted) >= 0.99 * asked
    assert grown < 4 * ROOMY
