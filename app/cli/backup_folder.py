"""The folder of a backup: the database, the ledger of erasures, and a description.

`SHA256SUMS` has the checksum of each other file, in the format of the program `sha256sum`.
The key file is never in the folder: both together open all cases.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from app.cli.startup import NotReady
from app.kernel.durable import sync_folder

DATABASE: Final = "database"
LEDGER: Final = "erasures"
DESCRIPTION: Final = "backup.json"
SUMS: Final = "SHA256SUMS"
PARTIAL_SUFFIX: Final = ".part"


@dataclass(frozen=True)
class Description:
    """What a backup contains.

    `made_at` is a time in UTC. `release` is the version of this program, `database` is
    `sqlite` or `postgresql`, and `server` is its version. `keys` are the versions of the
    keys that open the secrets in the backup.
    """

    made_at: str
    release: str
    database: str
    server: str
    epoch: str
    migration: str
    cases: int
    entries: int
    keys: tuple[str, ...]


@contextmanager
def create_folder(target: Path) -> Iterator[Path]:
    """Yield a new folder that becomes `target` at the end, or is removed after an error.

    A folder that an earlier, killed command left is removed first. Raises NotReady if
    `target` exists or cannot be written.
    """
    partial = target.with_name(f"{target.name}{PARTIAL_SUFFIX}")
    if target.exists():
        raise NotReady(f"{target} already exists. Give the backup another name.")
    try:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(mode=0o700)
        yield partial
        partial.rename(target)
        sync_folder(target)
    except OSError as error:
        raise NotReady(f"The backup {target} was not made: {error}.") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def write_description(folder: Path, description: Description) -> None:
    """Write the description and the checksums, and flush all files to the disk."""
    text = json.dumps(asdict(description), indent=1)
    (folder / DESCRIPTION).write_text(f"{text}\n", "utf-8")
    sums = "".join(f"{hash_file(path)}  {path.name}\n" for path in sorted(folder.iterdir()))
    (folder / SUMS).write_text(sums, "utf-8")
    for path in folder.iterdir():
        path.chmod(0o600)
        with path.open("rb") as file:
            os.fsync(file.fileno())
        sync_folder(path)


def read_description(folder: Path) -> Description:
    """Check all files of a backup, and return its description. Raises NotReady."""
    try:
        sums = parse_sums((folder / SUMS).read_text("utf-8"))
        found = {path.name for path in folder.iterdir()} - {SUMS}
        damaged = sorted(
            name
            for name in sums.keys() | found
            if name not in found or hash_file(folder / name) != sums.get(name)
        )
        if damaged or not {DATABASE, DESCRIPTION} <= found <= {*NAMES}:
            named = ", ".join(damaged or sorted(found)) or "no file"
            raise NotReady(
                f"The backup {folder} is damaged or incomplete: {named}. Use another one."
            )
        read: Mapping[str, Any] = json.loads((folder / DESCRIPTION).read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise NotReady(f"{folder} is not a backup of this program: {error}.") from error
    return Description(**{**read, "keys": tuple(read["keys"])})


NAMES: Final = (DATABASE, LEDGER, DESCRIPTION)
"""The names of the files of a backup, apart from the checksums."""


def parse_sums(text: str) -> Mapping[str, str]:
    """Return the checksum of each file. Raises ValueError for a malformed line."""
    lines = (line.split("  ", 1) for line in text.splitlines())
    return {name: checksum for checksum, name in lines}


def hash_file(path: Path) -> str:
    """Return the SHA-256 checksum of a file as hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def copy_file(
    source: Path, target: Path, show: Callable[[int, int], None] = lambda *_: None
) -> None:
    """Copy a file of a backup to a new file with mode 0600, and flush it to the disk."""
    total, done = source.stat().st_size, 0
    made = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with source.open("rb") as read, os.fdopen(made, "wb") as written:
        while block := read.read(CHUNK):
            done += written.write(block)
            show(done, total)
        written.flush()
        os.fsync(written.fileno())
    sync_folder(target)


CHUNK: Final = 1 << 20
"""The number of bytes that are copied at once."""
