"""Default contacts survive a rotation of keys; a downgrade changes no accepted case."""

from dataclasses import replace

from app.kernel import migrations
from app.kernel.file_keys import FileKeys
from app.kernel.vault import Vault
from tests.support.protection import protect_rows
from tests.support.world import (
    Json,
    Someone,
    World,
    get_path,
    get_unmet,
    make_contacts,
    unwrap,
)

FIRST, SECOND = bytes(range(32)), bytes(range(32, 64))
USUAL = make_contacts("First shift", "Second shift")


def set_default(who: Someone) -> None:
    path = f"/focal-points/{who.code}/default-contacts"
    unwrap(who.ask("PUT", path, {"contacts": USUAL}))


def get_default(who: Someone) -> Json:
    return unwrap(who.get(f"/focal-points/{who.code}/default-contacts"))


def submit_and_acknowledge(officer: Someone, lead: Someone) -> Json:
    return unwrap(lead.does("acknowledge", officer.submit()))


def use_keys(world: World, keys: dict[str, bytes]) -> None:
    vault = Vault(FileKeys(keys))
    world.app.state.runtime = replace(world.runtime, vault=vault)


def test_downgrade_keeps_accepted_contacts_and_removes_the_default(
    world: World, officer: Someone, lead: Someone
) -> None:
    set_default(lead)
    accepted = submit_and_acknowledge(officer, lead)
    unwrap(lead.does("accept-lead", accepted, {}))
    waiting = submit_and_acknowledge(officer, lead)

    migrations.downgrade(world.url, "0035")
    migrations.upgrade(world.url)
    protect_rows(world.runtime)

    assert unwrap(lead.open(f"{get_path(accepted)}/contacts"))["contacts"] == USUAL
    assert get_default(lead)["contacts"] is None
    refused = lead.does("accept-lead", waiting, {})
    assert get_unmet(refused) == [("two_contacts", "candidate")]
    set_default(lead)
    assert unwrap(lead.does("accept-lead", waiting, {}))["state"] == "referring"


def test_default_sealed_with_an_earlier_key_is_opened_and_a_lost_key_removes_it(
    world: World, officer: Someone, lead: Someone
) -> None:
    set_default(lead)
    use_keys(world, {"k1": FIRST, "k2": SECOND})
    assert get_default(lead)["contacts"] == USUAL
    case = submit_and_acknowledge(officer, lead)

    use_keys(world, {"k2": SECOND})

    assert get_default(lead)["contacts"] is None
    use_keys(world, {"k1": FIRST, "k2": SECOND})
    assert unwrap(lead.does("accept-lead", case, {}))["state"] == "referring"
