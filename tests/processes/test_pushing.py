"""Tests that every event reaches its receiver in order and at least once (R53, R64)."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from itertools import cycle, groupby
from pathlib import Path
from time import monotonic, sleep
from uuid import UUID

import pytest
from standardwebhooks import Webhook as Reader
from standardwebhooks.webhooks import WebhookVerificationError
from structlog.testing import capture_logs

from app.kernel.actors import SYSTEM
from app.kernel.transactions import begin_write
from app.outbox.actions import Answer
from app.outbox.pacing import LONGEST_TRY, Outcome
from app.webhooks import delivery
from app.worker.webhook_job import Pusher, find_due, push
from tests.support.account_changes import add
from tests.support.feeds import read_cursors
from tests.support.mail_servers import Mood, draw_moods, list_outbox, set_addresses
from tests.support.metrics_scrape import serve_metrics
from tests.support.webhook_receivers import (
    LONG_LIMIT,
    SHORT_LIMIT,
    Hooked,
    Receiver,
    create_webhook,
    push_all_due,
    push_due,
    serve_receiver,
    set_hosts,
)
from tests.support.world import Json, Someone, World, list_types, unwrap

DAY = timedelta(days=1)
FAILING = [Mood.BUSY, Mood.REDIRECTS, Mood.GONE_AFTER_DATA]


@pytest.fixture
def receiver(world: World, tmp_path: Path) -> Iterator[Receiver]:
    with serve_receiver(world, tmp_path) as made:
        yield made


@pytest.fixture
def webhook(world: World, receiver: Receiver) -> Hooked:
    """Return a webhook for the feed of the lead in Kazakhstan."""
    return create_webhook(world, "KZ_LEAD", receiver.url)


def stands(who: Someone, webhook: Hooked) -> Json:
    return unwrap(who.get(f"/webhooks/{webhook.id}"))


def does(who: Someone, webhook: Hooked, change: str, body: Json | None = None) -> Json:
    return unwrap(add(who, f"/webhooks/{webhook.id}/{change}", body or {}))


def verify_messages(webhook: Hooked, receiver: Receiver) -> list[Json]:
    """Return all messages, after a library from PyPI has verified their signatures."""
    pairs = zip(receiver.postman.received, receiver.postman.headers, strict=True)
    return [Reader(webhook.secret).verify(one.body, head) for one, head in pairs]


def test_what_happens_arrives_in_the_order_of_the_feed(
    webhook: Hooked, receiver: Receiver, officer: Someone, lead: Someone, world: World
) -> None:
    for _ in range(3):
        lead.take_lead(officer.submit())

    arrived = push_due(world, receiver.courier)
    mine = lead.poll()

    assert receiver.arrived == read_cursors(lead)
    assert arrived == len(mine) > 8
    assert stands(lead, webhook)["cursor"] == lead.cursor
    assert (stands(lead, webhook)["undelivered"], push_due(world, receiver.courier)) == (
        0,
        0,
    )


@pytest.mark.usefixtures("webhook")
def test_a_message_says_that_something_happened_and_not_a_word_of_it(
    receiver: Receiver, officer: Someone, lead: Someone, world: World
) -> None:
    case = officer.submit()
    push_due(world, receiver.courier)
    lead.poll()

    [given], [head] = receiver.postman.received, receiver.postman.headers
    assert json.loads(given.body) == {
        "type": "feed.event",
        "timestamp": "2026-06-01T12:00:00Z",
        "data": {"event": None, "cursor": lead.cursor},
    }
    assert head.keys() == {
        *("content-length", "content-type", "host", "user-agent"),
        *("webhook-id", "webhook-timestamp", "webhook-signature"),
    }
    del head["webhook-signature"]  # a digest may contain any two letters
    said = given.body.decode() + json.dumps(head)
    assert not any(word in said for word in (case["code"], "KZ", "case", "referral"))


def test_whoever_has_the_secret_knows_that_it_is_ours(
    webhook: Hooked, receiver: Receiver, officer: Someone, world: World
) -> None:
    world.now = datetime.now(UTC)
    officer.submit()
    push_due(world, receiver.courier)

    [told] = verify_messages(webhook, receiver)
    [given], [head] = receiver.postman.received, receiver.postman.headers
    changed = given.body.replace(b"feed.event", b"feed.evenT")
    late = head | {"webhook-timestamp": str(int(head["webhook-timestamp"]) - 301)}
    stranger = Hooked("", "whsec_" + "QUJD" * 11)

    assert told["type"] == "feed.event"
    for body, headers, secret in (
        (changed, head, webhook.secret),
        (given.body, late, webhook.secret),
        (given.body, head, stranger.secret),
    ):
        with pytest.raises(WebhookVerificationError):
            Reader(secret).verify(body, headers)


def test_while_a_secret_is_replaced_both_sign_and_then_the_new_one_alone(
    webhook: Hooked,
    receiver: Receiver,
    supervisor: Someone,
    officer: Someone,
    world: World,
) -> None:
    world.now = datetime.now(UTC)
    made = add(supervisor, f"/webhooks/{webhook.id}/rotate-secret", {"overlap_hours": 2})
    fresh = Hooked(webhook.id, unwrap(made)["secret"])
    push_due(world, receiver.courier)

    assert verify_messages(webhook, receiver) == verify_messages(fresh, receiver)
    receiver.postman.received.clear()
    receiver.postman.headers.clear()
    world.advance(hours=2)
    officer.submit()
    push_due(world, receiver.courier)
    [head] = receiver.postman.headers
    assert " " not in head["webhook-signature"]


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_a_receiver_that_fails_nine_times_of_ten_gets_everything_in_order(
    world: World, officer: Someone, lead: Someone, tmp_path: Path, seed: int
) -> None:
    with serve_receiver(world, tmp_path, draw_moods(seed, FAILING)) as receiver:
        webhook = create_webhook(world, "KZ_LEAD", receiver.url)
        for _ in range(3):
            lead.take_lead(officer.submit())
        mine = read_cursors(lead)
        push_all_due(world, receiver.courier, DAY)

        assert [one for one, _ in groupby(receiver.arrived)] == mine
        assert len(receiver.postman.headers) > 3 * len(mine)
        assert stands(lead, webhook)["state"] == "active"


@pytest.mark.parametrize("mood", [Mood.SILENT, Mood.DRIBBLES])
def test_one_that_never_ends_is_cut_off_and_tried_again(
    world: World, officer: Someone, lead: Someone, tmp_path: Path, mood: Mood
) -> None:
    moods = cycle([mood, Mood.TAKES])
    with serve_receiver(
        world, tmp_path, lambda: next(moods), limit=SHORT_LIMIT
    ) as receiver:
        webhook = create_webhook(world, "KZ_LEAD", receiver.url)
        officer.submit()
        began = monotonic()
        first = push_due(world, receiver.courier)
        took, fails = monotonic() - began, stands(lead, webhook)
        at_once = push_due(world, receiver.courier)
        world.advance(seconds=30)
        later = push_due(world, receiver.courier)

    assert took < LONG_LIMIT
    assert (first, at_once, later) == (0, 0, 1)
    assert fails["failing_since"] == "2026-06-01T12:00:00Z"
    assert fails["last_error"] in {"ReadTimeout", "TimeoutError"}


def test_nobody_is_sent_on(world: World, officer: Someone, tmp_path: Path) -> None:
    with serve_receiver(world, tmp_path, lambda: Mood.REDIRECTS) as receiver:
        create_webhook(world, "KZ_LEAD", receiver.url)
        officer.submit()
        push_due(world, receiver.courier)

    assert [head.get("method", "POST") for head in receiver.postman.headers] == ["POST"]


@pytest.mark.slow
def test_one_that_stays_dead_stalls_after_a_day_and_its_office_is_called_on(
    world: World, officer: Someone, lead: Someone, supervisor: Someone, tmp_path: Path
) -> None:
    set_addresses(world, tmp_path, KZ_LEAD="duty@example.org")
    health = iter([Mood.TAKES])
    with serve_receiver(world, tmp_path, lambda: next(health, Mood.BUSY)) as receiver:
        webhook = create_webhook(world, "KZ_LEAD", receiver.url)
        officer.submit()
        push_due(world, receiver.courier)
        officer.submit()
        push_all_due(world, receiver.courier, 0.9 * DAY)
        before = stands(lead, webhook)
        with serve_metrics(world.runtime) as scraper:
            failing = scraper.get_value("webhook_longest_failing_seconds")
        push_all_due(world, receiver.courier, 0.2 * DAY)
        after, tries = stands(lead, webhook), len(receiver.postman.headers)
        push_all_due(world, receiver.courier, DAY)
        with serve_metrics(world.runtime) as scraper:
            stalled = scraper.get_value("webhooks_stalled")

        assert before["state"] == "active"
        assert failing is not None
        assert failing > 20 * 3600
        assert (after["state"], after["last_error"]) == ("stalled", "503")
        assert len(receiver.postman.headers) == tries
        assert stalled == 1
        assert "webhook.stalled" in list_types(lead.poll())
        assert [one.recipient for one in list_outbox(world)] == ["KZ_LEAD_MAIL"]

        receiver.postman.mood = lambda: Mood.TAKES
        assert does(supervisor, webhook, "resume")["state"] == "active"
        push_due(world, receiver.courier)
        assert receiver.arrived == read_cursors(lead)


def test_one_that_wants_no_more_gets_no_more(
    world: World, officer: Someone, lead: Someone, tmp_path: Path
) -> None:
    with serve_receiver(world, tmp_path, lambda: Mood.UNKNOWN_ADDRESS) as receiver:
        webhook = create_webhook(world, "KZ_LEAD", receiver.url)
        officer.submit()
        push_due(world, receiver.courier)

    assert stands(lead, webhook)["state"] == "stalled"
    assert stands(lead, webhook)["last_error"] == "410"


def test_a_dead_one_delays_no_other(
    world: World, officer: Someone, lead: Someone, tmp_path: Path
) -> None:
    """A webhook whose receiver hangs does not delay another webhook."""
    with ExitStack() as stack:
        dead = stack.enter_context(
            serve_receiver(world, tmp_path, lambda: Mood.SILENT, "dead.example.org")
        )
        well = stack.enter_context(serve_receiver(world, tmp_path))
        create_webhook(world, "KZ_LEAD", dead.url)
        create_webhook(world, "UZ_CONSULATE_ALMATY", well.url)
        lead.take_lead(officer.submit())
        pusher = Pusher(well.courier)
        began = monotonic()
        begun = pusher.start_due(world.runtime)
        wanted = read_cursors(officer)
        while well.arrived != wanted and monotonic() - began < 10:
            sleep(0.01)
        took = monotonic() - began
        again = pusher.start_due(world.runtime)

    assert (begun, well.arrived) == (2, wanted)
    assert took < 10
    assert again == 0  # one is still being sent; the other one has every event


@pytest.mark.usefixtures("webhook")
def test_a_message_whose_sender_died_is_sent_anew_and_not_before_its_time_is_over(
    receiver: Receiver, officer: Someone, world: World
) -> None:
    officer.submit()
    with begin_write(world.runtime, SYSTEM) as tx:
        parcel = delivery.claim_message(tx, find_due(world.runtime)[0])
    assert parcel is not None
    receiver.courier.send(parcel)  # the sender dies before it records the delivery

    early = push_due(world, receiver.courier)
    world.now += LONGEST_TRY
    later = push_due(world, receiver.courier)
    with begin_write(world.runtime, SYSTEM) as tx:
        overtaken = delivery.record_outcome(tx, parcel, Answer(Outcome.DELIVERED, "204"))

    assert (early, later, overtaken) == (0, 1, False)
    assert len(set(receiver.arrived)) == 1
    assert len(receiver.arrived) == 2


@pytest.mark.usefixtures("webhook")
def test_two_workers_never_send_to_one_receiver_at_once(
    receiver: Receiver, officer: Someone, world: World
) -> None:
    officer.submit()
    [one] = find_due(world.runtime)
    with begin_write(world.runtime, SYSTEM) as tx:
        assert delivery.claim_message(tx, one) is not None

    assert find_due(world.runtime) == []
    assert push(world.runtime, receiver.courier, one) == 0


def test_a_test_message_goes_at_once_even_to_one_that_is_paused(
    webhook: Hooked,
    receiver: Receiver,
    supervisor: Someone,
    officer: Someone,
    world: World,
) -> None:
    does(supervisor, webhook, "pause")
    officer.submit()
    asked = does(supervisor, webhook, "ping")["ping"]
    push_due(world, receiver.courier)

    answered = stands(supervisor, webhook)
    [given] = receiver.postman.received
    assert asked == {"asked_at": "2026-06-01T12:00:00Z", "answer": None}
    assert answered["ping"]["answer"] == "204"
    assert json.loads(given.body)["type"] == "webhook.ping"
    assert json.loads(given.body)["data"] == {"event": None, "cursor": answered["cursor"]}
    assert (answered["state"], receiver.arrived) == ("paused", [])


def test_a_test_that_is_asked_for_while_another_is_on_its_way_goes_too(
    webhook: Hooked, receiver: Receiver, supervisor: Someone, world: World
) -> None:
    does(supervisor, webhook, "ping")
    with begin_write(world.runtime, SYSTEM) as tx:
        first = delivery.claim_message(tx, UUID(webhook.id))
    assert first is not None
    receiver.courier.send(first)
    world.advance(minutes=1)
    does(supervisor, webhook, "ping")
    with begin_write(world.runtime, SYSTEM) as tx:
        assert delivery.record_outcome(tx, first, Answer(Outcome.REFUSED, "503"))

    waits = stands(supervisor, webhook)["ping"]
    again = push_due(world, receiver.courier)
    answered = stands(supervisor, webhook)["ping"]
    told = [json.loads(given.body)["timestamp"] for given in receiver.postman.received]

    assert waits == {"asked_at": "2026-06-01T12:01:00Z", "answer": None}
    assert again == 1
    assert answered == {"asked_at": "2026-06-01T12:01:00Z", "answer": "204"}
    assert told == ["2026-06-01T12:00:00Z", "2026-06-01T12:01:00Z"]


def test_nothing_is_lost_while_it_is_paused(
    webhook: Hooked, receiver: Receiver, supervisor: Someone, officer: Someone
) -> None:
    does(supervisor, webhook, "pause")
    officer.submit()
    paused = push_due(receiver.world, receiver.courier)
    does(supervisor, webhook, "resume")

    assert paused == 0
    assert push_due(receiver.world, receiver.courier) == len(receiver.arrived) == 3


def test_all_is_sent_again_when_asked_with_the_ids_it_had(
    webhook: Hooked, receiver: Receiver, supervisor: Someone, officer: Someone
) -> None:
    start = stands(supervisor, webhook)["cursor"]
    officer.submit()
    push_due(receiver.world, receiver.courier)
    first = list(receiver.arrived)
    does(supervisor, webhook, "replay", {"after": start})
    push_due(receiver.world, receiver.courier)

    assert receiver.arrived[:-1] == first * 2  # the last event reports the replay


def test_one_that_has_ended_is_sent_nothing(
    webhook: Hooked,
    receiver: Receiver,
    supervisor: Someone,
    officer: Someone,
    world: World,
) -> None:
    officer.submit()
    does(supervisor, webhook, "end")

    assert push_due(world, receiver.courier) == 0
    assert receiver.postman.headers == []


def test_a_host_that_is_listed_no_more_is_called_no_more(
    webhook: Hooked, receiver: Receiver, officer: Someone, lead: Someone, world: World
) -> None:
    officer.submit()
    set_hosts(world)
    push_due(world, receiver.courier)

    assert receiver.postman.headers == []
    assert stands(lead, webhook)["last_error"] == "host_not_listed"


def test_no_url_secret_or_event_is_logged(
    webhook: Hooked, receiver: Receiver, officer: Someone, world: World
) -> None:
    case = officer.submit()
    with capture_logs() as lines:
        push_due(world, receiver.courier)
        receiver.postman.mood = lambda: Mood.BUSY
        officer.submit()
        push_due(world, receiver.courier)

    said = json.dumps(lines)
    assert len(lines) >= 2
    assert receiver.host not in said
    assert webhook.secret not in said
    assert case["code"] not in said
