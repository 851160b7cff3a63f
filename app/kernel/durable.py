"""What is written is there after a power cut, whole or as it was."""

import os
from pathlib import Path


def replace(path: Path, text: str) -> None:
    """Put a text in the place of a file, which only its owner can read, and stays its own.

    An administrator who does it for the service must not take the file from it.
    """
    path = path.resolve()
    new = path.with_name(f"{path.name}.new")
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
    with os.fdopen(os.open(new, flags, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
        if path.exists() and (was := path.stat()).st_uid != os.geteuid():
            os.fchown(file.fileno(), was.st_uid, was.st_gid)
    new.replace(path)
    sync_folder(path)


def sync_folder(path: Path) -> None:
    """Bring to the disk that a file is in its folder."""
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
