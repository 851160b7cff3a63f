"""What scripts that build root file systems need of this machine: mounts and indexes."""

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


def unshare_mounts() -> None:
    """Run this program again in its own mount namespace: its mounts end with it."""
    if os.environ.get(UNSHARED):
        return
    if os.getuid() != 0:
        sys.exit("This mounts file systems: run it as root.")
    words = ["unshare", "--mount", "--propagation", "private", sys.executable, *sys.argv]
    os.execvpe("unshare", words, {**os.environ, UNSHARED: "1"})


def mount(*words: str) -> None:
    """Mount a file system."""
    subprocess.run(["mount", *words], check=True)


def index_variables() -> dict[str, str]:
    """Return the environment variables by which pip reaches its package index."""
    return {name: value for name, value in os.environ.items() if INDEX_VARIABLE.match(name)}
