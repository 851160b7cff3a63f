"""Functions that serve the demonstration and run its journeys, with made-up data."""

import secrets
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from socket import socket
from typing import Final

import httpx
from rich.console import Console

from app.access.queries import has_other_accounts
from app.cli.demo_player import DemoPlayer, play_in_background
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
    replace_file,
    serve_metrics,
)
from app.cli.worker_process import build_jobs
from app.console.options import ConsoleOptions, DemoPerson, DemoSignIn
from app.deadlines.actions import expire_all
from app.demo import journeys
from app.demo.demo_accounts import (
    KZ_LEAD,
    PROTECTION_OFFICER,
    UZ_OFFICER,
    DemoAccount,
)
from app.demo.demo_setup import (
    KEY_DAYS,
    DemoSetup,
    create_keys,
    find_or_open_account,
    load_directory,
)
from app.demo.demo_users import Demo, Say
from app.demo.example_figures import release_example_figures
from app.demo.journeys import Journey
from app.demo.tour import OVERSIGHT_SECOND, TOUR
from app.demo.worker import REFERENCE
from app.kernel.ledger import Ledger
from app.kernel.transactions import Runtime
from app.main import add_console, create_app
from app.settings import DEFAULT_URL, Settings
from app.worker.jobs import start_jobs

KEYS_NAME: Final = "demo-api-keys.csv"
"""The name of the file with the API keys, in the folder of the key file."""
LOCALHOST: Final = frozenset({"127.0.0.1", "0.0.0.0", "::1", "::"})  # noqa: S104
"""Addresses at which a browser on this machine finds the service as `localhost`."""
EXPOSED: Final = """
WARNING: other machines can reach this demonstration, because it listens on {host}. Anyone
who has the link or a key below can use it. Never enter data of a real person. To allow
this machine only, set SAFE_CONDUCT_HOST=127.0.0.1; for a container, publish its port at
127.0.0.1 only.
"""
NO_SERVICE: Final = (
    f"There is no answer at SAFE_CONDUCT_URL (default {DEFAULT_URL}). Start `safe-conduct "
    "demo serve`, or set SAFE_CONDUCT_URL to the URL of the running demonstration."
)


def prepare(settings: Settings) -> None:
    """Create the database tables, and the key file if it does not exist."""
    if not settings.key_file.exists():
        add_key(settings)
    migrate(settings)


def prepare_demo_keys(runtime: Runtime) -> dict[DemoAccount, str]:
    """Load the made-up offices, and return an API key for each account, valid for a day.

    In a database without accounts, the example figures are released as well.
    """
    with runtime.database.begin_write() as session:
        stage = DemoSetup(session, runtime.clock(), runtime.ids)
        is_new = not has_other_accounts(session, ())
        load_directory(stage)
        keys = create_keys(stage)
        people = PROTECTION_OFFICER, OVERSIGHT_SECOND
        overseers = [find_or_open_account(stage, one) for one in people]
    if is_new:
        release_example_figures(runtime, *overseers)
    return keys


def write_keys(path: Path, keys: Mapping[DemoAccount, str], expires_at: datetime) -> None:
    """Write the API keys of all accounts to a file that only its owner can read.

    Raises NotReady if the file cannot be written.
    """
    table = format_key_table(
        KeyLine(part.focal_point, part.label, part.roles, key, expires_at)
        for part, key in keys.items()
    )
    replace_file(path, table)


def play(settings: Settings, say: Say, chosen: Collection[Journey] = ()) -> None:
    """Run the chosen demo journeys against the running service; by default, all of them.

    Raises NotReady if no service responds, and JourneyFailed if a journey fails.
    """
    runtime = load_runtime(settings)
    keys = prepare_demo_keys(runtime)
    try:
        with httpx.Client(base_url=settings.url) as http:
            journeys.play(build_demo(runtime, keys, http, say), chosen)
    except (httpx.TransportError, httpx.InvalidURL) as error:
        raise NotReady(NO_SERVICE) from error
    runtime.database.engine.dispose()


def build_demo(
    runtime: Runtime, keys: Mapping[DemoAccount, str], http: httpx.Client, say: Say
) -> Demo:
    """Return a `Demo`, which runs journeys with the given client and API keys."""
    expire, now = build_expiry(runtime), runtime.clock()
    return Demo(http=http, keys=keys, say=say, now=now, run_out=expire)


def build_expiry(runtime: Runtime) -> Callable[[str], None]:
    """Return a function that makes all deadlines of a case due now."""

    def expire(code: str) -> None:
        with runtime.database.begin_write() as session:
            expire_all(session, f"cases/{code}", runtime.time(session))

    return expire


def serve(
    settings: Settings, say: Say, console: Console, chosen: Collection[Journey]
) -> None:
    """Serve the demonstration, print how to use it, and run the chosen journeys meanwhile.

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
        local = build_local_url(port)
        url = settings.public_url or name_this_machine(local)
        sign_in, rate = build_demo_sign_in(keys), settings.requests_per_minute
        app = create_app(runtime, ledger, rate=rate, docs=True, public_url=url)
        add_console(app, ConsoleOptions(settings.console_exit_url, sign_in))
        running = build_server(app, settings)
        if drill := describe_drill(runtime):
            say(drill)
        addresses = DemoAddresses(url, local, sign_in.secret, keys_file)
        hint = format_hint(addresses, keys, len(chosen))
        play = partial(build_demo, runtime, keys)
        player = DemoPlayer(running, local, hint, console, say, play, chosen)
        with (
            serve_metrics(runtime, settings),
            start_jobs(runtime, build_jobs(runtime, ledger, settings)),
            play_in_background(player),
        ):
            running.run([port])
        runtime.database.engine.dispose()


def build_local_url(port: socket) -> httpx.URL:
    """Return the URL of a bound socket, with the numeric address as the host."""
    host, number = port.getsockname()[:2]
    return httpx.URL(scheme="http", host=host, port=number)


def name_this_machine(url: httpx.URL) -> str:
    """Return a URL for a browser on this machine, with `localhost` as the host if possible.

    A passkey needs a name, because browsers refuse passkeys for IP addresses.
    """
    return str(url.copy_with(host="localhost") if url.host in LOCALHOST else url)


def build_demo_sign_in(keys: Mapping[DemoAccount, str]) -> DemoSignIn:
    """Return the demo users, with a new secret for the sign-in link."""
    people = (
        DemoPerson(
            one.focal_point, one.label, tuple(sorted(one.roles)), keys[one], part, task
        )
        for part, stops in TOUR.items()
        for one, task in stops
    )
    return DemoSignIn(secrets.token_urlsafe(16), tuple(people))


@dataclass(frozen=True)
class DemoAddresses:
    """The URLs of the demonstration, the secret of its sign-in link, and its API key file.

    `local` contains the address of the socket, and `url` is for a browser.
    """

    url: str
    local: httpx.URL
    secret: str
    keys_file: Path


def describe_exposure(local: httpx.URL) -> str:
    """Return a warning if other machines can reach the socket, or an empty string."""
    return "" if ip_address(local.host).is_loopback else EXPOSED.format(host=local.host)


def format_hint(
    found: DemoAddresses, keys: Mapping[DemoAccount, str], journeys: int
) -> str:
    """Return the text that shows how to sign in, two API keys, and a first request."""
    key, lead = keys[UZ_OFFICER], keys[KZ_LEAD]
    return f"""{describe_exposure(found.local)}
Safe Conduct is serving at {found.url}, with made-up data. Stop it with Ctrl-C.

    Sign in as one of the made-up people: {found.url}/console/demo/{found.secret}
    API documentation: {found.url}/docs

Two API keys, valid for one day: of the consular officer who submits {REFERENCE}, and of
the coordinator of {KZ_LEAD.focal_point}, which leads such cases.

    export KEY={key}
    export LEAD={lead}

The keys of all accounts of the demonstration are in this file: {found.keys_file}

A first request, which lists the cases of this officer:

    curl -s {found.url}/v1/cases -H "Authorization: Bearer {key}"

{describe_plan(journeys)}
"""


def describe_plan(journeys: int) -> str:
    """Return a text that says how many journeys are played."""
    if not journeys:
        return "No example case is played."
    return f"{journeys} example cases are played now. You can use the service meanwhile."
