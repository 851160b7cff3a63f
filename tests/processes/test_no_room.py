"""Tests that a full disk loses no acknowledged data and leaves no request partly stored.

The server runs in its own process. The kernel limits the size of the SQLite file
(RLIMIT_FSIZE, which needs no privilege), so that a write beyond the limit ends in an I/O
error. `make soak` also fills a small tmpfs, which only root may mount; for other users,
`make soak` fails and prints why.
"""

import resource
import shutil
import sqlite3
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Final
from uuid import uuid4

import pytest
from httpx2 import Client, Response
from sqlalchemy import make_url, select

from app.cases.models import Case, CaseKey, Party, Sealed
from app.kernel.actors import SERVICE
from app.kernel.idempotency import Outcome
from app.kernel.journal import Delivery, Mailbox
from tests.support.database_faults import fill_disk
from tests.support.effort import choose_number, is_night
from tests.support.servers import Killed, make_client, report, start_server, write_key_file
from tests.support.world import Someone, World, list_types, make_case

pytestmark = [pytest.mark.slow, pytest.mark.soak]
WRITERS: Final = 6
READERS: Final = 2
REFUSED: Final = choose_number(60, night=300)
"""Number of requests that are refused before space is freed."""
SMALL: Final = 200_000
"""Number of bytes by which the database can still grow when its space is limited."""
PATIENCE: Final = choose_number(90, night=600)
TOLD: Final = ("bed tonight", "Oygul", "Ойгул", "Рассказ", "спина", "sqlite", "disk")

type Room = AbstractContextManager[Callable[[], None]]
"""A context with little free space; it yields a function that frees space."""


@dataclass
class Load:
    """The load on a full disk: submissions repeated until they succeed, and reads."""

    officer: Someone
    known: str
    taken: dict[str, str] = field(default_factory=dict)
    refusals: list[Response] = field(default_factory=list)
    read: list[int] = field(default_factory=list)
    over: Event = field(default_factory=Event)

    def submits(self, client: Client) -> None:
        """Submit cases one after another until stopped."""
        while not self.over.is_set():
            self.gets_through(client, str(uuid4()))

    def gets_through(self, client: Client, key: str) -> None:
        """Repeat a submission until it is accepted."""
        headers = self.officer.make_headers() | {"Idempotency-Key": key}
        patience = time.monotonic() + PATIENCE
        while key not in self.taken:
            assert time.monotonic() < patience, self.refusals[-1].text
            answer = client.post("/v1/cases", json=make_case(submit=True), headers=headers)
            if answer.status_code == 201:
                self.taken[key] = answer.json()["code"]
            else:
                self.refusals.append(answer)
                time.sleep(0.02)

    def reads(self, client: Client) -> None:
        """Read a case, the list of cases and the events until stopped."""
        while not self.over.is_set():
            for path in (f"/v1/cases/{self.known}", "/v1/cases", "/v1/events"):
                answer = client.get(path, headers=self.officer.make_headers())
                self.read.append(answer.status_code)


@contextmanager
def limit_file_size(place: Path, server: Killed) -> Iterator[Callable[[], None]]:
    """Let the server's files grow only a little; yield a function that ends the limit."""
    pid, (_, most) = server.pid, resource.getrlimit(resource.RLIMIT_FSIZE)
    longest = max(part.stat().st_size for part in place.parent.glob(f"{place.name}*"))
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (longest + SMALL, most))

    def lift() -> None:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (most, most))

    yield lift


@contextmanager
def fill_small_disk(place: Path, _: Killed) -> Iterator[Callable[[], None]]:
    """Fill the disk of the database, and yield a function that frees the disk again."""
    ballast = place.with_name("ballast")
    with ballast.open("wb") as file:
        file.truncate(0)
        left = shutil.disk_usage(place.parent).free - SMALL
        file.write(bytes(left))
    yield ballast.unlink


@contextmanager
def as_it_is(place: Path, _: Path) -> Iterator[Path]:
    """Yield the database in its original folder."""
    yield place


@contextmanager
def on_small_disk(place: Path, folder: Path) -> Iterator[Path]:
    """Copy the database to a disk of 12 MB. Fails for users other than root."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", str(folder)]
    subprocess.run(command, check=True)
    try:
        yield shutil.copyfile(place, folder / "own.db")
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


DISKS = {"limited": (as_it_is, limit_file_size), "full": (on_small_disk, fill_small_disk)}


@pytest.mark.parametrize("disk", DISKS if is_night() else ["limited"])
def test_a_disk_without_room_is_outlasted(
    disk: str, sqlite_url: str, tmp_path: Path
) -> None:
    lay, room = DISKS[disk]
    given = Path(str(make_url(sqlite_url).database))

    with lay(given, tmp_path / "disk") as place:
        run_full_disk(place, write_key_file(tmp_path), room)


def run_full_disk(place: Path, keys: Path, room: Callable[[Path, Killed], Room]) -> None:
    """Write until the disk is full, free some space, and check that nothing is lost."""
    world = World(f"sqlite:///{place}")
    officer = world.add_person("UZ_CONSULATE_ALMATY")
    load = Load(officer, officer.submit()["code"])
    with (
        start_server(f"sqlite:///{place}", keys) as server,
        make_client(server.port) as client,
    ):
        ready = run_load(load, client, lambda: room(place, server))
    report("refused with", (answer.status_code for answer in load.refusals))
    report("read with", load.read)
    report("ready while full", [ready])

    assert set(load.read) == {200}
    assert {answer.status_code for answer in load.refusals} <= {500, 503}
    assert list_faults(load.refusals) == []
    assert is_whole(place)
    require_all_stored(world, load)
    world.close()


def run_load(load: Load, client: Client, room: Callable[[], Room]) -> str:
    """Fill the disk under load, then free space; return the database status of /readyz.

    The status is read while the disk is full.
    """
    with ThreadPoolExecutor(WRITERS + READERS) as pool:
        each = [pool.submit(load.submits, client) for _ in range(WRITERS)]
        each += [pool.submit(load.reads, client) for _ in range(READERS)]
        try:
            wait_for(load.taken, WRITERS)
            with room() as more:
                wait_for(load.refusals, REFUSED)
                ready = str(client.get("/readyz").json()["database"])
                more()
            wait_for(load.taken, len(load.taken) + 5 * WRITERS)
        finally:
            load.over.set()
        for one in each:
            one.result()
    return ready


def wait_for(found: dict[str, str] | list[Response], many: int) -> None:
    patience = time.monotonic() + PATIENCE
    while len(found) < many:
        assert time.monotonic() < patience, f"{len(found)} of {many}"
        time.sleep(0.01)


def list_faults(refusals: list[Response]) -> list[str]:
    """Return a description of each wrong refusal.

    A refusal is wrong if it is not a problem document, or if it repeats the input.
    """
    return [
        answer.text
        for answer in refusals
        if answer.headers["Content-Type"] != "application/problem+json"
        or any(word in answer.text for word in TOLD)
    ]


def is_whole(place: Path) -> bool:
    with closing(sqlite3.connect(place)) as file:
        [(said,)] = file.execute("PRAGMA integrity_check").fetchall()
        return said == "ok" and not file.execute("PRAGMA foreign_key_check").fetchall()


PARTS: Final = (Party.case_id, Sealed.case_id, CaseKey.case_id)


def require_all_stored(world: World, load: Load) -> None:
    """Require that exactly the acknowledged cases are stored, once and completely."""
    with world.database.begin_read(SERVICE) as session:
        codes = dict(session.execute(select(Case.code, Case.id)).all())
        keys = set(session.scalars(select(Outcome.key)))
        parts = [Counter(session.scalars(select(part))) for part in PARTS]
        positions = session.execute(
            select(Delivery.focal_point_id, Delivery.position)
        ).all()
        heads = dict(session.execute(select(Mailbox.focal_point_id, Mailbox.head)).all())
    taken = set(load.taken.values())
    assert taken | {load.known} == set(codes)
    assert len(taken) == len(load.taken)
    assert set(load.taken) <= keys
    assert [len(set(counts.values())) for counts in parts] == [1] * len(PARTS)
    for office, head in heads.items():
        mine = sorted(position for one, position in positions if one == office)
        assert mine == list(range(1, head + 1))
    told = list_types(load.officer.poll())
    assert told == ["case.drafted", "case.submitted"] * len(codes)


def test_a_full_disk_is_told_as_trouble_that_may_pass(
    world: World, url: str, officer: Someone
) -> None:
    with fill_disk(world, url, "outcome"):
        refused = officer.create("/cases", make_case(submit=True), "once")
    again = officer.create("/cases", make_case(submit=True), "once")

    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
    assert again.status_code == 201
    assert "Idempotent-Replayed" not in again.headers
