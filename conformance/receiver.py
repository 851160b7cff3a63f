"""A reference receiver of webhooks: it believes what is signed, fresh and new, once.

    export SAFE_CONDUCT_WEBHOOK_SECRET=whsec_...
    python3 receiver.py seen.db 8080       # behind a proxy that has the certificate

It needs Python alone. A message says only that there is something in your feed: put what
wakes your poller into `wake`.
"""

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
"""Seconds that a message may be off: an older one may be somebody's recording (R65)."""

LARGEST = 64 * 1024
TABLE = "CREATE TABLE IF NOT EXISTS seen (id TEXT PRIMARY KEY, type TEXT)"


class RefusedError(Exception):
    """A message that is not to be believed."""


def wake(message: dict[str, Any]) -> None:
    """Let your poller read the feed now, from its own cursor on."""
    print(message["type"], message["data"]["next"], flush=True)


def believed(
    secret: str, headers: Mapping[str, str], body: bytes, now: float
) -> dict[str, Any]:
    """Verify a message (Standard Webhooks, `v1`), or raise RefusedError.

    The names of headers are in small letters here: a proxy may write them as it likes.
    """
    name = headers.get("webhook-id", "")
    moment = headers.get("webhook-timestamp", "")
    if not name or not moment.isdecimal() or abs(now - int(moment)) > LEEWAY:
        raise RefusedError
    key = base64.b64decode(secret.removeprefix("whsec_"))
    said = b".".join((name.encode(), moment.encode(), body))
    fits = b"v1," + base64.b64encode(hmac.digest(key, said, hashlib.sha256))
    given = headers.get("webhook-signature", "").encode().split()
    if not any(hmac.compare_digest(fits, one) for one in given):
        raise RefusedError
    return dict(json.loads(body))


def take(seen: sqlite3.Connection, name: str, message: dict[str, Any]) -> None:
    """Wake the poller once for each message, and keep that it was: both, or neither."""
    with seen:
        known = "SELECT 1 FROM seen WHERE id = ?"
        if not seen.execute(known, (name,)).fetchone():
            seen.execute("INSERT INTO seen VALUES (?, ?)", (name, message["type"]))
            wake(message)


class Hook(BaseHTTPRequestHandler):
    """One message."""

    seen: sqlite3.Connection

    def do_POST(self) -> None:
        """Answer 204 to what is believed, 400 to anything else."""
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > LARGEST:
            self.send_error(413)
            return
        body = self.rfile.read(int(length))
        secret = os.environ["SAFE_CONDUCT_WEBHOOK_SECRET"]
        try:
            headers = {n.lower(): self.headers.get(n, "") for n in self.headers}
            message = believed(secret, headers, body, time.time())
        except RefusedError:
            self.send_error(400)
            return
        take(self.seen, headers["webhook-id"], message)
        self.send_response(204)
        self.end_headers()


def main() -> None:
    """Listen until it is stopped."""
    said = argparse.ArgumentParser()
    said.add_argument("seen", help="a file that keeps which messages came")
    said.add_argument("port", type=int, help="on this machine alone")
    asked = said.parse_args()
    Hook.seen = sqlite3.connect(asked.seen)
    Hook.seen.execute(TABLE)
    HTTPServer(("127.0.0.1", asked.port), Hook).serve_forever()


if __name__ == "__main__":
    main()
