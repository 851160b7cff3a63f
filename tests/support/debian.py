"""Installation of Debian packages that a command of this project needs."""

import os
import subprocess
from collections.abc import Callable


def install_packages(*packages: str, until: Callable[[], bool]) -> bool:
    """Install packages until a condition holds, and return whether it holds.

    Only root can install packages. The list of packages is updated if the installation
    fails with the old list.
    """
    install = ["apt-get", "install", "--yes", "--no-install-recommends", *packages]
    for words in (install, ["apt-get", "update"], install):
        if not until() and os.geteuid() == 0:
            subprocess.run(words, check=False, stdout=subprocess.DEVNULL)
    return until()
