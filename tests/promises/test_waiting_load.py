"""Many wait and many listen while others write: everybody hears everything, in order.

Ten connections to the database serve all of them.
"""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from app.kernel.db import Database
from tests.promises.test_feed import About, by_mailbox, write_all
from tests.serving import Served, client_of, report, served, times
from tests.world import Someone, after, done

pytestmark = [pytest.mark.slow, pytest.mark.soak]
CONNECTIONS = 10
OFFICES = times(5, soak=30)
EACH = times(2, soak=10)
"""So many wait, and so many listen, for each office."""
CHANGES = times(150, soak=2000)
LAST = "cases/0"


@pytest.fixture
def narrow(url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """A server with few connections to its database."""
    for place in ("app.kernel.db.THREADS", "app.main.THREADS"):
        monkeypatch.setattr(place, CONNECTIONS)
    monkeypatch.setattr("tests.world.opened", Database)
    with served(url) as made:
        yield made


def waits(one: Someone) -> list[str]:
    """Poll, and wait for news, until the last of all came."""
    seen, cursor = list[str](), None
    while LAST not in seen[-1:]:
        query, prefer = after(cursor), {"Prefer": "wait=20"}
        page = done(one.ask("GET", "/events", params=query, headers=prefer))
        cursor = page["next"]
        seen += [event["subject"] for event in page["items"]]
    return seen


def listens(one: Someone) -> list[str]:
    """Listen until the last of all came; go on where a stream ends before."""
    seen, last = list[str](), dict[str, str]()
    while LAST not in seen[-1:]:
        heads, url = one.headers() | last, "/v1/events/stream"
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


def test_everybody_hears_everything_over_few_connections(narrow: Served) -> None:
    many = OFFICES * EACH
    narrow.http.close()
    narrow.http = client_of(narrow.port, 3 * many)
    listed = done(narrow.someone("KZ_LEAD").get("/focal-points", limit=200))["items"]
    offices = [narrow.someone(one["code"]) for one in listed[:OFFICES]]

    with ThreadPoolExecutor(2 * many) as pool:
        hearers = [(one, how) for one in offices for how in (waits, listens)] * EACH
        heard = [(one, pool.submit(how, one)) for one, how in hearers]
        committed = write_all(offices[0], offices, by_mailbox, CHANGES)
        the_last = About(0, frozenset(one.id for one in offices))
        with offices[0].writing() as work:
            by_mailbox(work, the_last)
        for one, subjects in heard:
            told = [about for about in committed if one.id in about.audience]
            assert subjects.result() == [about.reference for about in (*told, the_last)]

    report("heard by", [one.code for one, _ in heard])
    assert len(committed) == CHANGES
    assert narrow.database.engine.pool.size() == CONNECTIONS  # type: ignore[attr-defined]
