"""The commands of docs/upgrade-0.2.md upgrade a database of 0.1 that has cases."""

from pathlib import Path
from typing import Final

import pytest
from sqlalchemy import make_url

from app.kernel import migrations
from tests.databases.test_guards import OF_0_1_0
from tests.processes.test_demo import command
from tests.support.page_commands import list_blocks, run_shell
from tests.support.servers import write_key_file
from tests.support.world import World

pytestmark = pytest.mark.slow
PAGE: Final = "upgrade-0.2.md"


def build_settings(url: str, folder: Path) -> dict[str, str]:
    return {
        "SAFE_CONDUCT_DATABASE_URL": url,
        "SAFE_CONDUCT_KEY_FILE": str(write_key_file(folder)),
        "SAFE_CONDUCT_ENVIRONMENT": "drill",
    }


@pytest.fixture
def old_url(url: str, tmp_path: Path) -> str:
    """Return the URL of a database with the tables of 0.1, a ledger and a case."""
    world = World(url)
    lead = world.add_person("KZ_LEAD")
    lead.take_lead(world.add_person("UZ_CONSULATE_ALMATY").submit())
    world.close()
    assert (
        command(tmp_path, "erasures", "export", **build_settings(url, tmp_path)).returncode
        == 0
    )
    migrations.downgrade(url, OF_0_1_0)
    return url


def test_commands_of_the_page_upgrade_a_database_of_0_1(
    old_url: str, tmp_path: Path
) -> None:
    is_sqlite = make_url(old_url).get_backend_name() == "sqlite"
    blocks = list_blocks(PAGE, "On SQLite" if is_sqlite else "On PostgreSQL")
    script = "\n".join(block for block in blocks if "backup" not in block)

    done = run_shell(script, tmp_path, **build_settings(old_url, tmp_path))

    assert (len(blocks), done.returncode) == (3 if is_sqlite else 2, 0), done.stderr
    assert "row.forged" not in done.stdout + done.stderr
    assert "1 cases were protected." in done.stdout
    assert "KZ_LEAD" in done.stdout


def test_wrong_order_of_the_commands_fails(old_url: str, tmp_path: Path) -> None:
    script = "safe-conduct migrate\nsafe-conduct account protect\n"

    done = run_shell(script, tmp_path, **build_settings(old_url, tmp_path))

    assert done.returncode == 1
    assert "SAFE_CONDUCT_UNPROTECTED_UNTIL" in done.stderr
