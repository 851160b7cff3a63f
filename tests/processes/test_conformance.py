"""Tests that the reference poller conforms, and that each broken poller is found."""

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from math import ceil
from pathlib import Path
from shlex import quote
from threading import Thread
from time import time
from typing import override

import pytest

from tests.support.effort import choose_number
from tests.support.servers import ROOT, serve_world
from tests.support.world import unwrap

pytestmark = pytest.mark.slow
KIT = ROOT / "conformance"
KILLS = choose_number(15, sample=4)
WHOLE = (KIT / "poller.py").read_text()
EARLY = """\
    with inbox:
        inbox.execute("DELETE FROM stand")
        inbox.execute("INSERT INTO stand VALUES (?)", (page["cursor"],))
    for _ in "1":
        time.sleep(0.3)
        for event"""
FAULTS = {
    "keeps where it stands before it deals with a page": (
        "    with inbox:\n        for event",
        EARLY,
        "missed|another order",
    ),
    "deals with what it has dealt with": (
        'if not inbox.execute(known, (event["id"],)).fetchone():',
        "if True:",
        "more than once",
    ),
    "does not wait": ("time.sleep(parse", "time.sleep(0 * parse", "Retry-After"),
    "makes cursors up": ('{"after": cursor}', '{"after": f"{cursor}1"}', "was not given"),
    "ends when the service was restored": (
        "                start_over(inbox)",
        "                sys.exit(0)",
        "ended by itself",
    ),
}  # fmt: skip


def check(
    poller: Path, kills: int, seed: int, python: str = sys.executable
) -> subprocess.CompletedProcess[str]:
    run = f"{quote(python)} {quote(str(poller))} {{state}}"
    command = [
        python,
        str(KIT / "check.py"),
        "--run",
        run,
        "--list",
        f"{run} --list",
    ]
    options = ["--kills", str(kills), "--patience", "25", "--seed", str(seed)]
    return subprocess.run(
        [*command, *options], capture_output=True, text=True, timeout=200, check=False
    )


def test_the_reference_poller_conforms() -> None:
    found = check(KIT / "poller.py", kills=KILLS, seed=1)
    assert (found.returncode, found.stderr) == (0, "")
    assert found.stdout == f"All 400 events once, in order, after {KILLS} kills.\n"


@pytest.mark.sweep
@pytest.mark.parametrize("fault", FAULTS)
def test_a_poller_with_a_fault_does_not(tmp_path: Path, fault: str) -> None:
    right, wrong, told = FAULTS[fault]
    assert right in WHOLE
    text = WHOLE.replace(right, wrong)
    if "more than once" in told:
        text = text.replace("id TEXT UNIQUE", "id TEXT")
    poller = tmp_path / "poller.py"
    poller.write_text(text)
    found = check(poller, kills=choose_number(10, sample=5), seed=2)
    assert found.returncode == 1
    assert re.search(told, found.stdout)


def test_the_reference_poller_follows_the_service_itself(
    sqlite_url: str, tmp_path: Path
) -> None:
    with serve_world(sqlite_url) as world:
        officer, lead = world.add_person("UZ_CONSULATE_ALMATY"), world.add_person("KZ_LEAD")
        codes = [officer.submit()["code"] for _ in range(3)]
        poller = [sys.executable, str(KIT / "poller.py"), str(tmp_path / "inbox.db")]
        where = f"http://127.0.0.1:{world.port}"
        env = {"SAFE_CONDUCT_URL": where, "SAFE_CONDUCT_KEY": lead.key}
        subprocess.run([*poller, "--once"], env=env, check=True, timeout=60)
        told = subprocess.check_output([*poller, "--list"], text=True)
        events = unwrap(lead.get("/events"))["items"]

    assert told.split() == [
        word for one in events for word in (one["id"], one["type"], one["subject"])
    ]
    assert [one["subject"] for one in events] == [f"cases/{code}" for code in codes]


@dataclass
class Answers:
    """The responses that a server sends in turn, and the keys that it received."""

    said: list[tuple[int, dict[str, str]]]
    keys: list[str] = field(default_factory=list)


@contextmanager
def serve_answers(*said: tuple[int, dict[str, str]]) -> Iterator[tuple[Answers, str]]:
    """Serve the given responses and then empty pages; yield their record and the URL."""
    answers = Answers(list(said))

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answers.keys.append(self.headers["Authorization"])
            status, headers = answers.said.pop(0) if answers.said else (200, {})
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(b'{"items": [], "cursor": "1.0", "more": false}')

        @override
        def log_message(self, *_: object) -> None:
            """Print nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
        try:
            yield answers, f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


def poll_once(where: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(KIT / "poller.py"), str(folder / "inbox.db"), "--once"]
    env = {"SAFE_CONDUCT_URL": where, "SAFE_CONDUCT_KEY": "sc_secret"}
    return subprocess.run(
        command, env=env, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_the_reference_poller_takes_its_key_nowhere_else(
    tmp_path: Path, status: int
) -> None:
    with serve_answers() as (other, elsewhere):
        to = elsewhere.replace("127.0.0.1", "localhost") + "/v1/events"
        with serve_answers((status, {"Location": to})) as (_, where):
            ended = poll_once(where, tmp_path)

    assert other.keys == []
    assert ended.returncode == 1
    assert ended.stderr.startswith(f"{status}: redirected.")


@pytest.mark.parametrize("status", [429, 503])
def test_the_reference_poller_waits_until_the_time_that_it_is_told(
    tmp_path: Path, status: int
) -> None:
    until = ceil(time()) + 2
    dated = (status, {"Retry-After": formatdate(until, usegmt=True)})
    past = (status, {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"})
    with serve_answers(dated, past, (status, {"Retry-After": "soon"})) as (answers, where):
        ended = poll_once(where, tmp_path)
        took_until = time()

    assert (ended.returncode, ended.stderr) == (0, "")
    assert len(answers.keys) == 4
    assert until + 2 <= took_until < until + 10
