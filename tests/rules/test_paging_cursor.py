"""A cursor of an office's list can be neither used nor read by another office."""

import base64
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from sqlalchemy import Column, Integer, MetaData, Table, insert, select

from app.kernel.actors import AccountKind, Actor
from app.kernel.db import Database
from app.kernel.file_keys import FileKeys
from app.kernel.instants import UtcDateTime
from app.kernel.paging import (
    CursorUnknown,
    Keys,
    Page,
    PageQuery,
    create_cursor,
    load_page,
    read_cursor,
    to_number,
)
from app.kernel.transactions import ReadTransaction, Runtime, begin_read
from app.kernel.vault import Vault

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
HERE, ELSEWHERE = UUID(int=1), UUID(int=2)
KEY = bytes(range(32))
URL_SAFE = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
PLACES = [(0,), (1,), (2**63 - 1,), (1, 2), (2, 1), (2**62, 0)]


ITEM = Table(
    "item",
    MetaData(),
    Column("number", Integer),
    Column("shelf", Integer),
    Column("at", UtcDateTime),
)
NUMBERS = select(ITEM.c.number)
BY_NUMBER = (ITEM.c.number,)
BY_SHELF = (ITEM.c.shelf, ITEM.c.number)
BY_INSTANT = (ITEM.c.at, ITEM.c.number)


def build_actor(runtime: Runtime, focal_point_id: UUID) -> Actor:
    return Actor(
        account_id=runtime.ids(),
        focal_point_id=focal_point_id,
        kind=AccountKind.PERSON,
        roles=frozenset(),
        scopes=frozenset(),
    )


@pytest.fixture(scope="module")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runtime]:
    path: Path = tmp_path_factory.mktemp("paging") / "items.db"
    runtime = Runtime(
        Database(f"sqlite:///{path}"),
        Vault(FileKeys({"k1": KEY})),
        clock=lambda: NOON,
        ids=uuid4,
    )
    with runtime.database.begin_write() as session:
        ITEM.metadata.create_all(session.connection())
        numbers = (3, 1, 9, 5, 4, 12, 7, 200, 11, 8)
        rows = [
            {"number": n, "shelf": n % 3, "at": NOON + timedelta(microseconds=n // 4)}
            for n in numbers
        ]
        session.execute(insert(ITEM), rows)
    yield runtime
    runtime.database.engine.dispose()


@pytest.fixture
def tx(runtime: Runtime) -> Iterator[ReadTransaction]:
    with begin_read(runtime, build_actor(runtime, HERE)) as tx:
        yield tx


@pytest.fixture
def stranger(runtime: Runtime) -> Iterator[ReadTransaction]:
    with begin_read(runtime, build_actor(runtime, ELSEWHERE)) as tx:
        yield tx


def walk_pages(
    tx: ReadTransaction, keys: Keys, limit: int
) -> Iterator[list[tuple[Any, ...]]]:
    """Yield the pages of a list until there is no next page."""
    after: str | None = None
    while True:
        query = PageQuery(after=after, limit=limit)
        rows, after = load_page(tx, select(*keys), keys, query, name="items")
        yield [tuple(row) for row in rows]
        if after is None:
            return


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 9, 10, 11, 200])
@pytest.mark.parametrize(
    "keys", [BY_NUMBER, BY_SHELF, BY_INSTANT], ids=["one key", "two keys", "an instant"]
)
def test_a_walk_meets_every_row_once_in_order(
    tx: ReadTransaction, keys: Keys, limit: int
) -> None:
    pages = list(walk_pages(tx, keys, limit))

    rows = [row for page in pages for row in page]

    assert len(rows) == 10
    assert all(one < other for one, other in pairwise(rows))
    assert all(len(page) == limit for page in pages[:-1])
    assert pages[-1]


@pytest.mark.parametrize("limit", [1, 2, 5, 10])
def test_page_that_ends_at_the_last_row_has_no_next(
    tx: ReadTransaction, limit: int
) -> None:
    pages = list(walk_pages(tx, BY_NUMBER, limit))

    assert [len(page) for page in pages] == [limit] * (10 // limit)


def test_page_after_the_last_row_is_empty_and_has_no_next(tx: ReadTransaction) -> None:
    last = create_cursor(tx, (200,), ["items", str(HERE)])

    page = load_page(tx, NUMBERS, BY_NUMBER, PageQuery(after=last), name="items")

    assert page == ([], None)


def test_next_of_a_page_is_absent_and_not_null() -> None:
    last, other = Page[int](items=[1]), Page[int](items=[1], next="x")

    assert last.model_dump_json() == '{"items":[1]}'
    assert other.model_dump_json() == '{"items":[1],"next":"x"}'


def test_to_begin_at_the_start_may_be_said() -> None:
    assert PageQuery(after=None, limit=5) == PageQuery(limit=5)


def test_an_empty_list_has_no_next(tx: ReadTransaction) -> None:
    nothing = NUMBERS.where(ITEM.c.shelf == 99)

    page = load_page(tx, nothing, BY_NUMBER, PageQuery(), name="items")

    assert page == ([], None)


@pytest.mark.parametrize("numbers", PLACES)
def test_the_same_place_has_the_same_cursor_and_is_found_again(
    tx: ReadTransaction, numbers: tuple[int, ...]
) -> None:
    text = create_cursor(tx, numbers, ["items", "a"])

    assert text == create_cursor(tx, numbers, ["items", "a"])
    assert read_cursor(tx, text, ["items", "a"], len(numbers)) == list(numbers)
    assert PageQuery(after=text).after == text


def test_every_place_has_a_cursor_of_its_own(tx: ReadTransaction) -> None:
    cursors = {create_cursor(tx, numbers, ["items", "a"]) for numbers in PLACES}

    assert len(cursors) == len(PLACES)


def test_a_cursor_shows_no_number(tx: ReadTransaction) -> None:
    text = create_cursor(tx, (0x4142434445464748,), ["items", "a"])

    hidden = base64.urlsafe_b64decode(text)

    assert b"ABCDEFGH" not in hidden
    assert not set(text) - set(URL_SAFE)


@pytest.mark.parametrize("keys", [1, 2, 3])
def test_a_cursor_is_as_long_as_any_other_and_padded_by_nothing(
    tx: ReadTransaction, keys: int
) -> None:
    cursors = [create_cursor(tx, (n,) * keys, ["items", "a"]) for n in range(400)]

    assert {len(text) for text in cursors} == {-(-(16 + 8 * keys) * 8 // 6)}
    assert {text[-1] for text in cursors} <= set(URL_SAFE)


@pytest.mark.parametrize("context", [["cases", "a"], ["items", "b"], ["itemsa"], []])
def test_the_cursor_of_another_list_or_party_is_unknown(
    tx: ReadTransaction, context: list[str]
) -> None:
    text = create_cursor(tx, (5,), ["items", "a"])

    with pytest.raises(CursorUnknown) as refused:
        read_cursor(tx, text, context, 1)

    assert refused.value.status == 422


def test_a_focal_point_cannot_use_the_cursor_of_another(
    tx: ReadTransaction, stranger: ReadTransaction
) -> None:
    query = PageQuery(limit=1)
    _, mine = load_page(tx, NUMBERS, BY_NUMBER, query, name="items")
    taken = PageQuery(after=mine)

    with pytest.raises(CursorUnknown):
        load_page(stranger, NUMBERS, BY_NUMBER, taken, name="items")
    with pytest.raises(CursorUnknown):
        load_page(tx, NUMBERS, BY_NUMBER, taken, name="others")


@pytest.mark.parametrize("numbers", PLACES)
def test_one_changed_character_makes_a_cursor_unknown(
    tx: ReadTransaction, numbers: tuple[int, ...]
) -> None:
    text = create_cursor(tx, numbers, ["items", "a"])

    understood = []
    for place in range(len(text)):
        for char in set(URL_SAFE) - {text[place]}:
            try:
                changed = text[:place] + char + text[place + 1 :]
                read_cursor(tx, changed, ["items", "a"], len(numbers))
                understood.append(changed)
            except CursorUnknown:
                continue

    assert understood == []


def test_a_cursor_of_another_number_of_keys_is_unknown(tx: ReadTransaction) -> None:
    one, two = create_cursor(tx, (5,), ["items"]), create_cursor(tx, (5, 6), ["items"])

    with pytest.raises(CursorUnknown):
        read_cursor(tx, one, ["items"], 2)
    with pytest.raises(CursorUnknown):
        read_cursor(tx, two, ["items"], 1)


@given(st.one_of(st.text(max_size=120), st.text(URL_SAFE + "+/=", max_size=120)))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_other_text_is_unknown_and_never_fails(tx: ReadTransaction, text: str) -> None:
    with pytest.raises(CursorUnknown):
        read_cursor(tx, text, ["items", "a"], 1)


@pytest.mark.parametrize("text", ["", "=", "====", "\0", "\ud800", "é" * 32, "A" * 120])
def test_hostile_text_is_unknown(tx: ReadTransaction, text: str) -> None:
    with pytest.raises(CursorUnknown):
        load_page(
            tx,
            NUMBERS,
            BY_NUMBER,
            PageQuery.model_construct(after=text, limit=5),
            name="items",
        )


def test_a_cursor_survives_a_new_key(tx: ReadTransaction, runtime: Runtime) -> None:
    text = create_cursor(tx, (5,), ["items", "a"])
    later = Vault(FileKeys({"k1": KEY, "k2": bytes(range(32, 64))}))
    tomorrow = Runtime(runtime.database, later, runtime.clock, runtime.ids)

    again = ReadTransaction(tx.session, tx.actor, NOON, tomorrow)

    assert read_cursor(again, text, ["items", "a"], 1) == [5]


def test_an_instant_is_spelled_in_microseconds_since_1970() -> None:
    assert to_number(datetime(1970, 1, 1, tzinfo=UTC)) == 0
    assert to_number(NOON) == 1_780_315_200_000_000
    assert to_number(NOON + timedelta(microseconds=1)) == 1_780_315_200_000_001
    assert to_number(7) == 7


def test_a_page_has_fifty_items_unless_it_is_said() -> None:
    assert PageQuery().limit == 50
    assert PageQuery().after is None


@pytest.mark.parametrize("asked", [{"limit": 0}, {"limit": 201}, {"before": "x"}])
def test_a_page_is_not_asked_for_in_any_other_way(asked: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        PageQuery.model_validate(asked)


@pytest.mark.parametrize("limit", [1, 200])
def test_a_page_has_as_many_as_it_may(limit: int) -> None:
    assert PageQuery(limit=limit).limit == limit
