"""Attacks on the sign-in with a passkey. Each in `ATTACKS` gets the same response."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Final

import pytest
from httpx2 import Response

from app.access.enrolment_models import UsedChallenge
from app.access.models import Account
from app.access.passkey_challenges import describe_registration
from app.worker.deadline_job import delete_used_challenges
from tests.support.account_changes import get_account_path
from tests.support.authenticators import (
    PRESENT,
    VERIFIED,
    Authenticator,
    Credential,
    decode,
    encode,
)
from tests.support.passkeys import (
    DEVICE,
    Office,
    get_person_id,
    request_options,
    send,
    sign_in,
)
from tests.support.world import Json, World, unwrap

type Attack = Callable[[Office, Credential], Response]


@pytest.fixture
def office(world: World) -> Office:
    return Office(world)


def use_device(device: Authenticator) -> Attack:
    """Return an attack that signs a valid challenge on another device or page."""
    return lambda office, made: sign_in(office.world, made, device)


def replay_response(office: Office, made: Credential) -> Response:
    response = DEVICE.sign(made, request_options(office.world))
    unwrap(send(office.world, response))
    return send(office.world, response)


def replay_challenge(office: Office, made: Credential) -> Response:
    options = request_options(office.world)
    unwrap(send(office.world, DEVICE.sign(made, options)))
    return send(office.world, DEVICE.sign(made, options))


def replay_challenge_as_another(office: Office, made: Credential) -> Response:
    other, _ = replace_newcomer(office).enrol()
    options = request_options(office.world)
    unwrap(send(office.world, DEVICE.sign(other, options)))
    return send(office.world, DEVICE.sign(made, options))


def replay_after_cleaning(office: Office, made: Credential) -> Response:
    """Replay a challenge after the worker ran, while the challenge is still valid."""
    options = request_options(office.world)
    unwrap(send(office.world, DEVICE.sign(made, options)))
    office.world.advance(minutes=4, seconds=59)
    delete_used_challenges(office.world.runtime)
    return send(office.world, DEVICE.sign(made, options))


def replay_after_clock_was_set_back(office: Office, made: Credential) -> Response:
    options = request_options(office.world)
    unwrap(send(office.world, DEVICE.sign(made, options)))
    office.world.advance(minutes=30)
    delete_used_challenges(office.world.runtime)
    office.world.advance(minutes=-30)
    return send(office.world, DEVICE.sign(made, options))


def use_expired_challenge(office: Office, made: Credential) -> Response:
    options = request_options(office.world)
    office.world.advance(minutes=5)
    return send(office.world, DEVICE.sign(made, options))


def use_registration_challenge(office: Office, made: Credential) -> Response:
    session = replace(office.newcomer, key=unwrap(sign_in(office.world, made))["token"])
    options = unwrap(session.send("/passkeys/options"))
    signed = {"rpId": options["rp"]["id"], "challenge": options["challenge"]}
    return send(office.world, DEVICE.sign(made, signed))


def use_invented_challenge(office: Office, made: Credential) -> Response:
    options = request_options(office.world) | {"challenge": encode(bytes(56))}
    return send(office.world, DEVICE.sign(made, options))


def use_challenge_of_another_purpose(office: Office, made: Credential) -> Response:
    challenge = decode(request_options(office.world)["challenge"])
    signed = challenge[:24]
    purpose = describe_registration(get_person_id(office.newcomer))
    mac = office.world.runtime.vault.compute_challenge_mac(signed, purpose)
    options = request_options(office.world) | {"challenge": encode(signed + mac)}
    return send(office.world, DEVICE.sign(made, options))


def swap_credential(office: Office, made: Credential) -> Response:
    """Send the signature of the attacker's passkey under the id of the victim's passkey."""
    own, _ = replace_newcomer(office).enrol()
    response = DEVICE.sign(own, request_options(office.world))
    stolen = encode(made.id)
    return send(office.world, response | {"id": stolen, "rawId": stolen})


def claim_another_person(office: Office, made: Credential) -> Response:
    """Sign with the attacker's passkey, but send the user handle of the victim."""
    own, _ = replace_newcomer(office).enrol()
    own.user_handle = made.user_handle
    return sign_in(office.world, own)


def send_no_user_handle(office: Office, made: Credential) -> Response:
    response = DEVICE.sign(made, request_options(office.world))
    del response["response"]["userHandle"]
    return send(office.world, response)


def act_as_another_account(office: Office, made: Credential) -> Response:
    account = str(office.first.actor.account_id)
    return sign_in(office.world, made, account=account)


def use_unknown_passkey(office: Office, made: Credential) -> Response:
    return sign_in(office.world, Credential(made.user_handle))


def clone_passkey(office: Office, made: Credential) -> Response:
    clone = replace(made)
    unwrap(sign_in(office.world, made))
    return sign_in(office.world, clone)


def repeat_counter(office: Office, made: Credential) -> Response:
    unwrap(sign_in(office.world, made))
    return sign_in(office.world, made, DEVICE.replace_parts(counts=False))


def use_removed_passkey(office: Office, made: Credential) -> Response:
    session = replace(office.newcomer, key=unwrap(sign_in(office.world, made))["token"])
    [only] = unwrap(session.get("/passkeys"))["items"]
    unwrap(session.send(f"/passkeys/{only['id']}/remove", {"even_last": True}))
    return sign_in(office.world, made)


def use_disabled_account(office: Office, made: Credential) -> Response:
    unwrap(office.first.send(f"{get_account_path(office.newcomer)}/disable"))
    return sign_in(office.world, made)


def use_account_of_a_machine(office: Office, made: Credential) -> Response:
    """Sign in as a machine account that was given to the person by mistake."""
    with office.world.database.begin_write() as session:
        account = session.get_one(Account, office.newcomer.actor.account_id)
        account.kind = type(account.kind).INTEGRATION
    return sign_in(office.world, made)


ATTACKS: Final[dict[str, Attack]] = {
    "replayed response": replay_response,
    "replayed challenge": replay_challenge,
    "challenge that another person used": replay_challenge_as_another,
    "replay after the worker ran": replay_after_cleaning,
    "replay after the clock was set back": replay_after_clock_was_set_back,
    "expired challenge": use_expired_challenge,
    "challenge of a registration": use_registration_challenge,
    "challenge with a MAC for another purpose": use_challenge_of_another_purpose,
    "invented challenge": use_invented_challenge,
    "other origin": use_device(
        DEVICE.replace_parts(origin="https://safe-conduct.example.evil")
    ),
    "subdomain": use_device(DEVICE.replace_parts(origin="https://x.safe-conduct.example")),
    "other relying party": use_device(DEVICE.replace_parts(rp_id="evil.example")),
    "user not verified": use_device(DEVICE.replace_parts(flags=PRESENT)),
    "user not present": use_device(DEVICE.replace_parts(flags=VERIFIED)),
    "page in a frame": use_device(DEVICE.replace_parts(client_data={"crossOrigin": True})),
    "registration sent as a sign-in": use_device(
        DEVICE.replace_parts(client_data={"type": "webauthn.create"})
    ),
    "swapped credential": swap_credential,
    "user handle of another person": claim_another_person,
    "no user handle": send_no_user_handle,
    "account of another person": act_as_another_account,
    "unknown passkey": use_unknown_passkey,
    "cloned passkey": clone_passkey,
    "repeated counter": repeat_counter,
    "removed passkey": use_removed_passkey,
    "disabled account": use_disabled_account,
    "account of a machine": use_account_of_a_machine,
}


def replace_newcomer(office: Office) -> Office:
    """Return the same office with another newcomer."""
    other = Office.__new__(Office)
    other.__dict__.update(vars(office))
    other.newcomer = office.world.add_person(office.code)
    return other


def show_refusal(answer: Response) -> Json:
    """Return the status, some headers and the body of a refusal, without the request id."""
    headers = {"www-authenticate", "cache-control", "content-type", "etag", "set-cookie"}
    seen = {name: value for name, value in answer.headers.items() if name in headers}
    body = {name: value for name, value in answer.json().items() if name != "instance"}
    return {"status": answer.status_code, **seen, **body}


@pytest.mark.parametrize("attack", ATTACKS)
def test_attack_opens_no_session_and_gets_the_same_answer(
    office: Office, attack: str
) -> None:
    made, _ = office.enrol()

    refused = ATTACKS[attack](office, made)

    ordinary = send(office.world, {})
    assert refused.status_code == 401
    assert show_refusal(refused) == show_refusal(ordinary)
    assert "token" not in refused.text


@pytest.mark.parametrize("sent", [None, 7, [], {}, "\ud800", "é", "A" * 5000])
def test_malformed_id_of_a_credential_gets_the_same_answer(
    office: Office, sent: object
) -> None:
    made, _ = office.enrol()
    response = DEVICE.sign(made, request_options(office.world))
    body = json.dumps({"credential": response | {"id": sent}})
    headers = {"Content-Type": "application/json"}
    refused = office.world.http.post("/v1/sessions/passkey", content=body, headers=headers)

    assert show_refusal(refused) == show_refusal(send(office.world, {}))


@pytest.mark.parametrize("counts", [True, False])
def test_honest_device_with_and_without_a_counter_signs_in_repeatedly(
    *, office: Office, counts: bool
) -> None:
    device = DEVICE.replace_parts(counts=counts)
    made, _ = office.enrol(device)

    assert [sign_in(office.world, made, device).status_code for _ in range(3)] == [201] * 3


def test_refused_sign_in_does_not_spend_the_challenge_or_move_the_counter(
    office: Office,
) -> None:
    made, _ = office.enrol()
    options = request_options(office.world)
    for bad in (
        DEVICE.replace_parts(flags=PRESENT),
        DEVICE.replace_parts(origin="https://evil.example"),
    ):
        assert send(office.world, bad.sign(replace(made), options)).status_code == 401

    unwrap(send(office.world, DEVICE.sign(made, options)))


def test_failures_are_throttled_by_passkey_and_do_not_block_its_holder(
    office: Office,
) -> None:
    made, _ = office.enrol()
    bad = DEVICE.replace_parts(flags=PRESENT)
    statuses = [sign_in(office.world, replace(made), bad).status_code for _ in range(12)]

    assert statuses == [401] * 10 + [429] * 2
    unwrap(sign_in(office.world, made))


def test_challenges_are_throttled_by_address(office: Office) -> None:
    answers = [office.world.http.post("/v1/passkey-challenges") for _ in range(103)]

    assert [answer.status_code for answer in answers[:100]] == [200] * 100
    assert 429 in {answer.status_code for answer in answers[100:]}
    assert int(answers[-1].headers.get("Retry-After", "1")) <= 2


def test_worker_deletes_used_challenges_an_hour_after_they_expired(office: Office) -> None:
    made, _ = office.enrol()
    unwrap(sign_in(office.world, made))
    counts = []
    for minutes in (64, 1, 1):
        office.world.advance(minutes=minutes)
        delete_used_challenges(office.world.runtime)
        counts.append(count_used(office.world))

    assert counts == [2, 0, 0]


def count_used(world: World) -> int:
    with world.database.begin_read() as session:
        return session.query(UsedChallenge).count()


def test_passkey_cannot_be_registered_twice_or_for_two_people(office: Office) -> None:
    made, session = office.enrol()
    _, response = DEVICE.create(unwrap(session.send("/passkeys/options")), made)
    refused = session.create("/passkeys", {"credential": response, "label": "again"})

    assert refused.json()["type"].endswith("/passkey-refused")
    other = replace_newcomer(office).open_enrolment()
    _, response = DEVICE.create(unwrap(other.ask_options()), made)
    assert other.send(response).status_code == 401


def test_registration_with_the_challenge_of_a_sign_in_is_refused(office: Office) -> None:
    _, session = office.enrol()
    options = unwrap(session.send("/passkeys/options"))
    wrong = options | {"challenge": request_options(office.world)["challenge"]}
    _, response = DEVICE.create(wrong)
    refused = session.create("/passkeys", {"credential": response, "label": "x"})

    assert refused.json()["type"].endswith("/passkey-refused")


def test_registration_with_the_options_of_another_person_is_refused(
    office: Office,
) -> None:
    _, session = office.enrol()
    _, other = replace_newcomer(office).enrol()
    _, response = DEVICE.create(unwrap(other.send("/passkeys/options")))
    refused = session.create("/passkeys", {"credential": response, "label": "x"})

    assert refused.json()["type"].endswith("/passkey-refused")


def test_registration_response_is_accepted_once(office: Office) -> None:
    _, session = office.enrol()
    _, response = DEVICE.create(unwrap(session.send("/passkeys/options")))
    body = {"credential": response, "label": "x"}
    added = unwrap(session.create("/passkeys", body))["id"]
    unwrap(session.send(f"/passkeys/{added}/remove", {}))

    assert session.create("/passkeys", body).status_code == 409


def test_session_of_a_disabled_account_ends_at_once(office: Office) -> None:
    _, session = office.enrol()
    unwrap(office.first.send(f"{get_account_path(office.newcomer)}/disable"))

    assert session.get("/me").status_code == 401
