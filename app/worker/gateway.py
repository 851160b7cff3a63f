"""Notices by SMS, through whichever gateway the operator has: one JSON object by HTTPS.

`POST {"to": "+...", "text": "..."}` with a bearer token. The `Idempotency-Key` is the same
for each try of one message: a gateway that knows it sends no text twice.
"""

import asyncio
import json
from dataclasses import dataclass
from http import HTTPStatus
from socket import create_connection
from ssl import SSLContext
from typing import Final
from urllib.parse import urlsplit

from app.notices.words import Letter
from app.outbox.actions import Answer
from app.outbox.pacing import Outcome
from app.worker.posting import FAILED, NOT_REACHED, Message, post

OURS: Final = frozenset(
    {
        *(HTTPStatus.UNAUTHORIZED, HTTPStatus.PAYMENT_REQUIRED, HTTPStatus.FORBIDDEN),
        *(HTTPStatus.PROXY_AUTHENTICATION_REQUIRED, HTTPStatus.REQUEST_TIMEOUT),
        *(HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS),
    }
)
"""What is wrong with us or with this moment, not with the number."""
BEYOND: Final = frozenset({HTTPStatus.BAD_GATEWAY, HTTPStatus.GATEWAY_TIMEOUT})
"""What stands before the gateway lost it: it may have been taken."""


@dataclass(frozen=True)
class Gateway:
    """Where text messages are handed over; `whole` is the seconds for all of it."""

    url: str
    token: str
    tls: SSLContext
    whole: float = 5.0

    def send(self, letter: Letter) -> Answer:
        """Hand one message over; says what came of it."""
        return asyncio.run(self.send_letter(letter))

    def check(self) -> str | None:
        """Connect, by TLS if it is meant to, and send nothing; return what failed."""
        url = urlsplit(self.url)
        secure, host = url.scheme == "https", url.hostname or ""
        port = url.port or (443 if secure else 80)
        try:
            with create_connection((host, port), timeout=self.whole) as line:
                if secure:
                    self.tls.wrap_socket(line, server_hostname=host).close()
        except OSError as trouble:
            return type(trouble).__name__
        return None

    async def send_letter(self, letter: Letter) -> Answer:
        """Ask, and cut the line when the time is over, whoever still dribbles into it.

        Nothing of the answer is read but its status, and no redirection is followed: the
        number goes nowhere else.
        """
        headers = {
            "Authorization": f"Bearer {self.token}",
            "Content-Type": "application/json",
            "Idempotency-Key": str(letter.id),
            "User-Agent": "notices",
        }
        content = {"to": letter.to, "text": letter.text}
        body = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
        message, half = Message(self.url, body.encode(), headers), self.whole / 2
        try:
            async with asyncio.timeout(self.whole):
                status = await post(message, tls=self.tls, connect=half, answer=half)
        except NOT_REACHED as trouble:
            return Answer(Outcome.REFUSED, type(trouble).__name__)
        except (TimeoutError, *FAILED) as trouble:
            return Answer(Outcome.UNKNOWN, type(trouble).__name__)
        return Answer(outcome_of(status), str(status))


def outcome_of(status: int) -> Outcome:
    """Read a status (RFC 9110, 15): a 4xx is about the number unless it is about us."""
    if status in BEYOND:
        return Outcome.UNKNOWN
    match status // 100:
        case 2:
            return Outcome.DELIVERED
        case 4 if status not in OURS:
            return Outcome.REJECTED
        case _:
            return Outcome.REFUSED
