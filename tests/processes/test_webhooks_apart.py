"""Tests that webhooks in a separate process cannot delay the deadlines.

The processes, the receiver, its certificate and PostgreSQL are real. Only the host name of
the receiver is invented: a resolver in the processes resolves this name to this machine.
"""

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import cycle
from pathlib import Path
from tempfile import TemporaryFile
from typing import Final

import pytest
from sqlalchemy import func, select

from app.deadlines.missed_deadlines import count_overdue
from app.deadlines.models import Firing
from app.kernel.db import get_database_time
from app.kernel.heartbeat import Part
from tests.processes.test_demo import COMMAND, command, environment
from tests.support.mail_servers import Mood
from tests.support.servers import write_key_file
from tests.support.waiting import wait_until
from tests.support.webhook_receivers import Receiver, create_webhook, serve_receiver
from tests.support.worker_process import copy_case
from tests.support.world import HOST, Json, Someone, World

pytestmark = pytest.mark.slow
HOSTILE: Final = (Mood.NEVER_FINAL, Mood.SILENT, Mood.DRIBBLES)
OFFICES: Final = ("KZ_LEAD", "UZ_CONSULATE_ALMATY")
CASES: Final = 40
SECONDS: Final = 120
"""Seconds in which a busy machine finishes work that takes an idle machine one second."""
RESOLVER: Final = f"""
import socket

ask = socket.getaddrinfo


def look_up(host, *rest, **more):
    return ask("127.0.0.1" if host == {HOST!r} else host, *rest, **more)


socket.getaddrinfo = look_up
"""


@dataclass
class Worker:
    """A worker in its own process. `logged` contains its log once the process has ended."""

    process: subprocess.Popen[str]
    logged: list[Json] = field(default_factory=list)

    def parts(self) -> list[str]:
        [begun] = [one for one in self.logged if one["event"] == "worker.begun"]
        return list(begun["parts"])

    def says(self, event: str) -> list[Json]:
        return [one for one in self.logged if one["event"] == event]


@dataclass
class Site:
    """A site: the folder and the settings that all its workers share."""

    folder: Path
    settings: dict[str, str]

    @contextmanager
    def works(self, *words: str) -> Iterator[Worker]:
        """Run a worker while the context is open."""
        with TemporaryFile("w+", encoding="utf-8", dir=self.folder) as said:
            worker = Worker(
                subprocess.Popen(
                    [COMMAND, "worker", "run", *words],
                    env=environment(self.folder, **self.settings),
                    cwd=self.folder,
                    stderr=said,
                    text=True,
                )
            )
            try:
                yield worker
            finally:
                worker.process.send_signal(signal.SIGCONT)
                worker.process.send_signal(signal.SIGTERM)
                worker.process.wait(SECONDS)
                said.seek(0)
                worker.logged += map(json.loads, said.read().splitlines())

    def silent(self) -> set[str]:
        """Return the parts of the worker that `worker status` reports as not running."""
        told = command(self.folder, "worker", "status", "--json", **self.settings)
        return {
            one["of"]
            for one in json.loads(told.stdout)["gauges"]
            if one["name"] == "heartbeat_age_seconds" and not one["well"]
        }


@pytest.fixture
def receiver(world: World, tmp_path: Path) -> Iterator[Receiver]:
    """Yield a receiver that never answers a webhook in time."""
    moods = cycle(HOSTILE)
    world.now = datetime.now(UTC) - timedelta(days=30)
    with serve_receiver(world, tmp_path, lambda: next(moods)) as made:
        yield made


@pytest.fixture
def site(pg_url: str, receiver: Receiver, tmp_path: Path) -> Site:
    (tmp_path / "sitecustomize.py").write_text(RESOLVER)
    settings = {
        "PYTHONPATH": str(tmp_path),
        "SSL_CERT_FILE": str(tmp_path / HOST / "server.pem"),
        "SAFE_CONDUCT_DATABASE_URL": pg_url,
        "SAFE_CONDUCT_KEY_FILE": str(write_key_file(tmp_path)),
        "SAFE_CONDUCT_ERASURE_LEDGER": str(tmp_path / "erasures"),
        "SAFE_CONDUCT_ENVIRONMENT": "drill",
        "SAFE_CONDUCT_WEBHOOK_HOSTS": f"{HOST}:{receiver.port}",
        "SAFE_CONDUCT_WEBHOOK_DELAY_SECONDS": "0",
    }
    return Site(tmp_path, settings)


def count_fired(world: World) -> int:
    with world.database.begin_read() as session:
        return session.scalars(select(func.count()).select_from(Firing)).one()


def is_in_time(world: World) -> bool:
    """Return whether no deadline is overdue at present."""
    with world.database.begin_read() as session:
        return not count_overdue(session, get_database_time(session))


def test_the_clocks_go_on_while_a_receiver_is_hostile_and_even_stuck(
    receiver: Receiver, site: Site, officer: Someone, world: World
) -> None:
    for office in OFFICES:
        for _ in range(5):
            create_webhook(world, office, receiver.url)
    case = officer.submit()
    copy_case(world, case, CASES - 1)
    command(site.folder, "erasures", "export", **site.settings)
    postman = receiver.postman

    with site.works("--only", "webhooks") as pushes:
        wait_until(lambda: postman.request_count >= 2 * len(OFFICES), SECONDS)
        unattended = site.silent()
        with site.works("--without", "webhooks") as watches:
            wait_until(lambda: is_in_time(world), SECONDS)
            wait_until(lambda: not site.silent(), SECONDS)
            first = count_fired(world)
            os.kill(pushes.process.pid, signal.SIGSTOP)  # the worker is stuck now
            asked = postman.request_count
            copy_case(world, officer.submit(), CASES - 1)
            wait_until(lambda: is_in_time(world), SECONDS)
            again = count_fired(world)
            asked_by_others = postman.request_count - asked

    others = {*Part} - {Part.WEBHOOKS}
    assert unattended == others
    assert first >= CASES
    assert again >= first + CASES
    assert asked_by_others == 0
    assert pushes.parts() == ["webhooks"]
    assert {*watches.parts()} == others
    tried = {one["code"] for one in pushes.says("webhook.tried")}
    assert tried
    assert not any(code.startswith("2") for code in tried)
    assert watches.says("webhook.tried") == watches.says("clock.failed") == []


def test_a_worker_without_any_part_is_refused(tmp_path: Path) -> None:
    nothing = command(tmp_path, "worker", "run", "--only", "clocks", "--without", "clocks")
    unknown = command(tmp_path, "worker", "run", "--only", "clock")

    assert (nothing.returncode, unknown.returncode) == (1, 2)
    assert "--without" in nothing.stderr
    assert "Traceback" not in nothing.stderr
