"""One run: set up, load and disturb, bring all to an end, and read what is there."""

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

from app.ground import lay_ground
from app.kernel.actors import Role
from app.main import create_app
from tests.support.databases import clear, copies
from tests.support.servers import key_file
from tests.support.world import KEYS, World
from tests.torture import tables
from tests.torture.checks import Run, findings
from tests.torture.clients import Asker, Over, Person, connected
from tests.torture.disturbances import Torment
from tests.torture.history import History
from tests.torture.lives import Broken, Installation, Plan
from tests.torture.pollers import POLLER, Poller, catch_up
from tests.torture.stories import WRITTEN, Mechanism, Teller, tells

CLIENTS: Final = 6
MEDDLERS: Final = 2
SPEED: Final = 1500
"""Times as fast as deadlines run: three hours are seven seconds."""
ROUNDS: Final = 5
"""How often the pollers are let read what came while they read."""
EVERY: Final = 5.0
"""Seconds between two lines that say how it goes."""
MOST: Final = 200
"""Cases whose text is read in the end."""
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
"""Whose feeds are polled."""

type Say = Callable[[str], None]


@dataclass(frozen=True)
class Wish:
    """What is asked for."""

    database: str
    kills: int
    seed: int
    plant: str | None = None
    poller: Path = POLLER


@dataclass
class Result:
    """What came of it."""

    wish: Wish
    torment: Torment
    history: History
    found: list[str]
    seconds: float = 0.0
    run: Run = field(default_factory=Run)
    lives: int = 0

    def told(self) -> dict[str, Any]:
        """Say it in numbers."""
        lines = self.run.tables.lines
        return {
            "database": self.wish.database,
            "seed": self.wish.seed,
            "plant": self.wish.plant,
            "kills": self.torment.kills(),
            "disturbances": dict(sorted(self.torment.done.items())),
            "slowest end after SIGTERM, in seconds": round(self.torment.slowest_end, 2),
            "operations": self.history.counted(),
            "cases": sum(name.startswith("cases/") for name in self.run.tables.records),
            "records": len(self.run.tables.records),
            "events": len(lines),
            "events polled": sum(len(heard) for _, heard in self.run.inboxes),
            "clocks fired": len(self.run.tables.fired),
            "lives": self.lives,
            "seconds": round(self.seconds, 1),
            "kills a minute": round(60 * self.torment.kills() / (self.seconds or 1), 1),
            "findings": self.found,
        }


def cast(url: str) -> dict[str, Person]:
    """Open an account for everybody, before anything is served."""
    world = World(url, create_app(lay_ground(url, KEYS)))
    world.now = datetime.now(UTC)
    try:
        people = {}
        for name, (code, roles) in CAST.items():
            one = world.someone(code, roles) if roles else world.someone(code)
            account = str(one.actor.account_id)
            people[name] = Person(name, code, account, one.id, one.key)
        return people
    finally:
        world.closes()


@contextmanager
def prepared(wish: Wish, log: Path) -> Iterator[Plan]:
    """Make a database on the disk, as the first kill will find it."""
    home = Path(mkdtemp(prefix="safe-conduct-torture-"))
    try:
        with copies(wish.database, home) as copy, copy() as url:
            yield Plan(url, home, key_file(home), log, SPEED, wish.plant)
    finally:
        clear(home)


@dataclass
class Load:
    """Clients, each in a thread, until they are told to end."""

    history: History
    there: Mechanism
    addresses: tuple[str, ...]
    over: Event = field(default_factory=Event)
    threads: list[Thread] = field(default_factory=list)
    open: list[Client] = field(default_factory=list)

    def teller(self, seed: str) -> Teller:
        """One client, with chances of its own."""
        goes_on = lambda: not self.over.is_set()  # noqa: E731 - a value
        self.open.append(connected())
        asker = Asker(self.history, self.addresses, Random(seed), goes_on, self.open[-1])
        return Teller(asker, self.there)

    def begin(self, seed: int) -> None:
        """Let them all begin."""
        for number in range(CLIENTS + MEDDLERS):
            teller = self.teller(f"{seed} {number}")
            meddling = number >= CLIENTS
            thread = Thread(target=tells, args=(teller,), kwargs={"meddling": meddling})
            thread.start()
            self.threads.append(thread)

    def end(self) -> None:
        """Let each bring to its end what it has begun."""
        self.over.set()
        for thread in self.threads:
            thread.join()
        for client in self.open:
            client.close()


def torture(wish: Wish, log: Path, say: Say) -> Result:
    """Do it all, and say what was found."""
    began = time.monotonic()
    with prepared(wish, log) as plan, ExitStack() as stack:
        people, chance = cast(plan.url), Random(wish.seed)
        installed = plan.installed(chance)
        stack.callback(installed.end)
        addresses = tuple(life.address for life in installed.servers)
        load = Load(History(), Mechanism(people), addresses)
        pollers = followers(wish, plan, people, addresses)
        torment = Torment(installed, pollers, chance, plan.home / "postgresql")
        result = Result(wish, torment, load.history, [])
        try:
            disturbed(result, load, say)
            result.run = at_the_end(plan, torment, load)
            result.found = findings(result.run)
        except Broken as broken:
            result.found = [str(broken), *findings(result.run)]
        finally:
            load.end()
            for poller in pollers:
                poller.end()
    result.lives = sum(life.lives for life in installed.lives)
    result.seconds = time.monotonic() - began
    if not torment.kills():
        result.found.append("nothing was killed: the run shows nothing")
    return result


def followers(
    wish: Wish, plan: Plan, people: Mapping[str, Person], addresses: tuple[str, ...]
) -> list[Poller]:
    """Let integrators follow some feeds, each at one address."""
    return [
        Poller(
            people[name],
            plan.home / f"inbox-{name}.db",
            addresses[number % len(addresses)],
            wish.poller,
        )
        for number, name in enumerate(FOLLOWED)
    ]


def disturbed(result: Result, load: Load, say: Say) -> None:
    """Load and disturb it, and say every few seconds how it goes."""
    torment, last, began = result.torment, 0.0, time.monotonic()
    torment.installed.begin()
    load.begin(result.wish.seed)
    for poller in torment.pollers:
        poller.begin()
    for _ in torment.disturb(result.wish.kills):
        if time.monotonic() > last + EVERY:
            last = time.monotonic()
            counts = load.history.counted()
            say(
                f"{last - began:6.0f} s  {torment.kills()} of {result.wish.kills} kills, "
                f"{counts.get('ok', 0)} done, {counts['refused']} refused, "
                f"{counts['unknown then resolved']} unknown then resolved"
            )
    torment.installed.begin()


def at_the_end(plan: Plan, torment: Torment, load: Load) -> Run:
    """Let everybody come to an end, let nobody work any more, and read it all."""
    load.end()
    for life in torment.installed.lives:
        life.signals(signal.SIGTERM)
        life.ends()
    quiet = quietened(plan, torment)
    try:
        quiet.begin()
        for poller in torment.pollers:
            poller.address = quiet.servers[0].address
        heads = dict(tables.read(plan.url).heads)
        for _ in range(ROUNDS):  # a deadline may fire while they read
            catch_up(torment.pollers, heads)
            before, heads = heads, dict(tables.read(plan.url).heads)
            if heads == before:
                break
        texts = read_back(load, quiet.servers[0].address)
    finally:
        quiet.end()
    return Run(
        deeds=load.history.deeds,
        tables=tables.read(plan.url),
        inboxes=[(one.person.code, one.heard()) for one in torment.pollers],
        texts=texts,
        trouble=load.history.trouble,
    )


def quietened(plan: Plan, torment: Torment) -> Installation:
    """Serve as before, and let nobody work: no clock fires while the rest is read."""
    server = replace(plan, plant=None).server("server", torment.chance, WORKER="apart")
    return Installation(plan.url, [server])


def read_back(load: Load, address: str) -> dict[str, str]:
    """Read what stands in some cases, as one of those who wrote it."""
    written = {one.subject: None for one in load.history.deeds if one.what == WRITTEN}
    rest = Load(History(), load.there, (address,))
    reader = rest.teller("the end")
    texts: dict[str, str] = {}
    for case in list(written)[-MOST:]:
        for name in ("lead", "officer", "taker"):
            try:
                opened = reader.asker.reads(reader.who(name), f"{case}/sections/needs")
            except Over:
                continue
            texts[str(case)] = opened.json()["content"]["summary"]
            break
    rest.end()
    return texts
