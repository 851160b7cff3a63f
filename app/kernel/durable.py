"""Functions that write files so that each finished change survives a power cut."""

import os
from pathlib import Path


def replace(path: Path, text: str) -> None:
    """Replace the content of a file atomically; keep its owner and set mode 0600."""
    path = path.resolve()
    new = path.with_name(f"{path.name}.new")
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
    with os.fdopen(os.open(new, flags, 0o600), "w", encoding="utf-8") as file:
        os.fchmod(file.fileno(), 0o600)  # the file may be left over from an earlier attempt
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
        if path.exists() and (was := path.stat()).st_uid != os.geteuid():
            os.fchown(file.fileno(), was.st_uid, was.st_gid)
    new.replace(path)
    sync_folder(path)


def create(path: Path, text: str) -> None:
    """Create a file with mode 0600, or raise FileExistsError if it exists."""
    made = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(made, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        path.unlink()
        raise
    sync_folder(path)


def rename(path: Path, to: Path) -> None:
    """Rename a file in its folder, or raise FileExistsError if the new name exists."""
    os.link(path, to)
    path.unlink()
    sync_folder(to)


def sync_folder(path: Path) -> None:
    """Flush the folder of a file to the disk, so that its name survives a power cut."""
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
