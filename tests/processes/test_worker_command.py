"""Tests of the worker as an operator sees it: status, metrics, log and stop."""

import json
import math
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from app.deadlines.limits import DeadlineKind
from app.deadlines.models import Clock
from app.kernel.db import Database, get_database_time
from app.kernel.heartbeat import Part, record_heartbeat
from tests.processes.test_demo import COMMAND, SECONDS, command, environment
from tests.support.metrics_scrape import Scraper
from tests.support.servers import open_port, write_key_file
from tests.support.world import Json

pytestmark = pytest.mark.slow
OPENING = {"drill", "guards"}
"""Events that some environments log at the start, before the first round."""


@dataclass(frozen=True)
class WorkerSite:
    """A folder with a key file, and a database with a directory."""

    folder: Path
    database: Database
    settings: dict[str, str]

    def runs(self, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
        return command(self.folder, *words, **self.settings | more)

    def status(self) -> tuple[int, Json]:
        said = self.runs("worker", "status", "--json")
        assert said.stderr == ""
        return said.returncode, json.loads(said.stdout)

    def now(self) -> datetime:
        with self.database.begin_read() as session:
            return get_database_time(session)

    def beats(self) -> None:
        with self.database.begin_write() as session:
            for part in Part:
                record_heartbeat(session, part, self.now())

    def runs_out(self, kind: DeadlineKind, failures: int = 0) -> None:
        """Insert a deadline that passed a day ago, with this number of failed attempts."""
        now, day = self.now(), timedelta(days=1)
        clock = Clock(
            case_id=uuid4(),
            record_id=uuid4(),
            reference="cases/SC-PLANTED",
            kind=kind,
            set_at=now - 2 * day,
            due_at=now - day,
            fires_at=now + day if failures else None,
            failures=failures,
        )
        with self.database.begin_write() as session:
            session.add(clock)

    @contextmanager
    def process(self, *words: str, **more: str) -> Iterator[list[Json]]:
        """Run a command while the context is open, and yield the list of its log lines."""
        logged: list[Json] = []
        running = subprocess.Popen(
            [COMMAND, *words],
            env=environment(self.folder, **self.settings | more),
            cwd=self.folder,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            yield logged
        finally:
            running.send_signal(signal.SIGTERM)
            _, said = running.communicate(timeout=SECONDS)
            logged += [json.loads(line) for line in said.splitlines()]
        assert running.returncode in {0, -signal.SIGTERM}


@pytest.fixture
def house(tmp_path: Path, url: str, database: Database) -> WorkerSite:
    keys = str(write_key_file(tmp_path))
    settings = {
        "SAFE_CONDUCT_DATABASE_URL": url,
        "SAFE_CONDUCT_KEY_FILE": keys,
        "SAFE_CONDUCT_ENVIRONMENT": "drill",
    }
    return WorkerSite(tmp_path, database, settings)


def free_port() -> str:
    with open_port() as taken:
        return str(taken.getsockname()[1])


def answered(url: str) -> None:
    """Wait until the URL responds, for at most `SECONDS` seconds."""
    deadline = time.monotonic() + SECONDS
    while True:
        try:
            httpx.get(url, timeout=30, trust_env=False)
        except httpx.TransportError:
            assert time.monotonic() < deadline
            time.sleep(0.2)
        else:
            return


def test_before_there_are_tables_it_says_how_to_make_them(tmp_path: Path) -> None:
    write_key_file(tmp_path)
    (tmp_path / "var").mkdir()

    refused = command(tmp_path, "worker", "status", SAFE_CONDUCT_KEY_FILE="keys")

    assert refused.returncode == 1
    assert "safe-conduct migrate" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_before_a_worker_was_ever_there_somebody_has_to_look(house: WorkerSite) -> None:
    table = house.runs("worker", "status")
    code, told = house.status()

    assert (table.returncode, code) == (1, 1)
    assert "never" in table.stdout
    assert "To do: No worker completes a round" in table.stdout
    assert told["well"] is False
    silent = [one for one in told["gauges"] if not one["well"]]
    assert {one["name"] for one in silent} == {"heartbeat_age_seconds"}
    assert {one["of"] for one in silent} == {*Part}
    assert {(one["value"], one["limit"]) for one in silent} == {(None, 60)}


def test_a_worker_that_runs_is_well_is_scraped_and_ends_when_told(
    house: WorkerSite,
) -> None:
    port = free_port()
    with house.process("worker", "run", SAFE_CONDUCT_METRICS_PORT=port) as logged:
        answered(f"http://127.0.0.1:{port}/metrics")
        while house.status()[0]:
            time.sleep(0.2)
        table = house.runs("worker", "status")
        scraper = Scraper(int(port))
        while scraper.get_value("heartbeat_age_seconds", part="clocks") == math.inf:
            time.sleep(0.2)  # the process queries at intervals, not at each scrape
        scraped = scraper.read_samples()

    assert (table.returncode, "No action is needed." in table.stdout) == (0, True)
    assert scraped["database_up", frozenset()] == 1
    assert scraped["heartbeat_age_seconds", frozenset({("part", "clocks")})] < 60
    events = [line["event"] for line in logged if line["event"] not in OPENING]
    assert (events[0], events[-1]) == ("metrics", "worker.ended")
    assert logged[-1]["unfinished"] == []


def test_a_worker_ends_though_the_signal_reached_another_thread(house: WorkerSite) -> None:
    """A worker ends even if another of its threads received the signal."""
    (house.folder / "sitecustomize.py").write_text(SIGNALLED)
    paths = {"PYTHONPATH": str(house.folder), "END": str(house.folder / "end")}
    worker = subprocess.Popen(
        [COMMAND, "worker", "run"],
        env=environment(house.folder, **house.settings | paths),
        cwd=house.folder,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert worker.stderr
        while "worker.begun" not in worker.stderr.readline():
            assert worker.poll() is None
        (house.folder / "end").touch()
        _, said = worker.communicate(timeout=SECONDS)
    finally:
        worker.kill()
        worker.wait()

    assert worker.returncode == 0
    assert "worker.ended" in said


SIGNALLED = """
import os, signal, threading, time


def end():
    while not os.path.exists(os.environ["END"]):
        time.sleep(0.1)
    signal.pthread_kill(threading.get_ident(), signal.SIGTERM)


threading.Thread(target=end, daemon=True).start()
"""


def test_serving_tells_metrics_on_another_port_than_the_api(house: WorkerSite) -> None:
    port, metrics = free_port(), free_port()
    settings = {"SAFE_CONDUCT_PORT": port, "SAFE_CONDUCT_METRICS_PORT": metrics}
    with house.process("serve", **settings):
        answered(f"http://127.0.0.1:{port}/livez")
        on_api = httpx.get(f"http://127.0.0.1:{port}/metrics", trust_env=False)
        counted = Scraper(int(metrics)).read_samples()

    live = {("method", "GET"), ("route", "/livez"), ("status", "200")}
    assert on_api.status_code == 404
    assert counted["requests_total", frozenset(live)] == 1


def test_key_file_that_is_not_used_is_counted(house: WorkerSite) -> None:
    port, metrics = free_port(), free_port()
    settings = {"SAFE_CONDUCT_PORT": port, "SAFE_CONDUCT_METRICS_PORT": metrics}
    me = f"http://127.0.0.1:{port}/v1/me"
    with house.process("serve", **settings) as logged:
        answered(f"http://127.0.0.1:{port}/livez")
        before = Scraper(int(metrics)).get_value("key_file_errors_total")
        replace_file(Path(house.settings["SAFE_CONDUCT_KEY_FILE"]), "no key\n")
        answer = httpx.get(me, headers={"Authorization": "Bearer none"}, trust_env=False)
        after = Scraper(int(metrics)).get_value("key_file_errors_total")

    assert answer.status_code == 401
    assert (before, after) == (0, 1)
    assert [line["said"] for line in logged if line["event"] == "keys"] == ["refused"]


def replace_file(path: Path, content: str) -> None:
    """Replace a file as an operator does, with the same permissions."""
    new = path.with_suffix(".new")
    new.touch(mode=0o600)
    new.write_text(content)
    new.replace(path)


def test_what_waits_and_what_fails_is_counted_and_the_worst_is_named(
    house: WorkerSite,
) -> None:
    house.beats()
    well = house.status()
    house.runs_out(DeadlineKind.REVIEW)
    house.runs_out(DeadlineKind.ACKNOWLEDGE, failures=2)
    house.runs_out(DeadlineKind.DECIDE_LEAD, failures=7)
    house.beats()

    code, told = house.status()
    table = house.runs("worker", "status")

    gauges = {one["name"]: one for one in told["gauges"]}
    assert (well[0], well[1]["well"], well[1]["to_do"]) == (0, True, [])
    assert (code, told["well"], len(told["to_do"])) == (1, False, 2)
    assert gauges["clocks_overdue"]["value"] == 1
    assert gauges["clock_oldest_overdue_seconds"]["well"] is False
    assert gauges["clocks_failing"]["value"] == 2
    assert gauges["clocks_failing"]["detail"] == "worst: decide_lead, failed 7 times"
    assert table.stdout.count("ACTION") == 2
    assert "worst: decide_lead" in table.stdout
    assert "cases/" not in table.stdout + json.dumps(told)


def test_a_port_that_is_taken_is_said_and_nothing_is_started(house: WorkerSite) -> None:
    with open_port() as taken:
        taken.listen()
        port = str(taken.getsockname()[1])
        refused = house.runs("worker", "run", SAFE_CONDUCT_METRICS_PORT=port)

    assert refused.returncode == 1
    assert "SAFE_CONDUCT_METRICS_PORT" in refused.stderr
    assert "Traceback" not in refused.stderr
