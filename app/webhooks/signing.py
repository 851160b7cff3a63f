"""Signatures of messages to receivers, by the scheme `v1` of Standard Webhooks (R65)."""

from base64 import b64encode
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

from standardwebhooks import Webhook as Signer

SECRET_BYTES: Final = 32
PREFIX: Final = "whsec_"


def encode_secret(secret: bytes) -> str:
    """Encode a secret in the form that libraries of Standard Webhooks expect."""
    return PREFIX + b64encode(secret).decode()


def build_headers(
    secrets: Iterable[bytes], message: str, at: datetime, body: bytes
) -> dict[str, str]:
    """Return the headers of a message, signed with each secret in use.

    The library ignores the time zone, so the time is converted to UTC.
    """
    moment, text = at.astimezone(UTC), body.decode()
    return {
        "Webhook-Id": message,
        "Webhook-Timestamp": str(int(moment.timestamp())),
        "Webhook-Signature": " ".join(
            Signer(one).sign(message, moment, text) for one in secrets
        ),
    }
