"""The MACs of groups and rows change with each value that they cover, and with the key."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Final
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import inspect

from app.access.protected_tables import MEMBERS, MEMBERSHIP
from app.access.row_protection import create_macs
from app.access.unreviewed_accesses import LABEL as UNREVIEWED
from app.cases.models import Case
from app.cases.protected_records import (
    compute_code,
    list_protected,
    list_record_models,
)
from app.cases.records import Fact
from app.kernel import keyfile
from app.kernel.file_keys import FileKeys
from app.kernel.mac_values import encode
from app.kernel.macs import (
    KEPT_AFTER_END,
    MAX_VERIFIED,
    Entry,
    Group,
    NotAuthentic,
    compute_table_tag,
    compute_tag,
)
from app.kernel.stored_keys import KeyMark, StoredKey

NOON: Final = datetime(2026, 6, 1, 12, tzinfo=UTC)
OWNER: Final = [UUID(int=1), "duty 1", None, ["coordinator"], NOON]
ROW: Final = ["a1b2", UUID(int=1), None, True, b"\x00\xff", NOON]
FIRST: Final = StoredKey("k1", bytes(range(32)))
SECOND: Final = StoredKey("k2", bytes(range(32, 64)))
MACS: Final = create_macs(FileKeys([FIRST]), lambda: NOON)
ENTRIES: Final = st.dictionaries(
    st.binary(min_size=8, max_size=8),
    st.builds(
        Entry,
        st.binary(min_size=16, max_size=16),
        st.none() | st.integers(1, 2_000).map(lambda hours: NOON + timedelta(hours=hours)),
    ),
    max_size=20,
)


@given(ENTRIES, st.integers(0, 2**63))
def test_stored_group_is_read_as_it_was_written(
    entries: dict[bytes, Entry], revision: int
) -> None:
    group = Group(entries, revision)
    stored = MACS.format_group("account", OWNER, group)

    assert MACS.parse_group("account", OWNER, stored) == group


@given(ENTRIES, st.data())
def test_each_changed_byte_is_noticed(
    entries: dict[bytes, Entry], data: st.DataObject
) -> None:
    stored = MACS.format_group("account", OWNER, Group(entries))
    place = data.draw(st.integers(0, len(stored) - 1))
    bit = 1 << data.draw(st.integers(0, 7))
    changed = bytes([*stored[:place], stored[place] ^ bit, *stored[place + 1 :]])

    with pytest.raises(NotAuthentic):
        MACS.parse_group("account", OWNER, changed)


@given(st.integers(0, 200))
def test_cut_value_is_refused(length: int) -> None:
    entries = {bytes(8): Entry(bytes(16), None), b"x" * 8: Entry(bytes(16), NOON)}
    stored = MACS.format_group("account", OWNER, Group(entries))

    with pytest.raises(NotAuthentic):
        MACS.parse_group("account", OWNER, stored[: min(length, len(stored) - 1)])


@pytest.mark.parametrize("place", range(len(OWNER)))
def test_each_changed_value_of_the_owner_is_noticed(place: int) -> None:
    stored = MACS.format_group("account", OWNER, Group({}))
    changed = [*OWNER[:place], "another", *OWNER[place + 1 :]]

    for table, owner in (("account", changed), ("person", OWNER)):
        with pytest.raises(NotAuthentic):
            MACS.parse_group(table, owner, stored)


def test_another_key_gives_another_mac() -> None:
    stored = create_macs(FileKeys([SECOND]), lambda: NOON).format_group(
        "account", OWNER, Group({})
    )

    with pytest.raises(NotAuthentic):
        MACS.parse_group("account", OWNER, stored)


@pytest.mark.parametrize("place", range(len(ROW)))
def test_each_changed_value_of_a_row_is_noticed(place: int) -> None:
    digest = MACS.compute_digest("api_key", ROW)
    group = Group({compute_tag("api_key", ROW[0]): Entry(digest, None)})
    assert MACS.has_entry(group, "api_key", ROW)

    for row in ([*ROW[:place], "another", *ROW[place + 1 :]], [*ROW, None]):
        assert not MACS.has_entry(group, "api_key", row)
    assert not MACS.has_entry(group, "public_key", ROW)


def test_rows_of_both_databases_have_equal_bytes() -> None:
    """The bytes do not depend on the zone of a time or on the order of members."""
    almaty = NOON.astimezone(timezone(timedelta(hours=5)))

    assert encode([NOON, {"a": 1, "b": 2}]) == encode([almaty, {"b": 2, "a": 1}])


def test_values_that_look_alike_have_different_bytes() -> None:
    values: list[object] = [
        None,
        "",
        "null",
        [],
        [""],
        {},
        False,
        0,
        "0",
        ["a", "b"],
        ["a,b"],
        "a,b",
    ]

    assert len({encode([value]) for value in values}) == len(values)
    assert encode(["a", "b"]) != encode(["a", "", "b"])


def test_value_of_another_type_is_an_error() -> None:
    with pytest.raises(TypeError, match="timedelta"):
        encode([timedelta()])


def test_digest_is_kept_for_a_day_after_the_end() -> None:
    """The end is rounded up to an hour, so that no digest is removed too early."""
    until = NOON + timedelta(minutes=1) + KEPT_AFTER_END
    stored = MACS.format_group("account", OWNER, Group({bytes(8): Entry(bytes(16), until)}))
    group = MACS.parse_group("account", OWNER, stored)

    assert group.remove_outdated(until) == group
    assert group.remove_outdated(until + timedelta(hours=1)).entries == {}


def test_verified_rows_are_kept_for_some_credentials_only() -> None:
    macs = create_macs(FileKeys([FIRST]), lambda: NOON)
    for number in range(MAX_VERIFIED + 1):
        macs.verified.store(str(number), (number,))

    assert len(macs.verified) == 1


def test_tags_of_each_table_begin_with_another_byte() -> None:
    names = [*(one.name for one in (*MEMBERS, MEMBERSHIP)), UNREVIEWED]

    assert len({compute_table_tag(name) for name in names}) == len(names)
    assert compute_tag(names[0], "key")[:1] == compute_table_tag(names[0])


def test_labels_of_records_of_a_case_begin_with_other_bytes() -> None:
    labels = [label for model in list_record_models() for label in model.list_labels()]

    assert len({compute_code(label) for label in labels}) == len(labels)


def test_every_column_of_a_case_and_its_records_is_protected() -> None:
    for model in (Case, *list_record_models()):
        columns = {one.key for one in inspect(model).column_attrs}
        assert columns - {*list_protected(model)} <= {"mac"}


def test_null_does_not_change_the_protected_values() -> None:
    """Null values are left out, because a column added later is null in existing rows."""
    names = list_protected(Fact)
    values = tuple(None if name == "country" else name for name in names)

    assert "country" not in Fact.name_values(values)
    assert len(Fact.name_values(values)) == len(names) - 1


def test_macs_of_a_replaced_key_are_valid_until_it_is_retired() -> None:
    group = Group({bytes(8): Entry(bytes(16), None)})
    stored = MACS.format_group("account", OWNER, group)
    mac, token = MACS.compute_row_mac("country", ROW), MACS.compute_hash("token", ROW)
    retired = replace(FIRST, mark=KeyMark.RETIRED)
    replaced = create_macs(FileKeys([FIRST, SECOND]), lambda: NOON)
    later = create_macs(FileKeys([retired, SECOND]), lambda: NOON)

    assert replaced.parse_group("account", OWNER, stored) == group
    assert replaced.is_row_mac(mac, "country", ROW)
    assert replaced.is_hash(token, "token", ROW)
    assert replaced.find_group_version("account", OWNER, stored) == "k1"
    assert replaced.find_row_version("country", ROW, mac) == "k1"
    assert replaced.secrets.replaced == ("k1",)

    with pytest.raises(NotAuthentic):
        later.parse_group("account", OWNER, stored)
    assert not later.is_row_mac(mac, "country", ROW)
    assert not later.is_hash(token, "token", ROW)
    assert later.find_group_version("account", OWNER, stored) == "k1"
    assert later.secrets.replaced == ()
    assert list(later.secrets.accepted) == ["k2"]


def test_digest_in_a_group_never_changes() -> None:
    """The digest of a row always uses the first key, unlike the MAC of a row."""
    retired = replace(FIRST, mark=KeyMark.RETIRED)
    for keys in ([FIRST, SECOND], [retired, SECOND]):
        macs = create_macs(FileKeys(keys), lambda: NOON)
        assert macs.compute_digest("api_key", ROW) == MACS.compute_digest("api_key", ROW)
        assert macs.compute_row_mac("country", ROW) != MACS.compute_row_mac("country", ROW)


def test_verified_rows_are_forgotten_when_a_key_is_retired(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    first = keyfile.add_key(path)
    macs = create_macs(FileKeys.load(path), lambda: NOON)
    macs.verified.store("prefix", (1,))
    assert not macs.load_secrets()
    assert macs.verified

    keyfile.add_key(path)
    keyfile.mark_retired(path, first)

    assert macs.load_secrets()
    assert not macs.verified


def test_mac_of_a_key_that_another_process_has_just_added_is_valid(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    keyfile.add_key(path)
    running = create_macs(FileKeys.load(path), lambda: NOON)
    keyfile.add_key(path)
    other = create_macs(FileKeys.load(path), lambda: NOON)

    assert running.is_row_mac(other.compute_row_mac("country", ROW), "country", ROW)
