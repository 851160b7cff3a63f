"""Tests that `make run` works for a new user as the README says."""

import csv
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO

import httpx
import pytest

from app.demo.demo_accounts import DEMO_ACCOUNTS
from app.demo.journeys import JOURNEYS, Journey
from tests.bench.processes import measure_cpu
from tests.support.forked_commands import Command, run
from tests.support.servers import ROOT

COMMAND = str(Path(sys.executable).parent / "safe-conduct")
SECONDS = 60
SERVING = 10
"""Maximum CPU time, in seconds, until the demonstration can be used."""


def environment(folder: Path, **more: str) -> dict[str, str]:
    """Return an environment whose only settings are the files, port 0 and `more`."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("SAFE_CONDUCT_")}
    return kept | {
        "SAFE_CONDUCT_DATABASE_URL": f"sqlite:///{folder}/var/demo.db",
        "SAFE_CONDUCT_KEY_FILE": f"{folder}/var/keys",
        "SAFE_CONDUCT_PORT": "0",
        **more,
    }


def command(folder: Path, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a `safe-conduct` command, wait until it ends, and return the result."""
    typed = Command([COMMAND, *words], environment(folder, **more), folder)
    return run(typed, SECONDS)


class Printed(list[str]):
    """The lines that were read from the output of the demo."""

    def __init__(self, stream: IO[str], pid: int) -> None:
        super().__init__()
        self.stream = stream
        self.pid = pid

    def read_until(self, text: str) -> None:
        """Read lines up to the first one that contains the given text."""
        for line in self.stream:
            self.append(line.rstrip())
            if text in line:
                return


READY = "are played now"
"""The end of the text that is printed as soon as the demonstration can be used."""
PLAYED = "journeys were"
"""A part of the line that is printed after the last journey."""


@contextmanager
def demo_serving(folder: Path, until: str = PLAYED, **more: str) -> Iterator[Printed]:
    """Run the demonstration, and yield its output up to the first line with `until`."""
    process = subprocess.Popen(
        [COMMAND, "demo", "serve"],
        env=environment(folder, **more),
        cwd=folder,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    said = Printed(process.stdout, process.pid)
    said.read_until(until)
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


@pytest.mark.whole
@pytest.mark.slow
def test_it_serves_from_nothing_and_its_first_request_works_as_printed(
    tmp_path: Path,
) -> None:
    with demo_serving(tmp_path) as said:
        [curl] = [line for line in said if "curl " in line]
        words = shlex.split(curl)
        name, value = words[4].split(": ")
        answer = httpx.get(words[2], headers={name: value})
        file = Path(told(said, r"are in this file: (\S+)"))
        with file.open(encoding="utf-8", newline="") as table:
            rows = list(csv.DictReader(table))
        url = words[2].removesuffix("/cases")
        signed_in = [sign_in(url, row["key"]) for row in rows]

    assert words[0] == "curl"
    assert answer.status_code == 200
    states = {case["code"]: case["state"] for case in answer.json()["items"]}
    assert states[told(said, r"submits the case: (SC-\S+)")] == "closed"
    assert len(states) == 4
    assert "All 8 journeys" in said[-1]
    assert [name for name in Journey if f"Journey `{name}`" not in "\n".join(said)] == []
    assert (tmp_path / "var" / "keys").stat().st_mode & 0o777 == 0o600
    assert file.stat().st_mode & 0o777 == 0o600
    assert [row["label"] for row in rows] == [one.label for one in DEMO_ACCOUNTS]
    assert signed_in == [
        (row["focal_point"], row["label"], row["roles"].split()) for row in rows
    ]
    soon = datetime.now(UTC) + timedelta(days=1)
    assert {datetime.fromisoformat(row["expires_at"]) < soon for row in rows} == {True}
    for printed in ("KEY", "LEAD"):
        assert told(said, rf"{printed}=(\S+)") in [row["key"] for row in rows]


def sign_in(url: str, key: str) -> tuple[str, str, list[str]]:
    """Return the office, the label and the roles of the account that has a key."""
    me = httpx.get(f"{url}/me", headers={"Authorization": f"Bearer {key}"}).json()
    return me["focal_point"], me["account"], sorted(me["roles"])


@pytest.mark.whole
@pytest.mark.slow
def test_a_second_run_and_a_second_telling_do_no_harm(tmp_path: Path) -> None:
    with demo_serving(tmp_path) as said:
        first = told(said, r"submits the case: (SC-\S+)")
    with demo_serving(tmp_path) as said:
        again = told(said, r"started before; (SC-\S+) is closed")
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
    assert retold.stdout.count("was started before") == len(Journey)
    assert child.stdout.count("was started before") == 1
    assert "Journey `child`" in child.stdout
    assert len(mine.json()["items"]) == 4
    assert other_server.returncode == 1
    assert "Another process uses this SQLite file" in other_server.stderr


@pytest.mark.slow
def test_its_help_says_which_journeys_there_are(tmp_path: Path) -> None:
    asked = command(tmp_path, "demo", "play", "--help", COLUMNS="400")
    unknown = command(tmp_path, "demo", "play", "--journey", "holiday", COLUMNS="400")

    assert [
        name for name, (shows, _) in JOURNEYS.items() if shows not in asked.stdout
    ] == []
    assert unknown.returncode == 2
    assert "holiday" in unknown.stderr


@pytest.mark.whole
@pytest.mark.slow
def test_it_can_be_used_before_a_journey_is_played(tmp_path: Path) -> None:
    with demo_serving(tmp_path, until=READY) as said:
        seconds = measure_cpu(said.pid)
        url = told(said, r"serving at (http://\S+),")
        key = told(said, r"KEY=(\S+)")
        mine = httpx.get(f"{url}/v1/me", headers={"Authorization": f"Bearer {key}"})
        docs = httpx.get(told(said, r"API documentation: (\S+)"))

    assert (mine.status_code, docs.status_code) == (200, 200)
    assert url.startswith("http://localhost:")
    assert not any("Journey `" in line for line in said)
    assert seconds < SERVING


# The next steps of the README.

README = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
FIRST = "Send the first case"
POLLING = "Answer it as a focal point"
CURL = shutil.which("curl") or f"{sys.executable} -m tests.support.curl_substitute"
"""The command for curl, or a substitute, because a minimal Debian has no curl."""
PRELUDE = f"""
curl() {{ env {CURL} --fail-with-body --max-time 5 "$@"; }}
"""
"""A function that limits each curl to five seconds, because no new event will arrive."""
NOTHING_CAME = 28
"""The exit code of curl after a timeout."""


def typed(heading: str) -> list[str]:
    """Return the commands below a heading of the README, block by block."""
    part = README.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    return [block.strip() for block in re.findall(r"```\n(.*?)```", part, re.DOTALL)]


class Reader:
    """A user who types the commands of the README, with the printed keys."""

    def __init__(self, said: list[str], folder: Path) -> None:
        url = told(said, r"serving at (http://\S+),")
        keys = {name: told(said, rf"{name}=(\S+)") for name in ("KEY", "LEAD")}
        self.set = environment(folder, URL=f"{url}/v1", **keys)

    def types(self, text: str) -> str:
        done = subprocess.run(
            ["bash", "-c", PRELUDE + text],
            env=self.set | {"PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        assert done.returncode in {0, NOTHING_CAME}, (text, done.stdout, done.stderr)
        return done.stdout


@pytest.mark.slow
@pytest.mark.whole
def test_what_the_readme_types_works_with_the_keys_that_were_printed(
    tmp_path: Path,
) -> None:
    [first] = typed(FIRST)
    export, submitting = first.split("\n", 1)
    [polling, acting, opening] = typed(POLLING)
    look, acknowledge = acting.splitlines()

    with demo_serving(tmp_path) as said:
        reader = Reader(said, tmp_path)
        case = json.loads(reader.types(submitting))
        everything, *later = polling.splitlines()
        events = json.loads(reader.types(everything))
        heard = [reader.types(line.replace("{cursor}", events["cursor"])) for line in later]
        seen = reader.types(look.replace("{code}", case["code"]))
        [tag] = re.findall(r"(?im)^etag: (\S+)", seen)
        acting = acknowledge.replace("{code}", case["code"]).replace('"2.f3..."', tag)
        acted = json.loads(reader.types(acting))
        opened = json.loads(reader.types(opening.replace("{code}", case["code"])))

    assert export.startswith("export URL=http://localhost:8000/v1 KEY=sc_")
    assert re.findall(r"20\d\d-\d\d-\d\d", first) == []  # a fixed date would expire
    assert (case["state"], case["holder"]) == ("submitted", "KZ_LEAD")
    subject = f"cases/{case['code']}"
    assert subject in {event["subject"] for event in events["items"]}
    assert subject in heard[-1]
    assert acted["state"] == "under_review"
    assert opened["content"]["summary"] == "A safe bed tonight"
