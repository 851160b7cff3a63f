"""Random challenges, which the service makes for passkeys to sign within 5 minutes.

A challenge contains a nonce, the time and a MAC, so that nothing is stored when a caller
without a credential asks for one. The MAC also covers the purpose, so that a challenge for
a sign-in cannot be used to register a passkey.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from app.kernel.problems import Problem
from app.kernel.vault import Vault

LIFETIME: Final = timedelta(minutes=5)
CLOCK_TOLERANCE: Final = timedelta(minutes=1)
"""How far the clock of another process of the service may be ahead."""
NONCE_BYTES: Final = 16
TIME_BYTES: Final = 8
SIGNED_BYTES: Final = NONCE_BYTES + TIME_BYTES
SIGN_IN: Final = "sign-in"
"""The purpose of a challenge with which a person signs in."""


AGAIN: Final = "Request new options, and use them once."


class PasskeyRefused(Problem):
    """The passkey was not accepted, or its options have expired or were used."""

    status = 409


@dataclass(frozen=True)
class IssuedChallenge:
    """The hash and the expiry time of a challenge that this service created."""

    hash: str
    expires_at: datetime


def describe_registration(person_id: UUID) -> str:
    """Return the purpose of a challenge with which a person registers another passkey."""
    return f"register {person_id}"


def describe_enrolment(enrolment_id: UUID) -> str:
    """Return the purpose of a challenge with which an enrolment is redeemed."""
    return f"enrol {enrolment_id}"


def create_challenge(vault: Vault, purpose: str, now: datetime) -> bytes:
    """Create a challenge for a purpose."""
    created_at = int(now.timestamp()).to_bytes(TIME_BYTES)
    signed = secrets.token_bytes(NONCE_BYTES) + created_at
    return signed + vault.compute_challenge_mac(signed, purpose)


def verify_challenge(
    vault: Vault, challenge: bytes, purpose: str, now: datetime
) -> IssuedChallenge:
    """Return the hash and expiry of a valid challenge, or raise PasskeyRefused (409).

    The caller has to check that the challenge was not used before.
    """
    signed, mac = challenge[:SIGNED_BYTES], challenge[SIGNED_BYTES:]
    if not vault.is_challenge_mac(mac, signed, purpose):
        raise PasskeyRefused(AGAIN)
    seconds = int.from_bytes(signed[NONCE_BYTES:])
    created_at = datetime.fromtimestamp(seconds, UTC)
    if not created_at - CLOCK_TOLERANCE <= now < created_at + LIFETIME:
        raise PasskeyRefused(AGAIN)
    expires_at = created_at + LIFETIME
    return IssuedChallenge(hashlib.sha256(challenge).hexdigest(), expires_at)
