"""Tests of notifications with the settings of an operator."""

import json
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import select

from app.cli import operator_actions
from app.kernel import migrations
from app.kernel.actors import SYSTEM
from app.kernel.file_keys import FileKeys
from app.kernel.transactions import Runtime, begin_write
from app.outbox.models import Outgoing
from app.runtime import build_runtime
from tests.processes.test_demo import COMMAND, command, environment
from tests.support.mail_servers import SENDER, FakeServer, Mood, send_to_offices, serve_mail
from tests.support.world import NOON, Json

pytestmark = pytest.mark.slow
CONTACTS = (
    "code,focal_point,channel,address,language,label,active\n"
    "UZ_LEAD_MAIL,UZ_LEAD,email,duty@lead.example,uz,night desk,true\n"
    "UZ_LEAD_SMS,UZ_LEAD,sms,+447700900101,uz,night desk,true\n"
)
DRILL = {"SAFE_CONDUCT_ENVIRONMENT": "drill"}
DESKS = (Path(__file__).parents[2] / "app/demo/data/focal_points.csv").read_text("utf-8")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Return the folder of a service whose offices have contacts."""
    mine = tmp_path / "mine"
    mine.mkdir()
    (tmp_path / "var").mkdir()
    (mine / "contacts.csv").write_text(CONTACTS)
    (mine / "focal_points.csv").write_text(DESKS)
    FileKeys.create(tmp_path / "var" / "keys")
    migrations.upgrade(get_database_url(tmp_path))
    runtime = ground_of(tmp_path)
    operator_actions.load_directory(runtime, None)
    operator_actions.load_directory(runtime, mine)
    runtime.database.engine.dispose()
    return tmp_path


def ground_of(home: Path) -> Runtime:
    return build_runtime(get_database_url(home), FileKeys.load(home / "var" / "keys"))


def queue(home: Path) -> None:
    """Queue a notification to an office, like the worker after a missed deadline."""
    runtime = ground_of(home)
    with begin_write(runtime, SYSTEM) as tx:
        send_to_offices(tx, "UZ_LEAD")
    runtime.database.engine.dispose()


def load_states(home: Path) -> dict[str, str]:
    runtime = ground_of(home)
    with runtime.database.begin_read() as session:
        found = {one.recipient: str(one.state) for one in session.scalars(select(Outgoing))}
    runtime.database.engine.dispose()
    return found


def gauges(home: Path) -> dict[str, Json]:
    """Return the gauges of `worker status` by name and subject."""
    told = json.loads(command(home, "worker", "status", "--json").stdout)["gauges"]
    return {" ".join(filter(None, (one["name"], one["of"]))): one for one in told}


def get_database_url(home: Path) -> str:
    return environment(home)["SAFE_CONDUCT_DATABASE_URL"]


@contextmanager
def run_worker(home: Path, **settings: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a worker, yield its process, and stop the worker as an operator would."""
    process = subprocess.Popen(
        [COMMAND, "worker", "run"],
        env=environment(home, **DRILL | settings),
        cwd=home,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(40)


def test_the_doctor_says_what_keeps_notices_from_those_they_are_for(home: Path) -> None:
    again = command(home, "directory", "load", "mine")
    nothing = " ".join(command(home, "doctor", **DRILL).stdout.split())
    where = {"SAFE_CONDUCT_SMTP_HOST": "mail.example", "SAFE_CONDUCT_SMTP_FROM": SENDER}
    mail = DRILL | where
    half = " ".join(command(home, "doctor", **mail).stdout.split())
    wrong = command(home, "doctor", **mail | {"SAFE_CONDUCT_SMTP_FROM": "nobody"})

    assert "contacts: 0 added, 0 changed, 2 unchanged" in again.stdout
    assert "Warning: no notifications are sent: set SAFE_CONDUCT_SMTP_HOST or" in nothing
    assert "Warning: no sms is sent: set SAFE_CONDUCT_SMS_GATEWAY_URL" in half
    assert "no notifications are sent" not in half
    assert "59 active offices have no contact to notify: AG_LEAD, BB_LEAD," in half
    assert "VC_LEAD Warning: 48 active offices cannot do what they are asked" in half
    assert "coordinator: DESK_CARIBBEAN, DESK_CENTRAL_AMERICA, DESK_CENTRAL_ASIA" in half
    assert wrong.returncode == 1
    assert (
        "SAFE_CONDUCT_SMTP_FROM must be an e-mail address without a name." in wrong.stderr
    )


def test_a_worker_sends_what_waits_by_what_is_set_up_and_ends_when_told(home: Path) -> None:
    postman = FakeServer(lambda: NOON)
    queue(home)
    before = gauges(home)
    with serve_mail(postman) as port:
        told = {
            "SAFE_CONDUCT_SMTP_HOST": "127.0.0.1",
            "SAFE_CONDUCT_SMTP_PORT": str(port),
            "SAFE_CONDUCT_SMTP_FROM": SENDER,
            "SAFE_CONDUCT_SIGN_IN_URL": "https://sign-in.example",
        }
        with run_worker(home, **told) as worker:
            until(lambda: len(postman.received) > 0)
            until(lambda: bool(gauges(home)["heartbeat_age_seconds notices"]["well"]))

    assert before["outgoing_waiting"]["value"] == 2
    assert not before["heartbeat_age_seconds notices"]["well"]
    assert worker.returncode == 0
    [mail] = postman.list_mails()
    assert mail["To"] == "duty@lead.example"
    assert mail.get_content() == (
        "Sizga xabar bor. Iltimos, tizimga kiring: https://sign-in.example\r\n"
    )
    assert load_states(home) == {"UZ_LEAD_MAIL": "sent", "UZ_LEAD_SMS": "waiting"}


def test_a_worker_whose_mail_server_hangs_ends_within_half_a_minute(home: Path) -> None:
    postman = FakeServer(lambda: NOON, mood=lambda: Mood.SILENT)
    queue(home)
    with serve_mail(postman) as port:
        told = {
            "SAFE_CONDUCT_SMTP_HOST": "127.0.0.1",
            "SAFE_CONDUCT_SMTP_PORT": str(port),
            "SAFE_CONDUCT_SMTP_FROM": SENDER,
        }
        with run_worker(home, **told) as worker:
            until(lambda: postman.request_count > 0)
            began = time.monotonic()
        took = time.monotonic() - began

    assert worker.returncode == 0
    assert took < 30


def until(done: Callable[[], bool]) -> None:
    for _ in range(1200):
        if done():
            return
        time.sleep(0.05)
    raise TimeoutError("The condition never held.")
