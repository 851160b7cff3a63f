"""Mounts and package indexes of this machine, for scripts that build root file systems."""

import os
import re
import subprocess
import sys
from typing import Final

UNSHARED: Final = "SAFE_CONDUCT_SCRIPT_UNSHARED"
"""Environment variable that is set once the process has its own mount namespace."""
INDEX_VARIABLE: Final = re.compile(
    r"pip_|ssl_cert|requests_ca|https?_proxy|no_proxy", re.IGNORECASE
)


def split_mounts() -> None:
    """Restart this program in its own mount namespace, so that its mounts end with it."""
    if os.environ.get(UNSHARED):
        return
    if os.getuid() != 0:
        sys.exit("This mounts file systems: run it as root.")
    words = ["unshare", "--mount", "--propagation", "private", sys.executable, *sys.argv]
    os.execvpe("unshare", words, {**os.environ, UNSHARED: "1"})


def add_mount(*words: str) -> None:
    """Mount a file system."""
    subprocess.run(["mount", *words], check=True)


def get_index_variables() -> dict[str, str]:
    """Return the environment variables with which pip reaches its package index."""
    return {name: value for name, value in os.environ.items() if INDEX_VARIABLE.match(name)}
