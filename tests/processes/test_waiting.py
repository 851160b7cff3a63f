"""Tests of long polling and event streams, which must not block other requests."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from itertools import cycle, islice
from socket import create_connection, socket
from threading import Thread
from uuid import UUID

import pytest
from httpx2 import Response
from sqlalchemy import select

from app.access.models import ApiKey
from app.api import events
from app.api.http.long_polling import MAX_WAIT_SECONDS, MAX_WAITING, parse_wait_seconds
from app.feed import queries as feed_queries
from tests.support.servers import Served, serve_world
from tests.support.waiting import wait_until
from tests.support.world import Json, Someone, get_problem, list_types, unwrap

SOON = 3.0
"""Seconds within which an awaited event arrives, even on a busy machine."""


@pytest.fixture
def world(url: str) -> Iterator[Served]:
    with serve_world(url) as made:
        yield made
    assert not made.app.state.bell.held, "A request is still waiting."


@contextmanager
def run_later[T](act: Callable[[], T], after: float = 0.5) -> Iterator[Future[T]]:
    """Run an action in a thread after a delay, and yield its future."""
    with ThreadPoolExecutor(1) as pool:

        def later() -> T:
            time.sleep(after)
            return act()

        yield pool.submit(later)


def poll_feed(one: Someone, wait: str = "wait=20", **more: str) -> Response:
    query = {"after": one.cursor} if one.cursor else {}
    return one.ask("GET", "/events", params=query, headers={"Prefer": wait, **more})


def revoke_key(one: Someone) -> None:
    """Revoke the API keys of a person, as an administrator does."""
    mine = ApiKey.account_id == one.actor.account_id
    with one.world.database.begin_write() as session:
        for key in session.scalars(select(ApiKey).where(mine)):
            key.revoked_at = one.world.now


def measure_time[T](act: Callable[[], T]) -> tuple[T, float]:
    began = time.monotonic()
    return act(), time.monotonic() - began


def test_a_poll_that_waits_is_answered_when_something_happens(
    officer: Someone, lead: Someone
) -> None:
    with run_later(officer.submit) as submitted:
        answer, took = measure_time(lambda: poll_feed(lead))

    [event] = unwrap(answer)["items"]
    assert event["subject"] == f"cases/{submitted.result()['code']}"
    assert answer.headers["Preference-Applied"] == "wait=20"
    assert 0.5 < took < 0.5 + SOON


def test_a_poll_that_waits_for_nothing_says_so_in_time(lead: Someone) -> None:
    answer, took = measure_time(lambda: poll_feed(lead, "respond-async, wait=1"))
    assert unwrap(answer)["items"] == []
    assert 1 <= took < 1 + SOON

    same, took = measure_time(
        lambda: poll_feed(lead, "wait=1", if_none_match=answer.headers["ETag"])
    )
    assert same.status_code == 304
    assert same.headers["Preference-Applied"] == "wait=1"
    assert 1 <= took < 1 + SOON


def test_who_has_a_page_already_hears_of_what_comes_after_it(
    officer: Someone, lead: Someone
) -> None:
    officer.submit()
    tag = poll_feed(lead, "wait=0").headers["ETag"]
    with run_later(officer.submit):
        answer, took = measure_time(lambda: poll_feed(lead, if_none_match=tag))
    assert list_types(unwrap(answer)["items"]) == ["case.submitted"] * 2
    assert took > 0.5


def test_news_are_not_waited_for_where_there_are_some(
    officer: Someone, lead: Someone
) -> None:
    officer.submit()
    answer, took = measure_time(lambda: poll_feed(lead))
    assert list_types(unwrap(answer)["items"]) == ["case.submitted"]
    assert answer.headers["Preference-Applied"] == "wait=20"
    assert took < SOON


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("wait=30", 30),
        ('WAIT = "7"; strict, respond-async', 7),
        ("respond-async,wait=0", 0),
        ("wait=99999", MAX_WAIT_SECONDS),
        (f"wait={10**400}", MAX_WAIT_SECONDS),
        ("wait=5, wait=9", 5),
        ("wait", None),
        ("wait=-1", None),
        ("wait=1.5", None),
        ("await=5", None),
    ],
)
def test_what_is_preferred(said: str, seconds: int | None) -> None:
    assert parse_wait_seconds(said) == seconds


def test_a_key_that_ends_meanwhile_hears_nothing(officer: Someone, lead: Someone) -> None:
    def act() -> None:
        revoke_key(lead)
        officer.submit()

    with run_later(act):
        assert poll_feed(lead).status_code == 401


def test_who_waits_holds_no_connection_and_no_thread(
    world: Served, officer: Someone, lead: Someone
) -> None:
    many = 100
    people = cycle(
        [lead, *(world.add_person("KZ_LEAD") for _ in range(many // MAX_WAITING))]
    )
    with ThreadPoolExecutor(many) as pool:
        waiting = [pool.submit(poll_feed, next(people)) for _ in range(many)]
        while len(world.app.state.bell.waiters) < many:
            time.sleep(0.01)
        assert world.database.engine.pool.checkedout() <= 1  # type: ignore[attr-defined]
        officer.submit()
        heard = {tuple(list_types(unwrap(one.result())["items"])) for one in waiting}
    assert heard == {("case.submitted",)}
    assert not world.app.state.bell.waiters


def open_request(one: Someone, path: str, wait: int = MAX_WAIT_SECONDS) -> socket:
    """Send a request on a socket that the test can close at any time."""
    world = one.world
    assert isinstance(world, Served)
    line = create_connection(("127.0.0.1", world.port), timeout=20)
    head = (
        f"GET /v1{path} HTTP/1.1\r\nHost: localhost\r\nPrefer: wait={wait}\r\n"
        f"Authorization: Bearer {one.key}\r\n\r\n"
    )
    line.sendall(head.encode())
    return line


@pytest.fixture
def crowd(lead: Someone) -> Iterator[list[socket]]:
    """Yield as many open polls and streams of one account as an account may have."""
    with ExitStack() as stack:
        paths = islice(cycle(["/events", "/events/stream"]), MAX_WAITING)
        yield [stack.enter_context(open_request(lead, path)) for path in paths]


def test_an_account_has_so_many_wait_and_listen_and_no_more(
    world: Served, crowd: list[socket], officer: Someone, lead: Someone
) -> None:
    wait_until(lambda: len(world.app.state.bell.waiters) == MAX_WAITING)
    refused, colleague = poll_feed(lead, "wait=1"), world.add_person("KZ_LEAD")

    with open_request(lead, "/events/stream") as stream:
        assert stream.recv(4096).startswith(b"HTTP/1.1 429 ")
    assert get_problem(refused) == (429, "too-many-requests")
    assert refused.headers["Retry-After"] == "10"
    assert (
        unwrap(lead.get("/events"))["items"]
        == unwrap(poll_feed(lead, "wait=0"))["items"]
        == []
    )
    assert unwrap(poll_feed(colleague, "wait=1"))["items"] == []

    officer.submit()
    assert list_types(unwrap(poll_feed(lead))["items"]) == ["case.submitted"]
    assert len(crowd) == MAX_WAITING


def test_who_has_gone_waits_no_longer(
    world: Served, crowd: list[socket], lead: Someone
) -> None:
    bell = world.app.state.bell
    wait_until(lambda: len(bell.waiters) == MAX_WAITING)
    for line in crowd:
        line.close()
    wait_until(lambda: not bell.held and not bell.waiters, SOON)
    assert unwrap(poll_feed(lead, "wait=1"))["items"] == []


def test_who_waits_in_vain_for_a_turn_gives_the_place_back(
    world: Served, officer: Someone, lead: Someone
) -> None:
    turns, bell = world.app.state.turns, world.app.state.bell
    with open_request(lead, "/events") as line:
        wait_until(lambda: len(bell.waiters) == 1)
        turns.queue = 0
        officer.submit()
        assert line.recv(4096).startswith(b"HTTP/1.1 503 ")
    assert not bell.held


def test_a_look_at_the_mailboxes_is_over_before_the_database_is_closed(url: str) -> None:
    begun, ended = list[object](), list[object]()
    with serve_world(url) as world:
        bell, lead = world.app.state.bell, world.add_person("KZ_LEAD")

        def slowly(readers: AbstractSet[UUID]) -> Mapping[UUID, int]:
            begun.append(readers)
            with world.database.begin_read() as session:
                heads = feed_queries.get_heads(session, readers)
                time.sleep(0.5)
            ended.append(readers)
            return heads

        bell.load_heads = slowly
        assert unwrap(poll_feed(lead, "wait=1"))["items"] == []
    assert len(begun) == len(ended) > 0
    assert bell.watch is None


# The stream.


class Listener:
    """A client that listens to the event stream in a thread."""

    def __init__(self, one: Someone, last: str | None = None, most: int = 100) -> None:
        self.one, self.last, self.most = one, last, most
        self.heard = list[tuple[str, Json]]()
        self.status, self.comments, self.ended = 0, 0, False
        self.thread = Thread(target=self.listens)
        self.thread.start()

    def listens(self) -> None:
        one, said = self.one, {"Last-Event-ID": self.last} if self.last else {}
        url, heads = "/v1/events/stream", one.make_headers() | said
        with one.world.http.stream("GET", url, headers=heads) as answer:
            self.status, told = answer.status_code, ""
            for line in answer.iter_lines():
                name, _, value = line.partition(": ")
                self.comments += line.startswith(":")
                if name == "data":
                    told = value
                if name == "id":
                    self.heard.append((value, json.loads(told)))
                if len(self.heard) >= self.most:
                    break
        self.ended = True

    def has(self, count: int) -> list[str]:
        """Wait until `count` events have arrived, and return their types."""
        wait_until(lambda: len(self.heard) >= count)
        return [event["type"] for _, event in self.heard]


def test_a_stream_tells_what_was_and_what_comes(officer: Someone, lead: Someone) -> None:
    officer.submit()
    listener = Listener(lead, most=2)
    assert listener.has(1) == ["case.submitted"]
    officer.submit()
    assert listener.has(2) == ["case.submitted"] * 2

    page = unwrap(lead.get("/events"))
    assert [event for _, event in listener.heard] == page["items"]
    assert listener.heard[-1][0] == page["cursor"]


def test_a_stream_goes_on_where_it_was_left(officer: Someone, lead: Someone) -> None:
    codes = [officer.submit()["code"] for _ in range(3)]
    first = Listener(lead, most=2)
    first.thread.join()
    again = Listener(lead, last=first.heard[-1][0], most=1)
    again.thread.join()
    assert [event["subject"] for _, event in again.heard] == [f"cases/{codes[2]}"]


def test_what_was_sent_is_evidence_once_the_stream_is_taken_up_again(
    officer: Someone, lead: Someone
) -> None:
    code = officer.submit()["code"]
    heard = Listener(lead, most=1)
    heard.thread.join()

    def rank() -> int:
        [ladder] = unwrap(officer.get(f"/cases/{code}/evidence"))["items"]
        return int(ladder["rank"])

    assert rank() == 2
    again = Listener(lead, last=heard.heard[0][0])
    wait_until(lambda: rank() == 3)
    lead.world.app.state.bell.close()
    again.thread.join()


def test_a_stream_ends_with_the_key(officer: Someone, lead: Someone) -> None:
    officer.submit()
    listener = Listener(lead)
    listener.has(1)
    revoke_key(lead)
    officer.submit()
    wait_until(lambda: listener.ended)
    assert len(listener.heard) == 1

    refused = Listener(lead)
    wait_until(lambda: refused.ended)
    assert refused.status == 401


def test_a_stream_says_that_it_is_still_there_and_ends_in_time(
    lead: Someone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "HEARTBEAT_SECONDS", 0.2)
    monkeypatch.setattr(events, "STREAM_SECONDS", 1.0)
    listener, began = Listener(lead), time.monotonic()
    wait_until(lambda: listener.ended)
    assert listener.comments >= 3
    assert 1 <= time.monotonic() - began < 1 + SOON


def test_a_cursor_that_is_none_is_refused_before_anything_is_streamed(
    lead: Someone,
) -> None:
    unknown = lead.get("/events/stream", after="nonsense")
    assert (unknown.status_code, unknown.json()["type"]) == (
        422,
        "/problems/cursor-unknown",
    )
    gone = lead.get("/events/stream", after="00000000.0")
    assert gone.status_code == 410


def test_the_service_ends_though_many_wait(url: str) -> None:
    with serve_world(url) as world:
        lead = world.add_person("KZ_LEAD")
        listeners = [Listener(lead) for _ in range(10)]
        with ThreadPoolExecutor(10) as pool:
            answers = [pool.submit(poll_feed, lead, "wait=60") for _ in range(10)]
            wait_until(lambda: len(world.app.state.bell.waiters) == 20)
            world.server.should_exit = True
            _, took = measure_time(world.thread.join)
            assert {one.result().status_code for one in answers} == {200}
        wait_until(lambda: all(one.ended for one in listeners))
    assert took < 5
    assert not world.app.state.bell.held
