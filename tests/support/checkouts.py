"""A checkout of another commit, with some folders and files of this working tree."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

THIS: Final = Path(__file__).resolve()
ROOT: Final = THIS.parents[2]


@contextmanager
def check_out(revision: str, home: Path, *parts: Path) -> Iterator[Path]:
    """Yield a temporary checkout of a commit inside the folder `home`.

    The paths in `parts`, and this module, are replaced by those of this working tree.
    """
    checkout = home / f"against-{os.getpid()}"
    worktree = ["git", "-C", str(ROOT), "worktree"]
    add = [*worktree, "add", "--quiet", "--detach", str(checkout), revision]
    subprocess.run(add, check=True)
    try:
        for part in (*parts, THIS.relative_to(ROOT)):
            replace_part(ROOT / part, checkout / part)
        yield checkout
    finally:
        subprocess.run([*worktree, "remove", "--force", str(checkout)], check=True)


def replace_part(source: Path, target: Path) -> None:
    """Replace a folder or a file with a copy of another one."""
    if source.is_dir():
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(source, target)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, target)
