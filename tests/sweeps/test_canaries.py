"""Tests that personal data appears only in the responses that are meant to show this data.

A journey runs on the real server, with unique words in all personal data. Then every output
and file is searched for these words in any encoding.
"""

import json
import socket
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from time import sleep
from urllib.parse import quote

import pytest
from httpx2 import Client, Response
from sqlalchemy import make_url, select

from app.access.models import Account
from app.cli.http_server import build_server
from app.settings import Settings
from tests.support.canaries import (
    ENCODED_MARKERS,
    OPENED,
    STEMS,
    Journey,
    find_markers,
    list_encodings,
    log_everything,
    send_invalid_requests,
)
from tests.support.databases import Copy, ask
from tests.support.world import Json, World, get_path

pytestmark = pytest.mark.slow


@contextmanager
def serve_journey(world: World) -> Iterator[Journey]:
    """Serve a journey on a free port, with the same server as `safe-conduct serve`."""
    made = Journey(world)
    serving = build_server(world.app, Settings(port=0))
    thread = Thread(target=serving.run)
    thread.start()
    while not serving.started:
        sleep(0.01)
    address = "{}:{}".format(*serving.servers[0].sockets[0].getsockname())
    world.http = Client(base_url=f"http://{address}", timeout=30)
    world.http.event_hooks = {"response": [Response.read, made.answers.append]}
    try:
        yield made
    finally:
        world.http.close()
        serving.should_exit = True
        thread.join()


@pytest.fixture
def journey(world: World) -> Iterator[Journey]:
    """Yield a new journey."""
    with serve_journey(world) as made:
        yield made


@dataclass(frozen=True)
class Gone:
    """A journey that has ended, which is shared by tests that only read its results."""

    journey: Journey
    url: str
    case: Json
    answers: tuple[Response, ...]
    suffixes: list[str]
    """The names of the SQLite files that were not empty after the journey, without the name
    of the database."""


@pytest.fixture(scope="module")
def gone(copy: Copy) -> Iterator[Gone]:
    with copy() as url, serve_journey(World(url)) as journey:
        case, answers = journey.run(), tuple(journey.answers)
        suffixes = list_suffixes(url) if url.startswith("sqlite") else []
        yield Gone(journey, url, case, answers, suffixes)
        journey.world.close()


LOGS = ("sqlalchemy.engine", "uvicorn", '"fault"', "Unopenable", "row.forged")


def send_garbage(http: Client, text: str) -> bytes:
    """Send the given text in a request that is not HTTP, and return the response."""
    address = (http.base_url.host, http.base_url.port or 80)
    with socket.create_connection(address, timeout=5) as wire:
        wire.sendall(f"{text}\r\nX: {text}\r\n\r\n".encode())
        return b"".join(iter(lambda: wire.recv(4096), b""))


def list_files(url: str) -> list[Path]:
    """Return the files of a database; for PostgreSQL, the files of the server."""
    if url.startswith("sqlite"):
        path = Path(make_url(url).database or "")
        return sorted(path.parent.glob(f"{path.name}*"))
    [(folder,)] = ask(url, "SHOW data_directory")
    return sorted(path for path in Path(str(folder)).rglob("*") if path.is_file())


def list_suffixes(url: str) -> list[str]:
    """Return the ends of the names of a SQLite database's files that are not empty.

    The end of `test.db-wal` is `-wal`. This is not possible for PostgreSQL, because other
    tests delete files in its folder.
    """
    used = (path.name for path in list_files(url) if path.stat().st_size)
    return [name.partition(".db")[2] for name in used]


def scan_disk(url: str, needles: tuple[bytes, ...] = ENCODED_MARKERS) -> list[object]:
    """Return the places in the files of a database that contain one of the needles."""
    found: list[object] = []
    for path in list_files(url):
        try:
            found += [(path.name, hit) for hit in find_markers(path.read_bytes(), needles)]
        except FileNotFoundError:  # another test's database, or a recycled segment
            assert not is_ours(url, path)
    return found


def is_ours(url: str, path: Path) -> bool:
    """Return whether a file may contain data of this database."""
    if url.startswith("sqlite"):
        return True
    [(oid,)] = ask(url, "SELECT oid FROM pg_database WHERE datname = current_database()")
    return path.parent.name == str(oid)


def write_checkpoint(url: str) -> None:
    """Write all data from the database's write-ahead log to the database's files."""
    lite = url.startswith("sqlite")
    ask(url, "PRAGMA wal_checkpoint(FULL)" if lite else "CHECKPOINT")


def test_nothing_personal_lies_on_disk(gone: Gone) -> None:
    running = scan_disk(gone.url)
    write_checkpoint(gone.url)
    checked = scan_disk(gone.url)
    gone.journey.world.database.engine.dispose()
    closed = scan_disk(gone.url)

    assert len(gone.journey.texts.numbers) >= 30
    assert running == checked == closed == []
    if gone.url.startswith("sqlite"):  # the search included the write-ahead log
        assert gone.suffixes == ["", "-shm", "-wal"]


def test_the_hunt_finds_what_is_written_in_clear(world: World, url: str) -> None:
    word, _ = "Ŵordthatisnotacanary", world.add_person("IOM")
    other = tuple(list_encodings(word))

    before = scan_disk(url, other)
    with world.database.begin_write() as session:
        for account in session.scalars(select(Account)):
            account.label = word
    running = scan_disk(url, other)
    write_checkpoint(url)

    assert before == []
    assert running != []
    assert scan_disk(url, other) != []


@pytest.mark.parametrize("stem", STEMS)
def test_the_hunt_knows_every_spelling(stem: str) -> None:
    said = f'before {stem}007 after "'

    spelled = [
        *(said.encode(), said.encode("utf-16"), said.encode("utf-16-be")),
        *(json.dumps(said).encode(), quote(said).encode(), said.encode().hex().encode()),
        *(b64encode((" " * ahead + said).encode()) for ahead in range(3)),
        *(urlsafe_b64encode((" " * ahead + said).encode()) for ahead in range(3)),
        repr(said.encode()).encode(),
    ]

    assert all(find_markers(hay) for hay in spelled)
    assert find_markers(b"before after") == []


def test_nothing_personal_is_logged(
    journey: Journey, capfd: pytest.CaptureFixture[str], url: str
) -> None:
    with log_everything() as heard:
        case = journey.run()
        refused = list(send_invalid_requests(journey, case))
        case = journey.cast[0].submit(**journey.texts.make_case())
        ask(url, "UPDATE sealed SET key_version = 'k9'")
        forged = journey.cast[0].open(f"{get_path(case)}/sections/needs")
        ask(url, "UPDATE sealed SET key_version = 'k1'")
        ask(url, "UPDATE case_key SET version = 'k9'")
        unread = journey.cast[0].open(f"{get_path(case)}/sections/needs")
        ask(url, "ALTER TABLE sealed RENAME TO sealed_away")
        unwritten = journey.cast[0].create(
            "/cases", {"summary": {}} | journey.texts.make_case()
        )
        garbled = send_garbage(journey.world.http, journey.texts.make_text())

    logged = "\n".join([*heard.lines, *capfd.readouterr()])

    answers = (unwritten, unread, forged)
    assert {one.status_code for one in answers} == {500}
    assert len(refused) >= 40
    assert find_markers(garbled) == []
    assert [n for n in LOGS if n not in logged] == []
    assert find_markers(logged.encode()) == []


def test_no_problem_repeats_what_was_sent(gone: Gone) -> None:
    answers = list(send_invalid_requests(gone.journey, gone.case))

    refused = [answer for answer in answers if answer.status_code >= 400]

    assert len(refused) >= 40
    assert {answer.status_code for answer in refused} >= {401, 404, 405, 409, 422}
    assert {answer.headers["Content-Type"] for answer in refused} == {PROBLEM}
    assert [hit for answer in refused for hit in find_markers(join_answer(answer))] == []


PROBLEM = "application/problem+json"


def join_answer(answer: Response) -> bytes:
    """Return the headers of a response, its body as sent, and its body as UTF-8 text."""
    headers = "\n".join(f"{name}: {value}" for name, value in answer.headers.items())
    return b"\n".join([headers.encode(), answer.content, answer.text.encode()])


def test_nothing_personal_is_told_but_where_it_is_opened(gone: Gone) -> None:
    opened = [a for a in gone.answers if any(part in a.url.path for part in OPENED)]
    told = [answer for answer in gone.answers if answer not in opened]
    urls = "\n".join(str(answer.url) for answer in gone.answers)
    assert any(find_markers(answer.content) for answer in opened)
    assert any(a.url.path == "/v1/events" and a.json()["items"] for a in told)
    assert any("Location" in answer.headers for answer in told)
    assert [hit for answer in told for hit in find_markers(join_answer(answer))] == []
    assert [
        hit for answer in opened for hit in find_markers(str(answer.headers).encode())
    ] == []
    assert find_markers(urls.encode()) == []
