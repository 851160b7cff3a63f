"""Values made with an earlier key are valid until it is retired, and some for ever."""

from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from app.access.row_protection import create_macs
from app.casework.intake import compute_reference_digest
from app.cli.row_protection import read_rows
from app.consents.forms import derive_consent_id, list_consent_ids
from app.consents.queries import compute_noise
from app.directory.models import Country
from app.kernel import keyfile
from app.kernel.file_keys import FileKeys
from app.kernel.idempotency import IdempotencyKeyInUse
from app.kernel.macs import RowMacs
from app.kernel.protected_rows import compute_mac
from app.kernel.stored_keys import KeyMark, encode_keys
from app.kernel.vault import Vault
from app.webhooks.delivery import make_message_id
from app.webhooks.models import Webhook
from tests.support.account_changes import add, approve, get_approval_id
from tests.support.authenticators import Authenticator
from tests.support.database_attacks import Attacker
from tests.support.figure_releases import PATH as RELEASES
from tests.support.figure_releases import QUARTER, add_overseers, store_quarter
from tests.support.key_rotation import (
    FIRST,
    REPLACED,
    RETIRED,
    SECOND,
    list_alarms,
    rotate,
    set_keys,
)
from tests.support.machine_keys import register_machine
from tests.support.passkeys import Office, request_options, send, sign_in
from tests.support.webhook_receivers import create_webhook
from tests.support.world import (
    Someone,
    World,
    get_problem,
    make_case,
    unwrap,
)


def test_mac_of_a_retired_key_is_refused(world: World, officer: Someone) -> None:
    """An attacker who knows an earlier key can forge nothing after the key is retired."""
    stolen = create_macs(FileKeys([FIRST]), lambda: world.now)
    set_keys(world, *REPLACED)
    rotate(world)

    forge_name(world, stolen)
    assert unwrap(officer.get("/countries/KZ"))["name"] == "Forged"

    set_keys(world, *RETIRED)
    with capture_logs() as logs:
        officer.get("/countries/KZ")
    assert list_alarms(logs) == ["country"]


def test_retry_with_an_earlier_key_finds_its_case(world: World, officer: Someone) -> None:
    """Outcomes are kept for ever, so the fingerprint of a retired key is still accepted."""
    key, body = str(uuid4()), make_case(external_reference="A/7")
    case = unwrap(officer.create("/cases", body, key))

    for keys in (REPLACED, RETIRED):
        set_keys(world, *keys)
        rotate(world)
        again = officer.create("/cases", body, key)
        assert unwrap(again)["code"] == case["code"]
        other = officer.create("/cases", make_case(), key)
        assert get_problem(other) == (422, "idempotency-key-reused")


def test_external_reference_of_an_earlier_key_is_found(
    world: World, officer: Someone
) -> None:
    case = unwrap(officer.create_case(external_reference="A/7"))

    for keys in (REPLACED, RETIRED):
        set_keys(world, *keys)
        rotate(world)
        taken = officer.create_case(external_reference="A/7")
        assert get_problem(taken) == (409, "external-reference-taken")
        assert taken.json()["code"] == case["code"]
        found = unwrap(officer.send("/cases/search", {"external_reference": "A/7"}))
        assert found["items"][0]["code"] == case["code"]


def test_cursors_of_an_earlier_key_remain_valid(world: World, officer: Someone) -> None:
    for _ in range(3):
        officer.submit()
    page = unwrap(officer.get("/cases", limit=1))
    events = unwrap(officer.get("/events", limit=1))

    for keys in (REPLACED, RETIRED):
        set_keys(world, *keys)
        rotate(world)
        later = unwrap(officer.get("/cases", limit=1, after=page["next"]))
        assert later["items"] != page["items"]
        assert later["next"] != page["next"]
        rest = unwrap(officer.get("/events", after=events["cursor"]))
        assert rest["items"]


def test_approval_that_was_requested_before_a_new_key_is_used(world: World) -> None:
    store_quarter(world)
    overseer, second = add_overseers(world)
    body = {"quarter": str(QUARTER)}
    asked = get_approval_id(add(overseer, RELEASES, body))

    set_keys(world, *REPLACED)
    rotate(world)

    assert get_approval_id(add(overseer, RELEASES, body)) == asked
    unwrap(approve(second, asked))
    unwrap(add(overseer, RELEASES, body, asked))


def test_enrolment_and_passkey_challenge_of_a_replaced_key_are_accepted(
    world: World,
) -> None:
    office, device = Office(world), Authenticator()
    invited = office.open_enrolment()
    set_keys(world, *REPLACED)
    rotate(world)
    made, opened = invited.redeem(device)
    assert opened.status_code == 201

    set_keys(world, FIRST)
    options = request_options(world)
    set_keys(world, *REPLACED)
    assert send(world, device.sign(made, options)).status_code == 201


def test_passkey_challenge_of_a_retired_key_is_refused(world: World) -> None:
    """An attacker who knows the first key could otherwise make challenges for a replay."""
    office, device = Office(world), Authenticator()
    made, _ = office.enrol(device)
    options = request_options(world)
    set_keys(world, *REPLACED)
    rotate(world)

    set_keys(world, *RETIRED)

    assert send(world, device.sign(made, options)).status_code == 401
    assert sign_in(world, made, device).status_code == 201


def test_access_token_is_valid_until_its_key_is_retired(world: World) -> None:
    session = register_machine(world).sign_in()
    set_keys(world, *REPLACED)
    rotate(world)
    assert session.get("/me").status_code == 200

    set_keys(world, *RETIRED)

    assert session.get("/me").status_code == 401


@pytest.fixture
def key_file(world: World, tmp_path: Path) -> Path:
    """Return a key file that the service of this world reads again after each change."""
    path = tmp_path / "keys"
    keyfile.write_lines(path, encode_keys([FIRST], None))
    provider = FileKeys.load(path)
    world.database.macs = create_macs(provider, lambda: world.now)
    world.runtime = replace(world.runtime, vault=Vault(provider))
    world.app.state.runtime = world.runtime
    return path


def test_running_service_refuses_what_it_has_verified_before_a_key_was_retired(
    world: World, key_file: Path, officer: Someone
) -> None:
    stolen = create_macs(FileKeys([FIRST]), lambda: world.now)
    keyfile.add_key(key_file, is_standby=True)
    assert officer.get("/countries/KZ").status_code == 200
    keyfile.activate_key(key_file)
    rotate(world)

    forge_name(world, stolen)
    with capture_logs() as logs:
        assert unwrap(officer.get("/countries/KZ"))["name"] == "Forged"
        assert not list_alarms(logs)
        keyfile.mark_retired(key_file, "k1")
        officer.get("/countries/KZ")
    assert list_alarms(logs) == ["country"]


@pytest.mark.parametrize("begin", ["begin_read", "begin_write", "connect_read"])
def test_each_transaction_begins_with_the_keys_of_the_file(
    world: World, key_file: Path, begin: str
) -> None:
    macs = world.runtime.row_macs
    keyfile.add_key(key_file)
    with getattr(world.database, begin)():
        assert len(macs.secrets.accepted) == 2
    keyfile.mark_retired(key_file, "k1")
    with getattr(world.database, begin)():
        assert list(macs.secrets.accepted) == [macs.secrets.current_version]


def forge_name(world: World, stolen: RowMacs) -> None:
    """Rename a country by SQL, and write the MAC with stolen secrets."""
    with world.database.begin_read() as session:
        [row] = [one for one in read_rows(session, Country) if one["name"] == "Kazakhstan"]
    forged = compute_mac(stolen, Country, row | {"name": "Forged"})
    Attacker(world).update(Country, "KZ", name="Forged", mac=forged)


def test_noise_and_message_ids_change_only_when_the_oldest_key_is_retired(
    world: World,
) -> None:
    create_webhook(world, "KZ_LEAD")

    def compute() -> list[object]:
        with world.write_as_service() as tx:
            webhook = tx.session.scalars(select(Webhook)).one()
            noise = [compute_noise(tx, "KZ", 2026, quarter) for quarter in range(1, 40)]
            return [noise, make_message_id(tx, webhook, "epoch", 7)]

    before = compute()
    set_keys(world, *REPLACED)
    rotate(world)
    assert compute() == before

    set_keys(world, *RETIRED)
    noise, message = compute()
    assert noise != before[0]
    assert message != before[1]


def test_consents_of_a_form_of_an_earlier_key_are_found(
    world: World, officer: Someone
) -> None:
    first = uuid4()
    with officer.begin_read() as tx:
        earlier = derive_consent_id(tx, first, 1)
    set_keys(world, *RETIRED)

    with officer.begin_read() as tx:
        assert derive_consent_id(tx, first, 1) != earlier
        assert earlier in list_consent_ids(tx, first, 1)


def test_processes_with_different_keys_write_no_external_reference_twice(
    world: World, pg_url: str, officer: Someone
) -> None:
    """While one process uses a reference, a process with another current key is refused.

    The current key of the second process is a standby key of the first process.
    """
    assert pg_url
    set_keys(world, FIRST, replace(SECOND, mark=KeyMark.STANDBY))
    with officer.begin_write() as tx:
        compute_reference_digest(tx, "A/7")
        set_keys(world, *REPLACED)
        with officer.begin_write() as other, pytest.raises(IdempotencyKeyInUse):
            compute_reference_digest(other, "A/7")
