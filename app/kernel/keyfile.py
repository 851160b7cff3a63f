"""Key-encryption keys in a file that only its owner can read (R36).

Each line is `<version> <base64>`, and `standby` if the key does not wrap yet (ADR 79). The
last other key wraps new data keys; the earlier keys unwrap the data keys that they wrapped.
Secrets are derived from the first line.
"""

import base64
import binascii
import fcntl
import os
import re
import secrets
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Self

import structlog
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from app.kernel import durable
from app.kernel.vault import KEY_BYTES, Unopenable, open_sealed, seal

log = structlog.get_logger("safe_conduct.keys")
DAMAGED: Final = "{path} is damaged. Restore it from a copy."
OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
"""Permission bits of the group and of others."""
STANDBY: Final = "standby"
"""The end of the line of a standby key."""
WEAK_VARIETY: Final = 8
"""The minimum number of different bytes in a key; a key of 32 random bytes has about 30."""

type FileState = tuple[int, int, int]
"""The number, time and permissions of a file, which differ if it was replaced."""


class KeyRefused(Exception):  # noqa: N818 - it names what happened, as Problem does
    """The key file is missing, unsafe or damaged."""


@dataclass(frozen=True)
class StoredKey:
    """A line of the key file. A standby key unwraps, and wraps once it is activated."""

    version: str
    value: bytes
    is_standby: bool = False

    def format(self) -> str:
        """Return the line of the file."""
        encoded = base64.b64encode(self.value).decode()
        return " ".join([self.version, encoded, *([STANDBY] if self.is_standby else [])])


class FileKeys:
    """The default key provider, which reads its keys from a file.

    With a `path`, the file is read again when it was replaced: before a key is wrapped, and
    if a key is missing. Keys can then be added and activated while the service runs. A file
    that is refused, or that lacks one of the keys, is not used, and the log says so.
    """

    def __init__(
        self,
        keys: Mapping[str, bytes] | Sequence[StoredKey],
        path: Path | None = None,
        seen: FileState | None = None,
    ) -> None:
        """Use these keys. `seen` is the state in which the file was read."""
        if isinstance(keys, Mapping):
            keys = [StoredKey(version, key) for version, key in keys.items()]
        self._path, self._seen, self._oldest = path, seen, keys[0].value
        self._set_keys(keys)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Load the keys of a file, or raise KeyRefused."""
        seen = read_state(path)
        return cls(read_lines(path), path, seen)

    @classmethod
    def create(cls, path: Path) -> Self:
        """Add a key to the key file, or create the file, and return all its keys."""
        add_key(path)
        return cls(read_lines(path))

    def _set_keys(self, lines: Sequence[StoredKey]) -> None:
        """Use the keys of these lines."""
        self._keys = {one.version: one.value for one in lines}
        self._current = find_current(lines)

    def _load_again(self) -> None:
        """Read the file again if it was replaced."""
        if self._path is None or (seen := read_state(self._path)) == self._seen:
            return
        self._seen = seen
        try:
            lines = read_lines(self._path)
        except (KeyRefused, OSError) as error:
            log.error("keys", said="refused", error=type(error).__name__)  # noqa: TRY400
            return
        found = {one.version: one.value for one in lines}
        if lines[0].value != self._oldest or not self._keys.items() <= found.items():
            log.error("keys", said="lacks keys")
        else:
            self._set_keys(lines)

    @property
    def current(self) -> str:
        """The version of the key that wraps new data keys."""
        self._load_again()
        return self._current

    def wrap(self, version: str, data_key: bytes, context: bytes) -> bytes:
        """Encrypt a data key, so that it can be decrypted only with the same context."""
        return seal(self._keys[version], data_key, context)

    def unwrap(self, version: str, wrapped: bytes, context: bytes) -> bytes:
        """Decrypt a data key. Raises Unopenable if the key or the context is wrong."""
        if version not in self._keys:
            self._load_again()
        if version not in self._keys:
            raise Unopenable("The key file has no key-encryption key of this version.")
        return open_sealed(self._keys[version], wrapped, context)

    def derive(self, purpose: str) -> bytes:
        """Derive the secret for a purpose from the first key, which a rotation keeps."""
        hkdf = HKDF(SHA256(), 64, salt=None, info=f"safe-conduct {purpose}".encode())
        return hkdf.derive(self._oldest)


def read_state(path: Path) -> FileState | None:
    """Return the state of a file, or None if there is no file."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_mode


def find_current(lines: Sequence[StoredKey]) -> str:
    """Return the version of the key that wraps new data keys."""
    return [one.version for one in lines if not one.is_standby][-1]


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
            raise KeyRefused("There is a standby key. Run: safe-conduct key activate")
        version = generate_version(one.version for one in lines)
        new = StoredKey(version, secrets.token_bytes(KEY_BYTES), is_standby)
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
        write_lines(path, [*earlier, replace(last, is_standby=False)])
    return last.version


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
    if lines[0].is_standby or any(one.is_standby for one in lines[:-1]):
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
    """Parse a line. Raises KeyRefused if its key is not 32 random bytes in base64."""
    version, _, rest = line.partition(b" ")
    encoded, _, use = rest.partition(b" ")
    try:
        key = base64.b64decode(encoded, validate=True)
    except binascii.Error as error:
        raise KeyRefused(DAMAGED.format(path=path)) from error
    if len(key) != KEY_BYTES or not re.fullmatch(rb"[a-z0-9]+", version):
        raise KeyRefused(DAMAGED.format(path=path))
    if use not in {b"", STANDBY.encode()}:
        raise KeyRefused(DAMAGED.format(path=path))
    if len(set(key)) < WEAK_VARIETY:
        raise KeyRefused(
            f"Remove {path}: it contains a sample key. Then run: safe-conduct key new"
        )
    return StoredKey(version.decode(), key, is_standby=bool(use))
