"""Tests of operator commands on cases that lack a MAC or were changed by SQL."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from app.cases.models import Case, Party
from app.kernel.actors import SERVICE
from tests.processes.protecting import UNTIL, prepare_settings, run_and_answer
from tests.processes.test_demo import command
from tests.support.database_attacks import Attacker
from tests.support.world import Json, Someone, World

pytestmark = pytest.mark.slow


@pytest.fixture
def settings(world: World, tmp_path: Path) -> dict[str, str]:
    """Return settings with which commands use the database of the world."""
    return prepare_settings(world, tmp_path)


@pytest.fixture
def case(settings: dict[str, str], officer: Someone) -> Json:
    """Return a case that was submitted after the ledger was created."""
    assert settings
    return officer.submit()


def test_cases_of_an_earlier_version_are_protected_once(
    world: World, case: Json, settings: dict[str, str], tmp_path: Path
) -> None:
    with world.database.begin_write(SERVICE) as session:
        of_case = update(Case).where(Case.code == case["code"])
        session.connection().execute(of_case.values(mac=None))

    checked = command(tmp_path, "doctor", **settings)
    assert "Some cases are not protected" in checked.stdout + checked.stderr
    refused = command(tmp_path, "case", "protect", **settings)
    assert refused.returncode > 0
    assert "for an upgrade from a version before 0.2 only" in refused.stderr

    allowed = settings | {"SAFE_CONDUCT_UNPROTECTED_UNTIL": UNTIL}
    for count in (1, 0):
        done = command(tmp_path, "case", "protect", **allowed)
        assert f"{count} cases were protected." in done.stdout
    checked = command(tmp_path, "doctor", **settings)
    assert "not protected" not in checked.stdout + checked.stderr


def test_case_that_was_changed_is_protected_again_after_a_look(
    world: World, officer: Someone, case: Json, settings: dict[str, str], tmp_path: Path
) -> None:
    attacker, path = Attacker(world), f"/cases/{case['code']}"
    protect = ("case", "protect", "--again", case["code"])
    case_id = attacker.find(Case, code=case["code"])["id"]
    party = attacker.find(Party, case_id=case_id, relation="submitter")
    earlier = party["since"] - timedelta(hours=1)
    attacker.update(Party, party["number"], since=earlier)
    assert officer.get(path).status_code == 500

    shown = run_and_answer(tmp_path, settings, "n", *protect)
    assert shown.returncode > 0
    assert f"since={earlier.isoformat(timespec='seconds')}" in shown.stdout
    assert f"focal_point_id={officer.code}" in shown.stdout
    assert "sealed: " in shown.stdout
    assert "Synthetic" not in shown.stdout
    assert officer.get(path).status_code == 500
    assert run_and_answer(tmp_path, settings, "y", *protect).returncode == 0
    assert officer.get(path).status_code == 200


def test_unknown_case_is_refused(settings: dict[str, str], tmp_path: Path) -> None:
    words = ("case", "protect", "--again", "SC-0000-0000-0000-0")
    refused = run_and_answer(tmp_path, settings, "y", *words)
    assert "There is no case with this code." in refused.stderr
    assert refused.returncode > 0
