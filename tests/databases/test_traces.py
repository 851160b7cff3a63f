"""Once a case is erased, no file of the database holds its key: bytes are looked for."""

from collections.abc import Callable, Iterable
from pathlib import Path
from time import monotonic, sleep
from typing import Final

import pytest
from sqlalchemy import make_url, select, text

from app.cases.erasing import KEYS, Aftermath
from app.cases.models import Case, CaseKey, Sealed
from app.kernel.actors import SERVICE
from app.kernel.ledger import Ledger
from tests.support.databases import ask
from tests.support.world import SECTIONS, Json, Someone, World, done, path_of


@pytest.fixture
def worker(world: World, tmp_path: Path) -> Aftermath:
    """What the worker does after each erasure."""
    ledger = Ledger(tmp_path / "erasures")
    ledger.start(world.ground)
    return Aftermath(world.ground, ledger)


LONGEST_WAIT: Final = 60.0
"""Seconds that other tests may hold a transaction which still sees what was deleted."""
PIECE: Final = 32
"""So much of a secret is enough to know it; a page may end anywhere in a long one."""


def keys_of(world: World, cases: Iterable[Json]) -> list[bytes]:
    """Read the wrapped keys of some cases."""
    of_case = select(Case.id).where(Case.code.in_([case["code"] for case in cases]))
    with world.database.reading(SERVICE) as session:
        wanted = select(CaseKey.wrapped).where(CaseKey.case_id.in_(of_case))
        return list(session.scalars(wanted))


def secrets(world: World, cases: list[Json]) -> list[bytes]:
    """Read the wrapped keys of some cases, and what is sealed under them."""
    of_case = select(Case.id).where(Case.code.in_([case["code"] for case in cases]))
    with world.database.reading(SERVICE) as session:
        papers = select(Sealed.sealed).where(Sealed.case_id.in_(of_case))
        return [*keys_of(world, cases), *session.scalars(papers)]


def in_files(url: str) -> bytes:
    """Read every file of an SQLite database: itself, its journals, its index."""
    path = Path(str(make_url(url).database))
    return b"".join(file.read_bytes() for file in sorted(path.parent.glob(f"{path.name}*")))


def in_table(url: str, table: str) -> bytes:
    """Read the file of a table of PostgreSQL, once all is in it."""
    asked = f"SELECT pg_read_binary_file(pg_relation_filepath('{table}'))"
    [(data,)] = ask(url, "CHECKPOINT", asked)
    return bytes(data)  # type: ignore[call-overload,no-any-return]


def found(needles: Iterable[bytes], hay: bytes) -> int:
    """Count the secrets of which any piece is there."""
    return sum(
        any(secret[at : at + PIECE] in hay for at in range(0, len(secret) - PIECE, 500))
        for secret in needles
    )


def write_again(officer: Someone, case: Json) -> None:
    """Write what is sealed anew, longer, so that it moves within the file."""
    for section in SECTIONS[3:]:
        more = section | {"text": section["text"] * 400}
        match = {"If-Match": officer.tag(case)}
        path = f"{path_of(case)}/sections/{section['section']}"
        done(officer.ask("PUT", path, more, headers=match))


def test_no_file_of_sqlite_keeps_what_was_erased(
    sqlite_url: str, world: World, officer: Someone, worker: Aftermath
) -> None:
    cases = [done(officer.writes_case()) for _ in range(24)]
    first = secrets(world, cases)
    for case in cases[::2]:
        write_again(officer, case)
    gone, stays = cases[:16], cases[16:]
    keys, kept = keys_of(world, gone), secrets(world, stays)
    papers = {*first, *secrets(world, gone)} - {*keys, *kept}
    before = found(keys, in_files(sqlite_url)), found(papers, in_files(sqlite_url))
    for case in gone:
        done(officer.does("discard", case))
    committed = found(keys, in_files(sqlite_url))

    worker.follow()

    files = in_files(sqlite_url)
    assert before[0] == len(keys)
    assert before[1] > len(papers) * 0.9
    assert committed > 0  # or what follows would prove nothing
    assert found(keys, files) == 0
    assert found(papers, files) <= len(papers) // 20  # copies of what moved, without a key
    assert found(kept, files) == len(kept)


def test_while_somebody_reads_traces_stay_and_go_at_a_later_beat(
    sqlite_url: str, world: World, officer: Someone, worker: Aftermath
) -> None:
    case = done(officer.writes_case())
    sealed = secrets(world, [case])

    with officer.reading() as work:
        work.session.execute(text("SELECT count(*) FROM case_key"))
        done(officer.does("discard", case))
        worker.follow()
        meanwhile = found(sealed, in_files(sqlite_url))
        later = officer.writes_case().status_code
    worker.follow()

    assert meanwhile > 0
    assert later == 201
    assert found(sealed, in_files(sqlite_url)) == 0


def test_the_table_of_keys_keeps_none_that_was_destroyed(
    pg_url: str, world: World, officer: Someone, worker: Aftermath
) -> None:
    cases = [done(officer.writes_case()) for _ in range(12)]
    gone, stays = cases[:8], cases[8:]
    keys, kept = keys_of(world, gone), keys_of(world, stays)
    before = found(keys, in_table(pg_url, KEYS))
    for case in gone:
        done(officer.does("discard", case))
    committed = found(keys, in_table(pg_url, KEYS))

    until_gone(worker, keys, pg_url)

    files = in_table(pg_url, KEYS)
    assert before == 8
    assert committed > 0
    assert found(keys, files) == 0
    assert found(kept, files) == len(kept) == 4


def until_gone(worker: Aftermath, keys: list[bytes], url: str) -> None:
    """Let the worker work until no key is left in the table of keys."""
    beat_until(worker, lambda: not found(keys, in_table(url, KEYS)))


def beat_until(worker: Aftermath, is_done: Callable[[], bool]) -> None:
    """Let the worker work until something holds.

    Who connects to the server holds for a moment what was deleted in any database of it,
    and the tests beside this one do.
    """
    end = monotonic() + LONGEST_WAIT
    while not is_done() and monotonic() < end:
        worker.follow()
        sleep(0.05)


def test_a_key_stays_while_a_transaction_may_still_see_it(
    pg_url: str, world: World, officer: Someone, worker: Aftermath
) -> None:
    case = done(officer.writes_case())
    [key] = keys_of(world, [case])

    with officer.reading() as work:
        work.session.execute(text("SELECT 1 FROM country"))
        done(officer.does("discard", case))
        worker.follow()
        meanwhile = found([key], in_table(pg_url, KEYS))
    until_gone(worker, [key], pg_url)

    assert meanwhile == 1
    assert found([key], in_table(pg_url, KEYS)) == 0


def test_after_the_table_was_written_anew_the_service_has_its_own_time_outs(
    pg_url: str, world: World
) -> None:
    def limits() -> list[object]:
        with world.database.reading() as session:
            names = ("lock_timeout", "statement_timeout", "synchronous_commit")
            return [session.scalar(text(f"SHOW {name}")) for name in names]

    before = limits()

    done = world.database.scrub(KEYS)

    assert done == (version(pg_url) >= 17)
    assert limits() == before


def version(url: str) -> int:
    """Say which PostgreSQL it is: before 17 only its owner may write a table anew."""
    [(number,)] = ask(url, "SHOW server_version_num")
    return int(str(number)) // 10_000
