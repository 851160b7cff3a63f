"""Tests that many waiting clients get every event in order while others write.

Ten database connections serve all clients.
"""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import pytest

from tests.databases.test_feed import About, by_mailbox, write_all
from tests.support.effort import choose_number
from tests.support.servers import Killed, make_client, report, start_server, write_key_file
from tests.support.world import Someone, World, make_cursor_query, unwrap

pytestmark = [
    pytest.mark.slow,
    pytest.mark.soak,
    pytest.mark.usefixtures("invented_events"),
]
OFFICES: Final = choose_number(5, night=30)
EACH: Final = choose_number(2, night=10)
"""Number of long polls, and of event streams, for each office."""
PARTS: Final = 5
PART: Final = choose_number(30, night=400)
"""Number of changes that are written in each part."""
FLAT: Final = 16 * 1024 * 1024
"""Bytes of memory by which the server may grow between the first and the last part."""
LAST: Final = "cases/0"


@pytest.fixture
def narrow(url: str, world: World, tmp_path: Path) -> Iterator[Killed]:
    """Yield a server in another process with few database connections."""
    keys = write_key_file(tmp_path)
    with (
        start_server(url, keys, "wait", "narrow") as made,
        make_client(made.port, 3 * OFFICES * EACH) as http,
    ):
        world.http.close()
        world.http = http
        yield made


def poll_to_end(one: Someone) -> list[str]:
    """Poll with `Prefer: wait` until the last event arrives, and return all events."""
    seen, cursor = list[str](), None
    while LAST not in seen[-1:]:
        query, prefer = make_cursor_query(cursor), {"Prefer": "wait=20"}
        page = unwrap(one.ask("GET", "/events", params=query, headers=prefer))
        cursor = page["cursor"]
        seen += [event["subject"] for event in page["items"]]
    return seen


def listen_to_end(one: Someone) -> list[str]:
    """Read streams, and reconnect, until the last event arrives; return all events."""
    seen, last = list[str](), dict[str, str]()
    while LAST not in seen[-1:]:
        heads, url = one.make_headers() | last, "/v1/events/stream"
        with one.world.http.stream("GET", url, headers=heads) as answer:
            for line in answer.iter_lines():
                name, _, value = line.partition(": ")
                if name == "id":
                    last = {"Last-Event-ID": value}
                if name == "data":
                    seen.append(json.loads(value)["subject"])
                if LAST in seen[-1:]:
                    break
    return seen


def test_everybody_hears_everything_over_few_connections(
    narrow: Killed, world: World
) -> None:
    listed = unwrap(world.add_person("KZ_LEAD").get("/focal-points", limit=200))["items"]
    offices = [world.add_person(one["code"]) for one in listed[:OFFICES]]
    sizes, committed = list[int](), list[About]()

    with ThreadPoolExecutor(2 * OFFICES * EACH) as pool:
        hearers = [
            (one, how) for one in offices for how in (poll_to_end, listen_to_end)
        ] * EACH
        heard = [(one, pool.submit(how, one)) for one, how in hearers]
        for part in range(PARTS):
            changes = range(1 + part * PART, 1 + (part + 1) * PART)
            committed += write_all(offices[0], offices, by_mailbox, changes)
            sizes.append(narrow.get_memory())
        the_last = About(0, frozenset(one.id for one in offices))
        with offices[0].begin_write() as tx:
            by_mailbox(tx, the_last)
        for one, subjects in heard:
            told = [about for about in committed if one.id in about.audience]
            assert subjects.result() == [about.reference for about in (*told, the_last)]

    report("MiB after each part", [tuple(size >> 20 for size in sizes)])
    assert len(committed) == PARTS * PART
    assert max(sizes) - sizes[0] < FLAT
