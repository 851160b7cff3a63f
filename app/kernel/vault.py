"""The vault: personal data is sealed before it reaches a table.

Each case has a data key of its own, kept only as wrapped by a key-encryption key. Erasing
a case is destroying its wrapped data key (R29, R34). Each sealed document has a key of its
own too, wrapped by the data key of its case: a document that is written again gets a new
key, so that the text before does not open once its key is gone (ADR 44). What is sealed is
bound to its place by additional data: moved to another row, case or section, it does not
open (R30).
"""

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final, NamedTuple, Protocol
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, AESSIV

SCHEMA: Final = "1"
NONCE_BYTES: Final = 12
KEY_BYTES: Final = 32


class Unopenable(Exception):  # noqa: N818 - it names what happened, as Problem does
    """What was sealed does not open: another key, another place, or it was changed."""


class KeyProvider(Protocol):
    """Where key-encryption keys live: a file, or a key management service."""

    @property
    def current(self) -> str:
        """The version that new data keys are wrapped with."""

    def wrap(self, data_key: bytes, context: bytes) -> bytes:
        """Encrypt a data key, bound to its context."""

    def unwrap(self, version: str, wrapped: bytes, context: bytes) -> bytes:
        """Decrypt a data key; raises Unopenable."""

    def derive(self, purpose: str) -> bytes:
        """Make the 64-byte secret that this service keeps for one purpose."""


@dataclass(frozen=True)
class Place:
    """Where something sealed belongs."""

    table: str
    row: UUID
    case: UUID
    section: str
    key_version: str

    def spell(self) -> bytes:
        """Spell it so that no two places are spelled alike: each part with its length."""
        parts = (SCHEMA, self.table, str(self.row), str(self.case), self.section)
        return length_prefixed([*parts, self.key_version])


@dataclass(frozen=True)
class WrappedKey:
    """A case's data key, as it may be stored."""

    case: UUID
    version: str
    wrapped: bytes


class SealedDocument(NamedTuple):
    """A sealed text, and its own key as wrapped by the data key of its case."""

    sealed: bytes
    wrapped_key: bytes


def length_prefixed(parts: Sequence[str]) -> bytes:
    """Join texts without a way to read them as other texts."""
    return b"".join(len(p.encode()).to_bytes(4) + p.encode() for p in parts)


def seal(key: bytes, plain: bytes, context: bytes) -> bytes:
    """Encrypt with AES-256-GCM under a fresh random nonce (R31)."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plain, context)


def unseal(key: bytes, sealed: bytes, context: bytes) -> bytes:
    """Decrypt, or raise Unopenable without a word of what it was."""
    try:
        return AESGCM(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], context)
    except (InvalidTag, ValueError) as error:
        raise Unopenable("This does not open here.") from error


def spell_key_place(place: Place) -> bytes:
    """Spell the place of the key of a document: a key is never taken for a document."""
    return replace(place, table="document_key").spell()


class Vault:
    """Seals and opens, under the data key of the case."""

    def __init__(self, provider: KeyProvider) -> None:
        self._provider = provider
        self._fingerprints = provider.derive("fingerprint")
        self._cursors = AESSIV(provider.derive("cursor"))

    def new_key(self, case: UUID) -> WrappedKey:
        """Make a data key for a case."""
        secret = secrets.token_bytes(KEY_BYTES)
        return WrappedKey(case, *self.lock_away(secret, "case_key", str(case)))

    def seal(self, key: WrappedKey, place: Place, plain: bytes) -> SealedDocument:
        """Seal a document for its place, under a new key of its own."""
        secret = secrets.token_bytes(KEY_BYTES)
        wrapped = seal(self._data_key(key), secret, spell_key_place(place))
        return SealedDocument(seal(secret, plain, place.spell()), wrapped)

    def open(
        self, key: WrappedKey, place: Place, sealed: bytes, wrapped_key: bytes | None = None
    ) -> bytes:
        """Open a document that was sealed for this place; raises Unopenable.

        What an older version sealed opens under the key of its case, even if it wrote over
        a document of this version during an upgrade, and left that document's key.
        """
        secret = self._data_key(key)
        if wrapped_key is not None:
            with suppress(Unopenable):
                own = unseal(secret, wrapped_key, spell_key_place(place))
                return unseal(own, sealed, place.spell())
        return unseal(secret, sealed, place.spell())

    def must_open(self, key: WrappedKey) -> None:
        """Raise Unopenable unless the key of a case opens here."""
        self._data_key(key)

    def _data_key(self, key: WrappedKey) -> bytes:
        return self.bring_out(key.version, key.wrapped, "case_key", str(key.case))

    def lock_away(self, secret: bytes, *place: str) -> tuple[str, bytes]:
        """Wrap a secret of the service for its place; says with which key."""
        version = self._provider.current
        context = length_prefixed([*place, version])
        return version, self._provider.wrap(secret, context)

    def bring_out(self, version: str, wrapped: bytes, *place: str) -> bytes:
        """Unwrap a secret that was locked away for this place; raises Unopenable."""
        return self._provider.unwrap(version, wrapped, length_prefixed([*place, version]))

    def fingerprint(self, *parts: bytes) -> str:
        """Recognise something again without keeping it; keyed, so that nobody can guess."""
        spelled = b"".join(len(part).to_bytes(8) + part for part in parts)
        return hmac.digest(self._fingerprints, spelled, hashlib.sha256).hex()

    def hide(self, plain: bytes, context: Sequence[str]) -> bytes:
        """Encrypt so that the same gives the same: for cursors, which hold no secret."""
        return self._cursors.encrypt(plain, [length_prefixed(context)])

    def reveal(self, hidden: bytes, context: Sequence[str]) -> bytes:
        """Read what `hide` made in this context; raises Unopenable."""
        try:
            return self._cursors.decrypt(hidden, [length_prefixed(context)])
        except InvalidTag as error:
            raise Unopenable("This does not open here.") from error
