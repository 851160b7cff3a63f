"""Tests that the programs for integrators run on Python 3.9 and newer."""

import ast
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest

from tests.processes.test_conformance import KIT, check
from tests.processes.test_conformance_receiver import run_receiver, send_body, sign_body

OLDEST: Final = (3, 9)
PROGRAMS: Final = sorted(KIT.glob("*.py"))
DEFERRED: Final = "from __future__ import annotations\n"


def find_oldest_python() -> str:
    """Return the path of the oldest supported Python, or else of the current Python."""
    versions = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    for minor in range(OLDEST[1], sys.version_info.minor):
        name = f"python3.{minor}"
        for path in (Path("/usr/bin") / name, *versions.glob(f"3.{minor}.*/bin/{name}")):
            if path.exists() and can_run(path):
                return str(path)
    return sys.executable


def can_run(python: Path) -> bool:
    """Return whether a Python can import the modules `sqlite3` and `ssl`."""
    command = [str(python), "-c", "import sqlite3, ssl"]
    return not subprocess.run(command, capture_output=True, check=False).returncode


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.name)
def test_program_has_only_the_syntax_of_the_oldest_python(program: Path) -> None:
    text = program.read_text("utf-8")

    ast.parse(text, feature_version=OLDEST)

    assert DEFERRED in text  # `X | None` in an annotation is then not evaluated


@pytest.mark.slow
def test_the_kit_runs_on_the_oldest_python_of_this_machine(tmp_path: Path) -> None:
    python = find_oldest_python()

    found = check(KIT / "poller.py", kills=1, seed=3, python=python)
    with run_receiver(tmp_path, python) as url:
        status = send_body(url, sign_body(datetime.now(UTC)))

    assert (found.returncode, found.stderr) == (0, "")
    assert status == 204
