"""A confirmed change is stored as a whole. A failed change is not stored at all."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from threading import Event
from uuid import uuid4

import httpx2
import pytest
from httpx2 import Client, Response
from sqlalchemy import Connection, Executable, Update, delete, func, select, update
from sqlalchemy.exc import DBAPIError

from app.cases.models import Case, Party, Sealed
from app.disclosure.models import AccessEntry
from app.kernel.actors import SERVICE
from app.kernel.idempotency import Outcome
from app.kernel.journal import Delivery, Entry, Mailbox
from tests.support.database_faults import ALLOWING, fail_inserts, get_dialect
from tests.support.databases import ask, listen_to
from tests.support.effort import choose_number
from tests.support.servers import (
    CHANCE,
    make_client,
    report,
    retry_as_told,
    start_server,
    write_key_file,
)
from tests.support.world import (
    Json,
    Someone,
    World,
    get_path,
    list_types,
    make_acceptance,
    make_case,
    make_contacts,
    unwrap,
)

ROUNDS = choose_number(5, sample=2, night=50)
CLIENTS = 8

type Opening = Callable[[], Response]

WORDS = ("bed tonight", "Oygul", "Ойгул", "Рассказ", "спина", "Rayymbek", "+7701")

DOOMED = {
    "sqlite": (
        """CREATE TABLE doomed (
        id TEXT REFERENCES needed (id) DEFERRABLE INITIALLY DEFERRED)""",
        "CREATE TABLE needed (id TEXT PRIMARY KEY)",
        """CREATE TRIGGER full AFTER INSERT ON outcome
        BEGIN INSERT INTO doomed VALUES ('x'); END""",
    ),
    "postgresql": (
        """CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'full'; END $$""",
        """CREATE CONSTRAINT TRIGGER full_now AFTER INSERT ON outcome
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse()""",
    ),
}
"""Statements after which the database refuses each `outcome` row at the commit."""


@contextmanager
def fail_commits(world: World) -> Iterator[None]:
    """Make every commit of a write transaction fail; read transactions still succeed."""

    def burn(connection: Connection) -> None:
        options = connection.get_execution_options()
        if not options.get("query_only") and not options.get("postgresql_readonly"):
            raise OSError("disk on fire")

    with listen_to(world.database, "commit", burn):
        yield


def count_rows(world: World) -> list[int]:
    """Return the number of rows in each table to which a request could write.

    The last number is the sum of the last positions of all feeds.
    """
    tables = (Case, Party, Sealed, Entry, Delivery, Outcome, AccessEntry)
    with world.database.begin_read(SERVICE) as session:
        counts = [select(func.count()).select_from(table) for table in tables]
        heads = session.scalars(select(func.sum(Mailbox.head))).one()
        return [*(session.scalars(count).one() for count in counts), heads]


@pytest.fixture
def led(officer: Someone, lead: Someone) -> Json:
    case = officer.submit()
    unwrap(lead.does("acknowledge", case))
    return unwrap(lead.does("accept-lead", case, {"contacts": make_contacts()}))


@pytest.fixture
def sent(led: Json, lead: Someone) -> Json:
    return unwrap(lead.refer(led, "KZ_SHELTER_KOGERSHIN"))


@pytest.fixture
def accepted(sent: Json, shelter: Someone) -> Json:
    return unwrap(shelter.does("accept", sent, make_acceptance()))


def test_a_failed_commit_is_never_a_201(officer: Someone, world: World) -> None:
    before = count_rows(world)

    with fail_commits(world):
        failed = officer.create("/cases", make_case(submit=True), "k")
    between = count_rows(world)
    again = officer.create("/cases", make_case(submit=True), "k")

    assert failed.status_code == 500
    assert between == before
    assert again.status_code == 201
    assert "Idempotent-Replayed" not in again.headers
    assert list_types(officer.poll()) == ["case.drafted", "case.submitted"]


def test_what_the_database_refuses_only_at_the_commit_is_never_a_201(
    officer: Someone, world: World, url: str
) -> None:
    before = count_rows(world)
    ask(url, *DOOMED[get_dialect(world)])

    failed = officer.create("/cases", make_case(submit=True), "k")
    between = count_rows(world)
    ask(url, *ALLOWING[get_dialect(world)])
    again = officer.create("/cases", make_case(submit=True), "k")

    assert failed.status_code == 500
    assert between == before
    assert again.status_code == 201
    assert list_types(officer.poll()) == ["case.drafted", "case.submitted"]


def test_a_failed_commit_changes_nothing_and_the_same_reading_still_counts(
    led: Json, sent: Json, lead: Someone, shelter: Someone, world: World
) -> None:
    seen = {"if_match": shelter.get_tag(sent), "idempotency_key": "k"}
    before = count_rows(world)

    with fail_commits(world):
        failed = shelter.send(f"{get_path(sent)}/accept", make_acceptance(), **seen)
    between = count_rows(world)
    again = shelter.send(f"{get_path(sent)}/accept", make_acceptance(), **seen)

    assert failed.status_code == 500
    assert between == before
    assert again.status_code == 200
    assert lead.read(led)["state"] == "assisting"


@pytest.mark.parametrize("table", ["entry", "delivery", "outcome", "party", "sealed"])
def test_an_act_is_kept_whole_or_not_at_all(
    table: str, officer: Someone, world: World, url: str
) -> None:
    before = count_rows(world)

    with fail_inserts(world, url, table):
        failed = officer.create("/cases", make_case(submit=True), "k")
        between = count_rows(world)
    again = officer.create("/cases", make_case(submit=True), "k")

    assert failed.status_code >= 500
    assert "full" not in failed.text
    assert between == before
    assert again.status_code == 201


def list_documents(
    led: Json, accepted: Json, lead: Someone, officer: Someone
) -> list[Opening]:
    """Return a call for each sealed document, by an account that may open the document."""
    own, sections = officer.submit(), ("needs", "contact", "identity", "narrative")
    of_lead = (
        *(f"{get_path(led)}/{paper}" for paper in ("sections/needs", "sections/contact")),
        *(f"{get_path(led)}/{paper}" for paper in ("safeguards", "contacts", "notes")),
        *(f"{get_path(accepted)}/{paper}" for paper in ("arrangement", "notes")),
    )
    of_officer = (
        *(f"{get_path(own)}/sections/{section}" for section in (*sections, "health")),
        f"{get_path(own)}/safeguards",
    )
    return [
        *(partial(lead.open, paper) for paper in of_lead),
        *(partial(officer.open, paper) for paper in of_officer),
    ]


def test_without_an_access_entry_nothing_is_shown(
    led: Json, accepted: Json, officer: Someone, lead: Someone, url: str
) -> None:
    """No sealed document is sent unless its entry in the access log is stored (R35)."""
    openings = list_documents(led, accepted, lead, officer)
    shown = [opens() for opens in openings]
    before = count_rows(lead.world)

    with fail_inserts(lead.world, url, "access_entry"):
        shut = [opens() for opens in openings]

    assert {answer.status_code for answer in shown} == {200}
    assert {answer.status_code for answer in shut} == {503}
    assert {answer.headers.get("Retry-After") for answer in shut} == {"1"}
    assert find_words(shown) == set(WORDS)
    assert find_words(shut) == set()
    assert count_rows(lead.world) == before


def find_words(answers: list[Response]) -> set[str]:
    return {word for word in WORDS for answer in answers if word in answer.text}


def test_a_failed_commit_shows_no_section(led: Json, lead: Someone, world: World) -> None:
    path = f"{get_path(led)}/sections/needs"

    with fail_commits(world):
        shut = lead.open(path)

    assert shut.status_code == 503
    assert "bed tonight" not in shut.text
    assert "bed tonight" in lead.open(path).text


def test_the_database_refuses_to_write_while_reading(lead: Someone, led: Json) -> None:
    change = update(Case).values(version=99)

    with pytest.raises(DBAPIError, match=r"read-?only"), lead.begin_read() as tx:
        tx.session.execute(change)

    assert lead.read(led)["version"] == led["version"]


KEPT = (Entry, Delivery, AccessEntry)


@pytest.mark.parametrize("table", KEPT, ids=lambda table: table.__tablename__)
@pytest.mark.parametrize("how", ["update", "delete"])
def test_what_happened_and_who_looked_is_never_rewritten(
    table: type[Entry | Delivery | AccessEntry],
    how: str,
    led: Json,
    lead: Someone,
    world: World,
) -> None:
    lead.open(f"{get_path(led)}/sections/needs")
    before = count_rows(world)
    changes: dict[str, Executable] = {
        "update": build_noop(table),
        "delete": delete(table),
    }

    with pytest.raises(DBAPIError, match=r"never rewritten|permission denied"):
        run(lead, changes[how])

    assert count_rows(world) == before


def build_noop(table: type[Entry | Delivery | AccessEntry]) -> Update:
    column = next(iter(table.__table__.columns))
    return update(table).values({column.name: column})


def run(someone: Someone, change: Executable) -> None:
    with someone.begin_write() as tx:
        tx.session.execute(change)


@dataclass
class Load:
    """The load: cases that clients submit until the server is killed, and the responses."""

    officer: Someone
    answered: dict[str, str] = field(default_factory=dict)
    lost: set[str] = field(default_factory=set)
    heard: list[int] = field(default_factory=list)

    def submit(self, client: Client, key: str) -> Response:
        headers = self.officer.make_headers() | {"Idempotency-Key": key}
        return client.post("/v1/cases", json=make_case(submit=True), headers=headers)

    def run(self, client: Client, over: Event) -> None:
        """Submit one case after another, each with its own idempotency key."""
        while not over.is_set():
            key = str(uuid4())
            self.lost.add(key)
            try:
                answer = retry_as_told(partial(self.submit, client, key), self.heard)
            except httpx2.TransportError:
                return
            self.keep(key, answer)

    def keep(self, key: str, answer: Response) -> None:
        assert answer.status_code == 201, answer.text
        self.answered[key] = answer.json()["code"]
        self.lost.discard(key)

    def ask_again(self, client: Client) -> None:
        """Repeat every unanswered request with the same idempotency key."""
        for key in sorted(self.lost):
            self.keep(key, retry_as_told(partial(self.submit, client, key), self.heard))


@pytest.mark.slow
@pytest.mark.soak
def test_a_server_that_is_killed_has_kept_all_it_acknowledged_and_nothing_twice(
    url: str, world: World, officer: Someone, tmp_path: Path
) -> None:
    load, keys, lost = Load(officer), write_key_file(tmp_path), list[int]()

    for _ in range(ROUNDS):
        over = Event()
        with start_server(url, keys) as server, make_client(server.port) as client:
            load.ask_again(client)
            with ThreadPoolExecutor(CLIENTS) as pool:
                running = [pool.submit(load.run, client, over) for _ in range(CLIENTS)]
                time.sleep(CHANCE.uniform(0.3, 1.2))
                server.kill()
                over.set()
            assert [each.result() for each in running] == [None] * CLIENTS
        lost.append(len(load.lost))
    with start_server(url, keys) as server, make_client(server.port) as client:
        load.ask_again(client)

    report("killed", load.heard)
    report("unanswered in a round", lost)
    codes = list(load.answered.values())
    with world.database.begin_read(SERVICE) as session:
        kept = list(session.scalars(select(Case.code)))
        keyed = list(session.scalars(select(Outcome.key)))
    assert max(lost) > 0
    assert load.lost == set()
    assert sorted(codes) == sorted(kept)
    assert len(set(codes)) == len(codes)
    assert sorted(keyed) == sorted(load.answered)
    expected = ["case.drafted", "case.submitted"]
    assert list_types(officer.poll()) == expected * len(codes)
