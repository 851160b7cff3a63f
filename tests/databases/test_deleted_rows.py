"""Deleted rows of the tables without a MAC raise the alarms that docs/privacy.md names."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from random import Random
from typing import Any, Final

import pytest
from sqlalchemy import Table, delete, select
from structlog.testing import capture_logs

from app.cases.models import Case, DocumentKey, Sealed
from app.cases.sections import Paper, Section
from app.kernel.actors import SERVICE
from app.kernel.db import Base
from tests.support.database_attacks import Attacker
from tests.support.effort import Run, choose_number
from tests.support.full_world import create_people, create_records
from tests.support.protected_tables import read_alarms
from tests.support.world import (
    Someone,
    World,
    get_path,
    make_consent,
    make_service_consent,
    unwrap,
)

SHARE: Final = choose_number(2, sample=6, night=1)
"""The rows of one in this many tables are deleted; 1 means all."""
TRIES: Final = 30
"""The number of requests that are sent after each deletion."""
BELOW: Final = ("", "/history", "/consents", "/evidence", "/routing", "/sections/needs")
JOURNAL: Final = {"access_entry", "entry", "delivery"}
EVIDENCE: Final = JOURNAL | {"firing", "outcome", "outgoing", "sighting", "telling"}
"""Tables that must not be empty in the world of these tests."""

type Reads = list[tuple[Someone, str]]


@pytest.fixture
def reads(world: World) -> Reads:
    """Return successful requests, each with its sender, in a world with many records."""
    people = create_people(world)
    create_records(people)
    with world.database.begin_read(SERVICE) as session:
        codes = session.scalars(select(Case.code).order_by(Case.number)).all()
    for code in codes:  # before the cases go to the next office, so that this is recorded
        people["lead"].open(f"/cases/{code}")
    world.wait(days=3)
    paths = ["/webhooks", *(f"/cases/{code}{end}" for code in codes for end in BELOW)]
    tried = ((one, path) for one in people.values() for path in paths)
    return [(one, path) for one, path in tried if one.open(path).is_success]


def list_sampled_tables() -> list[tuple[str, bool]]:
    """List the tables that this run empties, and whether that raises an alarm."""
    alarms = [one for one in read_alarms() if one[0] not in JOURNAL]
    return alarms[Run.seed % SHARE :: SHARE]


@contextmanager
def empty_tables(world: World, names: Iterable[str]) -> Iterator[dict[str, int]]:
    """Delete all rows of some tables, yield their numbers, and insert the rows again."""
    attacker, kept = Attacker(world), dict[Table, list[dict[str, Any]]]()
    with attacker.connect() as connection:
        for table in map(Base.metadata.tables.__getitem__, names):
            found = connection.execute(select(table)).mappings()
            kept[table] = [dict(row) for row in found]
            connection.execute(delete(table))
    yield {table.name: len(rows) for table, rows in kept.items()}
    with attacker.connect() as connection:
        for table, rows in kept.items():
            connection.execute(delete(table))
            if rows:
                connection.execute(table.insert(), rows)


def raises_alarm(world: World, reads: Reads) -> bool:
    """Send requests, run the worker, and return whether an error or warning is logged."""
    with capture_logs() as logs:
        answers = [one.open(path) for one, path in reads]
        world.run_worker()
    is_failed = any(answer.is_server_error for answer in answers)
    return is_failed or any(line["log_level"] in {"warning", "error"} for line in logs)


def test_deleted_rows_raise_an_alarm_only_where_the_page_says_so(
    world: World, reads: Reads
) -> None:
    """Tables without rows are left out."""
    chance, webhooks = Random(Run.seed), [one for one in reads if one[1] == "/webhooks"]
    assert len(reads) > 100
    assert not raises_alarm(world, reads)
    for name, has_alarm in list_sampled_tables():
        with empty_tables(world, [name]) as deleted:
            assert deleted[name] or name not in EVIDENCE
            sent = webhooks + chance.sample(reads, TRIES)
            alarm = raises_alarm(world, sent)
            assert alarm == has_alarm or not deleted[name], name


def test_no_alarm_if_the_whole_journal_is_deleted(world: World, reads: Reads) -> None:
    """Without the journal, the access log and all feeds, each request gets an answer."""
    assert not any(has_alarm for name, has_alarm in read_alarms() if name in JOURNAL)
    with empty_tables(world, JOURNAL) as deleted:
        assert min(deleted.values()) > 10
        assert not raises_alarm(world, reads)


def test_exchanged_keys_of_documents_raise_an_alarm_when_one_is_opened(
    world: World, officer: Someone, lead: Someone
) -> None:
    """A section fails with 500. A routing result is shown as empty, without an alarm."""
    consents = [make_consent(), make_service_consent()]
    case = lead.take_lead(officer.submit(consents=consents))
    needs, routing = f"{get_path(case)}/sections/needs", f"{get_path(case)}/routing"
    candidates = unwrap(lead.open(routing))["candidates"]
    exchange_keys(Attacker(world), Section.NEEDS, Paper.ROUTING)

    assert not raises_alarm(world, [(lead, get_path(case)), (lead, routing)])
    assert len(unwrap(lead.open(routing))["candidates"]) < len(candidates)
    assert raises_alarm(world, [(lead, needs)])
    assert lead.open(needs).status_code == 500


def exchange_keys(attacker: Attacker, *kinds: str) -> None:
    """Exchange the keys of the two documents of these kinds."""
    one, other = (attacker.find(Sealed, kind=kind)["id"] for kind in kinds)
    keys = {document: attacker.read(DocumentKey, document) for document in (one, other)}
    attacker.update(DocumentKey, one, wrapped=keys[other]["wrapped"])
    attacker.update(DocumentKey, other, wrapped=keys[one]["wrapped"])
