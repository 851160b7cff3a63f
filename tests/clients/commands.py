"""Commands of `make clients`, and the folders in which they run."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent
ROOT: Final = HERE.parents[1]
WORK: Final = ROOT / ".clients"
TOOLS: Final = WORK / "venv" / "bin"


def print_line(*words: object) -> None:
    print(*words, flush=True)  # noqa: T201 - a program


def run(
    *command: object,
    at: Path = WORK,
    env: Mapping[str, str] | None = None,
    given: str | None = None,
) -> str:
    """Run a command and return its output. If it fails, print the output and exit."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=at,
        env={**os.environ, **(env or {})},
        input=given,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        print_line(done.stdout)
        sys.exit(f"This failed: {' '.join(str(part) for part in command[:3])} ...")
    return done.stdout


def run_quietly(*command: object, at: Path, env: Mapping[str, str] | None = None) -> None:
    """Run a compiler that prints only warnings, and exit if it prints anything."""
    if found := run(*command, at=at, env=env).strip():
        sys.exit(f"{command[0]} warned:\n{found}")


def create_folder(name: str) -> Path:
    """Create an empty folder, in place of an earlier one, and return its path."""
    folder = WORK / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def install_packages_of_npm(name: str) -> Path:
    """Copy a folder with a lock file, install the pinned packages, and return the copy."""
    folder = WORK / name
    shutil.copytree(HERE / name, folder, dirs_exist_ok=True)
    run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", at=folder)
    return folder
