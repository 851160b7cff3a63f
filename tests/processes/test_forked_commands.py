"""Tests that a forked command behaves like a command in a new process."""

import subprocess
from pathlib import Path

import pytest

from tests.processes.test_demo import COMMAND, SECONDS, command, environment
from tests.support import forked_commands

pytestmark = pytest.mark.usefixtures("before_any_database")


def start_command(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [COMMAND, *words],
        env=environment(folder),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


@pytest.mark.whole
@pytest.mark.parametrize(
    "words", [["--help"], ["nothing"], ["doctor"], ["migrate"], ["openapi", "--check"]]
)
def test_what_is_forked_is_as_what_is_started(tmp_path: Path, words: list[str]) -> None:
    seen = []
    for how in (command, start_command):
        folder = tmp_path / how.__name__
        folder.mkdir()
        done = how(folder, *words)
        said = [text.replace(str(folder), "") for text in (done.stdout, done.stderr)]
        left = [(p.relative_to(folder), p.stat().st_mode) for p in folder.rglob("*")]
        seen.append((done.returncode, said, sorted(left)))

    assert seen[0] == seen[1]


def test_what_takes_too_long_is_killed(tmp_path: Path) -> None:
    serving = [COMMAND, "demo", "serve"]

    with pytest.raises(subprocess.TimeoutExpired):
        forked_commands.run(
            forked_commands.Command(serving, environment(tmp_path), tmp_path), 2
        )

    assert command(tmp_path, "--help").returncode == 0
    places = [p for p in Path("/proc").glob("[0-9]*/cwd") if p.is_symlink()]
    assert tmp_path not in [place.resolve() for place in places]
