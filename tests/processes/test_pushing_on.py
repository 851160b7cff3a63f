"""Tests that webhooks continue after failures, and that offices control their webhooks."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from threading import Thread
from uuid import UUID

import pytest

from app.kernel.actors import SYSTEM
from app.kernel.transactions import begin_write
from app.outbox.actions import Answer
from app.outbox.pacing import GIVE_UP_WEIGHT, Outcome
from app.webhooks import delivery
from app.worker.webhook_job import Pusher
from tests.processes.test_pushing import DAY, does, stands
from tests.support.account_changes import add
from tests.support.feeds import read_cursors
from tests.support.mail_servers import Mood
from tests.support.webhook_receivers import (
    Hooked,
    Receiver,
    create_webhook,
    push_all_due,
    push_due,
    serve_receiver,
)
from tests.support.world import Someone, World, unwrap


@pytest.fixture
def receiver(world: World, tmp_path: Path) -> Iterator[Receiver]:
    with serve_receiver(world, tmp_path) as made:
        yield made


@pytest.fixture
def webhook(world: World, receiver: Receiver) -> Hooked:
    """Return a webhook for the feed of the lead in Kazakhstan."""
    return create_webhook(world, "KZ_LEAD", receiver.url)


def test_a_secret_that_ends_at_once_does_though_the_clock_of_who_serves_is_ahead(
    webhook: Hooked,
    receiver: Receiver,
    supervisor: Someone,
    officer: Someone,
    world: World,
) -> None:
    world.runtime = replace(world.runtime, clock=lambda: world.now + timedelta(minutes=10))
    world.app.state.runtime = world.runtime
    for hours in (1, 0):
        path = f"/webhooks/{webhook.id}/rotate-secret"
        unwrap(add(supervisor, path, {"overlap_hours": hours}))
    world.advance(minutes=1)
    officer.submit()
    push_due(world, receiver.courier)

    signed = {head["webhook-signature"].count("v1,") for head in receiver.postman.headers}
    assert signed == {1}


@pytest.mark.slow
def test_one_that_failed_twice_is_not_dead_though_nobody_tried_for_a_day_between(
    webhook: Hooked, receiver: Receiver, officer: Someone, lead: Someone, world: World
) -> None:
    receiver.postman.mood = lambda: Mood.BUSY
    officer.submit()
    push_due(world, receiver.courier)
    world.advance(hours=25)
    push_due(world, receiver.courier)
    away = stands(lead, webhook)["state"]
    push_all_due(world, receiver.courier, DAY / 2)

    assert (away, stands(lead, webhook)["state"]) == ("active", "stalled")
    assert receiver.postman.request_count == GIVE_UP_WEIGHT


def test_one_that_failed_by_a_wrong_clock_does_not_wait_for_that_day(
    webhook: Hooked, receiver: Receiver, officer: Someone, lead: Someone, world: World
) -> None:
    right = world.now
    world.advance(days=30)
    receiver.postman.mood = lambda: Mood.BUSY
    officer.submit()
    push_due(world, receiver.courier)
    world.now = right
    push_due(world, receiver.courier)
    fails = stands(lead, webhook)["failing_since"]
    receiver.postman.mood = lambda: Mood.TAKES
    at_once = push_due(world, receiver.courier)
    world.advance(minutes=5)
    later = push_due(world, receiver.courier)

    assert fails == "2026-06-01T12:00:00Z"
    assert (at_once, later) == (0, 1)


def test_what_could_not_be_begun_is_begun_by_the_next_look(
    receiver: Receiver, officer: Someone, lead: Someone, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If no thread can be started, the next round of the worker tries again."""

    def no_thread(_: Thread) -> None:
        raise RuntimeError("can't start new thread")

    for office in ("KZ_LEAD", "UZ_CONSULATE_ALMATY"):
        create_webhook(receiver.world, office, receiver.url)
    officer.submit()
    pusher = Pusher(receiver.courier)
    with monkeypatch.context() as patch:
        patch.setattr(Thread, "start", no_thread)
        with pytest.raises(RuntimeError):
            pusher.start_due(receiver.world.runtime)
    begun = pusher.start_due(receiver.world.runtime)
    for thread in threading.enumerate():
        if thread.name == "webhook":
            thread.join(10)

    assert begun == 2
    assert set(receiver.arrived) == {*read_cursors(officer), *read_cursors(lead)}


def test_a_test_that_is_asked_for_while_an_event_is_tried_goes_at_once(
    webhook: Hooked,
    receiver: Receiver,
    supervisor: Someone,
    officer: Someone,
    world: World,
) -> None:
    receiver.postman.mood = lambda: Mood.BUSY
    officer.submit()
    with begin_write(world.runtime, SYSTEM) as tx:
        tried = delivery.claim_message(tx, UUID(webhook.id))
    assert tried is not None
    does(supervisor, webhook, "ping")
    with begin_write(world.runtime, SYSTEM) as tx:
        assert not delivery.record_outcome(tx, tried, Answer(Outcome.REFUSED, "503"))
    push_due(world, receiver.courier)

    answered = stands(supervisor, webhook)
    assert answered["ping"] == {"asked_at": "2026-06-01T12:00:00Z", "answer": "503"}
    assert answered["last_error"] == "503"
