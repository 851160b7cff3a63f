"""Tests that a host with webhooks of several offices cannot link their cases (A8)."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, Final
from uuid import UUID

import pytest

from app.kernel.journal import Epoch
from app.worker.webhook_job import find_due
from tests.processes.test_pushing import does, stands
from tests.support.databases import ask
from tests.support.feeds import read_cursors
from tests.support.mail_servers import Mood
from tests.support.webhook_receivers import (
    Receiver,
    create_webhook,
    push_all_due,
    push_due,
    serve_receiver,
)
from tests.support.world import Someone, World

LONGEST: Final = timedelta(seconds=30)
HOUR: Final = timedelta(hours=1)
CONSTANT: Final = frozenset(
    {"feed.event", None, "application/json", "webhooks", "content-length"}
)
"""Values that every message contains, for any event."""

type Message = tuple[dict[str, str], dict[str, Any]]


@pytest.fixture
def receiver(world: World, tmp_path: Path) -> Iterator[Receiver]:
    """Yield a receiver of webhooks in a world whose ids come from a fixed sequence."""
    drawn = partial(Random(21).getrandbits, 128)
    world.runtime = replace(world.runtime, ids=lambda: UUID(int=drawn(), version=4))
    world.app.state.runtime = world.runtime
    with serve_receiver(world, tmp_path) as made:
        yield made


def list_messages(receiver: Receiver, end: str) -> list[Message]:
    """Return the headers and the body of each message to an address that ends in `end`."""
    pairs = zip(receiver.postman.headers, receiver.postman.received, strict=True)
    return [(head, json.loads(one.body)) for head, one in pairs if one.to.endswith(end)]


def list_values(message: Message) -> set[Any]:
    """Return the values of a message that are not constant."""
    head, body = message
    fixed = {head["host"], head["content-length"]}
    return {*head.values(), body["type"], body["timestamp"], *body["data"].values()} - (
        CONSTANT | fixed
    )


def get_sent_time(message: Message) -> int:
    head, body = message
    at = int(datetime.fromisoformat(body["timestamp"]).timestamp())
    assert at == int(head["webhook-timestamp"])
    return at


def test_two_webhooks_of_one_host_get_messages_with_no_value_in_common(
    receiver: Receiver, officer: Someone, lead: Someone, world: World
) -> None:
    """If two offices get the same events, no value in the messages links their feeds."""
    for office, end in (("KZ_LEAD", "/one"), ("UZ_CONSULATE_ALMATY", "/other")):
        create_webhook(world, office, receiver.url + end)
    for _ in range(6):
        lead.take_lead(officer.submit())
        push_all_due(world, receiver.courier, HOUR, LONGEST)

    ones, others = list_messages(receiver, "/one"), list_messages(receiver, "/other")
    shared = {one["id"] for one in lead.poll()} & {one["id"] for one in officer.poll()}
    common = [list_values(one) & list_values(other) for one in ones for other in others]

    assert len(shared) >= 12
    assert (len(ones), len(others)) == (len(read_cursors(lead)), len(read_cursors(officer)))
    assert [found for found in common if found] == []


def test_the_same_event_is_sent_at_times_that_do_not_depend_on_each_other(
    receiver: Receiver, officer: Someone, world: World
) -> None:
    for office, end in (("KZ_LEAD", "/one"), ("UZ_CONSULATE_ALMATY", "/other")):
        create_webhook(world, office, receiver.url + end)
    firsts, began = [], []
    for _ in range(20):
        began.append(int(world.now.timestamp()))
        officer.submit()
        before = [len(list_messages(receiver, end)) for end in ("/one", "/other")]
        push_all_due(world, receiver.courier, HOUR, LONGEST)
        one, other = (
            list_messages(receiver, end)[n]
            for end, n in zip(("/one", "/other"), before, strict=True)
        )
        firsts.append((get_sent_time(one), get_sent_time(other)))

    delays = [
        tuple(at - start for at in pair) for pair, start in zip(firsts, began, strict=True)
    ]
    apart = [one - other for one, other in delays]

    assert all(0 <= delay <= LONGEST.seconds for pair in delays for delay in pair)
    assert len(set(apart)) > 10
    assert min(apart) < -5
    assert max(apart) > 5


def test_an_id_stays_at_each_try_and_differs_by_webhook_and_epoch(
    receiver: Receiver, officer: Someone, supervisor: Someone, url: str, world: World
) -> None:
    one = create_webhook(world, "KZ_LEAD", f"{receiver.url}/one")
    create_webhook(world, "KZ_LEAD", f"{receiver.url}/two")
    postman = receiver.postman
    officer.submit()
    officer.submit()
    postman.mood = lambda: Mood.BUSY
    push_due(world, receiver.courier)
    refused = [head["webhook-id"] for head in postman.headers]
    world.advance(minutes=1)
    postman.mood = lambda: Mood.TAKES
    push_due(world, receiver.courier)
    taken = [head["webhook-id"] for head in postman.headers][len(refused) :]
    does(supervisor, one, "rotate-secret", {"overlap_hours": 0})
    does(supervisor, one, "replay", {"after": None})
    del postman.headers[:], postman.received[:]
    push_due(world, receiver.courier)
    again = [head["webhook-id"] for head, _ in list_messages(receiver, "/one")]
    ask(url, f"UPDATE {Epoch.__tablename__} SET value = '00000000'")
    does(supervisor, one, "replay", {"after": None})
    del postman.headers[:], postman.received[:]
    push_due(world, receiver.courier)
    restored = [head["webhook-id"] for head, _ in list_messages(receiver, "/one")]

    assert len(refused) == len(set(refused)) == 2
    assert set(refused) < set(taken)
    assert len(set(taken)) == len(taken) == 4  # for each event one id per webhook
    assert len(set(again) & set(taken)) == 2
    assert not set(restored) & {*taken, *again}
    assert all(UUID(name).version == 4 for name in (*taken, *again, *restored))


def test_what_is_new_is_delayed_once_in_order_and_a_test_is_not(
    receiver: Receiver, officer: Someone, lead: Someone, supervisor: Someone, world: World
) -> None:
    webhook = create_webhook(world, "KZ_LEAD", receiver.url)
    for _ in range(3):
        officer.submit()
    at_once = push_due(world, receiver.courier, LONGEST)
    waits = find_due(world.runtime)
    does(supervisor, webhook, "ping")
    tested = [push_due(world, receiver.courier, LONGEST), stands(lead, webhook)["ping"]]
    receiver.postman.mood = lambda: Mood.BUSY
    world.now += LONGEST
    push_due(world, receiver.courier, LONGEST)
    receiver.postman.mood = lambda: Mood.TAKES
    world.now += LONGEST
    taken = push_due(world, receiver.courier, LONGEST)
    lead.take_lead(officer.submit())
    new = push_due(world, receiver.courier, LONGEST)
    world.now += LONGEST
    push_due(world, receiver.courier, LONGEST)

    assert (at_once, waits, new) == (0, [], 0)
    assert (taken, tested[1]["answer"]) == (3, "204")
    assert receiver.arrived == read_cursors(lead)


def test_a_message_says_when_it_was_sent_and_not_when_something_happened(
    receiver: Receiver, officer: Someone, world: World
) -> None:
    create_webhook(world, "KZ_LEAD", receiver.url)
    officer.submit()
    world.now = datetime(2026, 6, 1, 12, 34, 56, 789_000, tzinfo=UTC)
    push_due(world, receiver.courier)

    [(head, body)] = list_messages(receiver, "")
    assert body["timestamp"] == "2026-06-01T12:34:56Z"
    assert get_sent_time((head, body)) == 1780317296
