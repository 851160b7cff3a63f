"""The vault opens a sealed document only with its own key and for its own record."""

import re
import secrets
from collections.abc import Callable
from dataclasses import replace
from itertools import permutations
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.kernel.file_keys import FileKeys
from app.kernel.vault import (
    NONCE_BYTES,
    Place,
    Unopenable,
    Vault,
    WrappedKey,
    get_key_place,
    join_with_lengths,
)

CASE = UUID(int=1)
HOME = Place("section", UUID(int=10), CASE, "identity", "k1")
CANARY = b"Maria Lopez, Rue X"
# Sealed once with the key `bytes(range(32))`; every service version has to open it.
WRAPPED = bytes.fromhex(
    "81797d53a91050d5af29517b98885882395616b7f3360ba56533f7fcbedd23f9"
    "1bc709a978d99a08a79d04264ae40a6a8e30abe07cc5d09bf9ece8c6"
)
SEALED = bytes.fromhex(
    "d6ad9555bb809eb3156bb2e212171ea86b6c135d23cbdd9544e5e8977196c277"
    "220ecd6749b8e763a922ef96b02e"
)
FINGERPRINT = "6caccff5ddab9d89ad83741e7c07cbee1eda58c75dd939dfe82d82c8dfa199d0"
HIDDEN = bytes.fromhex("2f69a0d83dbb6aec0191034574cc0dd5acd706fa875c4099")
OLD, NEW = secrets.token_bytes(32), secrets.token_bytes(32)


@pytest.fixture
def vault() -> Vault:
    return Vault(FileKeys({"k1": OLD}))


@given(st.binary(max_size=5000))
def test_what_was_sealed_opens_whole(plain: bytes) -> None:
    vault = Vault(FileKeys({"k1": OLD}))
    key = vault.create_key(CASE)

    sealed = vault.seal(key, HOME, plain)

    assert vault.open(key, HOME, *sealed) == plain
    assert len(sealed.sealed) == NONCE_BYTES + len(plain) + 16


def test_a_key_of_a_case_opens_with_the_keys_it_was_locked_away_with_alone(
    vault: Vault,
) -> None:
    key = vault.create_key(CASE)
    other = Vault(FileKeys({"k1": NEW}))

    assert unwrap_key(vault, key)

    with pytest.raises(Unopenable):
        unwrap_key(other, key)
    with pytest.raises(Unopenable):
        unwrap_key(vault, replace(key, case=UUID(int=2)))


def unwrap_key(vault: Vault, key: WrappedKey) -> bytes:
    """Return the data key of a case. Raises Unopenable if it cannot be decrypted."""
    return vault.unwrap_secret(key.version, key.wrapped, *get_key_place(key.case))


def test_what_is_kept_shows_nothing(vault: Vault) -> None:
    key = vault.create_key(CASE)

    kept = key.wrapped + b"".join(vault.seal(key, HOME, CANARY))

    assert CANARY not in kept
    assert b"Maria" not in kept


def test_nothing_sealed_opens_in_the_place_of_another(vault: Vault) -> None:
    key = vault.create_key(CASE)
    rows = [replace(HOME, row=UUID(int=row)) for row in range(20)]
    cases = [replace(HOME, case=UUID(int=case)) for case in range(2, 12)]
    sections = [replace(HOME, section=f"section {number}") for number in range(10)]
    tables = [replace(HOME, table=f"table_{number}") for number in range(10)]
    versions = [replace(HOME, key_version=f"k{number}") for number in range(2, 12)]
    places = [*rows, *cases, *sections, *tables, *versions]
    sealed = {place: vault.seal(key, place, CANARY) for place in places}

    opened = []
    for one, other in permutations(places, 2):
        try:
            opened.append((one, other, vault.open(key, one, *sealed[other])))
        except Unopenable:
            continue

    assert opened == []
    assert {vault.open(key, place, *sealed[place]) for place in places} == {CANARY}


def test_the_key_of_another_case_opens_nothing(vault: Vault) -> None:
    mine, other = vault.create_key(CASE), vault.create_key(UUID(int=2))
    sealed = vault.seal(mine, HOME, CANARY)

    with pytest.raises(Unopenable):
        vault.open(other, HOME, *sealed)


def test_a_wrapped_key_passed_off_as_another_opens_nothing(vault: Vault) -> None:
    key = vault.create_key(CASE)
    sealed = vault.seal(key, HOME, CANARY)

    for forged in (replace(key, case=UUID(int=2)), replace(key, version="k2")):
        with pytest.raises(Unopenable):
            vault.open(forged, HOME, *sealed)


def test_a_second_key_of_the_same_case_opens_nothing_of_the_first(vault: Vault) -> None:
    sealed = vault.seal(vault.create_key(CASE), HOME, CANARY)

    with pytest.raises(Unopenable):
        vault.open(vault.create_key(CASE), HOME, *sealed)


def test_one_changed_bit_anywhere_is_noticed(vault: Vault) -> None:
    key = vault.create_key(CASE)
    sealed = vault.seal(key, HOME, CANARY)

    for part, whole in enumerate(sealed):
        for place in range(len(whole)):
            damaged = [bytearray(one) for one in sealed]
            damaged[part][place] ^= 1
            with pytest.raises(Unopenable):
                vault.open(key, HOME, *map(bytes, damaged))


def test_a_document_opens_with_its_own_key_and_with_no_other(vault: Vault) -> None:
    """A document opens only with its own key, so an overwritten text cannot be opened."""
    key = vault.create_key(CASE)
    old, new = vault.seal(key, HOME, b"before"), vault.seal(key, HOME, b"after")

    for wrapped in (new.wrapped_key, None, b"", key.wrapped):
        with pytest.raises(Unopenable):
            vault.open(key, HOME, old.sealed, wrapped)
    with pytest.raises(Unopenable):
        vault.open(key, HOME, old.wrapped_key)
    assert vault.open(key, HOME, *new) == b"after"


@given(st.binary(max_size=60))
def test_what_nobody_sealed_does_not_open(junk: bytes) -> None:
    vault = Vault(FileKeys({"k1": OLD}))
    key = vault.create_key(CASE)

    with pytest.raises(Unopenable):
        vault.open(key, HOME, junk)
    with pytest.raises(Unopenable):
        vault.open(WrappedKey(CASE, "k1", junk), HOME, *vault.seal(key, HOME, CANARY))
    with pytest.raises(Unopenable):
        vault.decrypt_cursor(junk, ["list"])


def test_a_refusal_says_nothing_of_what_was_sealed(vault: Vault) -> None:
    key = vault.create_key(CASE)
    sealed = vault.seal(key, HOME, CANARY)

    with pytest.raises(Unopenable) as refused:
        vault.open(key, replace(HOME, section="health"), *sealed)

    assert str(refused.value) == "The sealed data cannot be decrypted."


def test_writing_the_same_again_looks_different(vault: Vault) -> None:
    key = vault.create_key(CASE)

    one, other = vault.seal(key, HOME, CANARY), vault.seal(key, HOME, CANARY)

    for first, second in zip(one, other, strict=True):
        assert first[:NONCE_BYTES] != second[:NONCE_BYTES]
        assert first[NONCE_BYTES:] != second[NONCE_BYTES:]


@pytest.mark.slow
def test_no_nonce_comes_twice(vault: Vault) -> None:
    key = vault.create_key(CASE)

    sealed = [vault.seal(key, HOME, b"x") for _ in range(100_000)]

    assert len({one.sealed[:NONCE_BYTES] for one in sealed}) == len(sealed)
    assert len({one.wrapped_key[:NONCE_BYTES] for one in sealed}) == len(sealed)


def test_every_case_has_a_data_key_of_its_own(vault: Vault) -> None:
    keys = [vault.create_key(uuid4()) for _ in range(100)]

    assert len({key.wrapped for key in keys}) == 100


def test_after_a_new_key_the_old_still_opens_and_the_new_one_wraps(vault: Vault) -> None:
    old = vault.create_key(CASE)
    sealed = vault.seal(old, HOME, CANARY)
    later = Vault(FileKeys({"k1": OLD, "k2": NEW}))

    new = later.create_key(CASE)

    assert (old.version, new.version) == ("k1", "k2")
    assert later.open(old, HOME, *sealed) == CANARY
    assert later.open(old, HOME, *later.seal(old, HOME, CANARY)) == CANARY


@pytest.mark.parametrize("keys", [{"k1": NEW}, {"k2": OLD}, {"k2": NEW}])
def test_without_the_right_key_encryption_key_nothing_opens(
    vault: Vault, keys: dict[str, bytes]
) -> None:
    key = vault.create_key(CASE)
    sealed = vault.seal(key, HOME, CANARY)

    with pytest.raises(Unopenable):
        Vault(FileKeys(keys)).open(key, HOME, *sealed)


@given(st.lists(st.text(max_size=4), max_size=4), st.lists(st.text(max_size=4), max_size=4))
def test_no_two_lists_of_texts_are_spelled_alike(one: list[str], other: list[str]) -> None:
    alike = join_with_lengths(one) == join_with_lengths(other)

    assert alike == (one == other)


@pytest.mark.parametrize(
    "compute",
    [
        Vault.compute_fingerprint,
        Vault.compute_lasting_fingerprint,
        Vault.compute_permanent_fingerprint,
    ],
)
def test_fingerprint_identifies_a_list_of_values(
    vault: Vault, compute: Callable[..., str]
) -> None:
    first = compute(vault, b"ab", b"c")

    assert re.fullmatch("[0-9a-f]{64}", first)
    assert first == compute(vault, b"ab", b"c")
    assert first != compute(vault, b"a", b"bc")
    assert first != compute(vault, b"abc")
    assert first != compute(Vault(FileKeys({"k1": NEW})), b"ab", b"c")


def test_fingerprint_of_an_earlier_key_is_listed(vault: Vault) -> None:
    first = vault.compute_fingerprint(b"ab", b"c")
    later = Vault(FileKeys({"k1": OLD, "k2": NEW}))

    assert later.list_fingerprints(b"ab", b"c")[1:] == [first]


def test_what_is_hidden_looks_the_same_twice_and_is_read_in_its_context(
    vault: Vault,
) -> None:
    hidden = vault.encrypt_cursor(b"12345678", ["cases", "a"])

    assert hidden == vault.encrypt_cursor(b"12345678", ["cases", "a"])
    assert hidden != vault.encrypt_cursor(b"12345678", ["cases", "b"])
    assert vault.decrypt_cursor(hidden, ["cases", "a"]) == b"12345678"
    for context in (["cases", "b"], ["casesa"], ["case", "sa"], []):
        with pytest.raises(Unopenable):
            vault.decrypt_cursor(hidden, context)


def test_what_an_earlier_version_of_the_service_kept_means_the_same_for_ever() -> None:
    vault = Vault(FileKeys({"k1": bytes(range(32))}))

    key = WrappedKey(CASE, "k1", WRAPPED)
    assert vault.open(key, HOME, SEALED) == CANARY
    # An older version of the service replaced a newer document, but left its wrapped key.
    assert vault.open(key, HOME, SEALED, vault.seal(key, HOME, b"").wrapped_key) == CANARY
    assert vault.compute_fingerprint(b"ab", b"c") == FINGERPRINT
    assert vault.encrypt_cursor(b"12345678", ["cases", "a"]) == HIDDEN
