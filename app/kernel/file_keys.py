"""The default key provider, which reads its keys from a file (R36)."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

import structlog

from app.kernel import keyfile
from app.kernel.keyfile import KeyRefused, StoredKey
from app.kernel.vault import DerivedSecrets, RetiredKey, Unopenable, open_sealed, seal

log = structlog.get_logger("safe_conduct.keys")

type FileState = tuple[int, int, int]
"""The number, time and permissions of a file, which differ if it was replaced."""


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
        self._path, self._seen = path, seen
        self._set_keys(keys)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Load the keys of a file, or raise KeyRefused."""
        seen = read_state(path)
        return cls(keyfile.read_lines(path), path, seen)

    @classmethod
    def create(cls, path: Path) -> Self:
        """Add a key to the key file, or create the file, and return all its keys."""
        keyfile.add_key(path)
        return cls(keyfile.read_lines(path))

    def _set_keys(self, lines: Sequence[StoredKey]) -> None:
        """Use the keys of these lines."""
        self._lines, self._derived = lines, dict[str, DerivedSecrets]()
        self._keys = {one.version: one.value for one in lines}
        self._retired = {one.version for one in lines if one.is_retired}
        self._current = keyfile.find_current(lines)

    def _load_again(self) -> None:
        """Read the file again if it was replaced."""
        if self._path is None or (seen := read_state(self._path)) == self._seen:
            return
        self._seen = seen
        try:
            lines = keyfile.read_lines(self._path)
        except (KeyRefused, OSError) as error:
            log.error("keys", said="refused", error=type(error).__name__)  # noqa: TRY400
            return
        found = {one.version: one.value for one in lines}
        is_first = lines[0].value == self._lines[0].value
        if not is_first or not self._keys.items() <= found.items():
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
        """Decrypt a data key.

        Raises Unopenable if the key is missing or retired, or if the context is wrong.
        """
        if version not in self._keys or version in self._retired:
            self._load_again()
        if version not in self._keys:
            raise Unopenable("The key file has no key-encryption key of this version.")
        if version in self._retired:
            raise RetiredKey("The key-encryption key of this version is retired.")
        return open_sealed(self._keys[version], wrapped, context)

    def derive(self, purpose: str) -> DerivedSecrets:
        """Derive the secrets for one purpose, each from a key of the file."""
        self._load_again()
        if purpose not in self._derived:
            self._derived[purpose] = derive_secrets(self._lines, purpose)
        return self._derived[purpose]


def derive_secrets(lines: Sequence[StoredKey], purpose: str) -> DerivedSecrets:
    """Derive the secrets for one purpose from the lines of a key file."""
    derived = {one.version: one.derive(purpose) for one in lines}
    current = keyfile.find_current(lines)
    others = [one for one in reversed(lines) if one.version != current]
    accepted = [one.version for one in others if not one.is_retired]
    return DerivedSecrets(
        known={name: derived[name] for name in (current, *(one.version for one in others))},
        accepted={name: derived[name] for name in (current, *accepted)},
        oldest_accepted=next(derived[one.version] for one in lines if not one.is_retired),
        first=derived[lines[0].version],
    )


def read_state(path: Path) -> FileState | None:
    """Return the state of a file, or None if there is no file."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_mode
