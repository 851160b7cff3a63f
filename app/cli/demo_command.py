"""The commands that serve the demonstration and run its journeys, with made-up data."""

import secrets
import threading
import time
from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import httpx
import uvicorn

from app.cli.http_server import build_server, open_port
from app.cli.key_table import KeyLine, format_key_table
from app.cli.readiness import require_ready
from app.cli.startup import (
    NotReady,
    add_key,
    claim_sqlite_file,
    describe_drill,
    load_runtime,
    migrate,
    serve_metrics,
)
from app.cli.worker_process import build_jobs
from app.console.options import ConsoleOptions, DemoPerson, DemoSignIn
from app.deadlines.actions import expire_all
from app.demo import journeys
from app.demo.demo_accounts import KZ_LEAD, UZ_OFFICER, DemoAccount
from app.demo.demo_setup import KEY_DAYS, DemoSetup, create_keys, load_directory
from app.demo.demo_users import Demo, JourneyFailed
from app.demo.journeys import Journey
from app.demo.worker import REFERENCE
from app.kernel import durable
from app.kernel.ledger import Ledger
from app.kernel.transactions import Runtime
from app.main import add_console, create_app
from app.settings import DEFAULT_URL, Settings
from app.worker.jobs import start_jobs

KEYS_NAME: Final = "demo-api-keys.csv"
"""The file of the API keys, in the folder of the key-encryption keys."""
PATIENCE: Final = timedelta(seconds=30)
NO_SERVICE: Final = (
    f"There is no answer at SAFE_CONDUCT_URL (default {DEFAULT_URL}). Start `safe-conduct "
    "demo serve`, or set SAFE_CONDUCT_URL to the URL of the running demonstration."
)
type Say = Callable[[str], None]


def prepare(settings: Settings) -> None:
    """Create the database tables, and the key file if it does not exist."""
    if not settings.key_file.exists():
        add_key(settings.key_file)
    migrate(settings)


def prepare_demo_keys(runtime: Runtime) -> dict[DemoAccount, str]:
    """Load the made-up offices, and return an API key for each account, valid for a day."""
    with runtime.database.begin_write() as session:
        stage = DemoSetup(session, runtime.clock(), runtime.ids)
        load_directory(stage)
        return create_keys(stage)


def write_keys(path: Path, keys: Mapping[DemoAccount, str], expires_at: datetime) -> None:
    """Write the API keys of all accounts to a file that only its owner can read.

    Raises NotReady if the file cannot be written.
    """
    table = format_key_table(
        KeyLine(part.focal_point, part.label, part.roles, key, expires_at)
        for part, key in keys.items()
    )
    try:
        durable.replace(path, table)
    except OSError as error:
        raise NotReady(f"{path} cannot be written: {error.strerror}.") from error


def play(settings: Settings, say: Say, chosen: Collection[Journey] = ()) -> None:
    """Run the chosen demo journeys against the running service; by default, all of them.

    Raises NotReady if no service answers.
    """
    runtime = load_runtime(settings)
    keys = prepare_demo_keys(runtime)
    try:
        with httpx.Client(base_url=settings.url) as http:
            journeys.play(build_demo(http, runtime, keys, say), chosen)
    except (httpx.TransportError, httpx.InvalidURL) as error:
        raise NotReady(NO_SERVICE) from error
    runtime.database.engine.dispose()


def build_demo(
    http: httpx.Client, runtime: Runtime, keys: Mapping[DemoAccount, str], say: Say
) -> Demo:
    """Return the `Demo` that runs journeys with this client and these API keys."""
    expire, now = build_expiry(runtime), runtime.clock()
    return Demo(http=http, keys=keys, say=say, now=now, run_out=expire)


def build_expiry(runtime: Runtime) -> Callable[[str], None]:
    """Return a function that makes all deadlines of a case due now."""

    def expire(code: str) -> None:
        with runtime.database.begin_write() as session:
            expire_all(session, f"cases/{code}", runtime.time(session))

    return expire


def serve(settings: Settings, say: Say) -> None:
    """Serve the demonstration, run its journeys, and print two API keys.

    The API keys of all accounts are written to a file beside the key file.
    """
    prepare(settings)
    with claim_sqlite_file(settings.database_url):
        runtime = load_runtime(settings)
        expires_at = runtime.clock() + timedelta(days=KEY_DAYS)
        keys = prepare_demo_keys(runtime)
        keys_file = settings.key_file.with_name(KEYS_NAME)
        write_keys(keys_file, keys, expires_at)
        ledger = Ledger(settings.erasure_ledger)
        ledger.copy_erasures(runtime, create=True)
        require_ready(runtime, ledger, settings)
        port = open_port(settings)
        rate = settings.requests_per_minute
        url = settings.public_url or f"http://{settings.host}:{settings.port}"
        console = ConsoleOptions(settings.console_exit_url, build_demo_sign_in(keys))
        app = create_app(runtime, ledger, rate=rate, docs=True, public_url=url)
        add_console(app, console)
        running = build_server(app, settings)
        if drill := describe_drill(runtime):
            say(drill)
        args = (running, runtime, keys, keys_file, say)
        threading.Thread(target=play_when_serving, args=args, daemon=True).start()
        with (
            serve_metrics(runtime, settings),
            start_jobs(runtime, build_jobs(runtime, ledger, settings)),
        ):
            running.run([port])
        runtime.database.engine.dispose()


def build_demo_sign_in(keys: Mapping[DemoAccount, str]) -> DemoSignIn:
    """Return the people of the demonstration, with a new secret for the link."""
    people = tuple(
        DemoPerson(part.focal_point, part.label, tuple(sorted(part.roles)), key)
        for part, key in keys.items()
    )
    return DemoSignIn(secrets.token_urlsafe(16), people)


def play_when_serving(
    running: uvicorn.Server,
    runtime: Runtime,
    keys: Mapping[DemoAccount, str],
    keys_file: Path,
    say: Say,
) -> None:
    """Wait for the service, run the journeys, and print API keys and a sample request."""
    if (url := wait_for_url(running)) is None:
        return
    say(f"Safe Conduct is serving at {url}. The data that follows is made up.")
    say(f"API documentation: {url}/docs")
    try:
        with httpx.Client(base_url=url) as http:
            journeys.play(build_demo(http, runtime, keys, say))
    except JourneyFailed as broken:
        say(f"A journey failed: {broken}")
    say(format_hint(url, keys[UZ_OFFICER], keys[KZ_LEAD], keys_file))


def wait_for_url(running: uvicorn.Server) -> str | None:
    """Wait until the service runs, and return its URL, or None if it does not start."""
    deadline = time.monotonic() + PATIENCE.total_seconds()
    while not running.started:
        if time.monotonic() > deadline or running.should_exit:
            return None
        time.sleep(0.05)
    host, port = running.servers[0].sockets[0].getsockname()[:2]
    return f"http://{host}:{port}"


def format_hint(url: str, key: str, lead: str, keys_file: Path) -> str:
    """Return the text that shows two API keys and a first request to try."""
    return f"""
Safe Conduct is serving at {url}, with made-up data. Stop it with Ctrl-C.
Two API keys, valid for one day: of the consular officer who submitted {REFERENCE}, and of
the coordinator of {KZ_LEAD.focal_point}, which leads such cases.

    export KEY={key}
    export LEAD={lead}

The keys of all accounts of the demonstration are in this file: {keys_file}

A first request, which lists the cases of this officer:

    curl -s {url}/v1/cases -H "Authorization: Bearer {key}"
"""
