"""A software authenticator, which creates passkeys (EC P-256) and signs with them.

It does what a browser and an authenticator do together (WebAuthn, sections 6 and 7), with
real keys and signatures. A test changes one part to attack the service.
"""

import hashlib
import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field, replace
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from webauthn.helpers import encode_cbor

from tests.support.world import PUBLIC, Json

PRESENT: Final = 0x01
VERIFIED: Final = 0x04
ATTESTED: Final = 0x40
ES256: Final = ec.ECDSA(SHA256(), deterministic_signing=True)
"""The same key and data give the same signature, so that examples can contain it."""
AAGUID: Final = bytes(16)


def encode(value: bytes) -> str:
    """Return bytes in base64url without padding."""
    return urlsafe_b64encode(value).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    return urlsafe_b64decode(f"{text}===")


@dataclass
class Credential:
    """A passkey in the authenticator: its key pair, its user and its counter."""

    user_handle: bytes
    id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    counter: int = 0

    @property
    def cose_key(self) -> bytes:
        """The public key in COSE (RFC 9052): EC2, ES256, P-256."""
        numbers = self.key.public_key().public_numbers()
        x, y = numbers.x.to_bytes(32), numbers.y.to_bytes(32)
        return encode_cbor({1: 2, 3: -7, -1: 1, -2: x, -3: y})


@dataclass(frozen=True)
class Authenticator:
    """A device with a browser at one origin. `counts` is true if it has a counter."""

    origin: str = PUBLIC
    rp_id: str | None = None
    flags: int = PRESENT | VERIFIED
    counts: bool = True
    client_data: Json = field(default_factory=dict)
    """Members that replace or extend those of the client data, for an attack."""

    def replace_parts(self, **parts: Any) -> "Authenticator":
        return replace(self, **parts)

    def create(
        self, options: Json, known: Credential | None = None
    ) -> tuple[Credential, Json]:
        """Create a passkey, and return it with the response, which has no attestation.

        If `known` is given, no passkey is created, and the response is for `known`. An
        honest device refuses this.
        """
        made = known or Credential(decode(options["user"]["id"]))
        length = len(made.id).to_bytes(2)
        attested = AAGUID + length + made.id + made.cose_key
        data = self.make_data(options["rp"]["id"], ATTESTED, 0) + attested
        attestation = encode_cbor({"fmt": "none", "attStmt": {}, "authData": data})
        client = self.make_client_data("webauthn.create", options["challenge"])
        response = {
            "clientDataJSON": encode(client),
            "attestationObject": encode(attestation),
            "transports": ["internal"],
        }
        return made, self.wrap(made, response)

    def sign(self, credential: Credential, options: Json) -> Json:
        """Advance the counter, if any, and return a passkey's response to a challenge."""
        credential.counter += self.counts
        data = self.make_data(options["rpId"], 0, credential.counter)
        client = self.make_client_data("webauthn.get", options["challenge"])
        signed = data + hashlib.sha256(client).digest()
        response = {
            "clientDataJSON": encode(client),
            "authenticatorData": encode(data),
            "signature": encode(credential.key.sign(signed, ES256)),
            "userHandle": encode(credential.user_handle),
        }
        return self.wrap(credential, response)

    def make_data(self, rp_id: str, flags: int, counter: int) -> bytes:
        """Return authenticator data (WebAuthn, 6.1) without the attested key."""
        hashed = hashlib.sha256((self.rp_id or rp_id).encode()).digest()
        return hashed + bytes([self.flags | flags]) + counter.to_bytes(4)

    def make_client_data(self, kind: str, challenge: str) -> bytes:
        members = {
            "type": kind,
            "challenge": challenge,
            "origin": self.origin,
            "crossOrigin": False,
        }
        return json.dumps(members | self.client_data).encode()

    def wrap(self, credential: Credential, response: Json) -> Json:
        """Return the JSON form of a `PublicKeyCredential`."""
        return {
            "id": encode(credential.id),
            "rawId": encode(credential.id),
            "type": "public-key",
            "authenticatorAttachment": "platform",
            "clientExtensionResults": {},
            "response": response,
        }
