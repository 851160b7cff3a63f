"""A client that polls a feed misses no event, gets none twice, and learns of a restore."""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from threading import Event, Thread, current_thread, local
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Connection, insert, select
from sqlalchemy import Sequence as Numbers

from app.feed.actions import record_sighting
from app.kernel.db import Database
from app.kernel.journal import Delivery, Entry, Epoch, Retrieval
from app.kernel.transactions import READ_ONLY, WriteTransaction
from tests.support.child_processes import Child, ReportPipe
from tests.support.databases import EPOCH, ask, listen_to
from tests.support.effort import choose_number
from tests.support.feeds import get_position
from tests.support.servers import CHANCE, Served, make_client, serve_world
from tests.support.world import Json, Someone, World, list_types, make_cursor_query, unwrap

pytestmark = pytest.mark.usefixtures("invented_events")
WRITERS = 8
CHANGES = range(1, 1 + choose_number(1000, sample=300, night=20_000))
READERS = ("KZ_LEAD", "KZ_LEGAL_AID", "UZ_CONSULATE_ALMATY")
DOING = local()

type Tell = Callable[[WriteTransaction, "About"], None]
type Look = Callable[[str | None], tuple[list[str], str]]


@dataclass(frozen=True)
class About:
    """A record with the audience of its event."""

    number: int
    audience: frozenset[UUID]
    id: UUID = field(default_factory=uuid4)

    @property
    def case_id(self) -> UUID:
        return self.id

    @property
    def reference(self) -> str:
        return f"cases/{self.number}"


def wait_randomly(most: float) -> None:
    time.sleep(CHANCE.uniform(0, most))


@contextmanager
def record_commits(database: Database) -> Iterator[list[About]]:
    """Yield a list of the writes, each added just before its transaction is committed."""
    committed: list[About] = []

    def at_commit(_: object) -> None:
        if about := getattr(DOING, "about", None):
            wait_randomly(0.001)
            committed.append(about)

    with listen_to(database, "commit", at_commit):
        yield committed


def write_all(
    writer: Someone, readers: Sequence[Someone], tell: Tell, changes: range = CHANGES
) -> list[About]:
    """Record all changes in eight threads, and return them in commit order."""

    def write(number: int) -> None:
        some = CHANCE.sample(readers, CHANCE.randint(1, len(readers)))
        DOING.about = None
        about = About(number, frozenset(reader.id for reader in some))
        with writer.begin_write() as tx:
            DOING.about = about
            record_sighting(tx, about.id)
            wait_randomly(0.004)
            tell(tx, about)
        DOING.about = None

    database = writer.world.database
    with record_commits(database) as committed, ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(write, changes))
    return committed


def by_mailbox(tx: WriteTransaction, about: About) -> None:
    tx.record("case.told", about, about.audience)


def by_sequence(tx: WriteTransaction, about: About) -> None:
    """Deliver an event at the next position of a plain sequence: a planted fault."""
    event = {"id": about.id, "at": tx.now, "type": "case.told", "facts": {}}
    subject = {"case_id": about.id, "record_id": about.id, "reference": about.reference}
    tx.session.execute(insert(Entry).values(event | subject))
    for reader in sorted(about.audience):
        place = tx.session.scalar(Numbers("naive").next_value())
        row = {"focal_point_id": reader, "position": place, "entry_id": about.id}
        tx.session.execute(insert(Delivery).values(row))


def by_polling(reader: Someone) -> Look:
    def look(cursor: str | None) -> tuple[list[str], str]:
        page = unwrap(reader.get("/events", limit=200, **make_cursor_query(cursor)))
        return [event["subject"] for event in page["items"]], page["cursor"]

    return look


def by_position(reader: Someone) -> Look:
    """Return a function that reads the events after a position as a naive client would."""
    mine = (Delivery.focal_point_id == reader.id) & (Entry.id == Delivery.entry_id)
    query = select(Entry.reference, Delivery.position).where(mine)

    def look(cursor: str | None) -> tuple[list[str], str]:
        later = Delivery.position > int(cursor or 0)
        with reader.begin_read() as tx:
            rows = tx.session.execute(query.where(later).order_by(Delivery.position))
            found = [(reference, str(position)) for reference, position in rows]
        latest = found[-1][1] if found else cursor or "0"
        return [reference for reference, _ in found], latest

    return look


def poll_to_end(look: Look, over: Event) -> list[str]:
    """Poll until the writers are done and no event is new, and return all events."""
    seen: list[str] = []
    cursor, last_look, new = None, False, ["not yet looked"]
    while new or not last_look:
        last_look = over.is_set()
        new, cursor = look(cursor)
        seen += new
        wait_randomly(0.08)
    return seen


def poll(_: ReportPipe, port: int, key: str, state: Path, *, last: bool) -> None:
    """Poll a feed endlessly, or to its end if `last`; store the subjects and the cursor."""
    kept = read_state(state)
    with make_client(port) as client:
        client.headers["Authorization"] = f"Bearer {key}"
        new = True
        while new or not last:
            query = {"limit": "50", **make_cursor_query(kept["cursor"])}
            page = client.get("/v1/events", params=query)
            new = page.raise_for_status().json()["items"]
            kept["seen"] += [event["subject"] for event in new]
            kept["cursor"] = page.json()["cursor"]
            draft = state.with_suffix(".new")
            draft.write_text(json.dumps(kept))
            draft.replace(state)
            wait_randomly(0.08)


def read_state(state: Path) -> Json:
    if not state.exists():
        return {"cursor": None, "seen": []}
    return dict(json.loads(state.read_text(encoding="utf-8")))


@dataclass
class KilledPoller:
    """A polling client in a process that is killed and restarted from its stored state."""

    world: Served
    reader: Someone
    state: Path
    deaths: int = 0

    def polls(self, *, last: bool = False) -> Child:
        where = self.world.port, self.reader.key, self.state
        return Child(partial(poll, last=last), *where)

    def is_up(self) -> None:
        """Wait up to a minute until the poller has stored its state for the first time."""
        began = time.monotonic()
        while not self.state.exists():
            assert time.monotonic() < began + 60
            time.sleep(0.02)

    def follow(self, over: Event) -> list[str]:
        while not over.is_set():
            self.live_and_die(over)
        assert self.polls(last=True).wait() == 0
        return list(read_state(self.state)["seen"])

    def live_and_die(self, over: Event) -> None:
        seen = len(read_state(self.state)["seen"])
        poller = self.polls()
        while len(read_state(self.state)["seen"]) == seen and not over.is_set():
            assert poller.process.is_alive()
            time.sleep(0.02)
        wait_randomly(0.5)
        self.deaths += not over.is_set()
        poller.kill()


def list_positions(reader: Someone) -> list[int]:
    mine = Delivery.focal_point_id == reader.id
    with reader.begin_read() as tx:
        query = select(Delivery.position).where(mine).order_by(Delivery.position)
        return list(tx.session.scalars(query))


@pytest.mark.slow
@pytest.mark.soak
def test_pollers_miss_nothing_while_many_write_even_when_one_is_killed(
    url: str, tmp_path: Path
) -> None:
    over = Event()

    with serve_world(url) as world, ThreadPoolExecutor(3) as pool:
        readers = [world.add_person(code) for code in READERS]
        mortal = KilledPoller(world, readers[0], tmp_path / "state")
        followed = [
            pool.submit(mortal.follow, over),
            *(pool.submit(poll_to_end, by_polling(reader), over) for reader in readers[1:]),
        ]
        try:
            mortal.is_up()
            writer = world.add_person("DESK_CENTRAL_ASIA")
            committed = write_all(writer, readers, by_mailbox)
        finally:
            over.set()
        seen = [each.result() for each in followed]
        places = [list_positions(reader) for reader in readers]

    assert len(committed) == len(CHANGES)
    assert mortal.deaths > 0
    for reader, mine, at in zip(readers, seen, places, strict=True):
        expected = [about.reference for about in committed if reader.id in about.audience]
        assert mine == expected
        assert at == list(range(1, len(expected) + 1))


@pytest.mark.slow
def test_with_a_plain_sequence_in_place_of_the_mailbox_the_same_load_loses_events(
    pg_url: str, world: World
) -> None:
    """If feed positions come from a plain sequence, clients that poll lose events."""
    grant = "GRANT USAGE ON SEQUENCE naive TO safe_conduct_app"
    ask(pg_url, "CREATE SEQUENCE naive", grant)
    readers, over = [world.add_person(code) for code in READERS], Event()

    with ThreadPoolExecutor(3) as pool:
        followed = [pool.submit(poll_to_end, by_position(one), over) for one in readers]
        try:
            writer = world.add_person("DESK_CENTRAL_ASIA")
            committed = write_all(writer, readers, by_sequence)
        finally:
            over.set()

    lost = {
        about.reference
        for reader, seen in zip(readers, followed, strict=True)
        for about in committed
        if reader.id in about.audience and about.reference not in set(seen.result())
    }
    assert len(committed) == len(CHANGES)
    assert len(lost) > 0


def record_event(writer: Someone, what: str, *readers: Someone) -> None:
    with writer.begin_write() as tx:
        about = About(1, frozenset(reader.id for reader in readers))
        tx.record(what, about, about.audience)


@contextmanager
def begin_slow_write(writer: Someone, reader: Someone) -> Iterator[Event]:
    """Stop a writer just before its commit, and yield an event that lets it continue."""
    slow = Thread(target=record_event, args=[writer, "case.slow", reader])
    has_position, may_end = Event(), Event()

    def linger(_: object) -> None:
        if current_thread() is slow:
            has_position.set()
            may_end.wait(5)

    with listen_to(writer.world.database, "commit", linger):
        slow.start()
        assert has_position.wait(5)
        yield may_end
        may_end.set()
        slow.join()


def test_a_slow_writer_is_not_overtaken(officer: Someone, lead: Someone) -> None:
    """If a slow writer gets the first position, later positions are published later."""
    with begin_slow_write(officer, lead) as may_end, ThreadPoolExecutor(1) as pool:
        quick = pool.submit(record_event, officer, "case.quick", lead)
        time.sleep(0.2)
        overtakes = quick.done()
        meanwhile = lead.poll()
        may_end.set()

    assert not overtakes
    assert meanwhile == []
    assert list_types(lead.poll()) == ["case.slow", "case.quick"]


def test_a_writer_for_others_does_not_wait(officer: Someone, lead: Someone) -> None:
    """On PostgreSQL, a slow writer does not delay a writer for other offices."""
    with begin_slow_write(officer, officer) as may_end, ThreadPoolExecutor(1) as pool:
        quick = pool.submit(record_event, officer, "case.quick", lead)
        if not officer.world.database.is_sqlite:
            quick.result(timeout=4)
        may_end.set()

    assert list_types(lead.poll()) == ["case.quick"]
    assert list_types(officer.poll()) == ["case.slow"]


def test_what_is_rolled_back_leaves_no_gap(officer: Someone, lead: Someone) -> None:
    def fail(_: object) -> None:
        raise OSError("disk on fire")

    database = officer.world.database
    record_event(officer, "case.first", lead)
    with listen_to(database, "commit", fail), pytest.raises(OSError, match="fire"):
        record_event(officer, "case.never", lead)
    record_event(officer, "case.second", lead)

    page, (feed, head) = unwrap(lead.get("/events")), get_position(lead)

    assert list_types(page["items"]) == ["case.first", "case.second"]
    assert (head, page["cursor"]) == (2, feed.format_cursor(2))


def test_there_is_always_a_next_cursor(officer: Someone, lead: Someone) -> None:
    empty = unwrap(lead.get("/events"))
    record_event(officer, "case.told", lead)
    page = unwrap(lead.get("/events", after=empty["cursor"]))
    again = unwrap(lead.get("/events", after=page["cursor"]))

    assert (empty["items"], empty["more"]) == ([], False)
    assert list_types(page["items"]) == ["case.told"]
    assert again == {"items": [], "cursor": page["cursor"], "more": False}


def test_a_short_page_says_whether_there_is_more(officer: Someone, lead: Someone) -> None:
    for what in ("case.first", "case.second", "case.third"):
        record_event(officer, what, lead)

    first = unwrap(lead.get("/events", limit=2))
    second = unwrap(lead.get("/events", limit=2, after=first["cursor"]))

    assert (first["more"], second["more"]) == (True, False)
    event_types = list_types(first["items"] + second["items"])
    assert event_types == ["case.first", "case.second", "case.third"]


def test_each_hears_only_what_it_may_know(
    officer: Someone, lead: Someone, stranger: Someone
) -> None:
    record_event(officer, "case.told", lead)
    record_event(officer, "case.whispered", officer)

    assert list_types(lead.poll()) == ["case.told"]
    assert list_types(officer.poll()) == ["case.whispered"]
    assert stranger.poll() == []


def test_after_a_restore_the_poller_is_told_to_start_over(
    officer: Someone, lead: Someone, url: str
) -> None:
    record_event(officer, "case.told", lead)
    cursor = unwrap(lead.get("/events"))["cursor"]

    beyond = lead.get("/events", after=f"{EPOCH}.2")
    restore(url)
    of_another_epoch = lead.get("/events", after=cursor)

    for gone in (beyond, of_another_epoch):
        assert gone.status_code == 410
        assert gone.json()["type"] == "/problems/cursor-gone"
        assert "without `after`" in gone.json()["detail"]
    assert list_types(unwrap(lead.get("/events"))["items"]) == ["case.told"]


def restore(url: str) -> None:
    """Give the database another epoch, as restoring a backup does."""
    ask(url, f"UPDATE {Epoch.__tablename__} SET value = '00000000'")


@pytest.mark.parametrize(
    "made_up", ["yesterday", "0", "00000000", ".1", "0000000g.1", "00000000.-1", "' OR 1"]
)
def test_a_made_up_cursor_is_explained(lead: Someone, made_up: str) -> None:
    refused = lead.get("/events", after=made_up)

    assert refused.status_code == 422
    assert refused.json()["type"] == "/problems/cursor-unknown"


def list_retrieved(reader: Someone) -> list[int]:
    with reader.begin_read() as tx:
        mine = Retrieval.focal_point_id == reader.id
        return list(tx.session.scalars(select(Retrieval.upto).where(mine)))


@contextmanager
def record_writes(database: Database) -> Iterator[list[str]]:
    """Yield a list of the transactions and statements that may write."""
    written: list[str] = []

    def at_begin(connection: Connection) -> None:
        if not connection.get_execution_options().keys() & READ_ONLY:
            written.append("BEGIN")

    def at_statement(_c: object, _d: object, statement: str, *_: object) -> None:
        if statement.split(maxsplit=1)[0] not in {"SELECT", "PRAGMA", "BEGIN"}:
            written.append(statement)

    with (
        listen_to(database, "begin", at_begin),
        listen_to(database, "before_cursor_execute", at_statement),
    ):
        yield written


def test_that_something_was_retrieved_is_kept_when_the_cursor_passes_it(
    officer: Someone, lead: Someone
) -> None:
    for what in ("case.first", "case.second"):
        record_event(officer, what, lead)
    first = unwrap(lead.get("/events", limit=1))
    before = list_retrieved(lead)

    second = unwrap(lead.get("/events", after=first["cursor"]))
    passed_one = list_retrieved(lead)
    lead.get("/events", after=second["cursor"])

    assert before == []
    assert passed_one == [1]
    assert sorted(list_retrieved(lead)) == [1, 2]


def test_a_poll_that_brings_nothing_new_writes_nothing(
    officer: Someone, lead: Someone, world: World
) -> None:
    record_event(officer, "case.told", lead)
    page = lead.get("/events")
    cursor = page.json()["cursor"]
    lead.get("/events", after=cursor)

    with record_writes(world.database) as written:
        lead.get("/events")
        lead.get("/events", after=cursor)
        lead.get("/events", after=cursor)

    assert written == []
    assert list_retrieved(lead) == [1]


def test_whoever_has_the_page_already_is_not_sent_it_again(
    officer: Someone, lead: Someone
) -> None:
    record_event(officer, "case.first", lead)
    page = lead.get("/events")
    tag, cursor = page.headers["ETag"], page.json()["cursor"]
    idle = lead.get("/events", after=cursor)

    same = lead.ask("GET", "/events", headers={"If_None_Match": tag})
    known = {"If_None_Match": idle.headers["ETag"]}
    still = lead.ask("GET", "/events", params={"after": cursor}, headers=known)
    record_event(officer, "case.second", lead)
    changed = lead.ask("GET", "/events", params={"after": cursor}, headers=known)

    assert (same.status_code, same.content, same.headers["ETag"]) == (304, b"", tag)
    assert still.status_code == 304
    assert list_types(unwrap(changed)["items"]) == ["case.second"]


def test_a_poll_that_is_told_nothing_changed_still_says_what_was_retrieved(
    officer: Someone, lead: Someone
) -> None:
    record_event(officer, "case.told", lead)
    cursor = unwrap(lead.get("/events"))["cursor"]
    feed, head = get_position(lead)
    known = {"If_None_Match": feed.format_tag(head, head)}

    still = lead.ask("GET", "/events", params={"after": cursor}, headers=known)

    assert still.status_code == 304
    assert list_retrieved(lead) == [1]
