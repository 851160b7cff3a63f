"""The default key provider, which reads its keys from a file (R36)."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from threading import Lock, Thread
from time import monotonic
from typing import Final, Self

import structlog

from app.kernel import keyfile
from app.kernel.stored_keys import (
    KeyLine,
    KeyOpener,
    KeyRefused,
    KeyService,
    StoredKey,
    find_current_version,
)
from app.kernel.vault import DerivedSecrets, RetiredKey, Unopenable, open_sealed, seal

log = structlog.get_logger("safe_conduct.keys")
KEY_FILE_ERROR: Final = "keys"
"""The log event for a key file or a key that a process does not use."""
RETRY_SECONDS: Final = 30.0
"""The seconds after which a file that was not used is read again."""

type FileState = tuple[int, ...]
"""The inode, times, size and permissions of a file, which differ if it was replaced."""


class KeySet:
    """The lines of a key file as they were read at one time, and the derived secrets."""

    def __init__(self, lines: Sequence[StoredKey]) -> None:
        self.lines, self.by_version = lines, {one.version: one for one in lines}
        self.current = find_current_version(lines)
        self._derived: dict[str, DerivedSecrets] = {}

    def includes(self, other: "KeySet") -> bool:
        """Return whether this set has all keys of another set, and the same first key.

        The marks of the keys (`standby`, `retired`) may differ.
        """
        values = {(one.version, one.value) for one in self.lines}
        others = {(one.version, one.value) for one in other.lines}
        return self.lines[0].value == other.lines[0].value and others <= values

    def derive(self, purpose: str) -> DerivedSecrets:
        """Return the secrets for one purpose, which are derived at the first call."""
        if purpose not in self._derived:
            self._derived[purpose] = derive_secrets(self.lines, purpose)
        return self._derived[purpose]


class FileKeys:
    """The default key provider, which reads its keys from a file.

    With a `path`, the file is read again if it was replaced. This is checked before a key
    is wrapped, before secrets are derived, and if a key is missing or retired. So the keys
    can be changed while the service runs. A file that is invalid, or that lacks one of the
    keys, is not used. An error is logged, and the file is read again after RETRY_SECONDS.

    New keys that are encrypted are decrypted in a thread, which is started again after
    RETRY_SECONDS if the key service fails. Until then, the process uses the keys that it
    has, with their new states.
    """

    def __init__(
        self,
        keys: Mapping[str, bytes] | Sequence[StoredKey],
        path: Path | None = None,
        seen: FileState | None = None,
        opener: KeyOpener | None = None,
    ) -> None:
        """Use these keys. `seen` is the state in which the file was read."""
        if isinstance(keys, Mapping):
            keys = [StoredKey(version, key) for version, key in keys.items()]
        self._path, self._seen, self._lock = path, seen, Lock()
        self._opener = opener or KeyOpener(None)
        self._decryption: Thread | None = None
        """The thread that decrypts new keys with the key service, or None if none runs."""
        self._retry_at: float | None = None
        self._set = KeySet(keys)

    @classmethod
    def load(cls, path: Path, service: KeyService | None = None) -> Self:
        """Load the keys of a file. Raises KeyRefused if the file cannot be used."""
        seen, opener = read_state(path), KeyOpener(service)
        return cls(opener.open(keyfile.read_lines(path)), path, seen, opener)

    @classmethod
    def create(cls, path: Path) -> Self:
        """Add a key to the key file, or create the file; return a provider of its keys."""
        keyfile.add_key(path)
        return cls(keyfile.read_keys(path))

    def _load_again(self) -> KeySet:
        """Return the keys of the file, which is read again if it was replaced."""
        if self._path is not None and self._is_outdated(self._path):
            with self._lock:
                if self._is_outdated(self._path):
                    seen, self._retry_at = read_state(self._path), None
                    self._set = self._read_set(self._path)
                    self._seen = seen
        return self._set

    def _is_outdated(self, path: Path) -> bool:
        """Return whether the file was replaced, or whether it is time to read it again."""
        is_due = self._retry_at is not None and monotonic() >= self._retry_at
        return is_due or read_state(path) != self._seen

    def _read_set(self, path: Path) -> KeySet:
        """Return the keys of a file, or the earlier keys if the file cannot be used."""
        try:
            lines = keyfile.read_lines(path)
        except (KeyRefused, OSError) as error:
            self._retry_at = monotonic() + RETRY_SECONDS
            log_refusal(error)
            return self._set
        if new := self._opener.list_undecrypted(lines):
            self._start_decryption(new)
            known = self._set.by_version
            lines = [one for one in lines if one not in new or one.version in known]
        if all(one.mark for one in lines):
            return self._set  # the new current key is not decrypted yet
        found = KeySet([self._open(one) for one in lines])
        if found.includes(self._set):
            return found
        self._retry_at = monotonic() + RETRY_SECONDS
        log.error(KEY_FILE_ERROR, said="lacks keys")
        return self._set

    def _open(self, line: KeyLine) -> StoredKey:
        """Return the key of a line.

        If the line was encrypted again, and is not decrypted yet, this is the key that the
        process already has.
        """
        if self._opener.list_undecrypted([line]):
            return replace(self._set.by_version[line.version], mark=line.mark)
        return StoredKey(line.version, self._opener.get_value(line), line.mark)

    def _start_decryption(self, lines: Sequence[KeyLine]) -> None:
        """Start a thread that decrypts keys, unless one is running."""
        if self._decryption is None:
            self._decryption = Thread(target=self._decrypt, args=(lines,), daemon=True)
            self._decryption.start()

    def _decrypt(self, lines: Sequence[KeyLine]) -> None:
        """Decrypt keys with the key service, and let the next access read the file again.

        If the key service fails, the file is read again after RETRY_SECONDS.
        """
        failure: Exception | None = None
        try:
            self._opener.decrypt(lines)
        except Exception as error:  # noqa: BLE001 - otherwise there would be no retry
            failure = error
        with self._lock:
            self._decryption = None
            if failure is None:
                self._seen = None
            else:
                self._retry_at = monotonic() + RETRY_SECONDS
        if failure is not None:
            log_refusal(failure)

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


def log_refusal(error: Exception) -> None:
    """Log why the key file, or one of its new keys, cannot be used."""
    reason = str(error) if isinstance(error, KeyRefused) else ""
    log.error(KEY_FILE_ERROR, said="refused", error=type(error).__name__, reason=reason)


def derive_secrets(lines: Sequence[StoredKey], purpose: str) -> DerivedSecrets:
    """Derive the secrets for one purpose from the lines of a key file."""
    derived = {one.version: one.derive(purpose) for one in lines}
    current = find_current_version(lines)
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
    """Return the state of a file, or None if the file is missing or inaccessible."""
    try:
        found = path.stat()
    except OSError:
        return None
    times = found.st_mtime_ns, found.st_ctime_ns
    return found.st_ino, *times, found.st_size, found.st_mode
