"""Tests that induced faults appear in the log, in `worker status` and in metrics."""

import json
import subprocess
import time
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from app.kernel.heartbeat import Part
from app.outbox.models import Outgoing
from tests.processes.test_demo import COMMAND, command, environment
from tests.processes.test_notices import DRILL, ground_of, home, queue
from tests.processes.test_worker_command import answered, free_port
from tests.support.mail_servers import SENDER
from tests.support.metrics_scrape import Scraper
from tests.support.world import Json

pytestmark = pytest.mark.slow
__all__ = ("home",)
FOUND = {
    ("heartbeat_age_seconds", "clocks"),
    ("outgoing_oldest_waiting_seconds", "email"),
    ("space_missing_bytes", "database"),
}


def update_queue_times(home: Path) -> None:
    """Change the waiting notifications so that they are one day old."""
    runtime = ground_of(home)
    long_ago = runtime.clock() - timedelta(days=1)
    with runtime.database.begin_write() as session:
        session.execute(update(Outgoing).values(queued_at=long_ago))
    runtime.database.engine.dispose()


def read_alarms(process: subprocess.Popen[str], wanted: int) -> list[Json]:
    """Read the log until it contains `wanted` alarms, and return the alarms."""
    assert process.stderr
    found: list[Json] = []
    while len(found) < wanted:
        line = process.stderr.readline()
        assert line, found
        said = json.loads(line)
        found += [said] if said["event"] == "alarm" else []
    return found


def test_dead_mail_no_worker_and_a_full_disk_are_told(home: Path) -> None:
    port = free_port()
    settings = DRILL | {
        "SAFE_CONDUCT_WORKER": "apart",
        "SAFE_CONDUCT_SMTP_HOST": "127.0.0.1",
        "SAFE_CONDUCT_SMTP_PORT": free_port(),
        "SAFE_CONDUCT_SMTP_FROM": SENDER,
        "SAFE_CONDUCT_METRICS_PORT": port,
        "SAFE_CONDUCT_LOW_SPACE_MIB": str(2**30),
    }
    queue(home)
    update_queue_times(home)
    began = time.monotonic()
    process = subprocess.Popen(
        [COMMAND, "serve"],
        env=environment(home, **settings),
        cwd=home,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        alarms = read_alarms(process, wanted=len(Part) + 2 + 3)  # 2 ways, 3 files
        took = time.monotonic() - began
        answered(f"http://127.0.0.1:{port}/metrics")
        scraper = Scraper(int(port))
        waits = scraper.get_value("outgoing_oldest_waiting_seconds", way="email")
        missing = scraper.get_value("space_missing_bytes", place="database")
        status = command(home, "worker", "status", "--json", **settings)
    finally:
        process.terminate()
        process.communicate()

    told = json.loads(status.stdout)
    unwell = {(one["name"], one["of"]) for one in told["gauges"] if not one["well"]}
    assert {(one["gauge"], one["of"]) for one in alarms} >= FOUND
    assert {one["level"] for one in alarms} == {"warning"}
    assert {one["to_do"] for one in alarms} <= {*told["to_do"]}
    assert (status.returncode, unwell >= FOUND) == (1, True)
    assert waits is not None
    assert missing
    assert waits >= 24 * 3600
    assert took < 60
