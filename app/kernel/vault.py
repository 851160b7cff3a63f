"""The vault, which seals personal data before it is stored in a table.

Each case has a data key, which is stored encrypted (wrapped) with a key-encryption key.
Destroying the wrapped key erases the case (R29, R34). Each sealed document also has its own
key, wrapped with the data key of the case. A document that is rewritten gets a new key, so
that the previous text cannot be opened once its key is destroyed (ADR 44). Additional
authenticated data binds a document to its place, so that it cannot be opened in another
row, case or section (R30).
"""

import hashlib
import hmac
import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Final, NamedTuple, Protocol
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, AESSIV

SCHEMA: Final = "1"
NONCE_BYTES: Final = 12
KEY_BYTES: Final = 32
FINGERPRINT: Final = "fingerprint"
CHALLENGE: Final = "challenge"
CURSOR: Final = "cursor"
"""The purposes for which the vault derives secrets."""


class Unopenable(Exception):  # noqa: N818 - it names what happened, as Problem does
    """A failure to open sealed data: wrong key, wrong context, or modified data."""


@dataclass(frozen=True)
class DerivedSecrets:
    """The secrets for one purpose: each was derived from a key-encryption key (ADR 84).

    `known` are the secrets of all keys by the version of the key; that of the current key,
    which makes new values, comes first. `accepted` are the secrets of the keys that are not
    retired. `replaced` are the versions of the keys that were current before and are not
    retired. `oldest_accepted` is the secret of the oldest key that is not retired, and
    `first` that of the first key that the key provider ever had.
    """

    current_version: str
    known: Mapping[str, bytes] = field(repr=False)
    accepted: Mapping[str, bytes] = field(repr=False)
    replaced: tuple[str, ...]
    oldest_accepted: bytes = field(repr=False)
    first: bytes = field(repr=False)

    @property
    def current(self) -> bytes:
        """The secret that makes new values."""
        return self.known[self.current_version]


class RetiredKey(Unopenable):
    """A failure to open data of a key that was retired (ADR 84)."""


class KeyProvider(Protocol):
    """A store of key-encryption keys, such as a file or a key management service."""

    @property
    def current(self) -> str:
        """The version of the key that wraps new data keys."""

    def wrap(self, version: str, data_key: bytes, context: bytes) -> bytes:
        """Encrypt a data key, so that it can be decrypted only with the same context."""

    def unwrap(self, version: str, wrapped: bytes, context: bytes) -> bytes:
        """Decrypt a data key. Raises Unopenable if the key or the context is wrong."""

    def derive(self, purpose: str) -> DerivedSecrets:
        """Derive the secrets for one purpose, of 64 bytes each.

        Each call returns the same object until the keys of the provider change.
        """


@dataclass(frozen=True)
class Place:
    """The place in the database to which a sealed document is bound."""

    table: str
    row: UUID
    case: UUID
    section: str
    key_version: str

    def encode(self) -> bytes:
        """Encode the place as bytes. No two places have the same encoded form."""
        parts = (SCHEMA, self.table, str(self.row), str(self.case), self.section)
        return join_with_lengths([*parts, self.key_version])


@dataclass(frozen=True)
class WrappedKey:
    """The data key of a case, in the wrapped form that is stored."""

    case: UUID
    version: str
    wrapped: bytes


class SealedDocument(NamedTuple):
    """A sealed document, and its own key, wrapped with the data key of the case."""

    sealed: bytes
    wrapped_key: bytes


def join_with_lengths(parts: Sequence[str]) -> bytes:
    """Join texts with length prefixes, so that different lists give different bytes."""
    return b"".join(len(p.encode()).to_bytes(4) + p.encode() for p in parts)


def seal(key: bytes, plain: bytes, context: bytes) -> bytes:
    """Encrypt data with AES-256-GCM and a random nonce (R31)."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plain, context)


def open_sealed(key: bytes, sealed: bytes, context: bytes) -> bytes:
    """Decrypt sealed data. Raises Unopenable if the key, context or data is wrong."""
    try:
        return AESGCM(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], context)
    except (InvalidTag, ValueError) as error:
        raise Unopenable("The sealed data cannot be decrypted.") from error


def get_key_place(case: UUID) -> tuple[str, str]:
    """Return the place to which the data key of a case is bound."""
    return "case_key", str(case)


def encode_key_place(place: Place) -> bytes:
    """Encode the place of a document's key, which differs from the document's own place."""
    return replace(place, table="document_key").encode()


class Vault:
    """The vault, which seals and opens documents with the data key of their case."""

    def __init__(self, provider: KeyProvider) -> None:
        self._provider = provider

    @property
    def current_version(self) -> str:
        """The version of the key-encryption key that wraps new secrets."""
        return self._provider.current

    def create_key(self, case: UUID) -> WrappedKey:
        """Create a data key for a case."""
        secret = secrets.token_bytes(KEY_BYTES)
        return WrappedKey(case, *self.wrap_secret(secret, *get_key_place(case)))

    def seal(self, key: WrappedKey, place: Place, plain: bytes) -> SealedDocument:
        """Seal a document for its place, with a new key that no other document has."""
        secret = secrets.token_bytes(KEY_BYTES)
        wrapped = seal(self._unwrap_data_key(key), secret, encode_key_place(place))
        return SealedDocument(seal(secret, plain, place.encode()), wrapped)

    def open(
        self, key: WrappedKey, place: Place, sealed: bytes, wrapped_key: bytes | None = None
    ) -> bytes:
        """Open a document that was sealed for this place, or raise Unopenable.

        A document without a key of its own is opened with the data key of the case. The
        data key is also tried if the document's own key fails, because an older version of
        the service may have overwritten the document during an upgrade.
        """
        secret = self._unwrap_data_key(key)
        if wrapped_key is not None:
            with suppress(Unopenable):
                own = open_sealed(secret, wrapped_key, encode_key_place(place))
                return open_sealed(own, sealed, place.encode())
        return open_sealed(secret, sealed, place.encode())

    def _unwrap_data_key(self, key: WrappedKey) -> bytes:
        return self.unwrap_secret(key.version, key.wrapped, *get_key_place(key.case))

    def wrap_secret(self, secret: bytes, *place: str) -> tuple[str, bytes]:
        """Wrap a secret, bound to `place`; return the key version and wrapped secret."""
        version = self._provider.current
        context = join_with_lengths([*place, version])
        return version, self._provider.wrap(version, secret, context)

    def unwrap_secret(self, version: str, wrapped: bytes, *place: str) -> bytes:
        """Unwrap a secret that was wrapped for this place, or raise Unopenable."""
        return self._provider.unwrap(version, wrapped, join_with_lengths([*place, version]))

    def seal_alone(self, plain: bytes, *place: str) -> tuple[str, SealedDocument]:
        """Seal a document that has no case; return the key version and the sealed document.

        The document gets a new key, which is wrapped like a data key, and is bound to
        `place`.
        """
        secret = secrets.token_bytes(KEY_BYTES)
        version, wrapped = self.wrap_secret(secret, *place)
        context = join_with_lengths([*place, version])
        return version, SealedDocument(seal(secret, plain, context), wrapped)

    def open_alone(self, version: str, document: SealedDocument, *place: str) -> bytes:
        """Open a document that `seal_alone` sealed for this place, or raise Unopenable."""
        secret = self.unwrap_secret(version, document.wrapped_key, *place)
        return open_sealed(secret, document.sealed, join_with_lengths([*place, version]))

    def compute_fingerprint(self, *parts: bytes) -> str:
        """Return a keyed hash that identifies a value without storing or revealing it.

        It changes when a key is activated. See `list_fingerprints`.
        """
        return compute_keyed_hash(self._provider.derive(FINGERPRINT).current, parts)

    def list_fingerprints(self, *parts: bytes) -> list[str]:
        """List the fingerprints of a value, one for each key, including retired keys.

        A new value is stored with the first. A stored fingerprint is compared with all.
        """
        known = self._provider.derive(FINGERPRINT).known
        return [compute_keyed_hash(one, parts) for one in known.values()]

    def compute_lasting_fingerprint(self, *parts: bytes) -> str:
        """Return a keyed hash that changes only with the oldest key that is not retired."""
        oldest = self._provider.derive(FINGERPRINT).oldest_accepted
        return compute_keyed_hash(oldest, parts)

    def compute_permanent_fingerprint(self, *parts: bytes) -> str:
        """Return a keyed hash that does not change when keys are rotated.

        It is derived from the first key, so that a process without the newest key returns
        the same hash. For example, it is used in the name of a lock.
        """
        return compute_keyed_hash(self._provider.derive(FINGERPRINT).first, parts)

    def compute_challenge_mac(self, challenge: bytes, purpose: str) -> bytes:
        """Return the MAC of a challenge, which is valid for one purpose only."""
        secret = self._provider.derive(CHALLENGE).current
        return compute_challenge_mac(secret, challenge, purpose)

    def is_challenge_mac(self, mac: bytes, challenge: bytes, purpose: str) -> bool:
        """Return whether this is the MAC of a challenge by a key that is not retired."""
        return any(
            hmac.compare_digest(mac, compute_challenge_mac(secret, challenge, purpose))
            for secret in self._provider.derive(CHALLENGE).accepted.values()
        )

    def encrypt_cursor(self, plain: bytes, context: Sequence[str]) -> bytes:
        """Encrypt a cursor; equal input gives equal output until a key is activated."""
        cipher = get_cursor_cipher(self._provider.derive(CURSOR).current)
        return cipher.encrypt(plain, [join_with_lengths(context)])

    def decrypt_cursor(self, hidden: bytes, context: Sequence[str]) -> bytes:
        """Decrypt a cursor that was encrypted for this context, or raise Unopenable.

        Cursors of retired keys remain valid, because pollers store them.
        """
        bound = [join_with_lengths(context)]
        for secret in self._provider.derive(CURSOR).known.values():
            with suppress(InvalidTag):
                return get_cursor_cipher(secret).decrypt(hidden, bound)
        raise Unopenable("The sealed data cannot be decrypted.")


@lru_cache(maxsize=32)
def get_cursor_cipher(secret: bytes) -> AESSIV:
    """Return the cipher of a secret."""
    return AESSIV(secret)


def compute_keyed_hash(secret: bytes, parts: Sequence[bytes]) -> str:
    """Return the keyed hash of a list. Different lists give different hashes."""
    encoded = b"".join(len(part).to_bytes(8) + part for part in parts)
    return hmac.digest(secret, encoded, hashlib.sha256).hex()


def compute_challenge_mac(secret: bytes, challenge: bytes, purpose: str) -> bytes:
    """Return the MAC of a challenge with a secret."""
    return hmac.digest(secret, purpose.encode() + b"\0" + challenge, hashlib.sha256)
