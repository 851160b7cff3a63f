"""Key-encryption keys in a file that only its owner can read (R36).

One key a line, `<version> <base64>`; the last line wraps new data keys, the earlier ones
still open what they wrapped.
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
from app.kernel.vault import KEY_BYTES, Unopenable, seal, unseal

OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
WEAK_VARIETY: Final = 8
"""A random key of 32 bytes has about 30 different ones; a typed one has few."""


class KeyRefused(Exception):  # noqa: N818 - it names what happened, as Problem does
    """The key file cannot be used."""


class FileKeys:
    """The key provider of the embedded default."""

    def __init__(self, keys: dict[str, bytes]) -> None:
        self._keys = keys
        self._oldest, *_, self.current = [next(iter(keys)), *keys]

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read the file; raises KeyRefused if it is missing, readable by others or weak."""
        return cls(read(path))

    @classmethod
    def create(cls, path: Path) -> Self:
        """Make a first key, or append the next one, in a file of mode 0600.

        All or nothing: half a line, after a full disk, would make a file that none can use.
        """
        keys = read(path) if path.exists() and path.stat().st_size else {}
        old = path.read_text("utf-8") if keys else ""
        apart = "\n" if old and not old.endswith("\n") else ""  # it may lack its last end
        version, key = next_version(keys), secrets.token_bytes(KEY_BYTES)
        path.parent.mkdir(parents=True, exist_ok=True)
        line = f"{version} {base64.b64encode(key).decode()}"
        durable.replace(path, f"{old}{apart}{line}\n")
        return cls({**keys, version: key})

    def wrap(self, data_key: bytes, context: bytes) -> bytes:
        """Encrypt a data key, bound to its context."""
        return seal(self._keys[self.current], data_key, context)

    def unwrap(self, version: str, wrapped: bytes, context: bytes) -> bytes:
        """Decrypt a data key; raises Unopenable."""
        if version not in self._keys:
            raise Unopenable("The key-encryption key of this version is not here.")
        return unseal(self._keys[version], wrapped, context)

    def derive(self, purpose: str) -> bytes:
        """Make this purpose's secret from the first key, so that rotation changes none."""
        hkdf = HKDF(SHA256(), 64, salt=None, info=f"safe-conduct {purpose}".encode())
        return hkdf.derive(self._keys[self._oldest])


def read(path: Path) -> dict[str, bytes]:
    """Read the keys of a file, oldest first; raises KeyRefused."""
    if not path.is_file():
        raise KeyRefused(f"There is no key at {path}. Make one: safe-conduct key new")
    must_be_closed(path)
    keys = [parse(path, line) for line in path.read_bytes().splitlines() if line]
    if not keys:
        raise KeyRefused(f"There is no key in {path}. Make one: safe-conduct key new")
    if len(dict(keys)) != len(keys):
        raise KeyRefused(f"{path} is damaged: restore it from its copy.")
    return dict(keys)


def must_be_closed(path: Path) -> None:
    """Raise KeyRefused if anybody but its owner can read a file."""
    if path.stat().st_mode & OTHERS:
        raise KeyRefused(f"Others can read {path}. Close it: chmod 600 {path}")


def next_version(keys: Iterable[str]) -> str:
    """Give a new key a number after all others, and a name that no other key ever had.

    Two that were made from different copies of a file can then stand in one.
    """
    numbers = (re.fullmatch(r"k([0-9]+)(x[0-9a-f]+)?", version) for version in keys)
    number = max((int(found[1]) for found in numbers if found), default=0) + 1
    return f"k{number}x{secrets.token_hex(4)}"


def parse(path: Path, line: bytes) -> tuple[str, bytes]:
    """Read one key; raises KeyRefused if it is not 32 random bytes."""
    version, _, encoded = line.partition(b" ")
    try:
        key = base64.b64decode(encoded, validate=True)
    except binascii.Error as error:
        raise KeyRefused(f"{path} is damaged: restore it from its copy.") from error
    if len(key) != KEY_BYTES or not re.fullmatch(rb"[a-z0-9]+", version):
        raise KeyRefused(f"{path} is damaged: restore it from its copy.")
    if len(set(key)) < WEAK_VARIETY:
        raise KeyRefused(f"Remove {path}, a sample key. Then: safe-conduct key new")
    return version.decode(), key
