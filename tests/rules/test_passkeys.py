"""A passkey is accepted only if it passes the checks of WebAuthn (7.1 and 7.2)."""

import subprocess
import sys
from typing import Any, Final

import pytest

from app.access.passkey_challenges import PasskeyRefused
from app.access.passkeys import (
    NewCredential,
    RelyingParty,
    build_relying_party,
    has_increased,
    parse_assertion,
    parse_registration,
    verify_assertion,
    verify_registration,
)
from tests.support.authenticators import (
    PRESENT,
    VERIFIED,
    Authenticator,
    Credential,
    encode,
)
from tests.support.world import PUBLIC, Json

PARTY: Final = RelyingParty("safe-conduct.example", PUBLIC)
CHALLENGE: Final = bytes(range(56))
CREATION: Final[Json] = {
    "rp": {"id": PARTY.id},
    "user": {"id": encode(b"person")},
    "challenge": encode(CHALLENGE),
}
REQUEST: Final[Json] = {"rpId": PARTY.id, "challenge": encode(CHALLENGE)}
DEVICE: Final = Authenticator()
BAD_DEVICES: Final[dict[str, Authenticator]] = {
    "another origin": DEVICE.replace_parts(origin="https://safe-conduct.example.org"),
    "origin without TLS": DEVICE.replace_parts(origin="http://safe-conduct.example"),
    "origin with a port": DEVICE.replace_parts(origin=f"{PUBLIC}:8443"),
    "another relying party": DEVICE.replace_parts(rp_id="example"),
    "user not verified": DEVICE.replace_parts(flags=PRESENT),
    "user not present": DEVICE.replace_parts(flags=VERIFIED),
    "page in a frame": DEVICE.replace_parts(client_data={"crossOrigin": True}),
    "another challenge": DEVICE.replace_parts(client_data={"challenge": encode(b"x" * 56)}),
    "payment": DEVICE.replace_parts(client_data={"type": "payment.get"}),
}


def register(device: Authenticator = DEVICE) -> tuple[Credential, NewCredential]:
    made, response = device.create(CREATION)
    assert parse_registration(response) == CHALLENGE
    return made, verify_registration(PARTY, response, CHALLENGE)


def test_registration_and_sign_in_with_a_good_device_are_accepted() -> None:
    made, known = register()
    response = DEVICE.sign(made, REQUEST)
    claimed = parse_assertion(response)

    assert claimed.credential_id == known.credential_id == made.id
    assert (claimed.challenge, claimed.user_handle) == (CHALLENGE, b"person")
    assert verify_assertion(PARTY, response, CHALLENGE, known) == 1


@pytest.mark.parametrize("bad", BAD_DEVICES)
def test_registration_with_a_bad_device_is_refused(bad: str) -> None:
    _, response = BAD_DEVICES[bad].create(CREATION)

    with pytest.raises(PasskeyRefused):
        require_registered(response)


def require_registered(response: Json) -> None:
    parse_registration(response)
    verify_registration(PARTY, response, CHALLENGE)


@pytest.mark.parametrize("bad", BAD_DEVICES)
def test_sign_in_with_a_bad_device_is_refused(bad: str) -> None:
    made, known = register()
    response = BAD_DEVICES[bad].sign(made, REQUEST)

    with pytest.raises(PasskeyRefused):
        require_signed_in(response, known)


def require_signed_in(response: Json, known: NewCredential) -> None:
    parse_assertion(response)
    verify_assertion(PARTY, response, CHALLENGE, known)


def test_registration_response_is_no_sign_in_and_the_reverse() -> None:
    made, known = register()
    created = DEVICE.create(CREATION)[1]
    signed = DEVICE.sign(made, REQUEST)

    with pytest.raises(PasskeyRefused):
        require_signed_in({**created, "response": {**created["response"]}}, known)
    with pytest.raises(PasskeyRefused):
        require_registered(signed)


def test_signature_of_another_key_is_refused() -> None:
    made, known = register()
    other = Credential(made.user_handle, id=made.id)

    with pytest.raises(PasskeyRefused):
        require_signed_in(DEVICE.sign(other, REQUEST), known)


@pytest.mark.parametrize(
    ("new", "known", "accepted"),
    [(1, 0, True), (7, 6, True), (0, 0, True), (0, 1, False), (6, 6, False), (5, 6, False)],
)
def test_counter_must_increase_unless_there_is_none(
    *, new: int, known: int, accepted: bool
) -> None:
    made, at_first = register()
    made.counter = new
    response = DEVICE.replace_parts(counts=False).sign(made, REQUEST)
    stored = NewCredential(at_first.credential_id, at_first.public_key, known)

    assert has_increased(new, known) is accepted
    if accepted:
        assert verify_assertion(PARTY, response, CHALLENGE, stored) == new
    else:
        with pytest.raises(PasskeyRefused):
            verify_assertion(PARTY, response, CHALLENGE, stored)


@pytest.mark.parametrize("member", ["id", "rawId", "type", "response"])
@pytest.mark.parametrize("value", [None, 7, "", "!", {}, [], "é", "\ud800", "AAAA"])
def test_malformed_credential_is_refused_without_another_error(
    member: str, value: Any
) -> None:
    made, known = register()

    with pytest.raises(PasskeyRefused):
        require_signed_in({**DEVICE.sign(made, REQUEST), member: value}, known)
    with pytest.raises(PasskeyRefused):
        require_registered({**DEVICE.create(CREATION)[1], member: value})


@pytest.mark.parametrize(
    "member", ["clientDataJSON", "authenticatorData", "signature", "attestationObject"]
)
@pytest.mark.parametrize(
    "value", [None, 7, "", "!", {}, [], encode(b"\x81" * 5000), "AAAA"]
)
def test_malformed_response_is_refused_without_another_error(
    member: str, value: Any
) -> None:
    made, known = register()
    signed, created = DEVICE.sign(made, REQUEST), DEVICE.create(CREATION)[1]
    if member in signed["response"]:
        signed["response"][member] = value
        with pytest.raises(PasskeyRefused):
            require_signed_in(signed, known)
    if member in created["response"]:
        created["response"][member] = value
        with pytest.raises(PasskeyRefused):
            require_registered(created)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (None, None),
        ("https://refer.example.org", ("refer.example.org", "https://refer.example.org")),
        (
            "https://refer.example.org:443",
            ("refer.example.org", "https://refer.example.org"),
        ),
        ("https://a.example/base/path", ("a.example", "https://a.example")),
        ("http://localhost:8000", ("localhost", "http://localhost:8000")),
        ("http://localhost:80", ("localhost", "http://localhost")),
        ("http://127.0.0.1:8000", None),
        ("https://10.1.2.3", None),
    ],
)
def test_relying_party_is_the_host_of_the_public_url_unless_it_is_an_address(
    url: str | None, expected: tuple[str, str] | None
) -> None:
    assert build_relying_party(url) == (RelyingParty(*expected) if expected else None)


def test_library_is_imported_only_when_a_passkey_is_verified() -> None:
    code = "import sys, app.main; sys.exit('webauthn' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
