"""Warn if a newer time zone database than the pinned one exists.

Governments change time zones at short notice. `make check` runs this script, which never
fails, because an external release must not block a commit.
"""

import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
UV: Final = ROOT / ".uv" / "bin" / "uv"
PINS: Final = ROOT / "requirements" / "run.txt"
NAME: Final = "tzdata=="
TIMEOUT: Final = 60


def parse_pinned_version(pins: str) -> str:
    """Return the version of tzdata that a requirements file pins."""
    [line] = [line for line in pins.splitlines() if line.startswith(NAME)]
    return line.removeprefix(NAME).split()[0]


def find_newest_version() -> str | None:
    """Return the newest version in the package index, or None if there is no answer."""
    resolve = [str(UV), "pip", "compile", "--quiet", "--no-header", "--no-annotate", "-"]
    try:
        resolved = subprocess.run(
            resolve,
            input="tzdata",
            capture_output=True,
            text=True,
            check=True,
            timeout=TIMEOUT,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return parse_pinned_version(resolved.stdout)


def format_advice(pinned: str, newest: str | None) -> str:
    """Return one line that compares the pinned version with the newest version."""
    if newest is None:
        return f"tzdata {pinned} is pinned; the package index could not be reached."
    if pinned == newest:
        return f"tzdata {pinned} is pinned, the newest release."
    return (
        f"WARNING: tzdata {pinned} is pinned, and {newest} is available: deadlines "
        "may follow outdated rules. Run `make lock UPGRADE='--upgrade-package tzdata'`."
    )


if __name__ == "__main__":
    pinned = parse_pinned_version(PINS.read_text("utf-8"))
    sys.stdout.write(f"{format_advice(pinned, find_newest_version())}\n")
