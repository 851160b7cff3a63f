"""A reference webhook receiver: it processes each signed and recent message once.

    export SAFE_CONDUCT_WEBHOOK_SECRET=whsec_...
    python3 receiver.py seen.db 8080       # behind a proxy that has the certificate
    python3 receiver.py seen.db --list     # lists the received messages, oldest first

It only needs Python 3.9 or newer. A message says only that there is a new event in your
feed: write your own `notify_poller`.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import hmac
import json
import os
import sqlite3
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

LEEWAY = 300
"""Seconds that a timestamp may differ from now. An older message may be a replay (R65)."""

LARGEST = 64 * 1024
TABLE = "CREATE TABLE IF NOT EXISTS seen (id TEXT PRIMARY KEY, type TEXT)"


class RefusedError(Exception):
    """A message that must not be accepted."""


def notify_poller(message: dict[str, Any]) -> None:
    """Print the type and the cursor of a message.

    Replace this: make your poller read the feed now, from its own cursor.
    """
    print(message["type"], message["data"]["cursor"], flush=True)


def verify(
    secret: str, headers: Mapping[str, str], body: bytes, now: float
) -> dict[str, Any]:
    """Return the message; raise RefusedError if its signature, id or time is not valid.

    The names in `headers` must be in lower case, because a proxy may change their case.
    """
    name = headers.get("webhook-id", "")
    moment = headers.get("webhook-timestamp", "")
    if not name or not moment.isdecimal() or abs(now - int(moment)) > LEEWAY:
        raise RefusedError
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = b".".join((name.encode(), moment.encode(), body))
    fits = b"v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256))
    given = headers.get("webhook-signature", "").encode().split()
    if not any(hmac.compare_digest(fits, one) for one in given):
        raise RefusedError
    return parse_message(body)


def parse_message(body: bytes) -> dict[str, Any]:
    """Return the message; raise RefusedError if it is not an object with a cursor."""
    try:
        message: dict[str, Any] = json.loads(body)
        if isinstance(message["type"], str) and isinstance(message["data"]["cursor"], str):
            return message
    except (ValueError, TypeError, KeyError, RecursionError):
        pass
    raise RefusedError


def receive(seen: sqlite3.Connection, name: str, message: dict[str, Any]) -> None:
    """Notify the poller unless the message was seen before, and store the message id."""
    with seen:
        known = "SELECT 1 FROM seen WHERE id = ?"
        if not seen.execute(known, (name,)).fetchone():
            seen.execute("INSERT INTO seen VALUES (?, ?)", (name, message["type"]))
            notify_poller(message)


class Hook(BaseHTTPRequestHandler):
    """The HTTP handler that receives messages."""

    seen: sqlite3.Connection

    def do_POST(self) -> None:
        """Respond with 204 to a valid message, and with 400 or 413 to any other message.

        413 means that the message is too large, or that its length is not known.
        """
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > LARGEST:
            self.send_error(413)
            return
        body = self.rfile.read(int(length))
        secret = os.environ["SAFE_CONDUCT_WEBHOOK_SECRET"]
        try:
            headers = {n.lower(): self.headers.get(n, "") for n in self.headers}
            message = verify(secret, headers, body, time.time())
        except RefusedError:
            self.send_error(400)
            return
        receive(self.seen, headers["webhook-id"], message)
        self.send_response(204)
        self.end_headers()


def main() -> None:
    """Listen until the process is stopped, or print the received messages (`--list`)."""
    parser = argparse.ArgumentParser()
    parser.add_argument("seen", help="the file with the ids of received messages")
    parser.add_argument("port", type=int, nargs="?", help="the port on 127.0.0.1")
    parser.add_argument("--list", action="store_true", help="list the received messages")
    options = parser.parse_args()
    Hook.seen = sqlite3.connect(options.seen)
    Hook.seen.execute(TABLE)
    if options.list:
        for message in Hook.seen.execute("SELECT id, type FROM seen ORDER BY rowid"):
            print(*message)
        return
    if options.port is None:
        parser.error("name a port")
    HTTPServer(("127.0.0.1", options.port), Hook).serve_forever()


if __name__ == "__main__":
    main()
