"""Tests of the alarms for notifications that are not sent and webhooks that fail."""

from collections.abc import Iterator

import pytest
from sqlalchemy import update

from app.cli.status import Status, list_remedies
from app.metrics.gauges import WATCHES
from app.metrics.measurement import GaugeValue, measure
from app.outbox.models import MessageChannel, Outgoing
from app.outbox.pacing import GIVE_UP_WEIGHT
from app.webhooks.models import Webhook
from tests.support.mail_servers import (
    NO_WAY_OUT,
    FakeServer,
    Mood,
    Post,
    notify_in_transaction,
    open_post,
)
from tests.support.webhook_receivers import create_webhook
from tests.support.world import NOON, Someone, World

pytestmark = pytest.mark.slow
OFFICE = "KZ_LEGAL_AID"


@pytest.fixture
def post(world: World) -> Iterator[Post]:
    with open_post(world) as made:
        yield made


def status(world: World) -> Status:
    with world.database.begin_read() as session:
        now = world.runtime.time(session)
        return Status(now, measure(WATCHES, session, now))


def alarms(world: World) -> dict[tuple[str, str | None], GaugeValue]:
    """Return the gauges that need attention, except the heartbeat of the worker."""
    return {
        (one.gauge.name, one.label_value): one
        for one in status(world).measured
        if not one.is_within_limit and one.gauge.name != "heartbeat_age_seconds"
    }


def test_notices_that_cannot_leave_are_told_two_minutes_later(
    post: Post, officer: Someone
) -> None:
    post.mail.mood = lambda: Mood.BUSY
    notify_in_transaction(officer, OFFICE, "DESK_CENTRAL_ASIA")
    told = []
    for _ in range(7):
        post.send_due()
        told.append(
            ("outgoing_oldest_waiting_seconds", MessageChannel.EMAIL) in alarms(post.world)
        )
        post.world.advance(seconds=30)

    assert told == [False] * 5 + [True] * 2
    assert "connects to the mail server" in " ".join(list_remedies(status(post.world)))
    assert ("outgoing_oldest_waiting_seconds", MessageChannel.SMS) not in alarms(post.world)

    post.mail.mood = lambda: Mood.TAKES
    post.world.advance(minutes=5)
    post.send_due()
    assert alarms(post.world) == {}


def test_a_notice_that_its_contact_is_not_to_get_yet_does_not_count(
    post: Post, officer: Someone
) -> None:
    notify_in_transaction(officer, OFFICE)
    post.send_due()
    notify_in_transaction(officer, OFFICE)
    post.send_due()
    post.world.advance(minutes=59)
    post.send_due()
    waits = alarms(post.world)
    post.world.advance(minutes=4)
    late = alarms(post.world)

    assert waits == {}
    assert {way: one.value for (_, way), one in late.items()} == {
        MessageChannel.EMAIL: 3 * 60
    }


def test_a_notice_that_was_given_up_is_told_at_once_and_for_a_day(
    world: World, officer: Someone
) -> None:
    post = Post(world, *(FakeServer(lambda: NOON),) * 2, NO_WAY_OUT)
    notify_in_transaction(officer, OFFICE)
    with world.database.begin_write() as session:
        session.execute(update(Outgoing).values(weight=GIVE_UP_WEIGHT - 1))
    before = alarms(world)
    post.send_due()
    at_once = alarms(world)
    world.advance(hours=23, minutes=59)
    still = alarms(world)
    world.advance(minutes=2)

    assert before == {}
    assert ("outgoing_given_up", MessageChannel.EMAIL) in at_once
    assert (
        "Call the office" in at_once["outgoing_given_up", MessageChannel.EMAIL].gauge.remedy
    )
    assert ("outgoing_given_up", MessageChannel.EMAIL) in still
    assert ("outgoing_given_up", MessageChannel.EMAIL) not in alarms(world)


def test_a_receiver_that_is_dead_for_five_minutes_is_told(world: World) -> None:
    create_webhook(world, "KZ_LEAD")
    with world.database.begin_write() as session:
        session.execute(update(Webhook).values(failing_since=world.now))
    world.advance(minutes=5)
    before = alarms(world)
    world.advance(seconds=1)

    assert before == {}
    assert {name for name, _ in alarms(world)} == {"webhook_longest_failing_seconds"}


def test_readyz_has_a_note_without_names_and_stays_ready(
    post: Post, officer: Someone
) -> None:
    post.world.run_worker()
    before = post.world.http.get("/readyz")
    notify_in_transaction(officer, OFFICE)
    create_webhook(post.world, "KZ_LEAD")
    with post.world.database.begin_write() as session:
        session.execute(update(Webhook).values(failing_since=post.world.now))
    post.world.advance(minutes=6)
    post.world.run_worker()
    after = post.world.http.get("/readyz")

    notes = [
        {name: it.json()[name] for name in ("notifications", "receivers")}
        for it in (before, after)
    ]
    assert notes[0] == {"notifications": "in time", "receivers": "in time"}
    assert notes[1] == {"notifications": "late: email", "receivers": "late"}
    assert [it.status_code for it in (before, after)] == [200, 200]
    assert after.json()["status"] == "ready"
    assert not {OFFICE, "KZ_LEAD", "example"} & set(after.text.replace('"', " ").split())
