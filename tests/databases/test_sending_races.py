"""With many senders, some of which crash, no message is lost or repeated too soon."""

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from queue import Queue
from threading import Barrier
from time import sleep

import pytest

from app.cli.sender_wiring import build_notification_channel, fail_not_set_up
from app.kernel.file_keys import FileKeys
from app.notifications.words import NotificationMessage
from app.outbox.actions import Answer
from app.outbox.lifecycle import State
from app.outbox.models import MessageChannel
from app.outbox.pacing import Outcome
from app.runtime import build_runtime
from app.worker.outbox_job import Senders, SendOutcome, send_due
from tests.support.child_processes import Child, ReportPipe
from tests.support.effort import choose_number
from tests.support.mail_servers import (
    HOUR,
    FakeServer,
    Mood,
    Post,
    list_outbox,
    list_states,
    make_mail,
    notify_in_transaction,
    open_post,
    send_to_offices,
)
from tests.support.servers import write_key_file
from tests.support.world import NOON, Someone, World

pytestmark = [pytest.mark.slow, pytest.mark.race]
SENDERS = 6
ROUNDS = choose_number(6, sample=3, night=60)
OFFICES = (
    "UZ_CONSULATE_ALMATY",
    "KZ_SHELTER_KOGERSHIN",
    "KZ_LEGAL_AID",
    "TT_SHELTER",
    "DESK_CENTRAL_ASIA",
    "DESK_CENTRAL_AMERICA",
    "DESK_CARIBBEAN",
    "OVERSIGHT_DEMO",
)

GIVEN = {Mood.SILENT: 0, Mood.SILENT_AFTER_DATA: 1}
"""The server's behaviour when a sender is killed, and its number of messages by then."""


@pytest.fixture
def post(world: World) -> Iterator[Post]:
    with open_post(world) as made:
        yield made


def run_together[R](count: int, act: Callable[[], R]) -> list[R]:
    """Run a function in several threads at nearly the same moment."""
    barrier = Barrier(count)

    def begin() -> R:
        barrier.wait()
        return act()

    with ThreadPoolExecutor(count) as pool:
        return [one.result() for one in [pool.submit(begin) for _ in range(count)]]


def test_nothing_is_in_two_hands(post: Post, officer: Someone) -> None:
    for turn in range(1, ROUNDS + 1):
        notify_in_transaction(officer, *OFFICES)

        looks = run_together(SENDERS, post.send_due)

        arrived = Counter(given.to for given in (*post.mail.received, *post.sms.received))
        assert sum(look[SendOutcome.DELIVERED] for look in looks) == len(arrived) == 12
        assert set(arrived.values()) == {turn}
        post.world.advance(hours=1)
    assert {state for _, state in list_states(post.world)} == {"sent"}


def test_two_messages_to_one_contact_do_not_leave_at_once_by_two_senders(
    post: Post, officer: Someone
) -> None:
    for turn in range(ROUNDS):
        post.mail.mood = lambda: Mood.GONE_AFTER_DATA
        notify_in_transaction(officer, "KZ_LEGAL_AID")
        post.send_due()
        notify_in_transaction(officer, "KZ_LEGAL_AID")
        post.mail.mood = lambda: Mood.TAKES
        post.world.advance(hours=1, minutes=2)
        open_ones = [one for one in list_outbox(post.world) if one.state != State.SENT]
        before = len(post.mail.received)

        run_together(SENDERS, post.send_due)

        assert len(open_ones) == 2
        assert len(post.mail.received) == before + 1, turn
        post.send_all_due(timedelta(hours=3))
    assert min(post.mail.list_gaps()) >= HOUR
    assert {state for _, state in list_states(post.world)} == {"sent"}


def test_many_acts_at_once_make_one_message_of_it(post: Post, officer: Someone) -> None:
    silent = run_together(
        SENDERS, lambda: notify_in_transaction(officer, "KZ_LEGAL_AID", "DESK_CARIBBEAN")
    )

    post.send_due()

    assert silent == [frozenset()] * SENDERS
    assert len(post.mail.received) == 2
    assert len(post.sms.received) == 1


def test_an_act_waits_for_the_other_that_calls_on_the_same_contact(
    post: Post, officer: Someone
) -> None:
    with ThreadPoolExecutor(1) as pool:
        with officer.begin_write() as tx:
            send_to_offices(tx, "KZ_LEGAL_AID")
            other = pool.submit(notify_in_transaction, officer, "KZ_LEGAL_AID")
            sleep(0.3)
            before = other.done()
        other.result()

    assert not before
    assert list_states(post.world) == [("KZ_LEGAL_AID_MAIL", "waiting")]


def test_acts_and_senders_at_once_lose_nothing(post: Post, officer: Someone) -> None:
    for _ in range(ROUNDS):
        with ThreadPoolExecutor(2 * SENDERS) as pool:
            for _ in range(SENDERS):
                pool.submit(notify_in_transaction, officer, *OFFICES)
                pool.submit(post.send_due)
        post.send_all_due(timedelta(hours=3))

    assert {state for _, state in list_states(post.world)} == {"sent"}
    assert min((*post.mail.list_gaps(), *post.sms.list_gaps())) >= HOUR


@contextmanager
def start_sender(post: Post, url: str, folder: Path) -> Iterator[Child]:
    """Yield a sender that runs in another process, and kill it at the end."""
    one = Child(send_at_noon, url, write_key_file(folder), get_mail_port(post))
    try:
        yield one
    finally:
        one.kill()


def get_mail_port(post: Post) -> int:
    sender = post.senders.ways[MessageChannel.EMAIL].send.__self__  # type: ignore[attr-defined]
    return int(sender.port)


def wait_for(postman: FakeServer, *, asked: int = 0, given: int = 0) -> None:
    """Wait until a server has received this many requests and messages."""
    for _ in range(600):
        if postman.request_count >= asked and len(postman.received) >= given:
            return
        sleep(0.05)
    raise TimeoutError("No sender connected.")


@pytest.mark.parametrize("mood", GIVEN)
def test_a_sender_that_is_killed_at_its_work_is_followed_by_another_after_the_window(
    post: Post, officer: Someone, url: str, tmp_path: Path, mood: Mood
) -> None:
    given = GIVEN[mood]
    post.mail.mood = lambda: mood
    notify_in_transaction(officer, "KZ_LEGAL_AID")
    with start_sender(post, url, tmp_path) as sender:
        wait_for(post.mail, asked=1, given=given)
        sender.kill()
    post.mail.mood = lambda: Mood.TAKES

    [left] = list_outbox(post.world)
    while post.world.now < NOON + HOUR:
        post.send_due()
        post.world.advance(minutes=5)
    within = len(post.mail.received)
    post.send_all_due(HOUR)

    assert (left.state, left.tries) == ("sending", 1)
    assert within == given
    assert len(post.mail.received) == given + 1
    assert all(gap >= HOUR for gap in post.mail.list_gaps())
    assert list_states(post.world) == [("KZ_LEGAL_AID_MAIL", "sent")]


def test_a_sender_that_wakes_up_too_late_changes_nothing(
    world: World, officer: Someone
) -> None:
    """The result of a late sender is discarded once another has taken over the message."""
    hands, answers = Queue[None](), [Queue[Outcome]() for _ in "12"]
    waiting = iter(answers)

    def carry(_: NotificationMessage) -> Answer:
        mine = next(waiting)
        hands.put(None)
        return Answer(mine.get(timeout=60), "451")

    ways = {
        MessageChannel.EMAIL: build_notification_channel(carry, None),
        MessageChannel.SMS: build_notification_channel(fail_not_set_up, None),
    }
    senders = Senders(ways, HOUR)
    notify_in_transaction(officer, "KZ_LEGAL_AID")
    with ThreadPoolExecutor(2) as pool:
        sleeper = pool.submit(send_due, world.runtime, senders)
        hands.get(timeout=60)
        world.advance(hours=2)
        other = pool.submit(send_due, world.runtime, senders)
        hands.get(timeout=60)
        answers[0].put(Outcome.REFUSED)
        slept = sleeper.result()
        between = list_states(world)
        answers[1].put(Outcome.DELIVERED)
        sent = other.result()

    assert slept[SendOutcome.OVERTAKEN] == 1
    assert between == [("KZ_LEGAL_AID_MAIL", "sending")]
    assert sent[SendOutcome.DELIVERED] == 1
    assert list_states(world) == [("KZ_LEGAL_AID_MAIL", "sent")]


def send_at_noon(_: ReportPipe, url: str, keys: Path, port: int) -> None:
    """Send the messages that are due at noon, with long time-outs."""
    runtime = build_runtime(url, FileKeys.load(keys), time=lambda _: NOON)
    send = make_mail(port, step=60, whole=60).send
    ways = {
        MessageChannel.EMAIL: build_notification_channel(send, None),
        MessageChannel.SMS: build_notification_channel(fail_not_set_up, None),
    }
    send_due(runtime, Senders(ways, HOUR))
