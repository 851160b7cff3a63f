"""What `make run` does, as whoever tries it for the first time sees it."""

import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from app.demo.journeys import JOURNEYS, Journey

COMMAND = str(Path(sys.executable).parent / "safe-conduct")
SECONDS = 60
SERVING = 30
"""Ten seconds by itself; this machine is shared."""


def environment(folder: Path, **more: str) -> dict[str, str]:
    """The environment of somebody who has set nothing, but for where the files go."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("SAFE_CONDUCT_")}
    return kept | {
        "SAFE_CONDUCT_DATABASE_URL": f"sqlite:///{folder}/var/demo.db",
        "SAFE_CONDUCT_KEY_FILE": f"{folder}/var/keys",
        "SAFE_CONDUCT_PORT": "0",
        **more,
    }


def command(folder: Path, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [COMMAND, *words],
        env=environment(folder, **more),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


@contextmanager
def demo_serving(folder: Path, until: str = "curl", **more: str) -> Iterator[list[str]]:
    """Run the demo until it has printed its first request; hand over what it said."""
    process = subprocess.Popen(
        [COMMAND, "demo", "serve"],
        env=environment(folder, **more),
        cwd=folder,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    said = []
    for line in process.stdout:
        said.append(line.rstrip())
        if until in line:
            break
    try:
        yield said
    finally:
        process.send_signal(signal.SIGINT)
        process.stdout.close()
        assert process.wait(SECONDS) in {0, -signal.SIGINT, 130}


def told(said: list[str], pattern: str) -> str:
    found = re.search(pattern, "\n".join(said))
    assert found, said
    return found[1]


@pytest.mark.slow
def test_it_serves_from_nothing_and_its_first_request_works_as_printed(
    tmp_path: Path,
) -> None:
    with demo_serving(tmp_path) as said:
        words = shlex.split(said[-1])
        name, value = words[4].split(": ")
        answer = httpx.get(words[2], headers={name: value})

    assert words[0] == "curl"
    assert answer.status_code == 200
    states = {case["code"]: case["state"] for case in answer.json()["items"]}
    assert states[told(said, r"submits the case: (SC-\S+)")] == "closed"
    assert len(states) == 4
    assert [name for name in Journey if f"Journey `{name}`" not in "\n".join(said)] == []
    assert (tmp_path / "var" / "keys").stat().st_mode & 0o777 == 0o600


@pytest.mark.slow
def test_a_second_run_and_a_second_telling_do_no_harm(tmp_path: Path) -> None:
    with demo_serving(tmp_path) as said:
        first = told(said, r"submits the case: (SC-\S+)")
    with demo_serving(tmp_path) as said:
        again = told(said, r"played before; (SC-\S+) is closed")
        url = told(said, r"serving at (http://\S+),")
        other_server = command(tmp_path, "demo", "serve")
        retold = command(tmp_path, "demo", SAFE_CONDUCT_URL=url)
        child = command(
            *(tmp_path, "demo", "play", "--journey", "child"), SAFE_CONDUCT_URL=url
        )
        key = told(said, r"KEY=(\S+)")
        mine = httpx.get(f"{url}/v1/cases", headers={"Authorization": f"Bearer {key}"})

    assert again == first
    assert (retold.returncode, first in retold.stdout) == (0, True)
    assert retold.stdout.count("was played before") == len(Journey)
    assert child.stdout.count("was played before") == 1
    assert "Journey `child`" in child.stdout
    assert len(mine.json()["items"]) == 4
    assert other_server.returncode == 1
    assert "Another process serves this SQLite file" in other_server.stderr


@pytest.mark.slow
def test_its_help_says_which_journeys_there_are(tmp_path: Path) -> None:
    asked = command(tmp_path, "demo", "play", "--help", COLUMNS="400")
    unknown = command(tmp_path, "demo", "play", "--journey", "holiday", COLUMNS="400")

    assert [
        name for name, (shows, _) in JOURNEYS.items() if shows not in asked.stdout
    ] == []
    assert unknown.returncode == 2
    assert "holiday" in unknown.stderr


@pytest.mark.slow
def test_it_is_served_before_anything_is_told(tmp_path: Path) -> None:
    began = time.monotonic()
    with demo_serving(tmp_path, until="is serving at") as said:
        url = told(said, r"serving at (http://\S+)\.")
        alive = httpx.get(f"{url}/livez")

    assert (alive.status_code, len(said)) == (200, 1)
    assert time.monotonic() - began < SERVING
