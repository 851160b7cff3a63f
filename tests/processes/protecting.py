"""Helpers that run the commands which protect rows against changes by SQL."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from subprocess import CompletedProcess, run
from typing import Final

from app.kernel.ledger import Ledger
from tests.processes.test_demo import COMMAND, environment
from tests.support.servers import write_key_file
from tests.support.world import World

UNTIL: Final = (datetime.now(UTC) + timedelta(hours=4)).isoformat()
"""A value of SAFE_CONDUCT_UNPROTECTED_UNTIL that accepts rows without a MAC."""


def prepare_settings(world: World, folder: Path) -> dict[str, str]:
    """Create the ledger of a world, and return settings for commands on this world."""
    Ledger(folder / "erasures").start(world.runtime)
    return {
        "SAFE_CONDUCT_DATABASE_URL": world.url,
        "SAFE_CONDUCT_KEY_FILE": str(write_key_file(folder)),
        "SAFE_CONDUCT_ERASURE_LEDGER": str(folder / "erasures"),
        "SAFE_CONDUCT_ENVIRONMENT": "drill",
    }


def run_and_answer(
    folder: Path, settings: dict[str, str], answer: str, *words: str
) -> CompletedProcess[str]:
    """Run a `safe-conduct` command, enter `answer` at its prompt, and return the result."""
    return run(
        [COMMAND, *words],
        input=f"{answer}\n",
        cwd=folder,
        env=environment(folder) | settings,
        text=True,
        capture_output=True,
        check=False,
    )
