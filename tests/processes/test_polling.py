"""Tests that `safe-conduct poll` loses no event, even if it is killed at any time."""

import fcntl
import json
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest
from sqlalchemy import select

from app.access.models import ApiKey
from app.kernel.actors import Scope
from tests.processes.test_demo import SECONDS
from tests.support.servers import Served, open_port, serve_world
from tests.support.shells import Shell
from tests.support.world import Json, Someone, unwrap

pytestmark = pytest.mark.slow
CURSOR = ("--cursor-file", "cursor")
WRONG, NO_ANSWER, PAST, INTERRUPTED = 1, 4, 5, 130
NARROW = 4096
"""Bytes that a pipe holds before its writer has to wait: about 16 events."""


@pytest.fixture
def world(url: str) -> Iterator[Served]:
    with serve_world(url) as made:
        yield made


@pytest.fixture
def shell(lead: Someone, tmp_path: Path) -> Shell:
    return Shell(lead, tmp_path)


def list_feed(one: Someone) -> list[Json]:
    return list(unwrap(one.get("/events", limit=200))["items"])


def get_output(process: subprocess.Popen[bytes]) -> IO[bytes]:
    assert process.stdout
    return process.stdout


def test_each_event_is_a_line_and_comes_once(
    shell: Shell, officer: Someone, lead: Someone
) -> None:
    officer.submit()
    officer.submit()

    first, again = (shell.run("poll", *CURSOR) for _ in range(2))

    assert (first.returncode, first.stderr) == (again.returncode, again.stderr) == (0, "")
    assert first.stdout.splitlines() == [
        f"{event['at']} {event['type']} {event['subject']} {event['by']}"
        for event in list_feed(lead)
    ]
    assert again.stdout == ""
    assert (shell.folder / "cursor").stat().st_mode & 0o777 == 0o600
    whole = shell.run("poll", *CURSOR, "--from-start", "--json").stdout.splitlines()
    assert [json.loads(line) for line in whole] == list_feed(lead)


def read_clogged(shell: Shell, lines: int) -> list[Json]:
    """Read some lines, kill the command while its output is blocked, and return all lines.

    If the last line is incomplete, it is left out.
    """
    process = shell.start("poll", *CURSOR, "--json")
    out = get_output(process)
    fcntl.fcntl(out, fcntl.F_SETPIPE_SZ, NARROW)
    read = b"".join(out.readline() for _ in range(lines))
    process.send_signal(signal.SIGKILL)
    process.wait(SECONDS)
    read += out.read()
    out.close()
    assert process.stderr
    process.stderr.close()
    return [json.loads(line) for line in read.split(b"\n")[:-1]]


def test_killed_in_the_middle_it_loses_nothing(
    shell: Shell, officer: Someone, lead: Someone
) -> None:
    for _ in range(120):
        officer.submit()
    there = list_feed(lead)

    first = read_clogged(shell, lines=5)
    kept_nothing = not (shell.folder / "cursor").exists()
    second = read_clogged(shell, lines=51)
    kept = (shell.folder / "cursor").read_text()
    rest = [
        json.loads(line)
        for line in shell.run("poll", *CURSOR, "--json").stdout.splitlines()
    ]

    assert kept_nothing
    assert 5 <= len(first) < 50
    assert first == there[: len(first)]
    assert 50 < len(second) < len(there)
    assert second == there[: len(second)]
    assert kept.endswith("\nKZ_LEAD\n")
    assert rest == there[50:]


def test_it_follows_until_it_is_interrupted(
    shell: Shell, officer: Someone, lead: Someone
) -> None:
    process = shell.start("poll", *CURSOR, "--follow", "--json")
    officer.submit()
    first = json.loads(get_output(process).readline())
    officer.submit()
    second = json.loads(get_output(process).readline())

    process.send_signal(signal.SIGINT)
    rest, said = process.communicate(timeout=SECONDS)

    assert [first, second] == list_feed(lead)
    assert (process.returncode, rest, said) == (INTERRUPTED, b"", b"")


def test_whoever_reads_may_have_enough(
    shell: Shell, officer: Someone, lead: Someone
) -> None:
    officer.submit()
    process = shell.start("poll", *CURSOR)
    get_output(process).close()

    assert process.wait(SECONDS) == 0
    assert process.stderr
    assert process.stderr.read() == b""
    process.stderr.close()
    assert not (shell.folder / "cursor").exists()
    assert len(shell.run("poll", *CURSOR).stdout.splitlines()) == len(list_feed(lead)) == 1


def test_what_could_not_be_written_comes_again(
    shell: Shell, officer: Someone, lead: Someone
) -> None:
    officer.submit()
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        process = shell.start("poll", *CURSOR, into=full)
        _, said = process.communicate(timeout=SECONDS)

    assert process.returncode == WRONG
    assert said == b"safe-conduct: Cannot write the output: No space left on device.\n"
    assert not (shell.folder / "cursor").exists()
    assert len(shell.run("poll", *CURSOR).stdout.splitlines()) == len(list_feed(lead)) == 1


def test_a_cursor_of_another_past_is_told_with_what_to_do(
    shell: Shell, officer: Someone
) -> None:
    officer.submit()
    (shell.folder / "cursor").write_text("00000000.0\nKZ_LEAD\n")

    gone = shell.run("poll", *CURSOR)
    anew = shell.run("poll", *CURSOR, "--from-start")

    assert (gone.returncode, gone.stdout) == (PAST, "")
    assert gone.stderr.startswith("safe-conduct: 410 ")
    assert "--from-start" in gone.stderr
    assert (anew.returncode, len(anew.stdout.splitlines())) == (0, 1)


def test_a_cursor_file_is_of_one_office(shell: Shell, officer: Someone) -> None:
    officer.submit()
    shell.run("poll", *CURSOR)
    shell.key.write_text(officer.key)

    refused = shell.run("poll", *CURSOR)

    assert refused.returncode == WRONG
    assert (
        "cursor is for KZ_LEAD, but the API key is for UZ_CONSULATE_ALMATY"
        in refused.stderr
    )


def test_a_key_for_the_feed_alone_is_enough_and_one_that_ended_is_not(
    world: Served, officer: Someone, tmp_path: Path
) -> None:
    system = world.add_person("KZ_LEAD", scopes={Scope.FEED_READ})
    shell = Shell(system, tmp_path)
    officer.submit()
    read = shell.run("poll", *CURSOR)
    with world.database.begin_write() as session:
        mine = ApiKey.account_id == system.actor.account_id
        for key in session.scalars(select(ApiKey).where(mine)):
            key.revoked_at = world.now

    refused = shell.run("poll", *CURSOR)

    assert (read.returncode, len(read.stdout.splitlines())) == (0, 1)
    assert "one cursor file per office" in read.stderr
    assert refused.returncode == WRONG
    assert refused.stderr.startswith("safe-conduct: 401 ")
    assert "Set a valid key in SAFE_CONDUCT_API_KEY_FILE" in refused.stderr


@pytest.mark.parametrize("follow", [False, True])
def test_a_server_that_hangs_is_waited_for_aloud(
    officer: Someone, tmp_path: Path, *, follow: bool
) -> None:
    with open_port() as hung:
        hung.listen()
        shell = Shell(officer, tmp_path, hung.getsockname()[1])
        process = shell.start("poll", *CURSOR, *(["--follow"] if follow else []))
        try:
            assert process.stderr
            first = process.stderr.readline().decode()
        finally:
            process.kill()
            process.communicate()

    assert first == "no answer yet from SAFE_CONDUCT_URL; this try waits 30 s\n"


def test_a_server_that_is_dead_is_tried_again_aloud(
    officer: Someone, tmp_path: Path
) -> None:
    with open_port() as dead:
        shell = Shell(officer, tmp_path, dead.getsockname()[1])
        gave_up = shell.run("poll", *CURSOR, "--patience", "4")

    tried, ended = gave_up.stderr.splitlines()[0], gave_up.stderr.splitlines()[-1]
    assert gave_up.returncode == NO_ANSWER
    assert re.fullmatch(
        r"no answer \(ConnectError\); retry in 1 s, "
        r"then for at most \d s \(--patience\)",
        tried,
    )
    assert "Check SAFE_CONDUCT_URL and whether the service is running." in ended
