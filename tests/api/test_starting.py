"""The service starts only if its keys open all data, apart from keys named as lost."""

from dataclasses import replace
from pathlib import Path

import pytest

from app.access.row_protection import create_macs
from app.cli.readiness import require_ready
from app.cli.startup import NotReady
from app.kernel.file_keys import FileKeys
from app.kernel.ledger import Ledger
from app.kernel.stored_keys import KeyMark, StoredKey
from app.kernel.vault import Vault
from app.settings import Environment, Settings
from tests.support.figure_releases import store_quarter, write_point
from tests.support.webhook_receivers import create_webhook
from tests.support.world import Someone, World, make_contacts, unwrap

FIRST, SECOND, OTHER = bytes(range(32)), bytes(range(32, 64)), bytes(range(64, 96))
NEWEST = FileKeys({"k1": FIRST, "k2": SECOND})


@pytest.fixture
def ledger(world: World, tmp_path: Path) -> Ledger:
    made = Ledger(tmp_path / "erasures")
    made.start(world.runtime)
    return made


def start_service(
    world: World,
    ledger: Ledger,
    keys: dict[str, bytes] | list[StoredKey],
    lost: str = "",
) -> None:
    """Check that the service may start with these keys; raise `NotReady` if it may not."""
    runtime = replace(world.runtime, vault=Vault(FileKeys(keys)))
    settings = Settings(environment=Environment.DRILL, lost_keys=lost)
    require_ready(runtime, ledger, settings)


def test_a_key_file_without_the_newest_key_is_refused_once_a_case_needs_it(
    world: World, officer: Someone, ledger: Ledger
) -> None:
    unwrap(officer.create_case())
    start_service(world, ledger, {"k1": FIRST})
    world.app.state.runtime = replace(world.runtime, vault=Vault(NEWEST))
    unwrap(officer.create_case())

    with pytest.raises(NotReady, match="SAFE_CONDUCT_LOST_KEYS=k2"):
        start_service(world, ledger, {"k1": FIRST})
    start_service(world, ledger, {"k1": FIRST, "k2": SECOND})
    start_service(world, ledger, {"k1": FIRST}, lost="k2")


def test_retired_key_is_refused_while_a_case_needs_it(
    world: World, officer: Someone, ledger: Ledger
) -> None:
    """A restored backup may need a key that was retired after the backup was made."""
    unwrap(officer.create_case())
    keys = [StoredKey("k1", FIRST, KeyMark.RETIRED), StoredKey("k2", SECOND)]

    with pytest.raises(NotReady, match="key retire k1 --undo"):
        start_service(world, ledger, keys)
    world.database.macs = create_macs(FileKeys(keys), lambda: world.now)
    with pytest.raises(NotReady, match="key retire k1 --undo"):
        start_service(world, ledger, keys)


def test_another_file_in_its_place_is_refused_though_its_keys_are_called_alike(
    world: World, officer: Someone, ledger: Ledger
) -> None:
    start_service(world, ledger, {"k1": OTHER})
    unwrap(officer.create_case())

    with pytest.raises(NotReady, match="sealed with key k1"):
        start_service(world, ledger, {"k1": OTHER})
    with pytest.raises(NotReady, match="sealed with key k1"):
        start_service(world, ledger, {"k1": OTHER}, lost="k2 k3")
    start_service(world, ledger, {"k1": OTHER}, lost="k2 k1")


def test_the_secret_of_a_webhook_needs_its_key_as_a_case_does(
    world: World, ledger: Ledger
) -> None:
    create_webhook(world, "KZ_LEAD")

    with pytest.raises(NotReady, match="sealed with key k1"):
        start_service(world, ledger, {"k1": OTHER})
    start_service(world, ledger, {"k1": OTHER}, lost="k1")
    start_service(world, ledger, {"k1": FIRST})


def test_points_of_meetings_need_their_key_as_a_case_does(
    world: World, ledger: Ledger
) -> None:
    write_point(world)

    with pytest.raises(NotReady, match="sealed with key k1"):
        start_service(world, ledger, {"k1": OTHER})
    start_service(world, ledger, {"k1": OTHER}, lost="k1")
    start_service(world, ledger, {"k1": FIRST})


def test_counted_weeks_need_their_key_as_a_case_does(world: World, ledger: Ledger) -> None:
    store_quarter(world)

    with pytest.raises(NotReady, match="sealed with key k1"):
        start_service(world, ledger, {"k1": OTHER})
    start_service(world, ledger, {"k1": OTHER}, lost="k1")
    start_service(world, ledger, {"k1": FIRST})


def test_default_contacts_need_their_key_as_a_case_does(
    world: World, lead: Someone, ledger: Ledger
) -> None:
    path = "/focal-points/KZ_LEAD/default-contacts"
    unwrap(lead.ask("PUT", path, {"contacts": make_contacts()}))

    with pytest.raises(NotReady, match="sealed with key k1"):
        start_service(world, ledger, {"k1": OTHER})
    start_service(world, ledger, {"k1": OTHER}, lost="k1")
    start_service(world, ledger, {"k1": FIRST})
