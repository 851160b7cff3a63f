"""Key-encryption keys, and how they are written in a line of the key file (R36).

A line is `<version> <key>`, followed by `standby` or `retired` if the key has this mark
(ADR 79, ADR 84). The key is in base64, or encrypted by a key service (ADR 87).
"""

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final, Protocol, override

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from app.kernel.vault import KEY_BYTES

ENCRYPTED: Final = "vault:"
"""The first characters of an encrypted key, as OpenBao and HashiCorp Vault write them."""
CIPHERTEXT: Final = re.compile(rf"{ENCRYPTED}v[0-9]{{1,9}}:[A-Za-z0-9+/]+={{0,2}}")
WEAK_VARIETY: Final = 8
"""The minimum number of different bytes in a key; a key of 32 random bytes has about 30."""


class KeyRefused(Exception):  # noqa: N818 - it names what happened, as Problem does
    """The key file or its keys cannot be used, or a change of the keys is not allowed."""


class KeyServiceFailed(KeyRefused):
    """The key service did not encrypt or decrypt keys. It may do so later."""


class KeyService(Protocol):
    """A service on another machine that encrypts the keys of a key file (ADR 87)."""

    def encrypt(self, keys: Mapping[str, bytes]) -> dict[str, str]:
        """Encrypt keys, each bound to its version. Raises KeyServiceFailed."""

    def decrypt(self, keys: Mapping[str, str]) -> dict[str, bytes]:
        """Decrypt keys, each bound to its version. Raises KeyServiceFailed."""


class KeyMark(StrEnum):
    """The mark at the end of a line of the key file; a key in normal use has none.

    A standby key unwraps, and wraps once it is activated. A retired key does neither.
    """

    NONE = ""
    STANDBY = "standby"
    RETIRED = "retired"


class MarkedKey:
    """A key that may be marked as standby or retired."""

    version: str
    mark: KeyMark

    @property
    def is_standby(self) -> bool:
        """Whether the key is not activated yet."""
        return self.mark == KeyMark.STANDBY

    @property
    def is_retired(self) -> bool:
        """Whether the key opens nothing, and MACs by its secrets are refused."""
        return self.mark == KeyMark.RETIRED


@dataclass(frozen=True)
class KeyLine(MarkedKey):
    """A line of the key file, with the key as it is written there."""

    version: str
    encoded: str = field(repr=False)
    mark: KeyMark = KeyMark.NONE

    @property
    def is_encrypted(self) -> bool:
        """Whether a key service has to decrypt the key."""
        return self.encoded.startswith(ENCRYPTED)

    @property
    def without_mark(self) -> "KeyLine":
        """The same line without its `KeyMark`, by which the decrypted key is cached."""
        return replace(self, mark=KeyMark.NONE)

    @override
    def __str__(self) -> str:
        return f"{self.version} {self.encoded} {self.mark}".rstrip()


@dataclass(frozen=True)
class StoredKey(MarkedKey):
    """A key of the key file, decrypted if it was encrypted."""

    version: str
    value: bytes = field(repr=False)
    mark: KeyMark = KeyMark.NONE

    def derive(self, purpose: str) -> bytes:
        """Derive a secret of 64 bytes for one purpose."""
        hkdf = HKDF(SHA256(), 64, salt=None, info=f"safe-conduct {purpose}".encode())
        return hkdf.derive(self.value)


def find_current_version(keys: Sequence[MarkedKey]) -> str:
    """Return the version of the key that wraps new data keys."""
    return [one.version for one in keys if one.mark == KeyMark.NONE][-1]


def encode_base64(value: bytes) -> str:
    """Return bytes in base64, as a key is written."""
    return base64.b64encode(value).decode()


def decode_key(text: str) -> bytes | None:
    """Return a key that is written in base64, or None if it is not a key."""
    try:
        value = base64.b64decode(text, validate=True)
    except ValueError:  # also raised for characters that are not ASCII
        return None
    return value if len(value) == KEY_BYTES else None


def is_weak(value: bytes) -> bool:
    """Return whether a key has too few different bytes to be random, like a sample key."""
    return len(set(value)) < WEAK_VARIETY


def encode_keys(keys: Sequence[StoredKey], service: KeyService | None) -> list[KeyLine]:
    """Return the lines of keys, which are encrypted if there is a key service.

    Raises KeyServiceFailed if the service fails, or if it does not decrypt the keys that it
    has just encrypted: the keys would be lost.
    """
    values = {one.version: one.value for one in keys}
    if service is None:
        encoded = {name: encode_base64(one) for name, one in values.items()}
    else:
        encoded = service.encrypt(values)
        if not all(map(CIPHERTEXT.fullmatch, encoded.values())):
            raise KeyServiceFailed("The key service returned invalid ciphertexts.")
        if service.decrypt(encoded) != values:
            raise KeyServiceFailed("The key service does not decrypt what it encrypted.")
    return [KeyLine(one.version, encoded[one.version], one.mark) for one in keys]


class KeyOpener:
    """Reads the keys of key file lines, and caches those that the key service decrypts."""

    def __init__(self, service: KeyService | None) -> None:
        self._service = service
        self._decrypted: dict[KeyLine, bytes] = {}

    def open(self, lines: Sequence[KeyLine]) -> list[StoredKey]:
        """Return the keys of lines. Raises KeyRefused if they cannot be decrypted."""
        self.decrypt(self.list_undecrypted(lines))
        return [StoredKey(one.version, self.get_value(one), one.mark) for one in lines]

    def list_undecrypted(self, lines: Sequence[KeyLine]) -> list[KeyLine]:
        """Return the lines whose keys the key service still has to decrypt."""
        return [
            one
            for one in lines
            if one.is_encrypted and one.without_mark not in self._decrypted
        ]

    def decrypt(self, lines: Sequence[KeyLine]) -> None:
        """Decrypt the keys of encrypted lines with the key service, and cache them.

        Raises KeyRefused if there is no key service, if it fails, or if a key is weak.
        """
        if not lines:
            return
        if self._service is None:
            raise KeyRefused(
                "The keys of the key file are encrypted. Set SAFE_CONDUCT_TRANSIT_URL to "
                "the service that decrypts them."
            )
        values = self._service.decrypt({one.version: one.encoded for one in lines})
        if any(map(is_weak, values.values())):
            raise KeyRefused("The key service returned a key that is not random.")
        self._decrypted |= {one.without_mark: values[one.version] for one in lines}

    def get_value(self, line: KeyLine) -> bytes:
        """Return the key of a line that is not encrypted, or that was decrypted before."""
        if line.is_encrypted:
            return self._decrypted[line.without_mark]
        return base64.b64decode(line.encoded)
