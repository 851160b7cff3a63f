"""Verification of passkeys (WebAuthn Level 3) with the library `webauthn`.

The library is imported at first use, which saves memory in a process that never verifies a
passkey. The library raises many kinds of errors for malformed input. Each of them means
that the passkey is refused.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import urlsplit

from app.access.passkey_challenges import AGAIN, PasskeyRefused

DEFAULT_PORTS: Final = {"https": 443, "http": 80}
FORMATS: Final = frozenset({"none", "packed"})
"""The accepted formats of attestations. The service requests the format `none`, but a
browser may still send a self-attestation, which has the format `packed`."""

ALGORITHMS: Final = (-8, -7, -257)
"""The accepted signature algorithms (COSE): EdDSA, ES256 and RS256, the best first."""

type CredentialJson = dict[str, Any]
"""The JSON form of a `PublicKeyCredential` (WebAuthn, 5.1)."""


@dataclass(frozen=True)
class RelyingParty:
    """The WebAuthn relying party: the domain and the origin of the service's pages."""

    id: str
    origin: str


@dataclass(frozen=True)
class NewCredential:
    """The public part of a passkey that an authenticator created."""

    credential_id: bytes
    public_key: bytes
    sign_count: int


@dataclass(frozen=True)
class Assertion:
    """The claims of a sign-in response that is not verified yet."""

    credential_id: bytes
    user_handle: bytes | None
    challenge: bytes


def build_relying_party(public_url: str | None) -> RelyingParty | None:
    """Return the relying party of a public URL, or None if passkeys cannot be used.

    Passkeys need a public URL, and browsers refuse them on a host that is an IP address.
    """
    parts = urlsplit(public_url or "")
    if not parts.hostname or is_ip_address(parts.hostname):
        return None
    shows_port = parts.port not in {None, DEFAULT_PORTS.get(parts.scheme)}
    port = f":{parts.port}" if shows_port else ""
    return RelyingParty(parts.hostname, f"{parts.scheme}://{parts.hostname}{port}")


def is_ip_address(host: str) -> bool:
    """Return whether a host is an IP address and not a name."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


@contextmanager
def convert_errors() -> Iterator[None]:
    """Raise PasskeyRefused (409) in place of any error of the library."""
    try:
        yield
    except PasskeyRefused:
        raise
    except Exception as error:
        raise PasskeyRefused(AGAIN) from error


def parse_assertion(credential: CredentialJson) -> Assertion:
    """Parse the response of a sign-in without verifying it, or raise PasskeyRefused."""
    from webauthn.helpers import parse_authentication_credential_json  # noqa: PLC0415

    with convert_errors():
        parsed = parse_authentication_credential_json(credential)
        challenge = read_challenge(parsed.response.client_data_json)
        return Assertion(parsed.raw_id, parsed.response.user_handle, challenge)


def parse_registration(credential: CredentialJson) -> bytes:
    """Return the challenge of a registration response, or raise PasskeyRefused.

    The response is not verified, but it must have an accepted format.
    """
    from webauthn.helpers import (  # noqa: PLC0415
        parse_attestation_object,
        parse_registration_credential_json,
    )

    with convert_errors():
        response = parse_registration_credential_json(credential).response
        if parse_attestation_object(response.attestation_object).fmt not in FORMATS:
            raise PasskeyRefused("Create the passkey with the `attestation` `none`.")
        return read_challenge(response.client_data_json)


def read_challenge(client_data: bytes) -> bytes:
    """Return the challenge in client data. Raises PasskeyRefused for an embedded page."""
    from webauthn.helpers import parse_client_data_json  # noqa: PLC0415

    parsed = parse_client_data_json(client_data)
    if parsed.cross_origin:
        raise PasskeyRefused("Use the passkey on the page itself, not in a frame.")
    return parsed.challenge


def verify_registration(
    party: RelyingParty, credential: CredentialJson, challenge: bytes
) -> NewCredential:
    """Verify a registration response to a challenge, or raise PasskeyRefused (409)."""
    from webauthn import verify_registration_response  # noqa: PLC0415
    from webauthn.helpers.cose import COSEAlgorithmIdentifier  # noqa: PLC0415

    with convert_errors():
        verified = verify_registration_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=party.origin,
            require_user_verification=True,
            supported_pub_key_algs=[COSEAlgorithmIdentifier(one) for one in ALGORITHMS],
        )
    return NewCredential(
        verified.credential_id, verified.credential_public_key, verified.sign_count
    )


def verify_assertion(
    party: RelyingParty, credential: CredentialJson, challenge: bytes, known: NewCredential
) -> int:
    """Verify a sign-in response with a known passkey, and return its new counter.

    Raises PasskeyRefused (409) if the response is not valid, or if the counter did not
    increase, because the passkey may have been cloned. An authenticator without a counter
    always sends 0.
    """
    from webauthn import verify_authentication_response  # noqa: PLC0415

    with convert_errors():
        verified = verify_authentication_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=party.origin,
            credential_public_key=known.public_key,
            credential_current_sign_count=known.sign_count,
            require_user_verification=True,
        )
    return verified.new_sign_count


def has_increased(new: int, known: int) -> bool:
    """Return whether a counter increased, or the authenticator has none (WebAuthn, 7.2)."""
    return new > known or new == known == 0
