"""The world that a simulation runs in: random numbers, clock, agenda and requests.

The seed determines everything that varies. Nothing depends on threads, on the clock of
the machine, or on the order of a set.
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
from tests.simulation.power_cuts import Power, PowerCut
from tests.support.databases import draw_id
from tests.support.world import Json, Someone, World

CANARY: Final = "Qzxv"
"""The start of every word that may occur only in sealed documents."""
SEALED: Final = re.compile(r"/(sections/\w+|safeguards|contacts|arrangement|notes)$")
NAMED: Final = re.compile(r"SC(?:-[0-9A-Z]{4}){3}-[0-9A-Z]|[0-9a-f-]{36}")
MISHAPS: Final = 0.04
"""Probability that the power fails during a request."""
TICK: Final = timedelta(milliseconds=1)
"""The step of the clock at each reading, so that no two readings are equal."""


class Broken(AssertionError):  # noqa: N818 - the name reads better without Error
    """An invariant does not hold."""


@dataclass
class Deed:
    """A request that has an idempotency key and may be sent several times."""

    sender: Someone
    path: str
    body: Any
    key: str
    tag: str | None = None
    approval: str | None = None
    event: str = ""
    """The event that the request causes; empty if the journal is not checked for one."""
    about: str = ""
    tries: int = 0
    acknowledged_at: datetime | None = None

    def make_headers(self) -> dict[str, str]:
        more = {"If-Match": self.tag, "Approval": self.approval}
        given = {name: value for name, value in more.items() if value}
        return {"Idempotency-Key": self.key, **given}


@dataclass
class Person:
    """A person with a case and consents, as the simulation knows them."""

    code: str
    number: int
    is_child: bool
    corridor: Any
    unsafe: frozenset[str]
    consents: list[tuple[frozenset[str], frozenset[str], frozenset[str]]]
    """The offices, purposes and sections of each consent."""
    submitted_at: datetime | None = None

    def withdraw(self, purposes: frozenset[str]) -> None:
        self.consents = [one for one in self.consents if not one[1] & purposes]

    def can_read(self, office: str, section: str) -> bool:
        """Return whether an office is safe, and a valid consent lets it read a section."""
        given = any(office in to and section in what for to, _, what in self.consents)
        return given and office not in self.unsafe

    def can_help(self, office: str, service: str) -> bool:
        return any(office in to and service in why for to, why, _ in self.consents)


@dataclass
class Tally:
    """The counts of requests, events and crashes in a seed."""

    requests: Counter[str] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)
    crashes: Counter[str] = field(default_factory=Counter)


def get_subject(deed: Deed, shown: Json) -> str:
    """Return the subject of a record that a request created."""
    kind = deed.path.rpartition("/")[2]
    return f"cases/{shown['code']}" if "code" in shown else f"{kind}/{shown.get('id')}"


class Scene(World):
    """The service on its own database, with the random decisions of a seed."""

    def __init__(self, stage: Stage, seed: int) -> None:
        self.seed, self.stage = seed, stage
        self.chance = Random(f"{seed} chance")
        ids = partial(draw_id, Random(f"{seed} ids"))
        url = stage.create_database()
        super().__init__(url, stage.app, stage.here, ids)
        self.runtime = replace(
            self.runtime, clock=self.advance_clock, time=lambda _: self.advance_clock()
        )
        self.app.state.runtime = self.runtime
        self.power = Power(self.database)
        self.reader = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
        self.began = self.now
        self.trace: list[str] = []
        self.names: dict[str, str] = {}
        self.agenda: list[tuple[datetime, int, str, Callable[[], None]]] = []
        self.order = count()
        self.tally = Tally()
        self.persons: dict[str, Person] = {}
        self.acknowledged: dict[str, tuple[Deed, int, Json]] = {}
        """The acknowledged requests by key, each with its status and its response body."""
        self.calm = False

    # Time.

    def advance_clock(self) -> datetime:
        """Advance the clock by `TICK`, and return the time."""
        self.now += TICK
        return self.now

    def schedule(self, delay: timedelta, name: str, step: Callable[[], None]) -> None:
        """Add a step to the agenda, to be run after a delay."""
        heappush(self.agenda, (self.now + delay, next(self.order), name, step))

    def start_next_step(self) -> tuple[str, Callable[[], None]]:
        """Advance the clock to the next step, and return the step."""
        at, _, name, step = heappop(self.agenda)
        self.now = max(self.now, at)
        return name, step

    def draw_hours(self, least: float, most: float) -> timedelta:
        return timedelta(hours=self.chance.uniform(least, most))

    def is_likely(self, share: float) -> bool:
        return self.chance.random() < share

    # Trace.

    def log(self, line: str) -> None:
        """Add a line to the trace, in which ids are replaced by names."""
        since = self.now - self.began
        hours, rest = divmod(since.seconds, 3600)
        moment = f"{since.days:4}d {hours:02}:{rest // 60:02}:{rest % 60:02}"
        self.trace.append(f"{moment}  {NAMED.sub(self.name_id, line)}")

    def name_id(self, found: re.Match[str]) -> str:
        """Return the name that replaces an id in the trace."""
        kind = "case " if found[0].startswith("SC-") else "#"
        return self.names.setdefault(found[0], f"{kind}{len(self.names) + 1}")

    def compute_digest(self) -> str:
        """Return a digest of the trace and of the journal of this seed."""
        rows = self.fetch_rows("SELECT at, type, facts FROM entry ORDER BY rowid")
        said = "\n".join(
            [*self.trace, *(NAMED.sub(self.name_id, str(row)) for row in rows)]
        )
        return hashlib.sha256(said.encode()).hexdigest()[:16]

    def require(self, holds: object, what: str) -> None:
        """Raise Broken unless a condition holds."""
        if not holds:
            raise Broken(NAMED.sub(self.name_id, what))

    # Queries on the database.

    def fetch_rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        return self.reader.execute(query, values).fetchall()

    def fetch_value(self, query: str, *values: Any) -> Any:
        return self.fetch_rows(query, *values)[0][0]

    def count_entries(self) -> int:
        """Return the number of entries in the journal."""
        return int(self.fetch_value("SELECT count(*) FROM entry"))

    def get_person(self, account: Account) -> Someone:
        return Someone(self, account.code, account.actor, account.key)

    @property
    def watched(self) -> list[str]:
        """The offices of all corridors."""
        return [office for corridor in CORRIDORS for office in corridor.offices]

    # Requests.

    def send(self, who: Someone, method: str, path: str, **more: Any) -> Response | None:
        """Send a request. Return the response, or None after a simulated power failure.

        Raises Broken for a server error, and for sealed text outside a sealed document.
        """
        self.tally.requests[f"{method} {NAMED.sub('*', path)}"] += 1
        answer = self.send_once(who, method, path, **more)
        if answer is None:
            self.tally.crashes["request"] += 1
            self.log(f"{who.code} {method} {path}: the power fails")
            return None
        told = f" {answer.json()['type']}" if answer.is_error else ""
        self.log(f"{who.code} {method} {path}: {answer.status_code}{told}")
        self.require(answer.status_code < 500, f"a {answer.status_code} to {method} {path}")
        if not SEALED.search(path):
            self.require(CANARY not in answer.text, f"sealed text in {path}")
        return answer

    def send_once(
        self, who: Someone, method: str, path: str, **more: Any
    ) -> Response | None:
        try:
            answer = who.ask(method, path, **more)
        except PowerCut:
            return None
        return None if self.power.is_off else answer

    def send_deed(self, deed: Deed) -> Response | None:
        """Send a request with its key. Return the response, or None if the power failed.

        Raises Broken if the request was acknowledged before, and the repetition has an
        effect or an unexpected status.
        """
        known, before = self.acknowledged.get(deed.key), self.count_entries()
        deed.tries += 1
        with self.inject_failure(0.0 if self.calm else MISHAPS):
            answer = self.send(
                deed.sender, "POST", deed.path, body=deed.body, headers=deed.make_headers()
            )
        if answer is None:
            return None
        if known is not None:
            self.require(
                self.count_entries() == before,
                f"{deed.path} was executed twice with one key",
            )
            same = {known[1], 401, 403, 404}
            self.require(
                answer.status_code in same, f"{deed.path}: another answer to a retry"
            )
        elif answer.is_success:
            shown = answer.json() if answer.content else {}
            deed.about = deed.about or get_subject(deed, shown)
            deed.acknowledged_at = self.now
            self.acknowledged[deed.key] = (deed, answer.status_code, shown)
        return answer

    @contextmanager
    def inject_failure(self, share: float) -> Iterator[None]:
        """Make the power fail at the next commit, with probability `share`."""
        if self.is_likely(share):
            self.power.fail_at(1, after=self.is_likely(0.5))
        try:
            yield
        finally:
            self.power.reset()

    def finish(self) -> None:
        """Close the service and the database."""
        self.power.close()
        with closing(self.reader):
            self.close()
