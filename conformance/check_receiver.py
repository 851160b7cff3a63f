r"""Test your webhook receiver with messages like those of the service and with forged ones.

    python3 check_receiver.py --run 'python3 receiver.py {state} {port}' \
        --list 'python3 receiver.py {state} --list'

`--run` starts your receiver, which listens on the port and has the secret in
SAFE_CONDUCT_WEBHOOK_SECRET. `--list` prints the messages that your receiver processed, one
on each line: the id of the message, and after a space any text. `{state}` is a new path.
`--path` is the path of the URL at which your receiver expects messages.

The messages are signed as in Standard Webhooks. Your receiver has to accept each valid
message with 2xx within ten seconds, including repeated messages, and to process the message
once, even if the receiver is killed right after its response. It has to refuse any other
message with 4xx.

To test a receiver that is already running, set SAFE_CONDUCT_WEBHOOK_SECRET to its secret,
and pass its address: --url https://... Your receiver then processes the valid messages of
the test like messages of the service. Without `--list`, the test cannot check which
messages were processed.

This program needs only Python 3.9 or newer.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import hashlib
import hmac
import json
import os
import secrets
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from socket import socket
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

SECRET_NAME = "SAFE_CONDUCT_WEBHOOK_SECRET"
LIMIT = 10
"""Seconds within which a receiver has to respond."""

MINUTE = 60
LARGE = 4 * 1024 * 1024
PAUSE = 0.7
"""Seconds between the pieces of a message that arrives slowly."""

START = 20
"""Seconds after its start within which a receiver has to listen."""

SETTLE = 1
"""Seconds that a receiver has to process accepted messages before it is killed."""

KILLS = 3
"""Number of times that the receiver is killed right after its response to a message."""

ACCEPTED = range(200, 300)
REFUSED = range(400, 500)


def sign(secret: str, name: str, moment: int, body: bytes) -> str:
    """Return the signature of a message (Standard Webhooks, version 1)."""
    key = base64.b64decode(secret[len("whsec_") :])
    signed = b".".join((name.encode(), str(moment).encode(), body))
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


def create_secret() -> str:
    """Return a new secret, in the form in which the service shows it."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def build_body(moment: int, kind: str = "feed.event", **more: Any) -> bytes:
    """Return the body of a message, which has a cursor and names no event."""
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment))
    data = {"event": None, "cursor": secrets.token_urlsafe(32)}
    message = {"type": kind, "timestamp": at, "data": data, **more}
    return json.dumps(message, separators=(",", ":")).encode()


@dataclass
class Message:
    """A message to send, and whether the receiver has to accept it."""

    what: str
    headers: dict[str, str]
    body: bytes
    valid: bool = True
    slow: bool = False

    @property
    def id(self) -> str:
        """The value of the header `webhook-id` in any letter case, or an empty string."""
        found = [v for k, v in self.headers.items() if k.lower() == "webhook-id"]
        return found[0] if found else ""


def build_message(
    what: str, secret: str, age: int = 0, body: bytes = b"", name: str = ""
) -> Message:
    """Return a signed message whose timestamp is `age` seconds in the past."""
    moment, name = int(time.time()) - age, name or str(uuid4())
    body = body or build_body(moment)
    headers = {
        "Webhook-Id": name,
        "Webhook-Timestamp": str(moment),
        "Webhook-Signature": sign(secret, name, moment, body),
    }
    return Message(what, headers, body)


def list_valid(secret: str) -> Iterator[Message]:
    """Yield messages that a receiver has to accept."""
    now, other = int(time.time()), create_secret()
    yield build_message("a message", secret)
    yield build_message("a test message", secret, body=build_body(now, "webhook.ping"))
    more = build_body(now, of_tomorrow=[1, {"a": "b"}])
    yield build_message("a message with a new field", secret, body=more)
    for how in (str.lower, str.upper):
        found = build_message(f"a message whose headers are in {how.__name__} case", secret)
        found.headers = {how(name): value for name, value in found.headers.items()}
        yield found
    for first, last in ((secret, other), (other, secret)):
        found = build_message("a message with two signatures, of which one fits", first)
        moment = int(found.headers["Webhook-Timestamp"])
        found.headers["Webhook-Signature"] += f" {sign(last, found.id, moment, found.body)}"
        yield found
    found = build_message("a message that also has a signature of another version", secret)
    given = found.headers["Webhook-Signature"]
    found.headers["Webhook-Signature"] = f"v1a,AAAA {given}"
    yield found
    yield build_message("a message that is 4 minutes old", secret, 4 * MINUTE)
    yield build_message("a message that is 4 minutes ahead", secret, -4 * MINUTE)
    found = build_message("a message that arrives slowly, in pieces", secret)
    found.slow = True
    yield found


def list_forged(secret: str) -> Iterator[Message]:
    """Yield messages that a receiver has to refuse."""
    yield build_message("a message that another secret signed", create_secret())
    yield build_message("a message that is 6 minutes old", secret, 6 * MINUTE)
    yield build_message("a message that is 6 minutes ahead", secret, -6 * MINUTE)
    for what, changes in {
        "a message with the id of another": {"Webhook-Id": str(uuid4())},
        "a message without an id": {"Webhook-Id": ""},
        "a message without a time": {"Webhook-Timestamp": ""},
        "a message whose time is not a number": {"Webhook-Timestamp": "soon"},
        "a message with an empty signature": {"Webhook-Signature": ""},
        "a message whose signature is not base64": {"Webhook-Signature": "v1,?"},
    }.items():
        found = build_message(what, secret)
        found.headers.update(changes)
        yield found
    found = build_message("a message with another time than it was signed with", secret)
    moment = int(found.headers["Webhook-Timestamp"])
    found.headers["Webhook-Timestamp"] = str(moment + 1)
    yield found
    found = build_message("a message with the signature of version v2", secret)
    given = found.headers["Webhook-Signature"]
    found.headers["Webhook-Signature"] = given.replace("v1,", "v2,")
    yield found
    found = build_message("a message whose body was changed", secret)
    found.body += b" "
    yield found
    found = build_message("a message without headers", secret)
    found.headers = {}
    yield found
    large = b"x" * LARGE
    yield build_message(
        "a large message that another secret signed", create_secret(), body=large
    )


class GoneError(Exception):
    """The test cannot continue, for example because the receiver does not listen."""


def send(url: str, message: Message) -> int | None:
    """Send a message. Return the status of the response, or None if there is no response.

    Raises GoneError if the receiver cannot be reached or is too slow.
    """
    where = urlsplit(url)
    kind = HTTPSConnection if where.scheme == "https" else HTTPConnection
    to, began = kind(where.hostname or "", where.port, timeout=LIMIT), time.monotonic()
    try:
        to.connect()
    except OSError as error:
        raise GoneError(f"could not be reached with {message.what}: {error}") from error
    status = None
    try:
        write_request(
            to, (where.path or "/") + (where.query and f"?{where.query}"), message
        )
        status = to.getresponse().status
    except (OSError, HTTPException):  # the connection was closed, or timed out
        pass
    finally:
        to.close()
    if time.monotonic() - began > LIMIT:
        raise GoneError(f"did not answer {message.what} within {LIMIT} seconds")
    return status


def write_request(to: HTTPConnection, path: str, message: Message) -> None:
    """Write a message to a connection in two pieces, with pauses for a slow message."""
    to.putrequest("POST", path)
    length = str(len(message.body))
    basic = {"Content-Type": "application/json", "Content-Length": length}
    for name, value in {**basic, **message.headers}.items():
        to.putheader(name, value)
    to.endheaders()
    half = len(message.body) // 2
    for piece in (message.body[:half], message.body[half:]):
        time.sleep(PAUSE if message.slow else 0)
        to.send(piece)


@dataclass
class Receiver:
    """The receiver under test, and the faults that were found."""

    url: str
    command: list[str] | None
    env: dict[str, str]
    process: subprocess.Popen[bytes] | None = None
    faults: list[str] = field(default_factory=list)
    sent: list[Message] = field(default_factory=list)
    """The messages that the receiver accepted, and the messages that it has to refuse."""
    count: int = 0

    def start(self) -> None:
        """Start the receiver, if there is a command, and wait until it listens.

        Raises GoneError if its port is in use, or if it does not listen in time.
        """
        if self.command is None:
            return
        port, until = urlsplit(self.url).port, time.monotonic() + START
        with socket() as probe:
            if not probe.connect_ex(("127.0.0.1", port or 0)):
                raise GoneError("left a process behind that still has its port")
        self.process = subprocess.Popen(self.command, env=self.env, start_new_session=True)
        while time.monotonic() < until and self.process.poll() is None:
            with socket() as probe:
                if not probe.connect_ex(("127.0.0.1", port or 0)):
                    return
            time.sleep(0.05)
        raise GoneError("does not listen on its port")

    def kill(self) -> None:
        """Kill the receiver, and the processes that its command started."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def check(self, message: Message) -> None:
        """Send a message, and record a fault if the response is not the expected one."""
        status = send(self.url, message)
        if status in ACCEPTED or not message.valid:
            self.sent.append(message)
        self.count += 1
        if message.valid and status not in ACCEPTED:
            said = f"answered {status} to" if status else "gave no answer to"
            self.faults.append(f"{said} {message.what}: answer 2xx")
        elif not message.valid and status in ACCEPTED:
            self.faults.append(f"accepted {message.what}: refuse it with 400")
        elif not message.valid and status not in REFUSED and len(message.body) < LARGE:
            said = f"answered {status} to" if status else "gave no answer to"
            self.faults.append(f"{said} {message.what}: answer 400")

    def check_all(self, secret: str) -> None:
        """Send all messages, kill the receiver in between, and repeat some messages."""
        self.start()
        first = build_message("the first message", secret)
        self.check(first)
        again = build_message("a repeated message", secret, body=first.body, name=first.id)
        self.check(again)
        for message in list_valid(secret):
            self.check(message)
        time.sleep(SETTLE)
        self.kill()
        self.start()
        what = "a message that was repeated after a restart"
        self.check(build_message(what, secret, body=first.body, name=first.id))
        self.kill_after_answers(secret)
        for message in list_forged(secret):
            message.valid = False
            self.check(message)
        self.check(build_message("a message after all forged ones", secret))
        time.sleep(SETTLE)

    def kill_after_answers(self, secret: str) -> None:
        """Send KILLS messages, and kill and restart the receiver right after each response.

        The service does not repeat a message that was accepted. So the receiver has to
        store or process a message before it responds.
        """
        for _ in range(KILLS):
            what = "a message after whose answer it was killed at once"
            self.check(build_message(what, secret))
            self.kill()
            self.start()


def find_list_faults(sent: list[Message], listed: list[str]) -> Iterator[str]:
    """Yield a phrase about each message that was not processed correctly."""
    counted = Counter(listed)
    forged = {one.id: one.what for one in sent if not one.valid and one.id}
    for message in {one.id: one for one in sent if one.valid}.values():
        if not counted[message.id]:
            yield f"did not process {message.what}"
        if counted[message.id] > 1:
            yield f"processed {message.what} {counted[message.id]} times: once is enough"
    yield from (f"processed {what}" for name, what in forged.items() if counted[name])


def run_list(command: list[str], env: dict[str, str]) -> list[str]:
    """Return the ids that a command lists, or raise GoneError if the command fails."""
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise GoneError(f"could not list the messages: {done.stderr.strip()}")
    return [line.split()[0] for line in done.stdout.splitlines() if line.strip()]


def fill_command(text: str, state: Path, port: int) -> list[str]:
    """Return the words of a command, with `{state}` and `{port}` filled in."""
    return [
        word.replace("{state}", str(state)).replace("{port}", str(port))
        for word in shlex.split(text)
    ]


def check_receiver(options: argparse.Namespace, state: Path) -> Receiver:
    """Test a receiver, and return it with the faults that were found."""
    with socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command, listing = (
        fill_command(text or "", state, port) for text in (options.run, options.list)
    )
    secret = create_secret() if command else os.environ[SECRET_NAME]
    env = {**os.environ, SECRET_NAME: secret}
    url = options.url or f"http://127.0.0.1:{port}{options.path}"
    receiver = Receiver(url, command or None, env)
    try:
        receiver.check_all(secret)
        receiver.kill()
        if listing:
            listed = run_list(listing, env)
            receiver.faults += find_list_faults(receiver.sent, listed)
    except GoneError as gone:
        receiver.faults.append(f"{gone}. The test ended there")
    finally:
        receiver.kill()
    return receiver


def main() -> None:
    """Run the test and print the result."""
    parser = argparse.ArgumentParser(description="Test your receiver of webhooks.")
    started = parser.add_mutually_exclusive_group(required=True)
    started.add_argument("--run", help="the command that starts your receiver")
    started.add_argument("--url", help="the address of a receiver that runs already")
    parser.add_argument("--list", help="the command that lists the processed messages")
    parser.add_argument("--path", default="/", help="the path of the URL, by default /")
    options = parser.parse_args()
    if options.url and SECRET_NAME not in os.environ:
        parser.error(f"set {SECRET_NAME} to the secret of the receiver")
    with tempfile.TemporaryDirectory() as folder:
        receiver = check_receiver(options, Path(folder) / "state")
    for line in receiver.faults:
        print(f"Wrong: it {line}.")
    if receiver.faults:
        sys.exit(f"Faults: {len(receiver.faults)}")
    print(f"All {receiver.count} messages were answered as they should be.")
    if not options.list:
        print("Give --list to check that a repeated message is processed only once.")


if __name__ == "__main__":
    main()
