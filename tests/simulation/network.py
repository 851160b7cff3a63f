"""A mail server, an SMS gateway and webhook receivers in memory, with failures."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from ssl import PROTOCOL_TLS_CLIENT, SSLContext
from typing import Final, override

from app.cli.sender_wiring import build_notification_channel
from app.notifications.words import NotificationMessage
from app.outbox.actions import Answer
from app.outbox.models import MessageChannel
from app.outbox.pacing import Outcome
from app.webhooks.delivery import OutgoingMessage
from app.worker.courier import Courier
from app.worker.outbox_job import Senders
from tests.simulation.world import CANARY, Scene

WINDOW: Final = timedelta(hours=1)
LEAST: Final = timedelta(minutes=15)
"""Minimum time between two notifications to one address, a quarter of the window."""
POST: Final[Mapping[str, Answer]] = {
    "takes": Answer(Outcome.DELIVERED, "250"),
    "busy": Answer(Outcome.REFUSED, "451"),
    "nobody": Answer(Outcome.REJECTED, "550"),
    "vanishes": Answer(Outcome.UNKNOWN, "TimeoutError"),
    "loses": Answer(Outcome.UNKNOWN, "TimeoutError"),
}
TAKEN: Final = frozenset({"takes", "vanishes"})
"""Keys of `POST` and `HOOK` for which the message arrives, confirmed or not."""


@dataclass
class FakeServers:
    """A mail server and an SMS gateway that fail at random, as the seed determines."""

    scene: Scene
    failure_rate: float
    received: list[tuple[timedelta, str, str]] = field(default_factory=list)
    """The time since the start, the address and the id of each message that arrived."""

    def make_senders(self) -> Senders:
        ways = {
            way: build_notification_channel(self.receive, None) for way in MessageChannel
        }
        return Senders(ways, WINDOW)

    def receive(self, letter: NotificationMessage) -> Answer:
        """Answer a message, perhaps with a failure, and store the message if it arrives."""
        bad = 0.0 if self.scene.calm else self.failure_rate
        moods = [mood for mood in POST if mood != "takes"]
        mood = self.scene.chance.choice(moods) if self.scene.is_likely(bad) else "takes"
        self.scene.tally.counts[f"notice {mood}"] += 1
        self.scene.log(f"a notification is sent: the server {mood}")
        self.scene.require(CANARY not in str(letter), "sealed text in a notification")
        if mood in TAKEN:
            self.store(letter)
        return POST[mood]

    def store(self, letter: NotificationMessage) -> None:
        now = self.scene.now - self.scene.began
        last = [at for at, to, _ in self.received if to == letter.to]
        soon = bool(last) and now - last[-1] < LEAST
        self.scene.require(not soon, "two notifications to one address within its window")
        self.received.append((now, letter.to, str(letter.id)))


HOOK: Final[Mapping[str, Answer]] = {
    "takes": Answer(Outcome.DELIVERED, "204"),
    "busy": Answer(Outcome.REFUSED, "503"),
    "vanishes": Answer(Outcome.REFUSED, "ReadTimeout"),
    "unreached": Answer(Outcome.REFUSED, "ConnectError"),
}


@dataclass
class Receiver:
    """A receiver of webhooks that sometimes fails, with the cursors that arrived."""

    scene: Scene
    failure_rate: float
    arrived: list[str] = field(default_factory=list)

    def receive(self, parcel: OutgoingMessage) -> Answer:
        bad = 0.0 if self.scene.calm else self.failure_rate
        moods = [mood for mood in HOOK if mood != "takes"]
        mood = self.scene.chance.choice(moods) if self.scene.is_likely(bad) else "takes"
        self.scene.tally.counts[f"webhook {mood}"] += 1
        self.scene.log(f"an event is pushed: the receiver {mood}")
        self.scene.require(
            CANARY.encode() not in parcel.body, "sealed text in a pushed event"
        )
        if mood in TAKEN and parcel.upto is not None:
            self.arrived.append(json.loads(parcel.body)["data"]["cursor"])
        return HOOK[mood]


@dataclass(frozen=True)
class InMemoryCourier(Courier):
    """A courier that hands events to a receiver in memory."""

    receiver: Receiver | None = None

    @override
    def send(self, parcel: OutgoingMessage) -> Answer:
        assert self.receiver
        return self.receiver.receive(parcel)


def make_courier(receiver: Receiver) -> InMemoryCourier:
    return InMemoryCourier(SSLContext(PROTOCOL_TLS_CLIENT), receiver=receiver)
