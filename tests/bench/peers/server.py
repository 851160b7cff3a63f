"""The service on Django REST framework, which gunicorn runs on a separate database."""

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final

from sqlalchemy import URL, make_url

from tests.bench.checks import Lost, connect, select_numbers
from tests.bench.client import send_once
from tests.bench.places import HOME, Place
from tests.bench.processes import (
    ROOT,
    SERVERS,
    find_free_port,
    measure_family_cpu,
    run_program,
    wait_until,
)
from tests.bench.sides import Side, render

BIN: Final = HOME / "peers" / "venv" / "bin"
"""The programs of the environment that `make bench-peers` installs."""
APPLICATION: Final = "tests.bench.peers.drf.application:application"
SETTINGS: Final = "tests.bench.peers.drf.settings"
THREADS: Final = 8
"""Number of threads: one for each client of the benchmark, like the floor on PostgreSQL."""
STORED: Final = "SELECT count(*) FROM drf_case"
DELIVERED: Final = "SELECT count(*) FROM drf_event"


class NotInstalled(Exception):  # noqa: N818 - without a suffix, as Problem classes are
    """The environment of the other frameworks is missing."""


class NotPrepared(Exception):  # noqa: N818 - without a suffix, as Problem classes are
    """A command of the service failed; the message is the end of its log."""


def get_program(name: str, folder: Path = BIN) -> Path:
    """Return the path of a program, or raise NotInstalled if the program is missing."""
    if not (folder / name).exists():
        raise NotInstalled(f"{name} is missing. `make bench-peers` installs it.")
    return folder / name


@contextmanager
def make_database(place: Place) -> Iterator[URL]:
    """Yield the URL of a new database, which is removed with that of Safe Conduct."""
    if place.postmaster is None:
        yield make_url(f"sqlite:///{place.folder / 'peer.db'}")
        return
    with connect(place.product) as connection:
        connection.exec_driver_sql("CREATE DATABASE peer")
    yield make_url(place.product).set(database="peer")


def describe_database(url: URL) -> dict[str, str]:
    """Return the connection to a database as a dictionary for the settings of Django."""
    if url.get_backend_name() == "sqlite":
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": str(url.database)}
    host = url.query.get("host", url.host)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": str(url.database),
        "USER": url.username or "",
        "PASSWORD": url.password or "",
        "HOST": str(host or ""),
        "PORT": str(url.port or ""),
    }


def get_environment(url: URL) -> dict[str, str]:
    """Return the environment variables of the service and of its commands."""
    database = json.dumps(describe_database(url))
    return {"PEER_DATABASE": database, "DJANGO_SETTINGS_MODULE": SETTINGS}


def get_command(port: int) -> list[str | Path]:
    """Return the command that serves the application in one process with threads."""
    return [
        get_program("gunicorn"),
        "--worker-class=gthread",
        "--workers=1",
        f"--threads={THREADS}",
        "--keep-alive=60",
        "--no-control-socket",
        "--log-level=warning",
        f"--bind=127.0.0.1:{port}",
        APPLICATION,
    ]


def prepare_keys(environment: dict[str, str], log: Path) -> list[str]:
    """Create the tables, and return the API keys of the submitter and of the lead.

    Raises NotPrepared if a command fails.
    """
    keys = [secrets.token_urlsafe(32), secrets.token_urlsafe(32)]
    for words in (["migrate", "--run-syncdb", "--verbosity=0"], ["create_offices", *keys]):
        with run_program(
            [get_program("django-admin"), *words], SERVERS, log, ROOT, **environment
        ) as command:
            if command.wait():
                raise NotPrepared(log.read_text("utf-8")[-2000:])
    return keys


@contextmanager
def run_peer(place: Place, root: Path = ROOT) -> Iterator[Side]:
    """Run the service while the context is open, then check its database.

    The CPU time of the service includes all processes of gunicorn.
    """
    log, port = place.folder / "peer.log", find_free_port()
    with make_database(place) as url:
        environment = get_environment(url)
        submitter, lead = prepare_keys(environment, log)
        with run_program(get_command(port), SERVERS, log, root, **environment) as process:
            ask = partial(send_once, port, render("GET", "events", lead), 200)
            wait_until(process, ask, log)
            cpu = partial(measure_family_cpu, process.pid)
            side = Side("DRF", port, submitter, lead, cpu, place.measure_cpu)
            yield side
        require_stored(url, side)


def require_stored(url: URL, side: Side) -> None:
    """Raise Lost unless there are as many cases and events as responses with status 201."""
    text = url.render_as_string(hide_password=False)
    cases, events = select_numbers(text, STORED, DELIVERED)
    if cases != side.made or events != side.made:
        raise Lost(f"{side.name}: {cases} cases, {events} events, {side.made} answers.")
