"""The default key provider, which reads its keys from a file (R36)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from time import monotonic
from typing import Final, Self

import structlog

from app.kernel import keyfile
from app.kernel.stored_keys import (
    KeyOpener,
    KeyRefused,
    KeyService,
    KeyServiceFailed,
    StoredKey,
    find_current,
)
from app.kernel.vault import DerivedSecrets, RetiredKey, Unopenable, open_sealed, seal

log = structlog.get_logger("safe_conduct.keys")
RETRY_SECONDS: Final = 30.0
"""Seconds after which the file is read again if the key service has failed."""

type FileState = tuple[int, ...]
"""The inode, times, size and permissions of a file, which differ if it was replaced."""


class KeySet:
    """The lines of a key file as they were read at one time, and the derived secrets."""

    def __init__(self, lines: Sequence[StoredKey]) -> None:
        self.lines, self.by_version = lines, {one.version: one for one in lines}
        self.current = find_current(lines)
        self._derived: dict[str, DerivedSecrets] = {}

    def includes(self, other: "KeySet") -> bool:
        """Return whether these are the keys of another set, and perhaps more.

        The first key must be the same, and other keys may have another mark.
        """
        values = {(one.version, one.value) for one in self.lines}
        others = {(one.version, one.value) for one in other.lines}
        return self.lines[0].value == other.lines[0].value and others <= values

    def derive(self, purpose: str) -> DerivedSecrets:
        """Return the secrets for one purpose, which are derived at the first call."""
        if purpose not in self._derived:
            self._derived[purpose] = derive_secrets(self.lines, purpose)
        return self._derived[purpose]


@dataclass(frozen=True)
class KeySource:
    """The key file, and what opens its keys."""

    path: Path
    opener: KeyOpener

    def read(self) -> list[StoredKey]:
        """Return the keys of the file, or raise KeyRefused."""
        return self.opener.open(keyfile.read_lines(self.path))


class FileKeys:
    """The default key provider, which reads its keys from a file.

    With a `source`, the file is read again if it was replaced. This is checked before a key
    is wrapped, before secrets are derived, and if a key is missing or retired. So the keys
    can be changed while the service runs. A file that is invalid, or that lacks one of the
    keys, is not used, and an error is logged. If the key service does not decrypt a new
    key, the file is read again after RETRY_SECONDS.
    """

    def __init__(
        self,
        keys: Mapping[str, bytes] | Sequence[StoredKey],
        source: KeySource | None = None,
        seen: FileState | None = None,
    ) -> None:
        """Use these keys. `seen` is the state in which the file was read."""
        if isinstance(keys, Mapping):
            keys = [StoredKey(version, key) for version, key in keys.items()]
        self._source, self._seen, self._lock = source, seen, Lock()
        self._retry_at: float | None = None
        self._set = KeySet(keys)

    @classmethod
    def load(cls, path: Path, service: KeyService | None = None) -> Self:
        """Load the keys of a file, or raise KeyRefused."""
        source = KeySource(path, KeyOpener(service))
        seen = read_state(path)
        return cls(source.read(), source, seen)

    @classmethod
    def create(cls, path: Path) -> Self:
        """Add a key to the key file, or create the file, and return all its keys."""
        keyfile.add_key(path)
        return cls(keyfile.read_keys(path))

    def _load_again(self) -> KeySet:
        """Return the keys of the file, which is read again if it was replaced.

        Other threads wait for the first reading, and use the earlier keys during a retry.
        """
        if self._source is None:
            return self._set
        if read_state(self._source.path) != self._seen:
            with self._lock:
                self._read_if_replaced(self._source)
        elif self._is_retry_due() and self._lock.acquire(blocking=False):
            try:
                if self._is_retry_due():
                    self._set = self._read_set(self._source)
            finally:
                self._lock.release()
        return self._set

    def _read_if_replaced(self, source: KeySource) -> None:
        """Read the file, unless another thread has read it meanwhile."""
        seen = read_state(source.path)
        if seen != self._seen:
            self._set = self._read_set(source)
            self._seen = seen

    def _is_retry_due(self) -> bool:
        """Return whether the key service has failed, and may be asked again."""
        return self._retry_at is not None and monotonic() >= self._retry_at

    def _read_set(self, source: KeySource) -> KeySet:
        """Return the keys of a file, or the earlier keys if the file cannot be used."""
        self._retry_at = None
        try:
            found = KeySet(source.read())
        except (KeyRefused, OSError) as error:
            if isinstance(error, KeyServiceFailed):
                self._retry_at = monotonic() + RETRY_SECONDS
            log.error("keys", said="refused", error=type(error).__name__)  # noqa: TRY400
            return self._set
        if found.includes(self._set):
            return found
        log.error("keys", said="lacks keys")
        return self._set

    @property
    def current(self) -> str:
        """The version of the key that wraps new data keys."""
        return self._load_again().current

    def wrap(self, version: str, data_key: bytes, context: bytes) -> bytes:
        """Encrypt a data key, so that it can be decrypted only with the same context."""
        return seal(self._set.by_version[version].value, data_key, context)

    def unwrap(self, version: str, wrapped: bytes, context: bytes) -> bytes:
        """Decrypt a data key.

        Raises Unopenable if the key is missing or retired, or if the context is wrong.
        """
        found = self._set.by_version.get(version)
        if found is None or found.is_retired:
            found = self._load_again().by_version.get(version)
        if found is None:
            raise Unopenable("The key file has no key-encryption key of this version.")
        if found.is_retired:
            raise RetiredKey("The key-encryption key of this version is retired.")
        return open_sealed(found.value, wrapped, context)

    def derive(self, purpose: str) -> DerivedSecrets:
        """Derive the secrets for one purpose, each from a key of the file."""
        return self._load_again().derive(purpose)


def derive_secrets(lines: Sequence[StoredKey], purpose: str) -> DerivedSecrets:
    """Derive the secrets for one purpose from the lines of a key file."""
    derived = {one.version: one.derive(purpose) for one in lines}
    current = find_current(lines)
    others = [one for one in reversed(lines) if one.version != current]
    valid = [one.version for one in others if not one.is_retired]
    return DerivedSecrets(
        current_version=current,
        known={name: derived[name] for name in (current, *(one.version for one in others))},
        accepted={name: derived[name] for name in (current, *valid)},
        replaced=tuple(
            one.version for one in others if not one.is_retired and not one.is_standby
        ),
        oldest_accepted=next(derived[one.version] for one in lines if not one.is_retired),
        first=derived[lines[0].version],
    )


def read_state(path: Path) -> FileState | None:
    """Return the state of a file, or None if there is no file."""
    try:
        found = path.stat()
    except OSError:
        return None
    times = found.st_mtime_ns, found.st_ctime_ns
    return found.st_ino, *times, found.st_size, found.st_mode
