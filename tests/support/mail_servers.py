"""Mail servers and SMS gateways that take notifications and can fail in many ways.

The servers listen on ports of this machine. Each message that a server takes is stored with
its time, even if the server does not confirm the message.
"""

import datetime as dt
import json
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from enum import StrEnum
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from itertools import pairwise
from pathlib import Path
from random import Random
from socketserver import StreamRequestHandler, ThreadingTCPServer
from threading import Event, Thread
from typing import Any, Protocol, override
from uuid import UUID

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from sqlalchemy import select

from app.administration.directory_load import load
from app.cli.sender_wiring import build_notification_channel, fail_not_set_up
from app.deadlines.limits import Priority
from app.directory import queries as directory_queries
from app.directory.history import ChangeAuthor
from app.kernel.transactions import WriteTransaction
from app.notifications.actions import notify_offices
from app.outbox.lifecycle import OPEN
from app.outbox.models import MessageChannel, Outgoing
from app.worker.mail import Mail
from app.worker.outbox_job import SendCounts, Senders, SendOutcome, send_due
from app.worker.sms_gateway import Gateway
from tests.support.world import Someone, World

SENDER = "notices@safe.example.org"
SIGN_IN = "https://sign-in.example.org"
TOKEN = "a-token-of-the-gateway"
HOUR = timedelta(hours=1)


class Mood(StrEnum):
    """The behaviour of a server for one message."""

    TAKES = "takes it"
    SLOW = "takes it, and says so late"
    BUSY = "says: not now"
    UNKNOWN_ADDRESS = "says: there is no such address"
    SILENT = "takes the connection and says nothing"
    SILENT_AFTER_DATA = "takes the message and says nothing"
    GONE_AFTER_DATA = "takes the message and hangs up"
    DRIBBLES = "says a letter now and then, and never ends"
    REFUSES_DATA = "wants no data"
    NEVER_TAKES = "reads the message, and says never"
    REDIRECTS = "sends it elsewhere"
    FLOODS = "answers and never stops"
    NEVER_FINAL = "sends interim responses, and never a final one"


@dataclass
class Received:
    """A message that a server received, with the time of the test's clock."""

    at: datetime
    to: str
    body: bytes


@dataclass
class FakeServer:
    """A server that behaves as `mood` determines, and stores the messages that it takes."""

    clock: Callable[[], datetime]
    mood: Callable[[], Mood] = lambda: Mood.TAKES
    received: list[Received] = field(default_factory=list)
    request_count: int = 0
    tls: ssl.SSLContext | None = None
    headers: list[dict[str, str]] = field(default_factory=list)
    lines: list[bytes] = field(default_factory=list)
    stopped: Event = field(default_factory=Event)

    def choose_mood(self) -> Mood:
        self.request_count += 1
        return self.mood()

    def store(self, to: str, body: bytes) -> None:
        self.received.append(Received(self.clock(), to, body))

    def wait(self) -> None:
        self.stopped.wait(60)

    def list_mails(self) -> list[EmailMessage]:
        """Return the received messages, parsed as e-mail."""
        return [parse_mail(given.body) for given in self.received]

    def list_gaps(self) -> list[timedelta]:
        """Return the times between consecutive messages to the same address."""
        by_address: dict[str, list[datetime]] = {}
        for one in self.received:
            by_address.setdefault(one.to, []).append(one.at)
        return [b - a for times in by_address.values() for a, b in pairwise(times)]


def parse_mail(body: bytes) -> EmailMessage:
    made = message_from_bytes(body, policy=SMTP)
    assert isinstance(made, EmailMessage)
    return made


class MailConnection(StreamRequestHandler):
    """One connection to a mail server (RFC 5321)."""

    def __init__(self, postman: FakeServer, *rest: Any) -> None:
        self.postman = postman
        self.mood = postman.choose_mood()
        self.to = ""
        super().__init__(*rest)

    def send_line(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())

    @override
    def handle(self) -> None:
        match self.mood:
            case Mood.SILENT:
                self.postman.wait()
            case Mood.DRIBBLES:
                self.send_slowly()
            case _:
                self.send_line("220 ready")
                while self.answer_command(self.rfile.readline()):
                    pass

    def send_slowly(self) -> None:
        while not self.postman.stopped.wait(0.05):
            try:
                self.wfile.write(b"2")
            except OSError:
                return

    def answer_command(self, line: bytes) -> bool:
        """Answer a command. Return False if the connection has to be closed."""
        if not line:
            return False
        self.postman.lines.append(line)
        verb = line.split(b" ")[0].strip().upper()
        match verb:
            case b"EHLO":
                offers = "250-STARTTLS\r\n" if self.postman.tls else ""
                self.send_line(f"250-here\r\n{offers}250 AUTH PLAIN")
            case b"STARTTLS" if self.postman.tls:
                self.send_line("220 go ahead")
                self.start_tls(self.postman.tls)
            case b"AUTH":
                self.send_line("235 welcome")
            case b"MAIL":
                self.send_line("250 yes")
            case b"RCPT":
                self.answer_recipient(line)
            case b"DATA":
                return self.answer_data()
            case _:
                self.send_line("221 bye")
                return False
        return True

    def start_tls(self, tls: ssl.SSLContext) -> None:
        self.connection = tls.wrap_socket(self.connection, server_side=True)
        self.rfile = self.connection.makefile("rb")
        self.wfile = self.connection.makefile("wb", buffering=0)

    @override
    def finish(self) -> None:
        super().finish()
        self.connection.close()

    def answer_recipient(self, line: bytes) -> None:
        self.to = line.partition(b"<")[2].partition(b">")[0].decode()
        refusals = {
            Mood.BUSY: f"451 {self.to} not now",
            Mood.UNKNOWN_ADDRESS: f"550 {self.to} is nobody",
        }
        self.send_line(refusals.get(self.mood, "250 yes"))

    def answer_data(self) -> bool:
        if self.mood == Mood.REFUSES_DATA:
            self.send_line("554 no data today")
            return True
        self.send_line("354 go on")
        body = b"".join(iter(self.rfile.readline, b".\r\n"))
        if self.mood == Mood.NEVER_TAKES:
            self.send_line("554 we do not like it")
            return True
        self.postman.store(self.to, body)
        match self.mood:
            case Mood.SILENT_AFTER_DATA:
                self.postman.wait()
                return False
            case Mood.GONE_AFTER_DATA:
                return False
            case _:
                self.send_line("250 taken")
                return True


class GatewayRequest(BaseHTTPRequestHandler):
    """One request to an SMS gateway."""

    def __init__(self, postman: FakeServer, *rest: Any) -> None:
        self.postman = postman
        super().__init__(*rest)

    @override
    def log_message(self, *_: object) -> None:
        """Write nothing to the console."""

    def do_POST(self) -> None:
        mood = self.postman.choose_mood()
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.postman.headers.append({k.lower(): v for k, v in self.headers.items()})
        refusals = {Mood.BUSY: 503, Mood.UNKNOWN_ADDRESS: 422, Mood.REDIRECTS: 307}
        if mood in refusals:
            self.send_response(refusals[mood])
            self.send_header("Location", self.path)
            self.end_headers()
            return
        if mood == Mood.SILENT:
            self.postman.wait()
            return
        if mood == Mood.NEVER_FINAL:
            self.send_interim_responses()
            return
        self.postman.store(json.loads(body)["to"], body)
        if mood in {Mood.SILENT_AFTER_DATA, Mood.GONE_AFTER_DATA}:
            if mood == Mood.SILENT_AFTER_DATA:
                self.postman.wait()
            self.close_connection = True
            return
        self.answer(mood)

    def send_interim_responses(self) -> None:
        """Send interim responses (103, RFC 8297), and never a final one."""
        while not self.postman.stopped.is_set():
            try:
                self.wfile.write(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 100)
            except OSError:
                return

    def answer(self, mood: Mood) -> None:
        self.send_response(202)
        self.end_headers()
        while mood == Mood.FLOODS and not self.postman.stopped.is_set():
            try:
                self.wfile.write(b"x" * 65536)
            except OSError:
                return


class Lines(ThreadingTCPServer):
    daemon_threads = True

    @override
    def handle_error(self, *_: object) -> None:
        """Ignore errors, because a client may close the connection."""


class Requests(ThreadingHTTPServer):
    @override
    def handle_error(self, *_: object) -> None:
        """Ignore errors, because a client may close the connection."""


class Server(Protocol):
    server_address: Any

    def serve_forever(self, poll_interval: float = ...) -> None: ...
    def shutdown(self) -> None: ...
    def server_close(self) -> None: ...


@contextmanager
def open_for(server: Server, postman: FakeServer) -> Iterator[int]:
    """Run a server on a free port while the block runs, and yield the port."""
    thread = Thread(target=server.serve_forever, args=[0.01], daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        postman.stopped.set()
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def serve_mail(postman: FakeServer) -> Iterator[int]:
    made = Lines(("127.0.0.1", 0), partial(MailConnection, postman))
    with open_for(made, postman) as port:
        yield port


@contextmanager
def serve_sms(postman: FakeServer) -> Iterator[int]:
    made = Requests(("127.0.0.1", 0), partial(GatewayRequest, postman))
    with open_for(made, postman) as port:
        yield port


@dataclass
class Post:
    """The mail server and the SMS gateway of a world, and the senders that use them."""

    world: World
    mail: FakeServer
    sms: FakeServer
    senders: Senders

    def send_due(self) -> SendCounts:
        """Run the senders once."""
        return send_due(self.world.runtime, self.senders)

    def send_all_due(self, within: timedelta) -> None:
        """Advance the clock by a time, and run the senders whenever a message is due."""
        end = self.world.now + within
        while (due := self.find_next_due()) and due < end:
            self.world.now = max(self.world.now, due)
            self.send_due()
        self.world.now = end

    def find_next_due(self) -> datetime | None:
        """Return the due time of the next message, or None if no message is open."""
        open_ones = [one.due_at for one in list_outbox(self.world) if one.state in OPEN]
        return min(open_ones, default=None)


def make_mail(port: int, step: float = 1.5, whole: float = 4, **more: Any) -> Mail:
    return Mail(
        "127.0.0.1",
        port,
        SENDER,
        **{"tls": None, "reply_timeout": step} | more,
        time_limit=whole,
    )


def make_gateway(port: int, path: str = "/send", whole: float = 3) -> Gateway:
    url = f"http://127.0.0.1:{port}{path}"
    return Gateway(url, TOKEN, ssl.create_default_context(), whole)


@contextmanager
def open_post(world: World, window: timedelta = HOUR, **patience: float) -> Iterator[Post]:
    """Run a mail server and an SMS gateway for a world."""
    mail, sms = (FakeServer(lambda: world.now) for _ in "12")
    with serve_mail(mail) as mail_port, serve_sms(sms) as sms_port:
        sends = {
            MessageChannel.EMAIL: make_mail(mail_port, **patience).send,
            MessageChannel.SMS: make_gateway(sms_port).send,
        }
        ways = {
            way: build_notification_channel(send, SIGN_IN) for way, send in sends.items()
        }
        yield Post(world, mail, sms, Senders(ways, window))


NO_WAY_OUT = Senders(
    {way: build_notification_channel(fail_not_set_up, None) for way in MessageChannel}, HOUR
)


def draw_moods(seed: int, bad: Sequence[Mood]) -> Callable[[], Mood]:
    """Return a function that draws a bad mood nine times out of ten, otherwise `TAKES`."""
    chance = Random(seed)
    return lambda: chance.choice(bad) if chance.random() < 0.9 else Mood.TAKES


def count_outcomes(sent: SendCounts) -> dict[SendOutcome, int]:
    return dict(sent.outcomes)


def make_certificate(folder: Path, host: str = "127.0.0.1") -> tuple[ssl.SSLContext, Path]:
    """Create a certificate for a host, and return the server's context and the CA file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a mail server")])
    now = datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - HOUR)
        .not_valid_after(now + 24 * HOUR)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([get_general_name(host)]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    path = folder / "server.pem"
    pem, no_password = serialization.Encoding.PEM, serialization.NoEncryption()
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, no_password)
    path.write_bytes(made.public_bytes(pem) + secret)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context, path


def get_general_name(host: str) -> x509.GeneralName:
    """Return the name of the host in a certificate: an IP address or a DNS name."""
    if host[0].isdigit():
        return x509.IPAddress(ip_address(host))
    return x509.DNSName(host)


def send_to_offices(
    tx: WriteTransaction,
    *offices: str,
    why: str = "case.not_acknowledged",
    urgency: Priority = Priority.NORMAL,
    case_id: UUID | None = None,
    record_id: UUID | None = None,
) -> frozenset[UUID]:
    """Create notifications for offices, as an action does."""
    ids = [directory_queries.get_id(tx.session, office) for office in offices]
    about = {"case_id": case_id, "record_id": record_id}
    return notify_offices(tx, ids, why, urgency=urgency, **about)


def notify_in_transaction(who: Someone, *offices: str, **about: Any) -> frozenset[UUID]:
    """Notify offices in a separate transaction."""
    with who.begin_write() as tx:
        return send_to_offices(tx, *offices, **about)


def list_outbox(world: World) -> list[Outgoing]:
    """Return all messages of the outbox, oldest first."""
    with world.database.begin_read() as session:
        return list(session.scalars(select(Outgoing).order_by(Outgoing.number)))


def list_states(world: World) -> list[tuple[str, str]]:
    return [(one.recipient, str(one.state)) for one in list_outbox(world)]


def set_addresses(world: World, folder: Path, **addresses: str) -> None:
    """Set the e-mail addresses to which the offices' notifications are sent."""
    load_contacts(
        world,
        folder,
        *(f"{one}_MAIL,{one},email,{to},en,duty,true" for one, to in addresses.items()),
    )


def load_contacts(world: World, folder: Path, *lines: str) -> None:
    """Load a contacts file with these lines, as an operator does."""
    head = "code,focal_point,channel,address,language,label,active"
    (folder / "contacts.csv").write_text("\n".join([head, *lines]))
    with world.database.begin_write() as session:
        load(ChangeAuthor(session, world.runtime.ids, world.now), folder)
