"""Key-encryption keys in a file that only its owner can read (R36).

Each line is `<version> <base64>`. The last key wraps new data keys; the earlier keys unwrap
the data keys that they wrapped.
"""

import base64
import binascii
import re
import secrets
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Final, Self

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from app.kernel import durable
from app.kernel.vault import KEY_BYTES, Unopenable, open_sealed, seal

DAMAGED: Final = "{path} is damaged. Restore it from a copy."
OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
"""Permission bits of the group and of others."""
WEAK_VARIETY: Final = 8
"""The minimum number of different bytes in a key; a key of 32 random bytes has about 30."""


class KeyRefused(Exception):  # noqa: N818 - it names what happened, as Problem does
    """The key file is missing, unsafe or damaged."""


class FileKeys:
    """The default key provider, which reads its keys from a file."""

    def __init__(self, keys: dict[str, bytes]) -> None:
        self._keys = keys
        self._oldest, *_, self.current = [next(iter(keys)), *keys]

    @classmethod
    def load(cls, path: Path) -> Self:
        """Load the keys of a file, or raise KeyRefused."""
        return cls(read_keys(path))

    @classmethod
    def create(cls, path: Path) -> Self:
        """Create the key file, or add a key to it, and return all its keys.

        The file is replaced as a whole: a partly written line would make it unusable.
        """
        keys = read_keys(path) if path.exists() and path.stat().st_size else {}
        old = path.read_text("utf-8") if keys else ""
        separator = "\n" if old and not old.endswith("\n") else ""
        version, key = generate_version(keys), secrets.token_bytes(KEY_BYTES)
        path.parent.mkdir(parents=True, exist_ok=True)
        line = f"{version} {base64.b64encode(key).decode()}"
        durable.replace(path, f"{old}{separator}{line}\n")
        return cls({**keys, version: key})

    def wrap(self, data_key: bytes, context: bytes) -> bytes:
        """Encrypt a data key, so that it can be decrypted only with the same context."""
        return seal(self._keys[self.current], data_key, context)

    def unwrap(self, version: str, wrapped: bytes, context: bytes) -> bytes:
        """Decrypt a data key. Raises Unopenable if the key or the context is wrong."""
        if version not in self._keys:
            raise Unopenable("The key file has no key-encryption key of this version.")
        return open_sealed(self._keys[version], wrapped, context)

    def derive(self, purpose: str) -> bytes:
        """Derive the secret for a purpose from the first key, which a rotation keeps."""
        hkdf = HKDF(SHA256(), 64, salt=None, info=f"safe-conduct {purpose}".encode())
        return hkdf.derive(self._keys[self._oldest])


def read_keys(path: Path) -> dict[str, bytes]:
    """Return the keys of a file, oldest first, or raise KeyRefused."""
    if not path.is_file():
        raise KeyRefused(f"There is no key at {path}. Run: safe-conduct key new")
    require_owner_only(path)
    keys = [parse_key(path, line) for line in path.read_bytes().splitlines() if line]
    if not keys:
        raise KeyRefused(f"There is no key in {path}. Run: safe-conduct key new")
    if len(dict(keys)) != len(keys):
        raise KeyRefused(DAMAGED.format(path=path))
    return dict(keys)


def require_owner_only(path: Path) -> None:
    """Raise KeyRefused if any user but the owner can access a file."""
    if path.stat().st_mode & OTHERS:
        raise KeyRefused(f"Other users can access {path}. Run: chmod 600 {path}")


def generate_version(keys: Iterable[str]) -> str:
    """Return a version for a new key: the next number and a random suffix.

    Because of the suffix, keys from different copies of a file can be put into one file.
    """
    numbers = (re.fullmatch(r"k([0-9]+)(x[0-9a-f]+)?", version) for version in keys)
    number = max((int(found[1]) for found in numbers if found), default=0) + 1
    return f"k{number}x{secrets.token_hex(4)}"


def parse_key(path: Path, line: bytes) -> tuple[str, bytes]:
    """Parse a line. Raises KeyRefused if its key is not 32 random bytes in base64."""
    version, _, encoded = line.partition(b" ")
    try:
        key = base64.b64decode(encoded, validate=True)
    except binascii.Error as error:
        raise KeyRefused(DAMAGED.format(path=path)) from error
    if len(key) != KEY_BYTES or not re.fullmatch(rb"[a-z0-9]+", version):
        raise KeyRefused(DAMAGED.format(path=path))
    if len(set(key)) < WEAK_VARIETY:
        raise KeyRefused(
            f"Remove {path}: it contains a sample key. Then run: safe-conduct key new"
        )
    return version.decode(), key
