"""Tests that a message is sent only to the address that was checked (R62, R63)."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path
from uuid import UUID

import pytest

from app.outbox.actions import Answer
from app.outbox.pacing import Outcome
from app.webhooks.addresses import Address, Target
from app.webhooks.delivery import OutgoingMessage
from app.worker.courier import Courier, HostResolver
from tests.support.mail_servers import Mood
from tests.support.webhook_receivers import SHORT_LIMIT, Receiver, serve_receiver
from tests.support.world import HOST, World

METADATA = "169.254.169.254"


@pytest.fixture
def receiver(world: World, tmp_path: Path) -> Iterator[Receiver]:
    with serve_receiver(world, tmp_path) as made:
        yield made


def build_parcel(port: int, host: str = HOST) -> OutgoingMessage:
    return OutgoingMessage(
        id=UUID(int=3),
        webhook=UUID(int=1),
        claim=UUID(int=2),
        target=Target(host, port, "/hook"),
        headers={"Webhook-Id": "1"},
        body=b'{"type":"webhook.ping","data":{"event":null}}',
        upto=None,
    )


def build_resolver(*answers: Sequence[str]) -> tuple[HostResolver, list[str]]:
    """Return a resolver that gives the answers in turn, and the list of hosts looked up."""
    asked, told = list[str](), iter(answers)

    async def look_up(host: str, _: int) -> Sequence[Address]:
        asked.append(host)
        return [ip_address(one) for one in next(told)]

    return look_up, asked


def deliver_parcel(
    receiver: Receiver, look_up: HostResolver, *, here_too: bool = True
) -> Answer:
    courier = replace(receiver.courier, resolve_host=look_up, allow_local=here_too)
    return courier.send(build_parcel(receiver.port))


def test_it_goes_to_the_name_by_its_address(receiver: Receiver) -> None:
    look_up, asked = build_resolver(["127.0.0.1"])

    answer = deliver_parcel(receiver, look_up)

    assert answer == Answer(Outcome.DELIVERED, "204")
    assert asked == [HOST]
    [head] = receiver.postman.headers
    assert head["host"] == f"{HOST}:{receiver.port}"


@pytest.mark.parametrize(
    "inside",
    [
        *(["127.0.0.1"], ["::1"], ["::ffff:127.0.0.1"], ["10.0.0.1"], [METADATA]),
        *(["8.8.8.8", "127.0.0.1"], ["127.0.0.1", "8.8.8.8"], ["64:ff9b::7f00:1"]),
    ],
    ids=str,
)
def test_a_name_that_leads_inside_is_not_called(
    receiver: Receiver, inside: list[str]
) -> None:
    look_up, _ = build_resolver(inside)

    answer = deliver_parcel(receiver, look_up, here_too=False)

    assert answer == Answer(Outcome.REFUSED, "address_refused")
    assert receiver.postman.headers == []


@pytest.mark.slow
def test_an_answer_has_all_of_the_time(receiver: Receiver) -> None:
    """A response that takes more than half of the time limit is accepted."""
    receiver.postman.mood = lambda: Mood.SLOW
    receiver.courier = replace(receiver.courier, time_limit=SHORT_LIMIT)
    look_up, _ = build_resolver(["127.0.0.1"])

    assert deliver_parcel(receiver, look_up) == Answer(Outcome.DELIVERED, "204")


def test_a_receiver_that_only_announces_an_answer_is_not_read_for_long(
    receiver: Receiver,
) -> None:
    """A receiver can send only a limited number of interim responses.

    Without the limit, reading them took ten seconds of CPU time.
    """
    receiver.postman.mood = lambda: Mood.NEVER_FINAL
    look_up, _ = build_resolver(["127.0.0.1"])

    assert deliver_parcel(receiver, look_up) == Answer(Outcome.REFUSED, "ReadError")


def test_a_drill_calls_this_machine_and_still_no_neighbour(receiver: Receiver) -> None:
    look_up, _ = build_resolver(["127.0.0.1", METADATA])

    assert deliver_parcel(receiver, look_up).code == "address_refused"
    assert receiver.postman.headers == []


def test_a_name_that_leads_elsewhere_a_moment_later_is_not_asked_again(
    receiver: Receiver,
) -> None:
    """The address that was checked is the address that is called (DNS rebinding)."""
    look_up, asked = build_resolver(["127.0.0.1"], [METADATA], [METADATA])

    assert deliver_parcel(receiver, look_up).outcome == Outcome.DELIVERED
    assert asked == [HOST]


def test_whoever_answers_has_to_be_the_one_it_is_for(
    receiver: Receiver, world: World, tmp_path: Path
) -> None:
    with serve_receiver(world, tmp_path, host="other.example.org") as other:
        look_up, _ = build_resolver(["127.0.0.1"])
        courier = replace(receiver.courier, resolve_host=look_up)
        answer = courier.send(build_parcel(other.port))

        assert answer == Answer(Outcome.REFUSED, "ConnectError")
        assert other.postman.headers == []


def test_the_next_address_is_tried_where_one_is_not_reached(receiver: Receiver) -> None:
    look_up, _ = build_resolver(["::1", "127.0.0.1"])

    assert deliver_parcel(receiver, look_up) == Answer(Outcome.DELIVERED, "204")


@pytest.mark.parametrize(
    ("fails", "code"),
    [
        (lambda: OSError("no such host as it was named"), "name_not_found"),
        (TimeoutError, "TimeoutError"),
    ],
)
def test_a_name_that_leads_nowhere_is_a_try_that_failed(
    receiver: Receiver, fails: Callable[[], Exception], code: str
) -> None:
    async def look_up(*_: object) -> Sequence[Address]:
        raise fails()

    assert deliver_parcel(receiver, look_up) == Answer(Outcome.REFUSED, code)


def test_no_address_at_all_is_none(receiver: Receiver) -> None:
    look_up, _ = build_resolver([])

    assert deliver_parcel(receiver, look_up).code == "name_not_found"


def test_the_machines_own_names_are_looked_up_and_refused(receiver: Receiver) -> None:
    real = Courier(receiver.courier.tls, time_limit=3)

    answer = real.send(build_parcel(receiver.port, "localhost"))

    assert answer.code == "address_refused"
    assert receiver.postman.headers == []
