"""The world of one seed: chance, a clock that jumps, an agenda, and what was done so far.

All that varies is drawn from the seed: no thread, no machine's clock, no order of a set.
"""

import hashlib
import re
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from heapq import heappop, heappush
from itertools import count
from random import Random
from typing import Any, Final

from httpx2 import Response

from tests.simulation.cast import CORRIDORS, Account, Stage
from tests.simulation.power import Power, PowerCut
from tests.support.databases import ids_of
from tests.support.world import Json, Someone, World

CANARY: Final = "Qzxv"
"""How every word begins that nobody may read outside of what is sealed."""
SEALED: Final = re.compile(r"/(sections/\w+|safeguards|contacts|arrangement|notes)$")
NAMED: Final = re.compile(r"SC(?:-[0-9A-Z]{4}){3}-[0-9A-Z]|[0-9a-f-]{36}")
MISHAPS: Final = 0.04
"""How often the power goes off while something is asked for."""
TICK: Final = timedelta(milliseconds=1)
"""Between two units of work, so that none happens at the moment of another."""


class Broken(AssertionError):  # noqa: N818 - it says what happened
    """An invariant that does not hold."""


@dataclass
class Deed:
    """Something asked for once, under a key, however often it is sent."""

    who: Someone
    path: str
    body: Any
    key: str
    tag: str | None = None
    approval: str | None = None
    event: str = ""
    """What the journal says of it once it is done; empty: that is not looked for."""
    about: str = ""

    def headers(self) -> dict[str, str]:
        more = {"If-Match": self.tag, "Approval": self.approval}
        given = {name: value for name, value in more.items() if value}
        return {"Idempotency-Key": self.key, **given}


@dataclass
class Person:
    """What the simulation knows of a case: whom the person let be told of what."""

    code: str
    number: int
    is_child: bool
    corridor: Any
    unsafe: frozenset[str]
    consents: list[tuple[frozenset[str], frozenset[str], frozenset[str]]]
    """To which offices, for which purposes, which sections."""
    submitted_at: datetime | None = None

    def takes_back(self, purposes: frozenset[str]) -> None:
        self.consents = [one for one in self.consents if not one[1] & purposes]

    def lets(self, office: str, section: str) -> bool:
        """Whether some consent that stands lets an office read a section."""
        given = any(office in to and section in what for to, _, what in self.consents)
        return given and office not in self.unsafe

    def lets_help(self, office: str, service: str) -> bool:
        return any(office in to and service in why for to, why, _ in self.consents)


@dataclass
class Tally:
    """What a seed came to, in numbers."""

    requests: Counter[str] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)
    crashes: Counter[str] = field(default_factory=Counter)


def subject_of(deed: Deed, shown: Json) -> str:
    """Name what came of a deed that made something."""
    kind = deed.path.rpartition("/")[2]
    return f"cases/{shown['code']}" if "code" in shown else f"{kind}/{shown.get('id')}"


class Scene(World):
    """The service on its own database, and everything the seed decides."""

    def __init__(self, stage: Stage, seed: int) -> None:
        self.seed, self.stage = seed, stage
        self.chance = Random(f"{seed} chance")
        ids = partial(ids_of, Random(f"{seed} ids"))
        url = stage.fresh()
        super().__init__(url, stage.app, stage.here, ids)
        self.ground = replace(self.ground, clock=self.tick, time=lambda _: self.tick())
        self.app.state.ground = self.ground
        self.power = Power(self.database)
        self.look = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
        self.began = self.now
        self.trace: list[str] = []
        self.names: dict[str, str] = {}
        self.agenda: list[tuple[datetime, int, str, Callable[[], None]]] = []
        self.order = count()
        self.tally = Tally()
        self.persons: dict[str, Person] = {}
        self.done: dict[str, tuple[Deed, int, Json]] = {}
        """What was acknowledged, by its key: with which status, and what was shown."""
        self.calm = False

    # Time.

    def tick(self) -> datetime:
        """The time now; a little goes by at each look."""
        self.now += TICK
        return self.now

    def later(self, delay: timedelta, name: str, step: Callable[[], None]) -> None:
        """Put something on the agenda."""
        heappush(self.agenda, (self.now + delay, next(self.order), name, step))

    def next_step(self) -> tuple[str, Callable[[], None]]:
        """Jump to whatever is next."""
        at, _, name, step = heappop(self.agenda)
        self.now = max(self.now, at)
        return name, step

    def hours(self, least: float, most: float) -> timedelta:
        return timedelta(hours=self.chance.uniform(least, most))

    def likely(self, share: float) -> bool:
        return self.chance.random() < share

    # Telling.

    def say(self, line: str) -> None:
        """Add a line to the trace, ids by the names of this seed."""
        since = self.now - self.began
        hours, rest = divmod(since.seconds, 3600)
        moment = f"{since.days:4}d {hours:02}:{rest // 60:02}:{rest % 60:02}"
        self.trace.append(f"{moment}  {NAMED.sub(self.named, line)}")

    def named(self, found: re.Match[str]) -> str:
        """Name an id by when it was first told of."""
        kind = "case " if found[0].startswith("SC-") else "#"
        return self.names.setdefault(found[0], f"{kind}{len(self.names) + 1}")

    def digest(self) -> str:
        """What happened in this seed, in one word."""
        rows = self.rows("SELECT at, type, facts FROM entry ORDER BY rowid")
        said = "\n".join([*self.trace, *(NAMED.sub(self.named, str(row)) for row in rows)])
        return hashlib.sha256(said.encode()).hexdigest()[:16]

    def must(self, holds: object, what: str) -> None:
        """Raise Broken unless it holds."""
        if not holds:
            raise Broken(NAMED.sub(self.named, what))

    # Looking behind the service.

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        return self.look.execute(query, values).fetchall()

    def one(self, query: str, *values: Any) -> Any:
        return self.rows(query, *values)[0][0]

    def entries(self) -> int:
        """How much was ever written in the journal."""
        return int(self.one("SELECT count(*) FROM entry"))

    def someone_of(self, account: Account) -> Someone:
        return Someone(self, account.code, account.actor, account.key)

    @property
    def watched(self) -> list[str]:
        """The offices that take part."""
        return [office for corridor in CORRIDORS for office in corridor.offices]

    # Asking the service.

    def asks(self, who: Someone, method: str, path: str, **more: Any) -> Response | None:
        """Ask for something; None: the power went off, or the answer was lost.

        Never is it the service's fault, and no answer has a word of what is sealed.
        """
        self.tally.requests[f"{method} {NAMED.sub('*', path)}"] += 1
        answer = self.heard(who, method, path, **more)
        if answer is None:
            self.tally.crashes["request"] += 1
            self.say(f"{who.code} {method} {path}: the power goes off")
            return None
        told = f" {answer.json()['type']}" if answer.is_error else ""
        self.say(f"{who.code} {method} {path}: {answer.status_code}{told}")
        self.must(answer.status_code < 500, f"a {answer.status_code} to {method} {path}")
        if not SEALED.search(path):
            self.must(CANARY not in answer.text, f"a word of a person in {path}")
        return answer

    def heard(self, who: Someone, method: str, path: str, **more: Any) -> Response | None:
        try:
            answer = who.ask(method, path, **more)
        except PowerCut:
            return None
        return None if self.power.is_off else answer

    def sends(self, deed: Deed) -> Response | None:
        """Send a deed; what is acknowledged is remembered, and never done twice."""
        known, before = self.done.get(deed.key), self.entries()
        with self.risking(0.0 if self.calm else MISHAPS):
            answer = self.asks(
                deed.who, "POST", deed.path, body=deed.body, headers=deed.headers()
            )
        if answer is None:
            return None
        if known is not None:
            self.must(self.entries() == before, f"{deed.path} was done again under its key")
            same = {known[1], 401, 403, 404}
            self.must(answer.status_code in same, f"{deed.path}: another answer to a retry")
        elif answer.is_success:
            shown = answer.json() if answer.content else {}
            deed.about = deed.about or subject_of(deed, shown)
            self.done[deed.key] = (deed, answer.status_code, shown)
        return answer

    @contextmanager
    def risking(self, share: float) -> Iterator[None]:
        """Let the power go off in the middle of a request, now and then."""
        if self.likely(share):
            self.power.fails(1, after=self.likely(0.5))
        try:
            yield
        finally:
            self.power.is_back()

    def ends(self) -> None:
        """Close everything."""
        self.power.ends()
        with closing(self.look):
            self.closes()
