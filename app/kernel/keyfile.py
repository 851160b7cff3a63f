"""Key-encryption keys in a file that only its owner can read (R36).

Each line is `<version> <base64>`, followed by `standby` or `retired` if the key has this
mark (ADR 79, ADR 84). The last key without a mark is the current one, which wraps new data
keys. Earlier keys and the standby key only unwrap. A retired key does not unwrap, and MACs
by its secrets are refused. Secrets are derived from each key.
"""

import base64
import binascii
import fcntl
import os
import re
import secrets
import stat
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from app.kernel import durable
from app.kernel.vault import KEY_BYTES

DAMAGED: Final = "{path} is damaged. Restore it from a copy."
OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
"""Permission bits of the group and of others."""
WEAK_VARIETY: Final = 8
"""The minimum number of different bytes in a key; a key of 32 random bytes has about 30."""


class KeyRefused(Exception):  # noqa: N818 - it names what happened, as Problem does
    """The key file is missing, unsafe or damaged."""


class KeyMark(StrEnum):
    """The end of the line of a key that is not used like the others.

    A standby key unwraps, and wraps once it is activated. A retired key does neither.
    """

    NONE = ""
    STANDBY = "standby"
    RETIRED = "retired"


@dataclass(frozen=True)
class StoredKey:
    """A line of the key file."""

    version: str
    value: bytes = field(repr=False)
    mark: KeyMark = KeyMark.NONE

    @property
    def is_standby(self) -> bool:
        """Whether the key does not wrap yet."""
        return self.mark == KeyMark.STANDBY

    @property
    def is_retired(self) -> bool:
        """Whether the key opens nothing, and MACs by its secrets are refused."""
        return self.mark == KeyMark.RETIRED

    def format(self) -> str:
        """Return the line of the file."""
        encoded = base64.b64encode(self.value).decode()
        return f"{self.version} {encoded} {self.mark}".rstrip()

    def derive(self, purpose: str) -> bytes:
        """Derive a secret of 64 bytes for one purpose."""
        hkdf = HKDF(SHA256(), 64, salt=None, info=f"safe-conduct {purpose}".encode())
        return hkdf.derive(self.value)


def find_current(lines: Sequence[StoredKey]) -> str:
    """Return the version of the key that wraps new data keys."""
    return [one.version for one in lines if one.mark == KeyMark.NONE][-1]


@contextmanager
def lock_folder(path: Path) -> Iterator[None]:
    """Let only one command at a time change the key file in a folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def write_lines(path: Path, lines: Iterable[StoredKey]) -> None:
    """Replace the key file as a whole: a partly written line would make it unusable."""
    durable.replace(path, "".join(f"{one.format()}\n" for one in lines))


def add_key(path: Path, *, is_standby: bool = False) -> str:
    """Add a new key to the key file, and return its version. Create the file if needed.

    Raises KeyRefused for a damaged file, for a first key that is a standby key, and if
    there is a standby key already.
    """
    with lock_folder(path):
        lines = read_lines(path) if path.exists() and path.stat().st_size else []
        if is_standby and not lines:
            raise KeyRefused(
                "The first key cannot be a standby key. Run: safe-conduct key new"
            )
        if any(one.is_standby for one in lines):
            raise KeyRefused(
                "There is a standby key already. Run: safe-conduct key activate. If "
                "somebody else may have seen it, run: safe-conduct key retire VERSION"
            )
        version = generate_version(one.version for one in lines)
        mark = KeyMark.STANDBY if is_standby else KeyMark.NONE
        new = StoredKey(version, secrets.token_bytes(KEY_BYTES), mark)
        write_lines(path, [*lines, new])
    return version


def activate_key(path: Path) -> str:
    """Let the standby key wrap new data keys, and return its version.

    Raises KeyRefused if there is none.
    """
    with lock_folder(path):
        *earlier, last = read_lines(path)
        if not last.is_standby:
            raise KeyRefused("There is no standby key. Run: safe-conduct key new --standby")
        write_lines(path, [*earlier, replace(last, mark=KeyMark.NONE)])
    return last.version


def mark_retired(path: Path, version: str, *, undo: bool = False) -> None:
    """Retire a key that is not the current one, or with `undo` end its retirement.

    Raises KeyRefused if there is no such key, or if it is the current key.
    """
    with lock_folder(path):
        lines = read_lines(path)
        require_not_current(lines, version)
        versions = [one.version for one in lines]
        if undo and versions.index(version) > versions.index(find_current(lines)):
            raise KeyRefused(
                "This key was retired before it was activated. Run: safe-conduct key new "
                "--standby"
            )
        mark = KeyMark.NONE if undo else KeyMark.RETIRED
        changed = [
            replace(one, mark=mark) if one.version == version else one for one in lines
        ]
        write_lines(path, changed)


def require_not_current(lines: Sequence[StoredKey], version: str) -> None:
    """Raise KeyRefused if there is no key of this version, or if it is the current key."""
    if all(one.version != version for one in lines):
        raise KeyRefused("The key file has no such key. Run: safe-conduct key list")
    if version == find_current(lines):
        raise KeyRefused("The current key cannot be retired. Activate another key first.")


def read_lines(path: Path) -> list[StoredKey]:
    """Return the lines of a key file, oldest first, or raise KeyRefused."""
    if not path.is_file():
        raise KeyRefused(f"There is no key at {path}. Run: safe-conduct key new")
    require_owner_only(path)
    lines = [parse_line(path, line) for line in path.read_bytes().splitlines() if line]
    if not lines:
        raise KeyRefused(f"There is no key in {path}. Run: safe-conduct key new")
    if len({one.version for one in lines}) != len(lines):
        raise KeyRefused(DAMAGED.format(path=path))
    in_use = [one for one in lines if one.mark == KeyMark.NONE]
    if not in_use or any(one.is_standby for one in lines[:-1]):
        raise KeyRefused(DAMAGED.format(path=path))
    return lines


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


def parse_line(path: Path, line: bytes) -> StoredKey:
    """Parse a line. Raises KeyRefused if its version, its key or its mark is invalid."""
    version, _, rest = line.partition(b" ")
    encoded, _, mark = rest.partition(b" ")
    try:
        key = base64.b64decode(encoded, validate=True)
    except binascii.Error as error:
        raise KeyRefused(DAMAGED.format(path=path)) from error
    if len(key) != KEY_BYTES or not re.fullmatch(rb"[a-z0-9]+", version):
        raise KeyRefused(DAMAGED.format(path=path))
    if mark.decode("ascii", "replace") not in set(KeyMark):
        raise KeyRefused(DAMAGED.format(path=path))
    if len(set(key)) < WEAK_VARIETY:
        raise KeyRefused(
            f"Remove {path}: it contains a sample key. Then run: safe-conduct key new"
        )
    return StoredKey(version.decode(), key, KeyMark(mark.decode()))
