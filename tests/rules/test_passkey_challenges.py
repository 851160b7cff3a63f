"""A challenge is valid for one purpose, and for five minutes after it was issued."""

from datetime import timedelta
from typing import Final
from uuid import UUID

import pytest

from app.access.passkey_challenges import (
    CLOCK_TOLERANCE,
    LIFETIME,
    SIGN_IN,
    PasskeyRefused,
    create_challenge,
    describe_enrolment,
    describe_registration,
    verify_challenge,
)
from app.kernel.file_keys import FileKeys
from app.kernel.vault import Vault
from tests.support.world import KEYS, NOON

VAULT: Final = Vault(KEYS)
OTHER_VAULT: Final = Vault(FileKeys({"k1": bytes(range(1, 33))}))
SECOND: Final = timedelta(seconds=1)
ONE, OTHER = UUID(int=1), UUID(int=2)
PURPOSES: Final = [
    SIGN_IN,
    describe_registration(ONE),
    describe_registration(OTHER),
    describe_enrolment(ONE),
    describe_enrolment(OTHER),
]


def test_challenge_is_valid_for_five_minutes_and_no_longer() -> None:
    made = create_challenge(VAULT, SIGN_IN, NOON)

    last = verify_challenge(VAULT, made, SIGN_IN, NOON + LIFETIME - SECOND)
    assert last == verify_challenge(VAULT, made, SIGN_IN, NOON - CLOCK_TOLERANCE)
    assert last.expires_at == NOON + LIFETIME
    for moment in (NOON + LIFETIME, NOON - CLOCK_TOLERANCE - SECOND):
        with pytest.raises(PasskeyRefused):
            verify_challenge(VAULT, made, SIGN_IN, moment)


def test_challenge_is_valid_for_its_own_purpose_only() -> None:
    accepted = set[tuple[str, str]]()
    for purpose in PURPOSES:
        made = create_challenge(VAULT, purpose, NOON)
        for other in PURPOSES:
            try:
                verify_challenge(VAULT, made, other, NOON)
            except PasskeyRefused:
                continue
            accepted.add((purpose, other))

    assert accepted == {(purpose, purpose) for purpose in PURPOSES}


def test_each_challenge_is_different() -> None:
    made = {create_challenge(VAULT, SIGN_IN, NOON) for _ in range(100)}

    hashes = {verify_challenge(VAULT, one, SIGN_IN, NOON).hash for one in made}
    assert len(made) == len(hashes) == 100


@pytest.mark.parametrize("index", range(56))
def test_challenge_with_one_changed_byte_is_refused(index: int) -> None:
    made = bytearray(create_challenge(VAULT, SIGN_IN, NOON))
    assert len(made) == 56
    made[index] ^= 1

    with pytest.raises(PasskeyRefused):
        verify_challenge(VAULT, bytes(made), SIGN_IN, NOON)


@pytest.mark.parametrize("made", [b"", b"x" * 24, b"x" * 56, b"x" * 5000])
def test_text_that_is_not_a_challenge_is_refused(made: bytes) -> None:
    with pytest.raises(PasskeyRefused):
        verify_challenge(VAULT, made, SIGN_IN, NOON)


def test_shortened_or_extended_challenge_is_refused() -> None:
    made = create_challenge(VAULT, SIGN_IN, NOON)

    for other in (made[:-1], made + b"\0"):
        with pytest.raises(PasskeyRefused):
            verify_challenge(VAULT, other, SIGN_IN, NOON)


def test_challenge_of_another_installation_is_refused() -> None:
    made = create_challenge(OTHER_VAULT, SIGN_IN, NOON)

    with pytest.raises(PasskeyRefused):
        verify_challenge(VAULT, made, SIGN_IN, NOON)
