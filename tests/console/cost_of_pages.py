"""Measurements of the cost of pages relative to their requests, and of 50 people at once.

Only `make console-measure` runs them, on an idle machine. It prints a line for each page.
"""

import asyncio
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Final

import pytest
from httpx2 import Client

from app.console.api_client import Answer, ApiClient
from app.console.options import ConsoleOptions
from app.console.visits import SESSION_COOKIE
from app.main import add_console
from tests.support.servers import Served, make_client, serve_world
from tests.support.world import Someone

TASKS: Final = 50
PEOPLE: Final = 50
CLICKS: Final = 10
ROUNDS: Final = 20
MOST_RELATIVE: Final = 1.3
MOST_SECONDS: Final = 0.060
"""The limits of issue 25: cost relative to the requests, and CPU seconds for 50 tasks."""

type Recorded = list[tuple[str, str, Mapping[str, str]]]


@pytest.fixture
def served(url: str) -> Iterator[Served]:
    """Yield a served world with the console."""
    with serve_world(url) as world:
        add_console(world.app, ConsoleOptions("https://www.example.org/"))
        yield world


@pytest.fixture
def busy_lead(served: Served) -> Someone:
    """Return a coordinator for whose office 50 cases wait."""
    officer, lead = served.add_person("UZ_CONSULATE_ALMATY"), served.add_person("KZ_LEAD")
    for _ in range(TASKS):
        officer.submit()
    return lead


def measure_cpu(*calls: Callable[[], object]) -> Sequence[float]:
    """Return the least CPU time of each call in several rounds, in seconds.

    The calls alternate, so that a change in the load of the machine affects all of them.
    """
    rounds = []
    for _ in range(ROUNDS):
        times = []
        for call in calls:
            began = time.process_time()
            call()
            times.append(time.process_time() - began)
        rounds.append(times)
    return [min(times) for times in zip(*rounds, strict=True)]


def record_requests(
    monkeypatch: pytest.MonkeyPatch, show: Callable[[], object]
) -> Recorded:
    """Show a page once, and return the requests that the page sends to the API."""
    made: Recorded = []
    send = ApiClient.send

    async def record(
        self: ApiClient, method: str, path: str, *rest: Any, **sent: Any
    ) -> Answer:
        made.append((method, path, sent["headers"]))
        return await send(self, method, path, *rest, **sent)

    with monkeypatch.context() as patched:
        patched.setattr(ApiClient, "send", record)
        show()
    return made


def repeat_requests(lead: Someone, made: Recorded) -> None:
    """Send recorded requests again with the client of the console, but without a page."""

    async def repeat() -> None:
        api = ApiClient(lead.world.app, lead.key, language="en")
        for method, path, headers in made:
            await api.send(method, path, headers=headers)

    asyncio.run(repeat())


def get_page(client: Client, lead: Someone, page: str) -> str:
    """Return the HTML of a page, and check that its status is 200."""
    cookie = {"Cookie": f"{SESSION_COOKIE}={lead.key}"}
    answer = client.get(f"/console/{page}", headers=cookie)
    assert answer.status_code == 200, (page, answer.status_code)
    return answer.text


def test_a_page_costs_little_more_than_its_requests(
    busy_lead: Someone, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    case = busy_lead.list_all("/cases")[0]["code"]
    lines = []
    for page in ("", "cases", f"cases/{case}"):
        show = partial(get_page, busy_lead.world.http, busy_lead, page)
        made = record_requests(monkeypatch, show)
        whole, alone = measure_cpu(show, partial(repeat_requests, busy_lead, made))
        name = page.partition("/")[0] + ("/{code}" if "/" in page else "")
        lines.append((name, len(made), whole, whole / alone))
    with capsys.disabled():
        for name, count, seconds, ratio in lines:
            text = f"{count} requests, {seconds * 1e3:.1f} ms, {ratio:.2f}"
            sys.stdout.write(f"/console/{name}: {text}\n")
    assert all(ratio <= MOST_RELATIVE for *_, ratio in lines)
    assert lines[0][2] <= MOST_SECONDS


def test_fifty_people_at_once_get_no_error(served: Served, busy_lead: Someone) -> None:
    people = [served.add_person("KZ_LEAD") for _ in range(PEOPLE - 1)] + [busy_lead]

    def click(person: Someone) -> int:
        with make_client(served.port) as client:
            return sum(
                bool(get_page(client, person, page)) for page in ("", "cases") * CLICKS
            )

    with ThreadPoolExecutor(PEOPLE) as pool:
        assert sum(pool.map(click, people)) == PEOPLE * 2 * CLICKS
