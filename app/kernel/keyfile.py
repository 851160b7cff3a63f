"""Key-encryption keys in a file that only its owner can read (R36).

Each line is `<version> <base64>`, and `standby` or `derived` if the key has this use (ADR
80). The last key without a use wraps new data keys; the others unwrap the data keys that
they wrapped. Secrets are derived from the first line.
"""

import base64
import re
import secrets
import stat
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Final, Self

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF, HKDFExpand

from app.kernel import durable
from app.kernel.vault import KEY_BYTES, Unopenable, open_sealed, seal

DAMAGED: Final = "{path} is damaged. Restore it from a copy."
OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
"""Permission bits of the group and of others."""
DERIVED_BYTES: Final = 64
WEAK_VARIETY: Final = 8
"""The minimum number of different bytes in a key; a key of 32 random bytes has about 30."""


class KeyRefused(Exception):  # noqa: N818 - it names what happened, as Problem does
    """The key file is missing, unsafe or damaged."""


class KeyUse(StrEnum):
    """The use of a key other than to wrap and unwrap data keys."""

    STANDBY = "standby"
    """It unwraps, and will wrap once it is activated."""
    DERIVED = "derived"
    """The key was removed. Only the value from which secrets are derived is left."""


@dataclass(frozen=True)
class StoredKey:
    """A line of the key file."""

    version: str
    value: bytes
    use: KeyUse | None = None

    @classmethod
    def generate(cls, existing: Iterable[str], use: KeyUse | None = None) -> Self:
        """Return a new random key, with another version than the existing keys."""
        return cls(generate_version(existing), secrets.token_bytes(KEY_BYTES), use)

    @property
    def root(self) -> bytes:
        """The value from which secrets are derived, which does not reveal the key."""
        if self.use == KeyUse.DERIVED:
            return self.value
        return HKDF.extract(SHA256(), None, self.value)

    def to_derived(self) -> Self:
        """Return the line without its key, for secrets that are derived from it."""
        return replace(self, value=self.root, use=KeyUse.DERIVED)

    def format(self) -> str:
        """Return the line of the file."""
        encoded = base64.b64encode(self.value).decode()
        return " ".join([self.version, encoded, *([self.use] if self.use else [])])


class FileKeys:
    """The default key provider, which reads its keys from a file.

    With a `path`, the file is read again when it was replaced: before a key is wrapped, and
    if a key is missing. Keys can then be added and activated while the service runs.
    """

    def __init__(
        self,
        keys: Mapping[str, bytes] | Sequence[StoredKey],
        path: Path | None = None,
        seen: tuple[int, int] | None = None,
    ) -> None:
        """Use these keys. `seen` is the state in which the file was read."""
        if isinstance(keys, Mapping):
            keys = [StoredKey(version, key) for version, key in keys.items()]
        self._path, self._seen, self._root = path, seen, keys[0].root
        self._set_keys(keys)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Load the keys of a file, or raise KeyRefused."""
        seen = read_state(path)
        return cls(read_lines(path), path, seen)

    @classmethod
    def create(cls, path: Path, use: KeyUse | None = None) -> Self:
        """Add a key to the key file, or create the file, and return all its keys."""
        add_key(path, use)
        return cls(read_lines(path))

    def _set_keys(self, lines: Iterable[StoredKey]) -> None:
        """Use the keys of these lines."""
        self._keys = {one.version: one.value for one in lines if one.use != KeyUse.DERIVED}
        *_, self._current = (one.version for one in lines if one.use is None)

    def _load_again(self) -> None:
        """Read the file again if it was replaced. A file that is refused is not used."""
        seen = read_state(self._path)
        if self._path is None or seen is None or seen == self._seen:
            return
        try:
            lines = read_lines(self._path)
        except (KeyRefused, OSError):
            return
        if lines[0].root == self._root:
            self._set_keys(lines)
        self._seen = seen

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
        """Derive the secret for a purpose from the first line, which a rotation keeps."""
        info = f"safe-conduct {purpose}".encode()
        return HKDFExpand(SHA256(), DERIVED_BYTES, info).derive(self._root)


def read_state(path: Path | None) -> tuple[int, int] | None:
    """Return what tells whether a file was replaced, or None if there is no file."""
    if path is None:
        return None
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns


def write_lines(path: Path, lines: Iterable[StoredKey]) -> None:
    """Replace the key file as a whole: a partly written line would make it unusable."""
    path.parent.mkdir(parents=True, exist_ok=True)
    durable.replace(path, "".join(f"{one.format()}\n" for one in lines))


def add_key(path: Path, use: KeyUse | None = None) -> str:
    """Add a new key to a key file, or create the file, and return the version of the key.

    Raises KeyRefused for a damaged file, and for a first key that is a standby key.
    """
    lines = read_lines(path) if path.exists() and path.stat().st_size else []
    if use and not lines:
        raise KeyRefused("The first key cannot be a standby key. Run: safe-conduct key new")
    new = StoredKey.generate([one.version for one in lines], use)
    write_lines(path, [*lines, new])
    return new.version


def activate_key(path: Path) -> str:
    """Let the newest standby key wrap new data keys, and return its version.

    Raises KeyRefused if there is none.
    """
    lines = read_lines(path)
    standby = [one for one in lines if one.use == KeyUse.STANDBY]
    if not standby:
        raise KeyRefused("There is no standby key. Run: safe-conduct key new --standby")
    chosen = standby[-1]
    others = [one for one in lines if one.version != chosen.version]
    write_lines(path, [*others, replace(chosen, use=None)])
    return chosen.version


def remove_key(path: Path, version: str) -> None:
    """Remove a key from the file. Of the first line, the value for derived secrets stays.

    Raises KeyRefused if the file lacks the key, or if it wraps new data keys.
    """
    first, *others = read_lines(path)
    usable = [one for one in (first, *others) if one.use != KeyUse.DERIVED]
    if version not in {one.version for one in usable}:
        raise KeyRefused("The key file has no key of this version.")
    if version == [one.version for one in usable if one.use is None][-1]:
        raise KeyRefused("This key wraps new data keys. Add another key first.")
    kept = [one for one in others if one.version != version]
    write_lines(path, [first.to_derived() if version == first.version else first, *kept])


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
    if all(one.use for one in lines) or any(one.use == KeyUse.DERIVED for one in lines[1:]):
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
        used = KeyUse(use.decode("ascii")) if use else None
    except ValueError as error:
        raise KeyRefused(DAMAGED.format(path=path)) from error
    if len(key) != KEY_BYTES or not re.fullmatch(rb"[a-z0-9]+", version):
        raise KeyRefused(DAMAGED.format(path=path))
    if len(set(key)) < WEAK_VARIETY:
        raise KeyRefused(
            f"Remove {path}: it contains a sample key. Then run: safe-conduct key new"
        )
    return StoredKey(version.decode(), key, used)
