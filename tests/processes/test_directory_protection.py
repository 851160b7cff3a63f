"""Tests of operator commands on directory rows that lack a MAC or were changed by SQL."""

from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import text, update

from app.cli.row_protection import REGISTERS
from app.directory.models import Agreement, FocalPoint
from tests.processes.protecting import UNTIL, prepare_settings, run_and_answer
from tests.processes.test_demo import command
from tests.support.world import World

pytestmark = pytest.mark.slow
PROTECT = ("directory", "protect")
AGAIN = (*PROTECT, "--again")


@pytest.fixture
def settings(world: World, tmp_path: Path) -> dict[str, str]:
    """Return settings with which commands use the database of the world."""
    return prepare_settings(world, tmp_path)


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
    protect_again = partial(run_and_answer, tmp_path, settings)
    subjects = ("focal-points/KZ_LEAD", "agreements/KZ_UZ_DEMO")

    checked = command(tmp_path, "doctor", **settings)
    assert all(one in checked.stdout + checked.stderr for one in subjects)

    refused = protect_again("y", *AGAIN, "countries/KZ")
    assert refused.returncode > 0
    assert all(one in refused.stderr for one in subjects)

    shown = protect_again("n", *AGAIN, subjects[0])
    assert shown.returncode > 0
    assert "Other" in shown.stdout
    assert "\x1b" not in shown.stdout
    done = protect_again("y", *AGAIN, "all")
    assert "2 rows were protected again." in done.stdout, done.stderr
    checked = command(tmp_path, "doctor", **settings)
    assert "were altered outside the service" not in checked.stdout + checked.stderr
