"""An overwritten document cannot be opened with any key that is still in the database."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from app.cases.erasure import DOCUMENT_KEY_TABLE, REWRITE_INTERVAL, ErasureCleanup
from app.cases.models import Case, DocumentKey, Sealed
from app.cases.queries import build_place, get_data_key
from app.kernel.ledger import Ledger
from app.kernel.vault import Unopenable
from tests.databases.test_traces import beat_until, count_found, in_files, in_table
from tests.support.world import Json, Someone, World, get_path, unwrap

TEXTS = ("Ойгул Ғаниева в приюте", "María José Núñez", "فاطمة بنت محمد")


@pytest.fixture
def worker(world: World, tmp_path: Path) -> ErasureCleanup:
    """Return the worker's clean-up job for erasures, and start its ledger."""
    ledger = Ledger(tmp_path / "erasures")
    ledger.start(world.runtime)
    return ErasureCleanup(world.runtime, ledger)


def write_health(officer: Someone, case: Json, text: str) -> None:
    body = {"section": "health", "text": text}
    match = {"If-Match": officer.get_tag(case)}
    unwrap(officer.ask("PUT", f"{get_path(case)}/sections/health", body, headers=match))


def read_document(world: World, case: Json) -> tuple[bytes, bytes]:
    """Return the sealed health section of a case, and its wrapped key."""
    with world.write_as_service() as tx:
        row = select(Sealed).join(Case).where(Case.code == case["code"])
        paper = tx.session.scalars(row.where(Sealed.kind == "health")).one()
        assert paper.key is not None
        return paper.sealed, paper.key.wrapped


def can_open(world: World, case: Json, sealed: bytes, wrapped: bytes | None) -> bool:
    """Return whether the key of the case and a document key, if any, open a document."""
    with world.write_as_service() as tx:
        row = select(Sealed).join(Case).where(Case.code == case["code"])
        paper = tx.session.scalars(row.where(Sealed.kind == "health")).one()
        try:
            key, place = get_data_key(tx, paper.case_id), build_place(paper)
            tx.vault.open(key, place, sealed, wrapped)
        except Unopenable:
            return False
        return True


def require_lost_keys(
    world: World, officer: Someone, worker: ErasureCleanup, read: Callable[[], bytes]
) -> None:
    """Overwrite a document repeatedly, and check that `read` finds only the newest key."""
    case, documents = unwrap(officer.create_case()), []
    for text in TEXTS:
        write_health(officer, case, text)
        documents.append(read_document(world, case))
    *old, (now_sealed, now_key) = documents
    old_keys = [wrapped for _, wrapped in old]
    before = count_found(old_keys, read())

    beat_until(worker, lambda: not count_found(old_keys, read()))

    assert before > 0  # otherwise the checks below would prove nothing
    assert count_found(old_keys, read()) == 0
    assert count_found([now_key], read()) == 1
    assert can_open(world, case, now_sealed, now_key)
    for sealed, wrapped in old:
        assert can_open(world, case, sealed, wrapped)
        assert not can_open(world, case, sealed, now_key)
        assert not can_open(world, case, sealed, None)


def test_no_file_of_sqlite_keeps_the_key_of_a_text_that_was_written_over(
    sqlite_url: str, world: World, officer: Someone, worker: ErasureCleanup
) -> None:
    require_lost_keys(world, officer, worker, lambda: in_files(sqlite_url))


def test_the_table_of_postgresql_keeps_no_key_of_a_text_that_was_written_over(
    pg_url: str, world: World, officer: Someone, worker: ErasureCleanup
) -> None:
    def read() -> bytes:
        return in_table(pg_url, DOCUMENT_KEY_TABLE)

    require_lost_keys(world, officer, worker, read)


def test_the_table_is_written_anew_once_a_day_however_often_somebody_writes(
    world: World, worker: ErasureCleanup, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables: list[str] = []

    def scrub(_: object, table: str) -> bool:
        tables.append(table)
        return True

    monkeypatch.setattr(type(world.database), "erase_deleted_rows", scrub)
    for hours in (0, 1, 22, 1, 1, 23):
        world.advance(hours=hours)
        worker.run()

    assert timedelta(days=1) == REWRITE_INTERVAL
    assert (
        tables.count(DOCUMENT_KEY_TABLE) == 3
    )  # at the start, after 24 and after 48 hours


def test_every_sealed_document_has_a_key_of_its_own(
    world: World, officer: Someone, lead: Someone
) -> None:
    for _ in range(2):
        lead.take_lead(officer.submit())
    with world.write_as_service() as tx:
        papers = set(tx.session.scalars(select(Sealed.id)))
        keys = tx.session.scalars(select(DocumentKey)).all()

    assert {key.document_id for key in keys} == papers
    assert len({key.wrapped for key in keys}) == len(papers) > 5
