"""A world whose service gets new keys, as after `key activate` and `key retire`."""

from collections import Counter
from dataclasses import replace
from typing import Final

from sqlalchemy import select
from structlog.typing import EventDict

from app.access.row_protection import create_macs
from app.cases.models import Case
from app.cli.renewed_macs import (
    count_by_version,
    renew_macs,
)
from app.cli.wrapped_keys import rewrap_secrets
from app.kernel.file_keys import FileKeys
from app.kernel.stored_keys import KeyMark, StoredKey
from app.kernel.vault import Vault
from tests.support.world import (
    Json,
    World,
)

FIRST: Final = StoredKey("k1", bytes(range(32)))
"""The key of the test's world."""
SECOND: Final = StoredKey("k2", bytes(range(32, 64)))
REPLACED: Final = [FIRST, SECOND]
RETIRED: Final = [replace(FIRST, mark=KeyMark.RETIRED), SECOND]


def set_keys(world: World, *keys: StoredKey) -> None:
    """Use these keys, like a process that has read its key file again."""
    provider = FileKeys(keys)
    world.database.macs = create_macs(provider, lambda: world.now)
    world.runtime = replace(world.runtime, vault=Vault(provider))
    world.app.state.runtime = world.runtime


def count_macs(world: World) -> Counter[str]:
    """Return the number of MACs by the version of their key."""
    found = Counter[str]()
    list(count_by_version(world.runtime, found))
    return found


def rotate(world: World) -> tuple[int, int]:
    """Use the current key for all secrets and MACs.

    Return how many rows with a MAC are finished, and how many rows with a MAC exist.
    """
    list(rewrap_secrets(world.runtime, Counter()))
    return list(renew_macs(world.runtime, Counter()))[-1]


def list_alarms(logs: list[EventDict]) -> list[object]:
    """Return the tables of the rows that were logged as altered outside the service."""
    return [line["table"] for line in logs if line["event"] == "row.forged"]


def find_number(world: World, case: Json) -> int:
    """Return the primary key of a case."""
    with world.database.begin_read("system") as session:
        own = select(Case.number).where(Case.code == case["code"])
        return session.scalars(own).one()
