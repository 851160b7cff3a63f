"""The file of the key-encryption keys; only the owner of the file may access it (R36).

The last key that is neither standby nor retired is the current one, which wraps new data
keys. Earlier keys and the standby key only unwrap. A retired key does not unwrap, and MACs
by its secrets are refused (ADR 79, ADR 84). Secrets are derived from each key.
"""

import fcntl
import os
import re
import secrets
import stat
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

from app.kernel import durable
from app.kernel.stored_keys import (
    CIPHERTEXT,
    KeyLine,
    KeyMark,
    KeyOpener,
    KeyRefused,
    KeyService,
    StoredKey,
    decode_key,
    encode_keys,
    find_current_version,
    is_weak,
)
from app.kernel.vault import KEY_BYTES

DAMAGED: Final = "{path} is damaged. Restore it from a copy."
RESTORE_KEYS: Final = (
    "Restore the file from its copy. Only for a new database, run: safe-conduct key new"
)
OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
"""Permission bits of the group and of others."""


@contextmanager
def lock_folder(path: Path) -> Iterator[None]:
    """Let only one command at a time change the key file in a folder.

    For a symbolic link, this is the folder of its target, in which the file is replaced.
    """
    parent = path.resolve().parent
    parent.mkdir(parents=True, exist_ok=True)
    folder = os.open(parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def write_lines(path: Path, lines: Iterable[KeyLine]) -> None:
    """Replace the key file as a whole: a partly written line would make it unusable."""
    durable.replace(path, format_lines(lines))


def format_lines(lines: Iterable[KeyLine]) -> str:
    """Return the text of a key file."""
    return "".join(f"{one}\n" for one in lines)


def add_key(
    path: Path, *, is_standby: bool = False, service: KeyService | None = None
) -> str:
    """Add a new key to the key file, and return its version. Create the file if needed.

    If there is a key service, it encrypts the key. Raises KeyRefused for a damaged file,
    for a first key that is a standby key, if there is a standby key already, if the service
    fails, and if other keys cannot be decrypted or, with a service, are not encrypted.
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
        if service is not None and any(not one.is_encrypted for one in lines):
            raise KeyRefused(
                f"The keys in {path} are not encrypted. Run: safe-conduct key encrypt"
            )
        KeyOpener(service).open(lines)
        version = generate_version(one.version for one in lines)
        mark = KeyMark.STANDBY if is_standby else KeyMark.NONE
        new = StoredKey(version, secrets.token_bytes(KEY_BYTES), mark)
        write_lines(path, [*lines, *encode_keys([new], service)])
    return version


def encrypt_keys(path: Path, service: KeyService, copy: Path | None = None) -> bool:
    """Encrypt the keys of a key file; return whether one of them was not encrypted before.

    Keys that are encrypted already are encrypted again, with the newest version of the key
    of the key service. With a `copy`, the encrypted keys are written to this new file
    instead. Raises KeyRefused if the file is unusable or the key service fails, and
    FileExistsError if `copy` exists.
    """
    with lock_folder(path):
        before = parse_file(path)
        lines = encode_keys(KeyOpener(service).open(before), service)
        if copy is None:
            write_lines(path, lines)
        else:
            durable.create(copy, format_lines(lines))
    return not all(one.is_encrypted for one in before)


def decrypt_keys(path: Path, service: KeyService) -> None:
    """Replace the keys of a key file with the decrypted keys, or raise KeyRefused."""
    with lock_folder(path):
        write_lines(path, encode_keys(read_keys(path, service), None))


def activate_key(path: Path) -> str:
    """Let the standby key wrap new data keys, and return its version.

    Raises KeyRefused if there is no standby key, or if the file is unusable.
    """
    with lock_folder(path):
        *earlier, last = read_lines(path)
        if not last.is_standby:
            raise KeyRefused("There is no standby key. Run: safe-conduct key new --standby")
        write_lines(path, [*earlier, replace(last, mark=KeyMark.NONE)])
    return last.version


def mark_retired(path: Path, version: str, *, undo: bool = False) -> None:
    """Retire a key that is not the current one, or with `undo` end its retirement.

    Raises KeyRefused if there is no such key, if it is the current key, or if `undo` is set
    for a key that is not retired, or that is newer than the current key and so was never
    activated.
    """
    with lock_folder(path):
        lines = read_lines(path)
        require_not_current(lines, version)
        if undo and KeyMark.RETIRED not in (
            one.mark for one in lines if one.version == version
        ):
            raise KeyRefused("This key is not retired. Run: safe-conduct key list")
        versions = [one.version for one in lines]
        if undo and versions.index(version) > versions.index(find_current_version(lines)):
            raise KeyRefused(
                "This key was retired before it was activated. Run: safe-conduct key new "
                "--standby"
            )
        mark = KeyMark.NONE if undo else KeyMark.RETIRED
        changed = [
            replace(one, mark=mark) if one.version == version else one for one in lines
        ]
        write_lines(path, changed)


def require_not_current(lines: Sequence[KeyLine], version: str) -> None:
    """Raise KeyRefused if there is no key of this version, or if it is the current key."""
    if all(one.version != version for one in lines):
        raise KeyRefused("The key file has no such key. Run: safe-conduct key list")
    if version == find_current_version(lines):
        raise KeyRefused("The current key cannot be retired. Activate another key first.")


def read_keys(path: Path, service: KeyService | None = None) -> list[StoredKey]:
    """Return the keys of a key file, oldest first; raise KeyRefused if it is unusable."""
    return KeyOpener(service).open(read_lines(path))


def read_lines(path: Path) -> list[KeyLine]:
    """Return the lines of a key file, oldest first.

    Raises KeyRefused if the file is unusable, or if some keys are encrypted and others are
    not. Otherwise somebody who can write the file, but cannot use the key service, could
    add a key of their own.
    """
    lines = parse_file(path)
    if len({one.is_encrypted for one in lines}) > 1:
        raise KeyRefused(
            f"Some keys in {path} are encrypted, and others are not. If you know who added "
            "them, run: safe-conduct key encrypt"
        )
    return lines


def parse_file(path: Path) -> list[KeyLine]:
    """Parse a key file, in which encrypted and unencrypted keys may be mixed.

    Raises KeyRefused for a file that is missing, empty, damaged, open to other users, that
    cannot be read, or that contains a sample key.
    """
    if not path.is_file():
        raise KeyRefused(f"There is no key at {path}. {RESTORE_KEYS}")
    require_owner_only(path)
    try:
        text = path.read_bytes()
    except OSError as error:
        raise KeyRefused(f"{path} cannot be read: {error.strerror}.") from error
    lines = [parse_line(path, line) for line in text.splitlines() if line]
    if not lines:
        raise KeyRefused(f"There is no key in {path}. {RESTORE_KEYS}")
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


def parse_line(path: Path, line: bytes) -> KeyLine:
    """Parse a line. Raises KeyRefused if its version, key or `KeyMark` is invalid."""
    version, _, rest = line.decode("ascii", "replace").partition(" ")
    encoded, _, mark = rest.partition(" ")
    if not re.fullmatch(r"[a-z0-9]+", version) or mark not in set(KeyMark):
        raise KeyRefused(DAMAGED.format(path=path))
    found = KeyLine(version, encoded, KeyMark(mark))
    if not found.is_encrypted:
        require_random_key(path, encoded)
    elif not CIPHERTEXT.fullmatch(encoded):
        raise KeyRefused(DAMAGED.format(path=path))
    return found


def require_random_key(path: Path, encoded: str) -> None:
    """Raise KeyRefused if a text is not a key in base64, or if the key is a sample."""
    value = decode_key(encoded)
    if value is None:
        raise KeyRefused(DAMAGED.format(path=path))
    if is_weak(value):
        raise KeyRefused(
            f"Remove {path}: it contains a sample key. Then run: safe-conduct key new"
        )
