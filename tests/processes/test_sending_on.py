"""Tests that notifications are sent despite outages, wrong clocks and removed contacts."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from app.deadlines.limits import Priority
from app.kernel.actors import SYSTEM
from app.kernel.transactions import begin_write
from app.notifications import queries as notifications_queries
from app.outbox import actions as outbox_actions
from app.outbox import queries as outbox_queries
from app.outbox.lifecycle import State
from app.outbox.models import MessageChannel
from app.outbox.pacing import GIVE_UP_WEIGHT, JOIN_LIMIT, LONGEST_TRY
from tests.support.mail_servers import (
    HOUR,
    Mood,
    Post,
    list_outbox,
    list_states,
    load_contacts,
    notify_in_transaction,
    open_post,
)
from tests.support.world import Someone, World

pytestmark = pytest.mark.slow


@pytest.fixture
def post(world: World) -> Iterator[Post]:
    with open_post(world) as made:
        yield made


def fail_until(post: Post, weight: int) -> None:
    """Make the server busy, and send until failures give the message this weight."""
    post.mail.mood = lambda: Mood.BUSY
    while (waits := list_outbox(post.world)[0]).weight < weight:
        post.world.now = max(post.world.now, waits.due_at)
        post.send_due()


def test_who_is_called_on_late_in_an_outage_is_not_given_up_with_who_was_early(
    post: Post, officer: Someone
) -> None:
    notify_in_transaction(officer, "KZ_LEGAL_AID")
    fail_until(post, GIVE_UP_WEIGHT - 1)
    notify_in_transaction(officer, "KZ_LEGAL_AID", urgency=Priority.EMERGENCY)
    post.send_due()
    post.send_all_due(timedelta(hours=2))
    down = [one.state for one in list_outbox(post.world)]
    post.mail.mood = lambda: Mood.TAKES
    post.send_all_due(timedelta(minutes=5))

    assert down == [State.DEAD, State.WAITING]
    assert len(post.mail.received) == 1


@pytest.mark.parametrize(("weight", "messages"), [(JOIN_LIMIT - 1, 1), (JOIN_LIMIT, 2)])
def test_a_notice_joins_what_has_half_of_its_tries_before_it(
    post: Post, officer: Someone, weight: int, messages: int
) -> None:
    notify_in_transaction(officer, "KZ_LEGAL_AID")
    fail_until(post, weight)
    for _ in "12":
        notify_in_transaction(officer, "KZ_LEGAL_AID")
    post.mail.mood = lambda: Mood.TAKES
    post.send_all_due(timedelta(hours=2))

    assert list_states(post.world) == [("KZ_LEGAL_AID_MAIL", "sent")] * messages
    assert len(post.mail.received) == messages


def run_sender(post: Post, minutes: int) -> None:
    """Run a sender every five minutes, for `minutes` minutes."""
    for _ in range(minutes // 5):
        post.world.advance(minutes=5)
        post.send_due()


@pytest.mark.parametrize("mood", [Mood.TAKES, Mood.BUSY, Mood.GONE_AFTER_DATA])
def test_nobody_is_left_alone_until_a_day_that_a_wrong_clock_told(
    post: Post, officer: Someone, mood: Mood
) -> None:
    right = post.world.now
    post.world.advance(days=30)
    post.mail.mood = lambda: mood
    for _ in "12":
        notify_in_transaction(officer, "KZ_LEGAL_AID")
        post.send_due()
    post.mail.mood, post.world.now = lambda: Mood.TAKES, right
    post.mail.received.clear()
    run_sender(post, 5)
    soon = len(post.mail.received)
    run_sender(post, 65)

    assert soon == 1
    assert {state for _, state in list_states(post.world)} == {"sent"}
    assert min(post.mail.list_gaps(), default=HOUR) >= HOUR


def test_who_keeps_a_shorter_window_takes_nothing_out_of_anothers_hand(
    post: Post, officer: Someone
) -> None:
    notify_in_transaction(officer, "KZ_LEGAL_AID")
    with begin_write(post.world.runtime, SYSTEM) as tx:
        waits = outbox_queries.lock_due(tx, MessageChannel.EMAIL, HOUR)
        assert waits is not None
        outbox_actions.claim(tx, waits, 24 * HOUR)
    run_sender(post, 60)
    within = len(post.mail.received)
    run_sender(post, 10)

    assert (within, len(post.mail.received)) == (0, 1)


@pytest.mark.parametrize(
    ("ahead", "messages"), [(LONGEST_TRY, 0), (LONGEST_TRY + timedelta(seconds=1), 1)]
)
def test_a_sender_believes_another_whose_time_is_a_little_ahead(
    post: Post, officer: Someone, ahead: timedelta, messages: int
) -> None:
    notify_in_transaction(officer, "KZ_LEGAL_AID")
    post.world.now += ahead
    post.mail.mood = lambda: Mood.GONE_AFTER_DATA
    post.send_due()
    post.world.now -= ahead
    post.mail.received.clear()
    notify_in_transaction(officer, "KZ_LEGAL_AID", urgency=Priority.EMERGENCY)
    post.send_due()

    assert len(post.mail.received) == messages


SHUT = "KZ_LEGAL_AID_MAIL,KZ_LEGAL_AID,email,duty@adildik.example.org,ru,duty,false"
NEW_MAIL = "KZ_LEGAL_AID_MAIL2,KZ_LEGAL_AID,email,new@adildik.example.org,ru,duty,true"
NEW_SMS = "KZ_LEGAL_AID_SMS,KZ_LEGAL_AID,sms,+447700900199,ru,duty,true"


@pytest.mark.parametrize(
    ("opened", "reached"),
    [
        ([NEW_MAIL, NEW_SMS], ["new@adildik.example.org"]),
        ([NEW_SMS], ["+447700900199"]),
        ([], []),
    ],
    ids=["the same channel", "another channel", "none"],
)
def test_what_waited_for_a_contact_that_is_shut_goes_to_those_its_office_has_now(
    post: Post, officer: Someone, tmp_path: Path, opened: list[str], reached: list[str]
) -> None:
    post.mail.mood = lambda: Mood.BUSY
    case, record = (post.world.runtime.ids() for _ in "12")
    for about in (None, record):
        notify_in_transaction(officer, "KZ_LEGAL_AID", case_id=case, record_id=about)
    post.send_due()
    load_contacts(post.world, tmp_path, SHUT, *opened)
    post.mail.mood = lambda: Mood.TAKES
    with capture_logs() as logged:
        post.send_all_due(HOUR)
    with post.world.write_as_service() as tx:
        told = [
            (one.record_id, one.state)
            for one in notifications_queries.list_notifications(tx, case_id=case)
        ]

    warned = [one["event"] for one in logged if one["log_level"] == "warning"]
    assert [given.to for given in (*post.mail.received, *post.sms.received)] == reached
    assert told == [
        *((None, "dropped"), (record, "dropped")),
        *([(None, "sent"), (record, "sent")] * len(reached)),
    ]
    assert warned == ["outgoing.dropped"] * (not reached)
