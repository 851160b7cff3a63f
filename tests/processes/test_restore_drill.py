"""Tests that the restore drill passes, and that its checks find a bad restore."""

from pathlib import Path

import pytest

from app.kernel.ledger import Ledger
from tests.processes.drill.drill import DRAFTS, drill, require_whole
from tests.processes.drill.sites import SITES
from tests.support.databases import ask, clear, make_home
from tests.support.effort import is_night
from tests.support.world import Someone, World, unwrap

pytestmark = [pytest.mark.slow, pytest.mark.soak]


@pytest.mark.whole
@pytest.mark.parametrize("kind", SITES if is_night() else ["sqlite"])
def test_what_is_restored_is_whole_and_everybody_is_told(kind: str) -> None:
    home = make_home()
    try:
        result = drill(kind, home)
    finally:
        clear(home)

    assert result.erased_again == DRAFTS
    assert result.lost


@pytest.fixture
def ledger(world: World, officer: Someone, tmp_path: Path) -> Ledger:
    """Return a ledger that names one case, while two other cases are open."""
    made = Ledger(tmp_path / "erasures")
    made.start(world.runtime)
    gone = unwrap(officer.create_case())
    unwrap(officer.does("discard", gone))
    for _ in range(2):
        officer.submit()
    made.copy_erasures(world.runtime)
    return made


def test_the_checker_accepts_what_is_as_it_was(world: World, ledger: Ledger) -> None:
    require_whole(world, ledger)


PLANTS = {
    "a key that was destroyed": """INSERT INTO case_key (case_id, version, wrapped)
        SELECT c.id, 'k1', k.wrapped FROM "case" c, case_key k WHERE c.state = 'void'
        LIMIT 1""",
    "a key that is missing": """DELETE FROM case_key WHERE case_id IN
        (SELECT id FROM "case" WHERE state = 'submitted' LIMIT 1)""",
    "an erasure that nobody knows of": "DELETE FROM erasure",
    "a case in part": """DELETE FROM sealed WHERE id IN (SELECT s.id FROM sealed s
        JOIN "case" c ON c.id = s.case_id WHERE c.state = 'submitted' LIMIT 1)""",
    "a feed with a gap": "UPDATE mailbox SET head = head + 1 WHERE head > 0",
}


@pytest.mark.parametrize("plant", PLANTS)
def test_the_checker_finds(
    plant: str, world: World, sqlite_url: str, ledger: Ledger
) -> None:
    for trigger in ask(sqlite_url, "SELECT name FROM sqlite_master WHERE type = 'trigger'"):
        ask(sqlite_url, f'DROP TRIGGER "{trigger[0]}"')
    ask(sqlite_url, PLANTS[plant])

    with pytest.raises(AssertionError):
        require_whole(world, ledger)
