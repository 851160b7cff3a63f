"""Warn if a newer release of the time zone database than the pinned one can be had.

Governments change their clocks at short notice. `make check` runs this; it never fails, for
a release of somebody else must not stop ours.
"""

import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
UV: Final = ROOT / ".uv" / "bin" / "uv"
PINS: Final = ROOT / "requirements" / "run.txt"
NAME: Final = "tzdata=="
SECONDS: Final = 60


def pinned_version(pins: str) -> str:
    """Return the version of tzdata that a requirements file pins."""
    [line] = [line for line in pins.splitlines() if line.startswith(NAME)]
    return line.removeprefix(NAME).split()[0]


def newest_version() -> str | None:
    """Ask the package index for the newest version; None if it cannot be asked."""
    resolve = [str(UV), "pip", "compile", "--quiet", "--no-header", "--no-annotate", "-"]
    try:
        resolved = subprocess.run(
            resolve,
            input="tzdata",
            capture_output=True,
            text=True,
            check=True,
            timeout=SECONDS,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return pinned_version(resolved.stdout)


def advice(pinned: str, newest: str | None) -> str:
    """Say in one line how the pinned version stands."""
    if newest is None:
        return f"tzdata {pinned} is pinned; the package index could not be asked for newer."
    if pinned == newest:
        return f"tzdata {pinned} is pinned, the newest release."
    return (
        f"WARNING: tzdata {pinned} is pinned, and {newest} is out: deadlines may follow "
        "rules that no longer hold. Run `make lock UPGRADE='--upgrade-package tzdata'`."
    )


if __name__ == "__main__":
    sys.stdout.write(
        f"{advice(pinned_version(PINS.read_text('utf-8')), newest_version())}\n"
    )
