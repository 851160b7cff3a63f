"""Tests that the demonstration can be used while its journeys are played."""

import json
import os
import pty
import signal
import subprocess
import time
from itertools import count
from pathlib import Path
from threading import Event, Thread
from typing import override
from uuid import uuid4

import httpx
import pytest

from app.access import queries as access_queries
from app.access.actions import disable_account
from app.cli.demo_command import name_this_machine, prepare, prepare_demo_keys
from app.cli.startup import load_runtime
from app.demo.demo_accounts import PA_INTERPRETER
from app.directory import queries as directory_queries
from app.settings import DemoSettings
from tests.processes.test_demo import (
    COMMAND,
    FIRST,
    PLAYED,
    READY,
    SECONDS,
    command,
    demo_serving,
    environment,
    told,
    typed,
)

pytestmark = pytest.mark.slow

OPENED = 5
"""Number of cases in which a newcomer opens a section; a daily limit applies."""
SHOWN_CURSOR = "\x1b[?25h"
"""The sequence that makes a terminal show the cursor, which a progress bar hides."""


class Newcomer(Thread):
    """A user who repeatedly submits the first case of the README and acknowledges it."""

    def __init__(self, url: str, keys: tuple[str, str], body: str) -> None:
        super().__init__()
        self.http = httpx.Client(base_url=f"{url}/v1", timeout=SECONDS)
        self.officer, self.lead = ({"Authorization": f"Bearer {key}"} for key in keys)
        self.body, self.stop = json.loads(body), Event()
        self.answers: list[tuple[str, int]] = []

    @override
    def run(self) -> None:
        with self.http:
            for number in count():
                self.send_case(opens_section=number < OPENED)
                if self.stop.wait(0.05):
                    return

    def send_case(self, *, opens_section: bool) -> None:
        """Submit a case as the officer, read it at both offices, and acknowledge it."""
        code = self.send("POST", "/cases", self.officer, self.body).json()["code"]
        path = f"/cases/{code}"
        for reader in (self.officer, self.lead):
            for read in ("/cases", "/events", "/worklist", path):
                self.send("GET", read, reader)
        tag = self.send("GET", path, self.lead).headers["ETag"]
        self.send("POST", f"{path}/acknowledge", self.lead | {"If-Match": tag})
        if opens_section:
            opening = self.lead | {"Purpose": "assessment"}
            self.send("GET", f"{path}/sections/needs", opening)

    def send(
        self, method: str, path: str, headers: dict[str, str], body: object = None
    ) -> httpx.Response:
        once = {"Idempotency-Key": str(uuid4())}
        answer = self.http.request(method, path, headers=headers | once, json=body)
        self.answers.append((f"{method} {path}", answer.status_code))
        return answer


def find_first_body() -> str:
    """Return the JSON of the first case of the README, with current dates."""
    [first] = typed(FIRST)
    body = first.partition("<<JSON\n")[2].rpartition("\nJSON")[0]
    year = time.gmtime().tm_year
    dates = {"$TODAY": time.strftime("%F", time.gmtime()), "$UNTIL": f"{year + 1}-06-30"}
    for name, value in dates.items():
        body = body.replace(name, value if name == "$TODAY" else f"{value}T00:00:00Z")
    return body


@pytest.mark.whole
def test_requests_of_people_succeed_while_the_journeys_are_played(tmp_path: Path) -> None:
    with demo_serving(tmp_path, until=READY) as said:
        url = told(said, r"serving at (http://\S+),")
        keys = (told(said, r"KEY=(\S+)"), told(said, r"LEAD=(\S+)"))
        newcomers = [Newcomer(url, keys, find_first_body()) for _ in range(2)]
        for one in newcomers:
            one.start()
        again = command(tmp_path, "demo", SAFE_CONDUCT_URL=url)
        said.read_until(PLAYED)
        for one in newcomers:
            one.stop.set()
            one.join(SECONDS)

    answers = [answer for one in newcomers for answer in one.answers]
    assert [answer for answer in answers if answer[1] not in {200, 201}] == []
    assert len(answers) > 50
    assert (again.returncode, again.stderr) == (0, "")
    assert said[-1].startswith("All 8 journeys were"), said


@pytest.mark.whole
def test_a_journey_that_fails_is_named_at_the_end_and_the_others_are_played(
    tmp_path: Path,
) -> None:
    disable_demo_account(tmp_path)

    with demo_serving(tmp_path) as said:
        pass

    assert said[-1].startswith("7 of 8 journeys were played.")
    assert said[-3] == "A journey failed:"
    assert said[-2].startswith("  regions: ")
    assert ": 401 " in said[-2]
    assert any("The case is assisting. The access log:" in line for line in said)


def disable_demo_account(folder: Path) -> None:
    """Set up the demonstration, and disable an account that only one journey needs."""
    settings = DemoSettings(
        database_url=f"sqlite:///{folder}/var/demo.db", key_file=folder / "var/keys"
    )
    prepare(settings)
    runtime = load_runtime(settings)
    prepare_demo_keys(runtime)
    with runtime.database.begin_write() as session:
        office = directory_queries.get_id(session, PA_INTERPRETER.focal_point)
        found = access_queries.find_by_label(session, office, PA_INTERPRETER.label)
        assert found is not None
        disable_account(session, found, runtime.clock())
    runtime.database.engine.dispose()


def test_a_terminal_gets_a_progress_bar_and_has_its_cursor_after_ctrl_c(
    tmp_path: Path,
) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [COMMAND, "demo", "serve"],
        env=environment(tmp_path, TERM="xterm", COLUMNS="200"),
        cwd=tmp_path,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)

    shown = read_terminal(ours, "1/8")
    process.send_signal(signal.SIGINT)
    shown += read_terminal(ours)

    assert process.wait(SECONDS) in {0, -signal.SIGINT, 130}
    assert READY in shown
    assert "Journey `worker`" not in shown
    assert shown.rindex(SHOWN_CURSOR) > shown.rindex("1/8")
    assert "Traceback" not in shown
    assert PLAYED not in shown


def read_terminal(terminal: int, until: str | None = None) -> str:
    """Read a program's terminal output until it contains `until` or ends, and return it."""
    shown = b""
    while until is None or until.encode() not in shown:
        try:
            found = os.read(terminal, 65536)
        except OSError:
            break
        if not found:
            break
        shown += found
    return shown.decode()


@pytest.mark.parametrize(
    ("url", "named"),
    [
        ("http://127.0.0.1:8000", "http://localhost:8000"),
        ("http://0.0.0.0:8000", "http://localhost:8000"),
        ("http://[::1]:8000", "http://localhost:8000"),
        ("http://127.0.0.2:8000", "http://127.0.0.2:8000"),
        ("http://192.0.2.7:8000", "http://192.0.2.7:8000"),
    ],
)
def test_a_browser_on_this_machine_gets_a_name_that_passkeys_accept(
    url: str, named: str
) -> None:
    assert name_this_machine(httpx.URL(url)) == named
