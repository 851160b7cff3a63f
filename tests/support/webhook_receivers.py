"""Receivers of webhooks on ports of this machine, which can fail in many ways."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from ssl import create_default_context
from typing import Any, Final, override

from sqlalchemy import select

from app.directory import queries as directory_queries
from app.webhooks import actions as webhook_actions
from app.webhooks.addresses import Address
from app.webhooks.models import Webhook
from app.webhooks.schemas import WebhookInput
from app.worker.courier import Courier
from app.worker.webhook_job import find_due, push
from tests.support.mail_servers import (
    FakeServer,
    GatewayRequest,
    Mood,
    Requests,
    make_certificate,
    open_for,
)
from tests.support.world import HOST, World

RECEIVER: Final = f"https://{HOST}/safe-conduct"
LONG_LIMIT: Final = 30.0
"""Seconds for an attempt if no limit is tested, which is enough on a busy machine."""

SHORT_LIMIT: Final = 3.0
"""Seconds for an attempt in the tests that wait for the limit."""

STATUS: Final[Mapping[Mood, int]] = {
    Mood.BUSY: 503,
    Mood.UNKNOWN_ADDRESS: 410,
    Mood.REDIRECTS: 307,
}


class Hook(GatewayRequest):
    """A handler of one message to a receiver."""

    @override
    def do_POST(self) -> None:
        mood = self.postman.choose_mood()
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.postman.headers.append({k.lower(): v for k, v in self.headers.items()})
        match mood:
            case Mood.SILENT:
                self.postman.wait()
            case Mood.DRIBBLES:
                self.send_slowly()
            case Mood.NEVER_FINAL:
                self.send_interim_responses()
            case Mood.SLOW:
                self.postman.stopped.wait(0.7 * SHORT_LIMIT)
                self.accept_message(body)
            case Mood.GONE_AFTER_DATA:
                self.postman.store(self.path, body)
                self.close_connection = True
            case _ if mood in STATUS:
                self.send_response(STATUS[mood])
                self.send_header("Location", self.path)
                self.end_headers()
            case _:
                self.accept_message(body)

    def accept_message(self, body: bytes) -> None:
        self.postman.store(self.path, body)
        self.send_response(204)
        self.end_headers()

    def send_slowly(self) -> None:
        """Send the status line letter by letter, with pauses."""
        for letter in b"HTTP/1.1 204 No Content" * 100:
            if self.postman.stopped.wait(0.05):
                return
            try:
                self.wfile.write(bytes([letter]))
            except OSError:
                return


@dataclass
class Receiver:
    """A receiver of webhooks: a server, with the world that sends the events."""

    world: World
    postman: FakeServer
    courier: Courier
    host: str
    port: int

    @property
    def url(self) -> str:
        return f"https://{self.host}:{self.port}/hook"

    @property
    def arrived(self) -> list[str]:
        """The cursors of the received events, in order of arrival."""
        events = [json.loads(one.body) for one in self.postman.received]
        return [one["data"]["cursor"] for one in events if one["type"] == "feed.event"]


def push_due(world: World, courier: Courier, longest: timedelta = timedelta()) -> int:
    """Push all due events, one webhook after another, and return their number."""
    return sum(
        push(world.runtime, courier, one, longest) for one in find_due(world.runtime)
    )


def push_all_due(
    world: World, courier: Courier, within: timedelta, longest: timedelta = timedelta()
) -> None:
    """Advance the clock by a period, and send each webhook message when it is due."""
    end = world.now + within
    while world.now < end:
        push_due(world, courier, longest)
        later = [at for at in list_next_tries(world) if at > world.now]
        world.now = min([*later, end])


def list_next_tries(world: World) -> list[Any]:
    with world.database.begin_read() as session:
        open_ones = select(Webhook.due_at).where(Webhook.paused_at.is_(None))
        return list(session.scalars(open_ones))


def set_hosts(world: World, *hosts: str) -> None:
    """Set the hosts to which the operator permits webhooks."""
    world.runtime = replace(world.runtime, hosts=frozenset(hosts))
    world.app.state.runtime = world.runtime


@contextmanager
def serve_receiver(
    world: World,
    folder: Path,
    mood: Callable[[], Mood] = lambda: Mood.TAKES,
    host: str = HOST,
    *,
    limit: float = LONG_LIMIT,
) -> Iterator[Receiver]:
    """Run a receiver under a host name that resolves to this machine.

    `limit` is the number of seconds that the courier allows for one attempt.
    """
    home = folder / host
    home.mkdir()
    tls, trusted = make_certificate(home, host)
    postman = FakeServer(lambda: world.now, mood)
    server = Requests(("127.0.0.1", 0), partial(Hook, postman))
    server.socket = tls.wrap_socket(server.socket, server_side=True)
    with open_for(server, postman) as port:

        async def resolve_host(*_: object) -> Sequence[Address]:
            return [ip_address("127.0.0.1")]

        trust = create_default_context(cafile=str(trusted))
        courier = Courier(
            trust, allow_local=True, resolve_host=resolve_host, time_limit=limit
        )
        set_hosts(world, *world.runtime.hosts, f"{host}:{port}")
        yield Receiver(world, postman, courier, host, port)


@dataclass
class Hooked:
    """A webhook, and the secret with which its messages are signed."""

    id: str
    secret: str


def create_webhook(world: World, office: str, url: str = RECEIVER) -> Hooked:
    """Create a webhook for an office."""
    with world.write_as_service() as tx:
        of = directory_queries.get_by_code_or_422(tx, office)
        new = WebhookInput(focal_point=office, label="Case desk", url=url)
        webhook = webhook_actions.add_webhook(tx, of.id, new)
        secret = webhook_actions.make_secret(tx, webhook)
        return Hooked(str(webhook.id), secret)
