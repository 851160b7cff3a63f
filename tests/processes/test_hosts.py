"""Commands do the same on hosts with other locales and other modes of Python."""

import subprocess
from pathlib import Path
from typing import Final

import pytest

from tests.processes.test_demo import COMMAND, command, environment

pytestmark = pytest.mark.slow
ASCII: Final = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
"""Variables with which Python writes ASCII unless a program chooses otherwise."""


def start(folder: Path, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a command in an interpreter of its own, which reads the variables in `more`."""
    return subprocess.run(
        [COMMAND, *words],
        env=environment(folder, **more),
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


def test_names_are_printed_in_utf_8_with_any_locale(tmp_path: Path) -> None:
    for words in (("key", "new"), ("migrate",), ("directory", "load")):
        assert command(tmp_path, *words).returncode == 0
    account = ("account", "new", "KZ_LEAD", "Айгуль é", "--role", "officer")
    assert command(tmp_path, *account).returncode == 0

    listed = start(tmp_path, "account", "list", **ASCII)

    assert (listed.returncode, listed.stderr) == (0, "")
    assert "Айгуль é" in listed.stdout
    assert listed.stdout == command(tmp_path, "account", "list").stdout


def test_python_without_docstrings_is_refused(tmp_path: Path) -> None:
    refused = start(tmp_path, "doctor", PYTHONOPTIMIZE="2")

    assert refused.returncode == 1
    assert refused.stderr.startswith("Run Python without -OO")
    assert "Traceback" not in refused.stderr
