"""A run of the torture test: load and disturb the service, then read the database."""

import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from tempfile import mkdtemp
from threading import Event, Thread
from typing import Any, Final

from httpx2 import Client

from app.kernel.actors import Role
from app.main import create_app
from app.runtime import build_runtime
from tests.support.databases import clear, make_copies
from tests.support.servers import write_key_file
from tests.support.world import KEYS, World
from tests.torture import tables
from tests.torture.checks import find_faults
from tests.torture.clients import Over, Person, StoryClient, make_client
from tests.torture.disturbances import Disturber
from tests.torture.finished_run import Run
from tests.torture.history import History
from tests.torture.lives import Broken, Installation, Plan
from tests.torture.pollers import POLLER, Poller, finish_pollers
from tests.torture.stories import WRITTEN, Mechanism, Storyteller, play

CLIENTS: Final = 6
OTHER_CLIENTS: Final = 2
SPEED: Final = 1500
"""How many times faster deadlines run: three hours take seven seconds."""
ROUNDS: Final = 5
"""Maximum number of rounds of reads; another is needed if events arrive meanwhile."""
PROGRESS_SECONDS: Final = 5.0
"""Seconds between two lines of progress."""
MAX_TEXTS: Final = 200
"""Maximum number of cases whose text is read at the end."""
CAST: Final[Mapping[str, tuple[str, frozenset[Role] | None]]] = {
    "officer": ("UZ_CONSULATE_ALMATY", None),
    "lead": ("KZ_LEAD", None),
    "colleague": ("KZ_LEAD", None),
    "second": ("KZ_LEAD", frozenset({Role.SUPERVISOR})),
    "shelter": ("KZ_SHELTER_KOGERSHIN", None),
    "lawyer": ("KZ_LEGAL_AID", None),
    "taker": ("UZ_LEAD", None),
}
FOLLOWED: Final = ("officer", "lead", "shelter")
"""The accounts whose feeds are polled."""

type Say = Callable[[str], None]


@dataclass(frozen=True)
class RunOptions:
    """The options of a run."""

    database: str
    kills: int
    seed: int
    plant: str | None = None
    poller: Path = POLLER


@dataclass
class Result:
    """The result of a run."""

    wish: RunOptions
    torment: Disturber
    history: History
    found: list[str]
    seconds: float = 0.0
    run: Run = field(default_factory=Run)
    lives: int = 0

    def as_json(self) -> dict[str, Any]:
        """Return the result as JSON data."""
        lines = self.run.tables.lines
        return {
            "database": self.wish.database,
            "seed": self.wish.seed,
            "plant": self.wish.plant,
            "kills": self.torment.count_kills(),
            "disturbances": dict(sorted(self.torment.done.items())),
            "slowest end after SIGTERM, in seconds": round(self.torment.slowest_end, 2),
            "operations": self.history.count_outcomes(),
            "cases": sum(name.startswith("cases/") for name in self.run.tables.records),
            "records": len(self.run.tables.records),
            "events": len(lines),
            "events polled": sum(len(heard) for _, heard in self.run.inboxes),
            "clocks fired": len(self.run.tables.fired),
            "lives": self.lives,
            "seconds": round(self.seconds, 1),
            "kills a minute": round(
                60 * self.torment.count_kills() / (self.seconds or 1), 1
            ),
            "findings": self.found,
        }


def create_accounts(url: str) -> dict[str, Person]:
    """Create and return the accounts, before the service runs."""
    world = World(url, create_app(build_runtime(url, KEYS)))
    world.now = datetime.now(UTC)
    try:
        people = {}
        for name, (code, roles) in CAST.items():
            one = world.add_person(code, roles) if roles else world.add_person(code)
            account = str(one.actor.account_id)
            people[name] = Person(name, code, account, one.id, one.key)
        return people
    finally:
        world.close()


@contextmanager
def prepare_database(wish: RunOptions, log: Path) -> Iterator[Plan]:
    """Create a database on the disk, and yield the plan of an installation that uses it."""
    home = Path(mkdtemp(prefix="safe-conduct-torture-"))
    try:
        with make_copies(wish.database, home) as copy, copy() as url:
            yield Plan(url, home, write_key_file(home), log, SPEED, wish.plant)
    finally:
        clear(home)


@dataclass
class Load:
    """The load: clients, each in its own thread, which run until they are stopped."""

    history: History
    mechanism: Mechanism
    addresses: tuple[str, ...]
    over: Event = field(default_factory=Event)
    threads: list[Thread] = field(default_factory=list)
    open: list[Client] = field(default_factory=list)

    def make_teller(self, seed: str) -> Storyteller:
        """Return a client with its own random generator."""
        goes_on = lambda: not self.over.is_set()  # noqa: E731 - a value
        self.open.append(make_client())
        asker = StoryClient(
            self.history, self.addresses, Random(seed), goes_on, self.open[-1]
        )
        return Storyteller(asker, self.mechanism)

    def start(self, seed: int) -> None:
        """Start all clients."""
        for number in range(CLIENTS + OTHER_CLIENTS):
            teller = self.make_teller(f"{seed} {number}")
            meddling = number >= CLIENTS
            thread = Thread(target=play, args=(teller,), kwargs={"meddling": meddling})
            thread.start()
            self.threads.append(thread)

    def stop(self) -> None:
        """Stop all clients after their current operation."""
        self.over.set()
        for thread in self.threads:
            thread.join()
        for client in self.open:
            client.close()


def run_torture(wish: RunOptions, log: Path, say: Say) -> Result:
    """Perform the whole run, and return the result."""
    began = time.monotonic()
    with prepare_database(wish, log) as plan, ExitStack() as stack:
        people, chance = create_accounts(plan.url), Random(wish.seed)
        installed = plan.make_installation(chance)
        stack.callback(installed.stop)
        addresses = tuple(life.address for life in installed.servers)
        load = Load(History(), Mechanism(people), addresses)
        pollers = make_pollers(wish, plan, people, addresses)
        torment = Disturber(installed, pollers, chance, plan.home / "postgresql")
        result = Result(wish, torment, load.history, [])
        try:
            load_and_disturb(result, load, say)
            result.run = finish(plan, torment, load)
            result.found = find_faults(result.run)
        except Broken as broken:
            result.found = [str(broken), *find_faults(result.run)]
        finally:
            load.stop()
            for poller in pollers:
                poller.stop()
    result.lives = sum(life.lives for life in installed.lives)
    result.seconds = time.monotonic() - began
    if not torment.count_kills():
        result.found.append("nothing was killed, so the run proves nothing")
    return result


def make_pollers(
    wish: RunOptions, plan: Plan, people: Mapping[str, Person], addresses: tuple[str, ...]
) -> list[Poller]:
    """Return the pollers, each of which uses one server."""
    return [
        Poller(
            people[name],
            plan.home / f"inbox-{name}.db",
            addresses[number % len(addresses)],
            wish.poller,
        )
        for number, name in enumerate(FOLLOWED)
    ]


def load_and_disturb(result: Result, load: Load, say: Say) -> None:
    """Load and disturb the service, and print the progress every few seconds."""
    torment, last, began = result.torment, 0.0, time.monotonic()
    torment.installation.start()
    load.start(result.wish.seed)
    for poller in torment.pollers:
        poller.start()
    for _ in torment.run(result.wish.kills):
        if time.monotonic() > last + PROGRESS_SECONDS:
            last = time.monotonic()
            counts = load.history.count_outcomes()
            say(
                f"{last - began:6.0f} s  {torment.count_kills()} of "
                f"{result.wish.kills} kills, "
                f"{counts.get('ok', 0)} done, {counts['refused']} refused, "
                f"{counts['unknown then resolved']} unknown then resolved"
            )
    torment.installation.start()


def finish(plan: Plan, torment: Disturber, load: Load) -> Run:
    """Stop the clients and processes, then read feeds, texts and tables of the run."""
    load.stop()
    for life in torment.installation.lives:
        life.send_signal(signal.SIGTERM)
        life.wait_for_end()
    quiet = make_server_without_worker(plan, torment)
    try:
        quiet.start()
        for poller in torment.pollers:
            poller.address = quiet.servers[0].address
        heads = dict(tables.read(plan.url).heads)
        for _ in range(ROUNDS):  # until no event arrived while pollers read
            finish_pollers(torment.pollers, heads)
            before, heads = heads, dict(tables.read(plan.url).heads)
            if heads == before:
                break
        texts = read_back(load, quiet.servers[0].address)
    finally:
        quiet.stop()
    return Run(
        deeds=load.history.deeds,
        tables=tables.read(plan.url),
        inboxes=[(one.person.code, one.list_events()) for one in torment.pollers],
        texts=texts,
        trouble=load.history.trouble,
    )


def make_server_without_worker(plan: Plan, torment: Disturber) -> Installation:
    """Return an installation of one server without a worker, which handles no deadline."""
    server = replace(plan, plant=None).make_server("server", torment.chance, WORKER="apart")
    return Installation(plan.url, [server])


def read_back(load: Load, address: str) -> dict[str, str]:
    """Return the texts of some cases, each read as an office that may read the text."""
    written = {one.subject: None for one in load.history.deeds if one.event == WRITTEN}
    rest = Load(History(), load.mechanism, (address,))
    reader = rest.make_teller("the end")
    texts: dict[str, str] = {}
    for case in list(written)[-MAX_TEXTS:]:
        for name in ("lead", "officer", "taker"):
            try:
                opened = reader.client.read(
                    reader.get_person(name), f"{case}/sections/needs"
                )
            except Over:
                continue
            texts[str(case)] = opened.json()["content"]["summary"]
            break
    rest.stop()
    return texts
