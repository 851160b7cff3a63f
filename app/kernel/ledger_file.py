"""The format of the ledger file, and functions that append lines without losing any.

The first line is a header. `epoch 1a2b3c4d` names a database to which the ledger belongs.
`erased {case id} {time in UTC}` is an erasure. The word `torn` ends a line that a crash
truncated; the next writer adds it. Lines are only appended, so the file can be made
append-only.
"""

import errno
import fcntl
import os
import re
import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from uuid import UUID

from app.kernel.durable import sync_folder

HEAD: Final = "safe-conduct erasures 1"
EPOCH: Final = re.compile(r"epoch ([0-9a-f]{8})")
ERASED: Final = re.compile(
    r"erased ([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}) "
    r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)"
)
TORN: Final = " torn"
OWNER_ONLY: Final = 0o600


class LineUnknown(ValueError):  # noqa: N818 - it says what was found, as Problem does
    """A malformed line of the ledger; the argument is the number of the line."""


@dataclass(frozen=True, eq=False)
class Contents:
    """The content of a ledger; `tail` contains the bytes after the last line break."""

    epochs: frozenset[str]
    erased: Mapping[UUID, datetime]
    tail: bytes


def parse(data: bytes) -> Contents:
    """Parse a ledger. Raises LineUnknown if a line is malformed.

    A last line that lacks only its line break is valid, because an erasure is committed
    before its line is written. Any other incomplete last line was truncated by a crash and
    is ignored; the erasure is written again later.
    """
    epochs: set[str] = set()
    erased: dict[UUID, datetime] = {}
    head, *lines = data.decode("ascii", "replace").split("\n")
    if head != HEAD or not lines:
        raise LineUnknown(1)
    for number, line in enumerate(lines, start=2):
        if found := ERASED.fullmatch(line):
            erased.setdefault(UUID(found[1]), datetime.fromisoformat(found[2]))
        elif found := EPOCH.fullmatch(line):
            epochs.add(found[1])
        elif number <= len(lines) and not line.endswith(TORN):
            raise LineUnknown(number)
    return Contents(frozenset(epochs), erased, data.rpartition(b"\n")[2])


def format_erasures(erased: Mapping[UUID, datetime]) -> Iterator[str]:
    """Yield one line for each erasure."""
    for case_id, at in erased.items():
        yield f"erased {case_id} {at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def format_epochs(epochs: Iterable[str]) -> Iterator[str]:
    """Return a line for each epoch, in sorted order."""
    return (f"epoch {epoch}" for epoch in sorted(epochs))


def encode_lines(lines: Iterable[str]) -> bytes:
    """Return the lines as bytes, each with a line break at its end."""
    return "".join(f"{line}\n" for line in lines).encode()


def complete_tail(tail: bytes) -> bytes:
    """Return the bytes that complete the last line, so that new lines can be appended."""
    if not tail:
        return b""
    text = tail.decode("ascii", "replace")
    whole = ERASED.fullmatch(text) or EPOCH.fullmatch(text)
    return b"\n" if whole else f"{TORN}\n".encode()


@contextmanager
def open_locked(path: Path) -> Iterator[int]:
    """Open the file for appending with an exclusive lock, or raise OSError."""
    file = os.open(path, os.O_RDWR | os.O_APPEND)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file
    finally:
        os.close(file)


def read_all(file: int) -> bytes:
    """Return the content of a locked file."""
    return os.pread(file, os.fstat(file).st_size, 0)


def append(file: int, known: Contents, lines: Iterable[str]) -> None:
    """Append lines to a locked file, and flush them to the disk."""
    if new := encode_lines(lines):
        write_and_sync(file, complete_tail(known.tail) + new)


def create(path: Path, epochs: Iterable[str]) -> None:
    """Create a ledger atomically, or keep an existing file. Raises OSError on failure."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    file = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
    try:
        write_and_sync(file, encode_lines([HEAD, *format_epochs(epochs)]))
        with suppress(FileExistsError):
            path.hardlink_to(new)
    finally:
        os.close(file)
        new.unlink()
    sync_folder(path)


def write_and_sync(file: int, data: bytes) -> None:
    """Write all data and flush it to the disk. Raises OSError if the disk is full."""
    if os.write(file, data) != len(data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    os.fsync(file)
