"""Test the console in a real browser: `make browser` and `make browser-journeys`.

This program runs in the environment of the service. It installs Chromium from Debian,
checks the types of this package, and runs the tests in `.browser/venv`, which has
Playwright and axe. The tests start the service in a separate process.
`make browser T=--screenshots` writes a screenshot of each page into build/screenshots.
"""

import subprocess
import sys
from pathlib import Path
from typing import Final

from tests.support.debian import install_packages

ROOT: Final = Path(__file__).parents[2]
FOLDER: Final = "tests/browser"
JOURNEYS: Final = f"{FOLDER}/journeys"
"""The tests that `make browser-journeys` runs alone, in one process and in their order."""
ENVIRONMENT: Final = ROOT / ".browser" / "venv" / "bin"
CHROMIUM: Final = Path("/usr/bin/chromium-headless-shell")
FONT: Final = Path("/usr/share/fonts/truetype/noto/NotoSans-Regular.ttf")
"""A font with all scripts in which the console has texts, so that screenshots are equal."""
PACKAGES: Final = ("chromium-headless-shell", "fonts-noto-core")
WORKERS: Final = ("-n", "2", "--dist", "loadfile")
"""Two processes, each with its own demonstration and browser. The tests of a file run in
one process, so that the cases that they leave behind are the same in each run."""


def has_browser() -> bool:
    """Return whether Chromium and its fonts are installed."""
    return CHROMIUM.exists() and FONT.exists()


def require_browser() -> None:
    """Install Chromium and its fonts if one is missing, or exit with an explanation."""
    if not install_packages(*PACKAGES, until=has_browser):
        sys.exit(
            "make browser FAILED, and nothing was tested: it needs Chromium and its fonts, "
            "and could not install them. On Debian, as root: apt-get install "
            f"--no-install-recommends {' '.join(PACKAGES)}"
        )


def list_commands(chosen: list[str]) -> list[list[object]]:
    """Return the commands that check the types of the tests, and run them."""
    python = ENVIRONMENT / "python"
    checked = ["--python-executable", python, "--cache-dir", ".browser/mypy"]
    named = [one for one in chosen if not one.startswith("-")]
    files = sorted((ROOT / FOLDER).rglob("*.py"))  # listed, as pyproject excludes them
    return [
        [Path(sys.executable).with_name("mypy"), *checked, *files],
        [
            ENVIRONMENT / "pytest",
            "--confcutdir",
            FOLDER,
            "--tb=short",
            *(() if JOURNEYS in chosen else WORKERS),
            *chosen,
            *(() if named else [FOLDER, "--ignore", JOURNEYS]),
        ],
    ]


def main() -> int:
    """Run the commands until one fails, and return its exit code, or 0 if none fails."""
    require_browser()
    for command in list_commands(sys.argv[1:]):
        ran = subprocess.run([str(word) for word in command], cwd=ROOT, check=False)
        if ran.returncode:
            return ran.returncode
    return 0


if __name__ == "__main__":
    sys.exit(main())
