"""A checkout of another commit, with some folders of this working tree."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]


@contextmanager
def check_out(revision: str, home: Path, *parts: Path) -> Iterator[Path]:
    """Yield a checkout of a commit in the folder `home`, and remove it.

    The folders `parts` are those of this working tree.
    """
    checkout = home / f"against-{os.getpid()}"
    worktree = ["git", "-C", str(ROOT), "worktree"]
    add = [*worktree, "add", "--quiet", "--detach", str(checkout), revision]
    subprocess.run(add, check=True)
    try:
        for part in parts:
            shutil.rmtree(checkout / part, ignore_errors=True)
            shutil.copytree(ROOT / part, checkout / part)
        yield checkout
    finally:
        subprocess.run([*worktree, "remove", "--force", str(checkout)], check=True)
