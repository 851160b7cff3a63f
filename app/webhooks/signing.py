"""What a receiver knows us by: the signature of Standard Webhooks, `v1` (R65)."""

from base64 import b64encode
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

from standardwebhooks import Webhook as Signer

SECRET_BYTES: Final = 32
PREFIX: Final = "whsec_"


def spell(secret: bytes) -> str:
    """Spell a secret as libraries of Standard Webhooks take it."""
    return PREFIX + b64encode(secret).decode()


def headers(
    secrets: Iterable[bytes], message: str, at: datetime, body: bytes
) -> dict[str, str]:
    """Write what goes with a message; while a secret is replaced, both sign it.

    The library takes any moment for one of UTC, whatever its zone says.
    """
    moment, text = at.astimezone(UTC), body.decode()
    return {
        "Webhook-Id": message,
        "Webhook-Timestamp": str(int(moment.timestamp())),
        "Webhook-Signature": " ".join(
            Signer(one).sign(message, moment, text) for one in secrets
        ),
    }
