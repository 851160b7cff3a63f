"""What an operator sees of rows of the directory without a MAC, or changed by SQL."""

from pathlib import Path
from subprocess import CompletedProcess, run

import pytest
from sqlalchemy import text, update

from app.cli.row_protection import REGISTERS
from app.directory.models import Agreement, FocalPoint
from app.kernel.ledger import Ledger
from tests.processes.test_case_protection import UNTIL
from tests.processes.test_demo import COMMAND, command, environment
from tests.support.servers import write_key_file
from tests.support.world import World

pytestmark = pytest.mark.slow
PROTECT = ("directory", "protect")


@pytest.fixture
def settings(world: World, tmp_path: Path) -> dict[str, str]:
    """Return settings with which commands use the database of the world."""
    Ledger(tmp_path / "erasures").start(world.runtime)
    return {
        "SAFE_CONDUCT_DATABASE_URL": world.url,
        "SAFE_CONDUCT_KEY_FILE": str(write_key_file(tmp_path)),
        "SAFE_CONDUCT_ERASURE_LEDGER": str(tmp_path / "erasures"),
        "SAFE_CONDUCT_ENVIRONMENT": "drill",
    }


def protect_again(
    folder: Path, subject: str, answer: str, settings: dict[str, str]
) -> CompletedProcess[str]:
    """Run `directory protect --again`, and answer its question."""
    words = [COMMAND, *PROTECT, "--again", subject]
    environ = environment(folder) | settings
    return run(
        words, input=answer, env=environ, text=True, capture_output=True, check=False
    )


def test_directory_of_an_earlier_version_is_protected_once(
    world: World, settings: dict[str, str], tmp_path: Path
) -> None:
    with world.database.begin_write() as session:
        for register in REGISTERS:
            session.execute(text(f"UPDATE {register.table.__tablename__} SET mac = NULL"))

    checked = command(tmp_path, "doctor", **settings)
    assert (
        "Rows of the directory or webhooks are not protected"
        in checked.stdout + checked.stderr
    )
    refused = command(tmp_path, *PROTECT, **settings)
    assert refused.returncode > 0
    assert "for an upgrade from a version before 0.2 only" in refused.stderr

    allowed = settings | {"SAFE_CONDUCT_UNPROTECTED_UNTIL": UNTIL}
    first, second = (command(tmp_path, *PROTECT, **allowed).stdout for _ in range(2))
    assert "rows were protected." in first
    assert not first.startswith("0 ")
    assert second.startswith("0 rows")
    checked = command(tmp_path, "doctor", **settings)
    assert "not protected" not in checked.stdout + checked.stderr


def test_changed_rows_are_named_and_protected_again_after_a_look(
    world: World, settings: dict[str, str], tmp_path: Path
) -> None:
    office = update(FocalPoint).where(FocalPoint.code == "KZ_LEAD")
    agreement = update(Agreement).where(Agreement.code == "KZ_UZ_DEMO")
    with world.database.begin_write() as session:
        session.connection().execute(office.values(name="\x1b[31mOther"))
        session.connection().execute(agreement.values(level="L2"))
    subjects = ("focal-points/KZ_LEAD", "agreements/KZ_UZ_DEMO")

    checked = command(tmp_path, "doctor", **settings)
    assert all(one in checked.stdout + checked.stderr for one in subjects)

    refused = protect_again(tmp_path, "countries/KZ", "y\n", settings)
    assert refused.returncode > 0
    assert all(one in refused.stderr for one in subjects)

    shown = protect_again(tmp_path, subjects[0], "n\n", settings)
    assert shown.returncode > 0
    assert "Other" in shown.stdout
    assert "\x1b" not in shown.stdout
    done = protect_again(tmp_path, "all", "y\n", settings)
    assert "2 rows were protected again." in done.stdout, done.stderr
    checked = command(tmp_path, "doctor", **settings)
    assert "were changed by SQL" not in checked.stdout + checked.stderr
