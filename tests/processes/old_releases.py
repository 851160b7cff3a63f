"""A filled database of release 0.1.0 is restored or upgraded in place, and then served.

`make runbook` runs these tests: they need PostgreSQL 17, and the history of the repository.
"""

import csv
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, Final

import httpx2
import pytest

from tests.processes.test_demo import demo_serving, environment, told
from tests.support.checkouts import check_out
from tests.support.installed_servers import (
    InstalledServer,
    create_cluster,
    find_programs,
    start_installed,
)
from tests.support.page_commands import list_blocks, open_shell
from tests.support.servers import get_address, open_port
from tests.support.source_code import ROOT

RELEASE: Final = "d2dd9905"
"""The commit of release 0.1.0."""
OLD, NEW = 17, 18
PASSWORDS: Final = ("migrator-secret", "service-secret")
OPENED: Final = {"Purpose": "assessment"}
PLAYED: Final = "export LEAD="
"""A part of the line that 0.1.0 prints after the last journey."""

type Seen = dict[str, dict[str, Any]]
"""The needs in each case that an account lists, by the label of the account."""


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Yield a checkout of release 0.1.0."""
    with check_out(RELEASE, tmp_path_factory.mktemp("release")) as checkout:
        yield checkout


def create_roles(server: InstalledServer, release: Path) -> None:
    """Create the empty database and its roles as docs/operations.md says."""
    creating = list_blocks("operations.md", "A database on PostgreSQL")[0]
    for word, password in zip(("MIGRATOR", "SERVICE"), PASSWORDS, strict=True):
        creating = creating.replace(f"{word}_PASSWORD=...", f"{word}_PASSWORD={password}")
    with open_shell(release, server.variables) as shell:
        shell.run(creating)


def build_settings(server: InstalledServer) -> dict[str, str]:
    """Return the settings of a service on the database of a server."""
    migrator, service = (
        f"postgresql+psycopg://safe_conduct_{name}:{password}"
        f"@localhost:{server.port}/safe_conduct"
        for name, password in zip(("migrator", "service"), PASSWORDS, strict=True)
    )
    return {
        "SAFE_CONDUCT_DATABASE_URL": service,
        "SAFE_CONDUCT_MIGRATION_DATABASE_URL": migrator,
        "SAFE_CONDUCT_ENVIRONMENT": "drill",
    }


def fill(server: InstalledServer, release: Path, folder: Path) -> Seen:
    """Play the demonstration of the release, and return what its accounts read."""
    create_roles(server, release)
    settings = build_settings(server) | {"PYTHONPATH": str(release)}
    with demo_serving(folder, PLAYED, **settings) as said:
        return read_all(told(said, r"serving at (http://\S+),"), folder)


def read_all(address: str, folder: Path) -> Seen:
    """Return what each account of the demonstration reads, with the needs of its cases."""
    seen: Seen = {}
    with (folder / "var" / "demo-api-keys.csv").open(newline="") as table:
        keys = {row["label"]: row["key"] for row in csv.DictReader(table)}
    with httpx2.Client(base_url=f"{address}/v1", timeout=30, trust_env=False) as http:
        for label, key in keys.items():
            headers = {"Authorization": f"Bearer {key}"}
            listed = http.get("/cases", headers=headers)
            codes = sorted(one["code"] for one in listed.json().get("items", ()))
            seen[label] = {code: read_needs(http, headers, code) for code in codes}
    assert any(text for cases in seen.values() for text in cases.values())
    return seen


def read_needs(http: httpx2.Client, headers: Mapping[str, str], code: str) -> Any:
    """Return the needs in a case, or None if the account may not open them.

    An empty field is left out: 0.1.0 does not know the fields that were added later.
    """
    answer = http.get(f"/cases/{code}/sections/needs", headers={**headers, **OPENED})
    if answer.status_code != 200:
        return None
    content = answer.json()["content"]
    return {name: value for name, value in content.items() if value is not None}


@contextmanager
def serve_upgraded(server: InstalledServer, folder: Path) -> Iterator[str]:
    """Carry out docs/upgrade-0.2.md, serve the database, and yield the address."""
    with open_port() as free:
        address = get_address(free.getsockname()[1])
    variables = environment(folder, **build_settings(server))
    variables["SAFE_CONDUCT_PORT"] = address.rpartition(":")[2]
    with open_shell(folder, variables, address) as shell:
        for block in list_blocks("upgrade-0.2.md", "On PostgreSQL"):
            shell.run_commands(block)
        shell.run_commands("safe-conduct serve")
        yield address
        shell.stop()


def test_dump_of_0_1_is_restored_and_upgraded(old: Path, tmp_path: Path) -> None:
    blocks = list_blocks("operations.md", "Make, verify and restore a backup")
    dumping, restoring = (
        next(block for block in blocks if program in block)
        for program in ("pg_dump ", "pg_restore ")
    )
    with start_installed(OLD) as first, start_installed(NEW) as second:
        before = fill(first, old, tmp_path)
        for server, script in ((first, dumping), (second, restoring)):
            if server is second:
                create_roles(second, ROOT)
            variables = second.variables | {
                "PGHOST": str(server.folder),
                "PGPORT": str(server.port),
                "PGPASSWORD": PASSWORDS[0],
            }
            with open_shell(tmp_path, variables) as shell:
                shell.run(script)
        first.run_pg_ctl("stop", "-m", "fast")

        with serve_upgraded(second, tmp_path) as address:
            assert read_all(address, tmp_path) == before


def test_cluster_of_0_1_is_upgraded_with_pg_upgrade(old: Path, tmp_path: Path) -> None:
    with ExitStack() as stack:
        first = stack.enter_context(start_installed(OLD))
        before = fill(first, old, tmp_path)
        first.run_pg_ctl("stop", "-m", "fast")
        home = Path(mkdtemp(prefix="safe-conduct-pg"))
        home.chmod(0o755)
        second = create_cluster(
            find_programs()[NEW], home / str(NEW), "--no-data-checksums"
        )
        second.run(
            "pg_upgrade",
            f"--old-bindir={first.programs}",
            f"--old-datadir={first.data}",
            f"--new-datadir={second.data}",
            f"--socketdir={second.folder}",
        )
        second.run_pg_ctl("start")
        stack.callback(second.stop)

        with serve_upgraded(second, tmp_path) as address:
            assert read_all(address, tmp_path) == before
