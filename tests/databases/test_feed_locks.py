"""Events for several offices are delivered with one statement, which cannot deadlock."""

import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from random import Random
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import OperationalError

from app.kernel.actors import SERVICE
from app.kernel.journal import Delivery, Mailbox, Retrieval, advance_heads
from app.kernel.transactions import RecordIdentity
from tests.support.databases import ask, record_statements
from tests.support.effort import choose_number
from tests.support.world import Someone, World

pytestmark = pytest.mark.usefixtures("invented_events")
OFFICES = 12
WRITES = choose_number(300, sample=150, night=10_000)
SEED = 27


@pytest.fixture
def readers(world: World) -> list[UUID]:
    """Return the ids of some offices, sorted."""
    with world.database.begin_read(SERVICE) as session:
        found = select(Mailbox.focal_point_id).order_by(Mailbox.focal_point_id)
        return list(session.scalars(found.limit(OFFICES)))


def record_events(writer: Someone, audiences: Sequence[Sequence[UUID]]) -> None:
    with writer.begin_write() as tx:
        for audience in audiences:
            case_id = uuid4()
            subject = RecordIdentity(case_id, case_id, "cases/1")
            tx.record("case.told", subject, frozenset(audience))


def list_positions(world: World, reader: UUID) -> list[int]:
    mine = Delivery.focal_point_id == reader
    with world.database.begin_read(SERVICE) as session:
        query = select(Delivery.position).where(mine).order_by(Delivery.position)
        return list(session.scalars(query))


def get_head(world: World, reader: UUID) -> int | None:
    with world.database.begin_read(SERVICE) as session:
        return session.scalar(select(Mailbox.head).where(Mailbox.focal_point_id == reader))


def test_events_for_several_offices_take_one_statement(
    world: World, officer: Someone, readers: list[UUID]
) -> None:
    first, second, third = readers[:3]

    with record_statements(world.database) as statements:
        record_events(officer, [[first], [first, second], [first, second, third], []])

    assert sum("INTO mailbox" in one for one in statements) == 1
    found = {reader: list_positions(world, reader) for reader in readers[:3]}
    assert found == {first: [1, 2, 3], second: [1, 2], third: [1]}
    assert [get_head(world, reader) for reader in readers[:4]] == [3, 2, 1, 0]


def test_feeds_are_locked_in_the_order_of_ids(
    pg_url: str, world: World, officer: Someone, readers: list[UUID]
) -> None:
    """A writer that waits for a feed has locked the feeds before it, and none after it.

    The rows are stored in the opposite order, so that a statement that does not sort its
    locks would lock the last feed first.
    """
    chosen = [readers[0], readers[5], readers[-1]]
    for reader in reversed(readers):
        move_row(pg_url, reader)
    with (
        ThreadPoolExecutor(1) as pool,
        world.database.begin_write(SERVICE) as session,
    ):
        held = select(Mailbox).where(Mailbox.focal_point_id == chosen[1])
        session.execute(held.with_for_update()).all()
        waiting = pool.submit(
            record_events, officer, [chosen, chosen[1:], chosen[2:], chosen[::2]]
        )
        wait_until_locked(pg_url, chosen[0], waiting)
        can_lock_last = not is_locked(pg_url, chosen[2])

    waiting.result()
    assert can_lock_last
    assert [list_positions(world, reader) for reader in chosen] == [
        [1, 2],
        [1, 2],
        [1, 2, 3, 4],
    ]


class UndoneError(Exception):
    """Raised to end a transaction without a commit."""


@pytest.mark.usefixtures("pg_url")
def test_retrieval_is_recorded_while_a_writer_holds_the_feed(
    world: World, readers: list[UUID]
) -> None:
    """A retrieval refers to the feed, but must not wait for a writer that has locked it."""
    reader = readers[0]

    with suppress(UndoneError), world.database.begin_write(SERVICE) as session:
        advance_heads(session.connection(), {reader: 1})
        with world.database.begin_write(SERVICE) as other:
            other.execute(text("SET LOCAL lock_timeout = '500ms'"))
            other.add(Retrieval(focal_point_id=reader, upto=1, at=world.now))
        raise UndoneError

    with world.database.begin_read(SERVICE) as session:
        assert session.scalar(select(Retrieval.upto)) == 1


def test_writers_do_not_deadlock_on_an_old_version_of_a_feed(
    pg_url: str, world: World, officer: Someone, readers: list[UUID]
) -> None:
    """Two writers wait for a feed that a retrieval refers to, and both succeed.

    If the first one changed the version of the feed in its snapshot, it would wait for the
    second, which waits for the first.
    """
    reader = readers[0]

    with (
        world.database.begin_write(SERVICE) as retrieval,
        ThreadPoolExecutor(2) as pool,
    ):
        retrieval.add(Retrieval(focal_point_id=reader, upto=1, at=world.now))
        retrieval.flush()
        with world.database.begin_write(SERVICE) as other:
            other.execute(text(write_again(reader)))
            writes = [pool.submit(record_events, officer, [[reader]]) for _ in range(2)]
            wait_until_waiting(pg_url, writes)
        for write in writes:
            write.result(timeout=10)

    assert list_positions(world, reader) == [1, 2]


def wait_until_waiting(url: str, writes: Sequence[Future[None]]) -> None:
    """Wait up to ten seconds until all writes wait for a lock."""
    waiting = (
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    began = time.monotonic()
    while ask(url, waiting) != [(len(writes),)]:
        assert not any(write.done() for write in writes)
        assert time.monotonic() < began + 10
        time.sleep(0.02)


def write_again(reader: UUID) -> str:
    """Return the statement that writes a new version of a feed without a change."""
    return f"UPDATE mailbox SET head = head WHERE focal_point_id = '{reader}'"


def move_row(url: str, reader: UUID) -> None:
    """Write a row again, so that PostgreSQL stores it behind the other rows."""
    ask(url, write_again(reader))


def is_locked(url: str, reader: UUID) -> bool:
    """Return whether another transaction has locked a feed."""
    row = f"SELECT head FROM mailbox WHERE focal_point_id = '{reader}'"
    try:
        ask(url, f"{row} FOR UPDATE NOWAIT")
    except OperationalError:
        return True
    return False


def wait_until_locked(url: str, reader: UUID, by: Future[None]) -> None:
    """Wait up to ten seconds until a feed is locked by a write that is not done."""
    began = time.monotonic()
    while not is_locked(url, reader):
        assert not by.done()
        assert time.monotonic() < began + 10
        time.sleep(0.02)


@pytest.mark.slow
def test_writers_for_many_offices_do_not_deadlock(
    world: World, officer: Someone, readers: list[UUID]
) -> None:
    """All writes for random offices succeed, and no position is missing or used twice."""
    chance = Random(SEED)
    writes = [
        [chance.sample(readers, chance.randint(1, OFFICES)) for _ in range(3)]
        for _ in range(WRITES)
    ]

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda audiences: record_events(officer, audiences), writes))

    expected = Counter(
        reader for write in writes for audience in write for reader in audience
    )
    for reader in readers:
        assert list_positions(world, reader) == list(range(1, expected[reader] + 1))
        assert get_head(world, reader) == expected[reader]
