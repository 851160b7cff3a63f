"""Notifications by SMS, through any gateway that accepts a JSON object by HTTPS.

The request is `POST {"to": "+...", "text": "..."}` with a bearer token. The
`Idempotency-Key` is the same for each attempt to send one message, so that a gateway that
supports this header sends no text twice.
"""

import asyncio
import json
from dataclasses import dataclass
from http import HTTPStatus
from socket import create_connection
from ssl import SSLContext
from typing import Final
from urllib.parse import urlsplit

from app.notifications.words import NotificationMessage
from app.outbox.actions import Answer
from app.outbox.pacing import Outcome
from app.worker.http_post import FAILED, NOT_REACHED, Message, send_post

RETRYABLE: Final = frozenset(
    {
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.PAYMENT_REQUIRED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.PROXY_AUTHENTICATION_REQUIRED,
        HTTPStatus.REQUEST_TIMEOUT,
        HTTPStatus.TOO_EARLY,
        HTTPStatus.TOO_MANY_REQUESTS,
    }
)
"""Status codes of errors that are temporary, or that concern the account at the gateway."""
UNCERTAIN: Final = frozenset({HTTPStatus.BAD_GATEWAY, HTTPStatus.GATEWAY_TIMEOUT})
"""Status codes of a proxy; the gateway behind it may have accepted the message."""


@dataclass(frozen=True)
class Gateway:
    """The SMS gateway, with the time limit of one attempt in seconds."""

    url: str
    token: str
    tls: SSLContext
    time_limit: float = 5.0

    def send(self, letter: NotificationMessage) -> Answer:
        """Send one message and return the outcome."""
        return asyncio.run(self.send_letter(letter))

    def check(self) -> str | None:
        """Connect without sending a message; return the name of any error, or None."""
        url = urlsplit(self.url)
        secure, host = url.scheme == "https", url.hostname or ""
        port = url.port or (443 if secure else 80)
        try:
            with create_connection((host, port), timeout=self.time_limit) as line:
                if secure:
                    self.tls.wrap_socket(line, server_hostname=host).close()
        except OSError as error:
            return type(error).__name__
        return None

    async def send_letter(self, letter: NotificationMessage) -> Answer:
        """Post the message within the time limit, and return the outcome.

        Redirections are not followed, so that the telephone number reaches no other server.
        """
        headers = {
            "Authorization": f"Bearer {self.token}",
            "Content-Type": "application/json",
            "Idempotency-Key": str(letter.id),
            "User-Agent": "notices",
        }
        content = {"to": letter.to, "text": letter.text}
        body = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
        message, half = Message(self.url, body.encode(), headers), self.time_limit / 2
        try:
            async with asyncio.timeout(self.time_limit):
                status = await send_post(message, tls=self.tls, connect=half, answer=half)
        except NOT_REACHED as error:
            return Answer(Outcome.REFUSED, type(error).__name__)
        except (TimeoutError, *FAILED) as error:
            return Answer(Outcome.UNKNOWN, type(error).__name__)
        return Answer(get_outcome(status), str(status))


def get_outcome(status: int) -> Outcome:
    """Return the outcome for a status code (RFC 9110, 15).

    A 4xx code that is not in RETRYABLE is a rejection, usually of the telephone number.
    """
    if status in UNCERTAIN:
        return Outcome.UNKNOWN
    match status // 100:
        case 2:
            return Outcome.DELIVERED
        case 4 if status not in RETRYABLE:
            return Outcome.REJECTED
        case _:
            return Outcome.REFUSED
