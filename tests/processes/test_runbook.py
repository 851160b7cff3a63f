"""The commands of docs/setup.md and docs/operations.md are carried out in their order.

An operator installs the service, loads the files of the page, sends a case, backs up, loses
the database, restores it, and replaces the key. `make runbook` does this on each version of
PostgreSQL, and installs the package as the page says.
"""

import csv
import json
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest

from tests.contract.test_setup_page import write_examples
from tests.processes.test_demo import environment
from tests.support.debian import install_packages
from tests.support.effort import is_night
from tests.support.installed_servers import (
    InstalledServer,
    find_programs,
    start_installed,
)
from tests.support.page_commands import (
    Block,
    CommandError,
    OperatorShell,
    open_shell,
    read_blocks,
    read_page,
)
from tests.support.servers import get_address, open_port
from tests.support.source_code import ROOT

pytestmark = pytest.mark.slow
SETUP, OPERATIONS, README = "setup.md", "operations.md", "README.md"
CREATING: Final = "A database on PostgreSQL"
RESTORING: Final = "Make, verify and restore a backup"
MINUTES: Final = "Lose only minutes on PostgreSQL"


def list_versions() -> list[int]:
    """Return the versions of PostgreSQL to try: in `make runbook` all, otherwise one."""
    if not is_night():
        return [max(find_programs())]
    assert install_packages("postgresql-17", until=lambda: 17 in find_programs())
    return list(find_programs())


def describe_kind(kind: str) -> str:
    """Return the version of SQLite, or of PostgreSQL with its minor version."""
    if kind == "sqlite":
        return f"sqlite-{sqlite3.sqlite_version}"
    program = find_programs()[int(kind)] / "postgres"
    return subprocess.check_output([program, "--version"], text=True).split()[2]


KINDS: Final = ["sqlite", *map(str, list_versions())]
UNTRIED: Final[dict[Block, str]] = {
    Block(OPERATIONS, "Install", 1): "needs Docker; tests/contract/test_deployment.py",
    Block(OPERATIONS, "Install", 2): "needs Docker; tests/contract/test_deployment.py",
    Block(OPERATIONS, "Keys", 5): "needs Docker; tests/contract/test_deployment.py",
    Block(OPERATIONS, "Keys", 6): "needs Docker; tests/contract/test_deployment.py",
    Block(OPERATIONS, "Keys", 7): "needs OpenBao; tests/support/transit_server.py",
}
"""The blocks that no test carries out, with the reason and the test that comes closest."""
ONLY_AT_NIGHT: Final = Block(OPERATIONS, "Install", 0)
"""The block that installs packages from an index."""
OF_POSTGRESQL: Final = {
    Block(OPERATIONS, CREATING, 0),
    Block(OPERATIONS, CREATING, 1),
    Block(OPERATIONS, RESTORING, 0),
    Block(OPERATIONS, RESTORING, 3),
    Block(OPERATIONS, RESTORING, 5),
    Block(OPERATIONS, RESTORING, 6),
    Block(OPERATIONS, RESTORING, 7),
    Block(OPERATIONS, MINUTES),
}
"""The blocks for PostgreSQL only."""
OF_SQLITE: Final = {
    Block(SETUP, "1. Keys and database"),
    Block(OPERATIONS, RESTORING, 2),
}
"""The blocks for SQLite only; on PostgreSQL other blocks take their place."""
ACCOUNT: Final = re.compile(r"^[0-9a-f]{8}-[0-9a-f-]{27}$", re.MULTILINE)
PREFIX: Final = re.compile(r"\bsc_([0-9a-z]+)_")
LINK: Final = re.compile(r"\bsck_\S+")
KEY: Final = re.compile(r"^(k\d\S*)", re.MULTILINE)
CSV, SQL, INI = (
    re.compile(rf"^```{language}\n(.*?)^```$", re.DOTALL | re.MULTILINE)
    for language in ("csv", "sql", "ini")
)
"""The data of a page, by its language."""
PASSWORDS: Final = {"migrator": "migrator-secret", "service": "service-secret"}


@dataclass
class Runbook:
    """Carries out blocks of the pages as an operator of one database."""

    kind: str
    shell: OperatorShell
    blocks: dict[Block, str]
    values: dict[str, str]
    server: InstalledServer | None = None
    keys: dict[tuple[str, str], str] = field(default_factory=dict)
    tried: set[Block] = field(default_factory=set)

    def run_commands(self, page: str, heading: str, *numbers: int) -> str:
        """Carry out blocks below a heading in the shell, and return what they printed."""
        wanted = [Block(page, heading, number) for number in numbers or (0,)]
        self.tried |= set(wanted)
        return "".join(self.shell.run_commands(self.fill_in(one)) for one in wanted)

    def fill_in(self, block: Block) -> str:
        """Return a block in which the placeholders have values."""
        return fill_in(self.blocks[block], self.values)

    def administer(self, heading: str, number: int) -> None:
        """Carry out a block as an administrator of the PostgreSQL server."""
        block = Block(OPERATIONS, heading, number)
        self.tried.add(block)
        assert self.server is not None
        with open_shell(self.shell.folder, self.server.variables) as shell:
            for name, password in PASSWORDS.items():
                shell.variables[f"SAFE_CONDUCT_{name.upper()}_PASSWORD"] = password
            shell.run(self.fill_in(block))


def fill_in(text: str, values: Mapping[str, str]) -> str:
    """Return a text in which the placeholders have values."""
    for placeholder, value in values.items():
        text = text.replace(placeholder, value)
    return text


@contextmanager
def open_runbook(
    kind: str, folder: Path, edits: Mapping[str, str] = {}
) -> Iterator[Runbook]:
    """Yield the runbook of a new service on one kind of database, with edited pages."""
    blocks = dict[Block, str]()
    for page in (SETUP, OPERATIONS, README):
        text = read_page(page)
        for right, wrong in edits.items():
            text = text.replace(right, wrong)
        blocks |= read_blocks(page, text)
    (folder / "deploy").symlink_to(ROOT / "deploy")
    with open_port() as free:
        address = get_address(free.getsockname()[1])
    variables = environment(folder, SAFE_CONDUCT_PORT=address.rpartition(":")[2])
    variables["SAFE_CONDUCT_PUBLIC_URL"] = "https://refer.example.org"
    del variables["SAFE_CONDUCT_DATABASE_URL"], variables["SAFE_CONDUCT_KEY_FILE"]
    with ExitStack() as stack:
        server = None
        if kind != "sqlite":
            server = stack.enter_context(start_installed(int(kind)))
            variables |= server.variables | {"PGPASSWORD": PASSWORDS["migrator"]}
        shell = stack.enter_context(open_shell(folder, variables, address))
        values = list_values(folder, address, server)
        yield Runbook(kind, shell, blocks, values, server)


def list_values(
    folder: Path, address: str, server: InstalledServer | None
) -> dict[str, str]:
    """Return what an operator types instead of the placeholders and examples."""
    values = {
        "/mnt/backups": str(folder / "backups"),
        "/safe/keys.csv": str(folder / "keys.csv"),
        "/opt/safe-conduct": str(folder / "installed"),
        "python3 -m venv": f"{sys.executable} -m venv",
        "https://safe-conduct.example.org": address,
        "http://127.0.0.1:8000": address,
        "http://localhost:8000": address,
        'UZ_LEAD "duty 1"': 'M_GT_LEAD "duty 9"',
        "UZ_LEAD": "M_GT_LEAD",
        "ISTIQBOLLI_AVLOD": "M_BZ_CONSULATE",
        '"KZ"': '"GT"',
        "?sslmode=verify-full": "",
    }
    if server:
        values |= {
            f"safe_conduct_{name}:...@HOST": (
                f"safe_conduct_{name}:{password}@localhost:{server.port}"
            )
            for name, password in PASSWORDS.items()
        }
        values |= {
            f"{name.upper()}_PASSWORD=...": f"{name.upper()}_PASSWORD={password}"
            for name, password in PASSWORDS.items()
        }
    return values


@pytest.mark.parametrize("kind", KINDS, ids=describe_kind)
def test_commands_of_the_pages_work_in_their_order(kind: str, tmp_path: Path) -> None:
    with open_runbook(kind, tmp_path) as runbook:
        if is_night():
            install(runbook)
        create(runbook)
        code = send_case(runbook)
        manage_people(runbook)
        list_late_desks(runbook)
        back_up_and_restore(runbook)
        assert can_read(runbook, code)
        replace_key(runbook)
        assert can_read(runbook, code)
        if runbook.server:
            back_up_with_other_tools(runbook, runbook.server)
            assert can_read(runbook, code)
        run_drill(runbook)
        runbook.shell.stop()

    expected = {block for block in runbook.blocks if block.page != README} - set(UNTRIED)
    expected -= OF_POSTGRESQL if kind == "sqlite" else OF_SQLITE
    expected -= set() if is_night() else {ONLY_AT_NIGHT}
    assert {block for block in runbook.tried if block.page != README} == expected


def test_blocks_that_are_not_tried_exist() -> None:
    blocks = read_blocks(OPERATIONS, read_page(OPERATIONS))

    assert {*UNTRIED, ONLY_AT_NIGHT} <= set(blocks)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("my-mechanism/ --dry-run", "my-mechanism/ --dryrun"),
        ("default-contacts", "default-contact"),
    ],
)
def test_wrong_command_on_a_page_fails(right: str, wrong: str, tmp_path: Path) -> None:
    with (
        open_runbook("sqlite", tmp_path, {right: wrong}) as runbook,
        pytest.raises(CommandError, match=wrong),
    ):
        create(runbook)


def install(runbook: Runbook) -> None:
    """Install the package from a copy of the repository, and use its commands."""
    copied = runbook.shell.folder / "repository"
    listed = subprocess.check_output(["git", "ls-files", "-z"], cwd=ROOT, text=True)
    for name in filter(None, listed.split("\0")):
        (copied / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, copied / name)
    with open_shell(copied, runbook.shell.variables) as shell:
        shell.run(runbook.fill_in(ONLY_AT_NIGHT))
    runbook.tried.add(ONLY_AT_NIGHT)
    programs = runbook.shell.folder / "installed" / "bin"
    path = f"{programs}:{runbook.shell.variables['PATH']}"
    runbook.shell.variables["PATH"] = path


def create(runbook: Runbook) -> None:
    """Create a mechanism with the files of the page, and serve it."""
    folder = runbook.shell.folder / "my-mechanism"
    folder.mkdir()
    write_examples(folder)
    shutil.move(folder / "people.csv", runbook.shell.folder)
    if runbook.server:
        runbook.administer(CREATING, 0)
        runbook.run_commands(OPERATIONS, CREATING, 1)
        runbook.shell.stop()
    else:
        runbook.run_commands(SETUP, "1. Keys and database")
    runbook.run_commands(SETUP, "2. The directory")
    runbook.run_commands(SETUP, "3. Accounts")
    read_keys(runbook)
    if not runbook.server:
        serve = Block(SETUP, "4. Check and serve")
        without_worker = runbook.blocks[serve].partition("safe-conduct worker run")[0]
        runbook.blocks[serve] = without_worker
    runbook.run_commands(SETUP, "4. Check and serve")
    runbook.values["KEY=sc_..."] = f"KEY={runbook.keys['M_GT_LEAD', 'duty 1']}"
    runbook.run_commands(SETUP, "5. Default contacts")


def read_keys(runbook: Runbook) -> None:
    """Read the file of keys that `account load` wrote, and delete it."""
    file = runbook.shell.folder / "people.keys.csv"
    with file.open(newline="") as table:
        for row in csv.DictReader(table):
            runbook.keys[row["focal_point"], row["label"]] = row["key"]
    file.unlink()


def send_case(runbook: Runbook) -> str:
    """Send the case of the README, as docs/setup.md says, and return its code."""
    consul = runbook.keys["M_BZ_CONSULATE", "consul 1"]
    lead = runbook.keys["M_GT_LEAD", "duty 1"]
    runbook.values["KEY=sc_... LEAD=sc_..."] = f"KEY={consul} LEAD={lead}"
    del runbook.values["KEY=sc_..."]
    case = json.loads(runbook.run_commands(README, "Send the first case"))
    assert case["holder"] == "M_GT_LEAD"
    code = case["code"]
    assert isinstance(code, str)
    return code


def can_read(runbook: Runbook, code: str) -> bool:
    """Return whether the asked office opens what the person needs."""
    path = f'"$URL/cases/{code}/sections/needs"'
    sent = f'curl -s {path} -H "Authorization: Bearer $LEAD" -H "Purpose: assessment"'
    return "A safe bed tonight" in runbook.shell.run(sent)


def manage_people(runbook: Runbook) -> None:
    """Open and end accounts and keys; each line has the ids that earlier lines printed."""
    folder, block = runbook.shell.folder, Block(OPERATIONS, "People")
    lines = runbook.blocks[block].splitlines()
    for line in lines:
        run_line(runbook, block, line)
    [table] = CSV.findall(read_page(OPERATIONS))
    (folder / "people.csv").write_text(fill_in(table, runbook.values))
    runbook.run_commands(OPERATIONS, "People", 1)
    redeem, request = runbook.blocks[Block(OPERATIONS, "People", 2)].splitlines()
    for line in (redeem, request):
        run_line(runbook, block, lines[0].replace("duty 1", line[:9]))
        link = run_line(runbook, block, next(one for one in lines if "--link" in one))
        (folder / "link.json").write_text(json.dumps({"link": LINK.findall(link)[0]}))
        typed = f"{LINK.findall(link)[0]}\n"
        run_line(runbook, Block(OPERATIONS, "People", 2), line, typed)
    assert PREFIX.search((folder / "my-key").read_text("utf-8"))


def run_line(runbook: Runbook, block: Block, line: str, typed: str = "") -> str:
    """Carry out one line of a block, and use the ids that it prints in later lines."""
    runbook.tried.add(block)
    printed = runbook.shell.run(fill_in(line, runbook.values), typed)
    for placeholder, pattern in (("ACCOUNT-ID", ACCOUNT), ("PREFIX", PREFIX)):
        if found := pattern.findall(printed):
            runbook.values[placeholder] = found[0]
    return printed


def list_late_desks(runbook: Runbook) -> None:
    """Run the query of the page for desks that miss deadlines."""
    [query] = SQL.findall(read_page(OPERATIONS))
    if runbook.server:
        words = "--username=safe_conduct_migrator --tuples-only safe_conduct"
        runbook.shell.run(f'psql {words} --command="$QUERY"'.replace("$QUERY", query))
        return
    file = runbook.shell.folder / "var" / "safe-conduct.db"
    with closing(sqlite3.connect(file)) as database:
        assert database.execute(query).fetchall() == []


def back_up_and_restore(runbook: Runbook) -> None:
    """Back up the running service, lose its database, and restore it."""
    (runbook.shell.folder / "backups").mkdir()
    if runbook.server:
        runbook.administer(RESTORING, 0)
    runbook.run_commands(OPERATIONS, RESTORING, 1)
    runbook.shell.stop()
    lose_database(runbook)
    runbook.run_commands(OPERATIONS, RESTORING, 4)
    serve(runbook)


def lose_database(runbook: Runbook) -> None:
    """Put the database aside, as the page says, and create an empty one."""
    if runbook.server is None:
        runbook.run_commands(OPERATIONS, RESTORING, 2)
        return
    runbook.administer(RESTORING, 3)
    runbook.values["safe_conduct_lost"] = "safe_conduct_lost_again"


def serve(runbook: Runbook) -> None:
    """Start the service again with the commands of docs/setup.md."""
    block = runbook.blocks[Block(SETUP, "4. Check and serve")]
    runbook.shell.run_commands(block.partition("safe-conduct doctor\n")[2])


def replace_key(runbook: Runbook) -> None:
    """Replace the key; on SQLite, the service is stopped meanwhile."""
    runbook.run_commands(OPERATIONS, "Keys", 0)
    [runbook.values["VERSION"], _] = KEY.findall(runbook.shell.run("safe-conduct key list"))
    runbook.run_commands(OPERATIONS, "Keys", 1)
    if runbook.server is None:
        runbook.shell.stop()
    printed = runbook.run_commands(OPERATIONS, "Keys", 2, 3, 4)
    assert re.search(rf"^{runbook.values['VERSION']}\b.*retired", printed, re.MULTILINE)
    if runbook.server is None:
        serve(runbook)


def back_up_with_other_tools(runbook: Runbook, server: InstalledServer) -> None:
    """Dump and restore with the programs of the server, and archive its WAL."""
    runbook.run_commands(OPERATIONS, RESTORING, 5)
    runbook.shell.stop()
    lose_database(runbook)
    runbook.run_commands(OPERATIONS, RESTORING, 6, 7)
    archive = server.make_folder("archive")
    [settings] = INI.findall(read_page(OPERATIONS))
    with (server.data / "postgresql.auto.conf").open("a") as file:
        file.write(settings.replace("/mnt/archive", str(archive)))
    server.run_pg_ctl("restart", "-m", "fast")
    runbook.administer(MINUTES, 0)
    assert list(archive.glob("*.backup"))
    serve(runbook)


def run_drill(runbook: Runbook) -> None:
    """Serve the made-up mechanism as a drill."""
    runbook.shell.stop()
    runbook.run_commands(OPERATIONS, "Drills")
