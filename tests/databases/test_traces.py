"""After an erasure, no file of the database contains the bytes of the case's key."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import Final

import pytest
from sqlalchemy import NullPool, create_engine, make_url, select, text

from app.cases.erasure import KEY_TABLE, ErasureCleanup
from app.cases.models import Case, CaseKey, Sealed
from app.kernel.actors import SERVICE
from app.kernel.ledger import Ledger
from tests.support.databases import ask
from tests.support.world import SECTIONS, Json, Someone, World, get_path, unwrap


@pytest.fixture
def worker(world: World, tmp_path: Path) -> ErasureCleanup:
    """Return the worker's clean-up job for erasures, and start its ledger."""
    ledger = Ledger(tmp_path / "erasures")
    ledger.start(world.runtime)
    return ErasureCleanup(world.runtime, ledger)


LONGEST_WAIT: Final = 60.0
"""Seconds for which transactions of other tests may still see deleted rows."""
PIECE: Final = 32
"""Number of bytes of a secret to search for; a page can end within a longer part."""


def load_keys(world: World, cases: Iterable[Json]) -> list[bytes]:
    """Return the wrapped keys of these cases."""
    of_case = select(Case.id).where(Case.code.in_([case["code"] for case in cases]))
    with world.database.begin_read(SERVICE) as session:
        wanted = select(CaseKey.wrapped).where(CaseKey.case_id.in_(of_case))
        return list(session.scalars(wanted))


def secrets(world: World, cases: list[Json]) -> list[bytes]:
    """Return the wrapped keys and the sealed documents of these cases."""
    of_case = select(Case.id).where(Case.code.in_([case["code"] for case in cases]))
    with world.database.begin_read(SERVICE) as session:
        papers = select(Sealed.sealed).where(Sealed.case_id.in_(of_case))
        return [*load_keys(world, cases), *session.scalars(papers)]


def in_files(url: str) -> bytes:
    """Return the bytes of the files of a SQLite database."""
    path = Path(str(make_url(url).database))
    return b"".join(file.read_bytes() for file in sorted(path.parent.glob(f"{path.name}*")))


def in_table(url: str, table: str) -> bytes:
    """Return the bytes of a PostgreSQL table after a checkpoint."""
    query = f"SELECT pg_read_binary_file(pg_relation_filepath('{table}'))"
    [(data,)] = ask(url, "CHECKPOINT", query)
    return bytes(data)  # type: ignore[call-overload,no-any-return]


def count_found(needles: Iterable[bytes], hay: bytes) -> int:
    """Return the number of secrets that have at least one piece in `hay`."""
    return sum(
        any(secret[at : at + PIECE] in hay for at in range(0, len(secret) - PIECE, 500))
        for secret in needles
    )


def write_again(officer: Someone, case: Json) -> None:
    """Replace two sealed sections with longer texts, so that they move within the file."""
    for section in SECTIONS[3:]:
        more = section | {"text": section["text"] * 400}
        match = {"If-Match": officer.get_tag(case)}
        path = f"{get_path(case)}/sections/{section['section']}"
        unwrap(officer.ask("PUT", path, more, headers=match))


def test_no_file_of_sqlite_keeps_what_was_erased(
    sqlite_url: str, world: World, officer: Someone, worker: ErasureCleanup
) -> None:
    cases = [unwrap(officer.create_case()) for _ in range(24)]
    first = secrets(world, cases)
    for case in cases[::2]:
        write_again(officer, case)
    gone, stays = cases[:16], cases[16:]
    keys, kept = load_keys(world, gone), secrets(world, stays)
    papers = {*first, *secrets(world, gone)} - {*keys, *kept}
    before = (
        count_found(keys, in_files(sqlite_url)),
        count_found(papers, in_files(sqlite_url)),
    )
    for case in gone:
        unwrap(officer.does("discard", case))
    committed = count_found(keys, in_files(sqlite_url))

    worker.run()

    files = in_files(sqlite_url)
    assert before[0] == len(keys)
    assert before[1] > len(papers) * 0.9
    assert committed > 0  # otherwise the checks below would prove nothing
    assert count_found(keys, files) == 0
    assert count_found(papers, files) <= len(papers) // 20  # moved copies, without a key
    assert count_found(kept, files) == len(kept)


def test_while_somebody_reads_traces_stay_and_go_at_a_later_beat(
    sqlite_url: str, world: World, officer: Someone, worker: ErasureCleanup
) -> None:
    case = unwrap(officer.create_case())
    sealed = secrets(world, [case])

    with officer.begin_read() as tx:
        tx.session.execute(text("SELECT count(*) FROM case_key"))
        unwrap(officer.does("discard", case))
        worker.run()
        meanwhile = count_found(sealed, in_files(sqlite_url))
        later = officer.create_case().status_code
    worker.run()

    assert meanwhile > 0
    assert later == 201
    assert count_found(sealed, in_files(sqlite_url)) == 0


def test_the_table_of_keys_keeps_none_that_was_destroyed(
    pg_url: str, world: World, officer: Someone, worker: ErasureCleanup
) -> None:
    cases = [unwrap(officer.create_case()) for _ in range(12)]
    gone, stays = cases[:8], cases[8:]
    keys, kept = load_keys(world, gone), load_keys(world, stays)
    before = count_found(keys, in_table(pg_url, KEY_TABLE))
    for case in gone:
        unwrap(officer.does("discard", case))
    committed = count_found(keys, in_table(pg_url, KEY_TABLE))

    run_until_gone(worker, keys, pg_url)

    files = in_table(pg_url, KEY_TABLE)
    assert before == 8
    assert committed > 0
    assert count_found(keys, files) == 0
    assert count_found(kept, files) == len(kept) == 4


def run_until_gone(worker: ErasureCleanup, keys: list[bytes], url: str) -> None:
    """Run the worker until the table of keys has none of these keys, or time runs out."""
    beat_until(worker, lambda: not count_found(keys, in_table(url, KEY_TABLE)))


def beat_until(worker: ErasureCleanup, is_done: Callable[[], bool]) -> None:
    """Run the worker until a condition is true, for at most `LONGEST_WAIT` seconds.

    A connection to the server keeps deleted rows for a short time in all databases, and
    other tests open connections at the same time.
    """
    end = monotonic() + LONGEST_WAIT
    while not is_done() and monotonic() < end:
        worker.run()
        sleep(0.05)


@contextmanager
def hold_snapshot(officer: Someone) -> Iterator[None]:
    """Keep a transaction open that reads the database of the service."""
    with officer.begin_read() as tx:
        tx.session.execute(text("SELECT 1 FROM country"))
        yield


@contextmanager
def hold_transaction_elsewhere(url: str) -> Iterator[None]:
    """Keep a transaction open that writes in another database of the same server."""
    other = create_engine(make_url(url).set(database="postgres"), poolclass=NullPool)
    with other.begin() as connection:
        connection.execute(text("SELECT pg_current_xact_id()"))
        yield


@pytest.mark.parametrize("is_elsewhere", [False, True])
def test_a_key_stays_while_a_transaction_may_still_see_it(
    pg_url: str,
    world: World,
    officer: Someone,
    worker: ErasureCleanup,
    *,
    is_elsewhere: bool,
) -> None:
    """PostgreSQL keeps a deleted key until an older transaction of the server has ended."""
    case = unwrap(officer.create_case())
    [key] = load_keys(world, [case])
    held = hold_transaction_elsewhere(pg_url) if is_elsewhere else hold_snapshot(officer)

    with held:
        unwrap(officer.does("discard", case))
        worker.run()
        meanwhile = count_found([key], in_table(pg_url, KEY_TABLE))
    run_until_gone(worker, [key], pg_url)

    assert meanwhile == 1
    assert count_found([key], in_table(pg_url, KEY_TABLE)) == 0


def test_after_the_table_was_written_anew_the_service_has_its_own_time_outs(
    pg_url: str, world: World
) -> None:
    def limits() -> list[object]:
        with world.database.begin_read() as session:
            names = ("lock_timeout", "statement_timeout", "synchronous_commit")
            return [session.scalar(text(f"SHOW {name}")) for name in names]

    before = limits()

    is_done = erase_deleted_rows_in_time(world)

    assert is_done == (get_version(pg_url) >= 17)
    assert limits() == before


def erase_deleted_rows_in_time(world: World) -> bool:
    """Rewrite the table of keys, repeatedly while other tests use the server."""
    end = monotonic() + (LONGEST_WAIT if get_version(world.url) >= 17 else 0)
    while not (is_done := world.database.erase_deleted_rows(KEY_TABLE)):
        if monotonic() >= end:
            break
        sleep(0.05)
    return is_done


def get_version(url: str) -> int:
    """Return the major version of the PostgreSQL server."""
    [(number,)] = ask(url, "SHOW server_version_num")
    return int(str(number)) // 10_000
