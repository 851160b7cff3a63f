"""Tests of the guarantees of SQLite, without any table of the service."""

import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from pathlib import Path
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import (
    Executable,
    ForeignKey,
    create_engine,
    delete,
    event,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.exc import (
    DBAPIError,
    IntegrityError,
    OperationalError,
    SQLAlchemyError,
    StatementError,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from app.kernel.database_errors import is_transient
from app.kernel.db import Base, Database, Listed
from app.kernel.instants import UtcDateTime
from app.kernel.problems import Busy
from app.kernel.sqlite import DriverConnection

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
NAIVE = NOON.replace(tzinfo=None)
LONG = "x" * 100_000  # needs many pages


class Own(DeclarativeBase):
    type_annotation_map = Base.type_annotation_map


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Note(Own):
    __tablename__ = "note"

    number: Mapped[int] = mapped_column(primary_key=True)
    words: Mapped[str] = mapped_column(default="")
    at: Mapped[datetime] = mapped_column(default=NOON)
    colour: Mapped[Colour] = mapped_column(default=Colour.RED)


class Reply(Own):
    """A reply whose foreign key is checked at commit, so that a commit can fail."""

    __tablename__ = "reply"

    number: Mapped[int] = mapped_column(primary_key=True)
    note: Mapped[int] = mapped_column(
        ForeignKey(Note.number, deferrable=True, initially="DEFERRED")
    )


class Ticket(Listed, Own):
    __tablename__ = "ticket"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "own.db"


@pytest.fixture
def database(path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{path}")
    with database.begin_write() as session:
        Own.metadata.create_all(session.connection())
    yield database
    database.engine.dispose()


def read_words(database: Database) -> list[str]:
    with database.begin_read() as session:
        return list(session.scalars(select(Note.words).order_by(Note.number)))


def test_what_was_written_is_read(database: Database) -> None:
    with database.begin_write() as session:
        session.add(Note(words="kept"))

    assert read_words(database) == ["kept"]


def test_a_commit_is_on_the_disk_and_references_hold(database: Database) -> None:
    with database.begin_write() as session:
        settings = [
            session.scalar(text(f"PRAGMA {name}"))
            for name in (
                "journal_mode",
                "synchronous",
                "foreign_keys",
                "trusted_schema",
                "secure_delete",
            )
        ]

    assert settings == ["wal", 2, 1, 0, 1]


@pytest.mark.parametrize(
    "change",
    [
        insert(Note).values(words="sneaked in"),
        update(Note).values(words="sneaked in"),
        delete(Note),
        text("DROP TABLE note"),
        text("CREATE TABLE sneaked_in (number INTEGER)"),
    ],
    ids=["insert", "update", "delete", "drop", "create"],
)
def test_the_database_refuses_to_write_while_reading(
    database: Database, change: Executable
) -> None:
    with database.begin_write() as session:
        session.add(Note(words="kept"))

    with (
        pytest.raises(OperationalError, match="readonly"),
        database.begin_read() as session,
    ):
        session.execute(change)

    assert read_words(database) == ["kept"]


def test_a_connection_that_read_can_write_and_read_again(database: Database) -> None:
    for turn in range(3):
        assert len(read_words(database)) == turn
        with database.begin_write() as session:
            session.add(Note())

    with (
        pytest.raises(OperationalError, match="readonly"),
        database.begin_read() as session,
    ):
        session.execute(delete(Note))


def test_a_reader_sees_one_moment(database: Database) -> None:
    with database.begin_read() as session:
        before = session.scalars(select(Note.words)).all()
        with database.begin_write() as writer:
            writer.add(Note(words="meanwhile"))
        still = session.scalars(select(Note.words)).all()

    assert before == still == []
    assert read_words(database) == ["meanwhile"]


def test_an_error_leaves_nothing(database: Database) -> None:
    def catch_fire(session: Session) -> None:
        session.add(Note(words="lost"))
        session.flush()
        raise OSError("on fire")

    with pytest.raises(OSError, match="on fire"), database.begin_write() as session:
        catch_fire(session)

    assert read_words(database) == []


def test_a_commit_that_fails_leaves_nothing(database: Database) -> None:
    with pytest.raises(IntegrityError), database.begin_write() as session:
        session.add_all([Note(words="lost"), Reply(note=99)])

    assert read_words(database) == []
    with database.begin_write() as session:
        session.add(Note(words="the next one works"))
    assert read_words(database) == ["the next one works"]


def test_a_commit_that_never_reaches_the_disk_leaves_nothing(database: Database) -> None:
    def disk_on_fire(*_: object) -> None:
        raise OSError("disk on fire")

    event.listen(database.engine, "commit", disk_on_fire)
    with pytest.raises(OSError, match="on fire"), database.begin_write() as session:
        session.add(Note(words="lost"))
    event.remove(database.engine, "commit", disk_on_fire)

    assert read_words(database) == []


def fill_the_disk(session: Session) -> None:
    """Limit the database file to its present size, and write more than fits in it."""
    pages = session.scalar(text("PRAGMA page_count"))
    session.execute(text(f"PRAGMA max_page_count = {pages}"))
    session.execute(insert(Note).values(words="before"))
    session.execute(insert(Note).values(words=LONG))


def ignore(session: Session) -> None:
    with suppress(DBAPIError):
        fill_the_disk(session)


def ignore_and_execute(session: Session) -> None:
    ignore(session)
    session.execute(insert(Note).values(words="after"))


def ignore_and_add(session: Session) -> None:
    ignore(session)
    session.add(Note(words="after"))


def test_a_full_disk_is_told_as_trouble_that_may_pass(database: Database) -> None:
    with pytest.raises(Busy) as refused, database.begin_write() as session:
        fill_the_disk(session)

    assert refused.value.status == 503


@pytest.mark.parametrize("act", [fill_the_disk, ignore, ignore_and_execute, ignore_and_add])
def test_a_full_disk_leaves_nothing_however_careless_the_caller(
    database: Database, act: Callable[[Session], None]
) -> None:
    loud = (RuntimeError, SQLAlchemyError, Busy)

    with pytest.raises(loud), database.begin_write() as session:
        act(session)

    assert read_words(database) == []


def test_after_a_full_disk_there_is_work_again(database: Database) -> None:
    with suppress(Busy, DBAPIError), database.begin_write() as session:
        fill_the_disk(session)

    with database.begin_write() as session:
        session.execute(text("PRAGMA max_page_count = 1000000"))
        session.execute(insert(Note).values(words=LONG))

    assert read_words(database) == [LONG]


def test_an_error_that_ends_no_transaction_may_be_handled(database: Database) -> None:
    with database.begin_write() as session:
        session.add(Note(number=1, words="first"))
        session.flush()
        with suppress(IntegrityError), session.begin_nested():
            session.execute(insert(Note).values(number=1, words="the same number"))
        session.add(Note(number=2, words="second"))

    assert read_words(database) == ["first", "second"]


@pytest.mark.parametrize(
    "statement",
    [
        insert(Note).values(at=NAIVE),
        update(Note).values(at=NAIVE),
        select(Note).where(Note.at < NAIVE),
    ],
    ids=["insert", "update", "select"],
)
def test_an_instant_without_a_zone_is_refused(
    database: Database, statement: Executable
) -> None:
    with (
        pytest.raises(StatementError, match="time zone"),
        database.begin_write() as session,
    ):
        session.execute(statement)

    assert read_words(database) == []


@pytest.mark.parametrize(
    "zone", [UTC, ZoneInfo("Asia/Tashkent"), timezone(timedelta(hours=-9, minutes=-30))]
)
def test_an_instant_comes_back_as_the_same_instant_in_utc(
    database: Database, zone: timezone | ZoneInfo
) -> None:
    with database.begin_write() as session:
        session.add(Note(at=NOON.astimezone(zone)))

    with database.begin_read() as session:
        at = session.scalars(select(Note.at)).one()

    assert at == NOON
    assert at.tzinfo is UTC


def test_instants_of_several_zones_are_compared_as_instants(database: Database) -> None:
    tashkent = ZoneInfo("Asia/Tashkent")
    with database.begin_write() as session:
        session.add(Note(words="later", at=NOON + timedelta(minutes=1)))
        session.add(Note(words="sooner", at=NOON.astimezone(tashkent)))

    with database.begin_read() as session:
        ordered = session.scalars(select(Note.words).order_by(Note.at)).all()
        sooner = session.scalars(
            select(Note.words).where(Note.at <= NOON.astimezone(tashkent))
        ).all()

    assert ordered == ["sooner", "later"]
    assert sooner == ["sooner"]


def test_no_instant_is_stored_as_none(database: Database) -> None:
    dialect = database.engine.dialect

    assert UtcDateTime().process_bind_param(None, dialect) is None
    assert UtcDateTime().process_result_value(None, dialect) is None


def test_the_database_keeps_to_the_closed_list(database: Database) -> None:
    with pytest.raises(IntegrityError), database.begin_write() as session:
        session.execute(
            text("INSERT INTO note (words, at, colour) VALUES ('', '2026-06-01', 'green')")
        )

    assert read_words(database) == []


def test_the_number_of_a_deleted_row_is_never_given_again(database: Database) -> None:
    def take_one() -> int:
        with database.begin_write() as session:
            ticket = Ticket(id=uuid4())
            session.add(ticket)
            session.flush()
            return ticket.number

    first = take_one()
    with database.begin_write() as session:
        session.execute(delete(Ticket))

    assert take_one() > first


def test_many_writers_are_all_served(database: Database) -> None:
    def write(writer: int) -> None:
        for turn in range(50):
            with database.begin_write() as session:
                session.add(Note(words=f"{writer}.{turn}"))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(8)))

    written = read_words(database)
    assert len(set(written)) == 400
    for writer in range(8):
        mine = [words for words in written if words.startswith(f"{writer}.")]
        assert mine == [f"{writer}.{turn}" for turn in range(50)]


def test_a_writer_that_reads_first_loses_nothing(database: Database) -> None:
    with database.begin_write() as session:
        session.add(Note(number=1, words="0"))

    def count_up(_: int) -> None:
        with database.begin_write() as session:
            note = session.get_one(Note, 1)
            note.words = str(int(note.words) + 1)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(count_up, range(80)))

    assert read_words(database) == ["80"]


def test_an_error_of_the_database_never_repeats_what_was_written(
    database: Database,
) -> None:
    twice = insert(Note).values([{"number": 1, "words": "Maria"}] * 2)

    with pytest.raises(IntegrityError) as refused, database.begin_write() as session:
        session.execute(twice)

    assert "Maria" not in str(refused.value)


def test_a_journal_that_a_reader_made_grow_shrinks_again(
    database: Database, path: Path
) -> None:
    journal = path.with_name(path.name + "-wal")

    def write(times: int) -> None:
        for _ in range(times):
            with database.begin_write() as session:
                session.execute(insert(Note).values(words="x" * 1024**2))

    with database.begin_read() as session:
        session.scalars(select(Note.number)).all()
        write(20)
    grown = journal.stat().st_size
    write(2)

    assert grown > 20 * 1024**2
    assert journal.stat().st_size <= 16 * 1024**2


def test_a_database_held_by_another_process_is_busy(database: Database, path: Path) -> None:
    @event.listens_for(database.engine, "connect")
    def _(connection: DriverConnection, _: object) -> None:
        connection.execute("PRAGMA busy_timeout = 50")

    database.engine.dispose()
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Busy) as refused, database.begin_write() as session:
            session.add(Note(words="never"))
        other.execute("ROLLBACK")

    assert refused.value.headers == {"Retry-After": "1"}
    assert read_words(database) == []


def test_a_moment_that_has_passed_is_trouble_that_may_pass(
    database: Database, path: Path
) -> None:
    other = create_engine(f"sqlite:///{path}")

    with other.connect() as connection:
        connection.exec_driver_sql("BEGIN")
        connection.execute(select(Note.words)).all()
        with database.begin_write() as session:
            session.add(Note(words="meanwhile"))
        with pytest.raises(OperationalError) as refused:
            connection.execute(insert(Note).values(words="too late"))
    other.dispose()

    assert is_transient(refused.value)


def test_unfinished_result_does_not_leave_its_snapshot_to_the_next_read(
    database: Database,
) -> None:
    def read_one() -> None:
        with database.connect_read() as connection:
            result = connection.execute(select(Note.words))
            assert result.fetchone() is not None

    for words in ("one", "two", "three"):
        with database.begin_write() as session:
            session.add(Note(words=words))
    read_one()

    with database.begin_write() as session:
        session.add(Note(words="four"))

    assert sorted(read_words(database)) == ["four", "one", "three", "two"]
