"""The service of one commit, in a process that reads requests from its standard input.

The comparison copies this package to a checkout of the other commit. This module therefore
uses only those parts of `tests.support` that both commits have. Each line of the input is a
command in JSON, and each line of the output is its answer.
"""

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from random import Random
from typing import Any, Final
from uuid import UUID

import structlog
from fastapi import FastAPI

from app.access.models import ApiKey
from app.api.http.rate_limits import WrongKeyLimit
from app.kernel.actors import Role
from tests.differential.expected import SET_UP_OF_ONE
from tests.support import full_world
from tests.support.databases import Copy, backup, clear, make_copies, make_home
from tests.support.in_thread import ThreadLoops, run_in_thread
from tests.support.raw_requests import Wire
from tests.support.returns import begin_return
from tests.support.world import World

REVOKED: Final = "revoked"
ADVANCED: Final = ("depart", "monitor")
"""The last actions of two returns, because a walk rarely advances a return so far."""
AFTERWARDS: Final = 1 << 20
"""The first id of a walk, which is greater than all ids of the records before it."""

type Json = dict[str, Any]


def make_ids(first: int) -> Callable[[], UUID]:
    """Return a source of ids that increase, so that their order is that of creation.

    If one commit draws one id more, the records of both still have the same order. The last
    bits are random, because the service derives codes from them.
    """
    numbers, chance = count(first), Random(first)
    return lambda: UUID(int=next(numbers) << 80 | chance.getrandbits(64), version=4)


@dataclass(frozen=True)
class Prepared:
    """A database with people and records; each world gets a copy of the database."""

    url: str
    keys: dict[str, str]
    """The API keys of the people."""
    now: datetime


class Service:
    """The service of this commit. The command `begin` replaces its world with a new one."""

    def __init__(self, copy: Copy, loops: ThreadLoops) -> None:
        self.copy, self.loops = copy, loops
        self.stack, self.world = ExitStack(), ExitStack()
        self.app: FastAPI | None = None
        self.prepared: Prepared | None = None
        self.wire: Wire

    def begin(self) -> Json:
        """Open a new world, and return the API keys of its people."""
        if self.prepared is None:
            self.stack.push(self.world)
            self.prepared = self.prepare(self.stack.enter_context(self.copy()))
        self.world.close()
        url = self.world.enter_context(backup(self.prepared.url))
        self.open_world(url, make_ids(AFTERWARDS))
        self.wire.world.now = self.prepared.now
        return {"keys": self.prepared.keys}

    def open_world(self, url: str, ids: Callable[[], UUID]) -> World:
        """Open a world on a database; the next command `begin` closes the world."""
        world = World(url, self.app, self.loops, ids)
        self.world.callback(world.close)
        self.app, self.wire = world.app, Wire(world, self.loops)
        self.app.state.throttle = WrongKeyLimit(self.get_seconds)
        return world

    def prepare(self, url: str) -> Prepared:
        """Create people, and records in all states that requests can meet."""
        world = self.open_world(url, make_ids(1))
        people = full_world.create_people(world)
        full_world.create_records(people)
        for action in ADVANCED:
            begin_return(world, people["officer"], people["lead"]).advance(action)
        people["desk"] = world.add_person("DESK_CENTRAL_ASIA")
        people["stranger"] = world.add_person("JM_CONSULATE_PORT_OF_SPAIN")
        people["analyst"] = world.add_person("OVERSIGHT_DEMO", {Role.ANALYST})
        people[REVOKED] = world.add_person("KZ_LEAD")
        revoke_keys(world, people[REVOKED].actor.account_id)
        world.run_worker()
        keys = {name: one.key for name, one in people.items()}
        return Prepared(url, keys, world.now)

    def get_seconds(self) -> float:
        """Return the time of the world in seconds since the Unix epoch."""
        return self.wire.world.now.timestamp()

    def wait(self, seconds: int) -> Json:
        """Advance the clock, run the worker, and return how many deadlines were due."""
        self.wire.world.advance(seconds=seconds)
        return {"due": self.wire.world.run_worker()}

    def send(self, method: str, target: str, headers: dict[str, str], body: str) -> Json:
        """Advance the clock by a second, send a request, and return the response.

        Bytes are sent and returned as text with one character for each byte.
        """
        self.wire.world.now += timedelta(seconds=1)
        named = {name: value.encode("latin-1") for name, value in headers.items()}
        answer = self.wire.send(
            method, target.encode("latin-1"), {**named}, body.encode("latin-1")
        )
        return {
            "status": answer.status,
            "headers": sorted(
                (name.decode("latin-1"), value.decode("latin-1"))
                for name, value in answer.headers
            ),
            "body": answer.content.decode("latin-1"),
        }

    def run(self, command: Json) -> Json:
        """Run a command, and return its answer."""
        do = {"begin": self.begin, "wait": self.wait, "send": self.send}
        return do[command.pop("do")](**command)  # type: ignore[operator, no-any-return]


def revoke_keys(world: World, account: UUID) -> None:
    """Revoke every API key of an account."""
    with world.database.begin_write() as session:
        for key in session.query(ApiKey).filter(ApiKey.account_id == account):
            key.revoked_at = world.now


@contextmanager
def open_service(database: str) -> Iterator[Service]:
    """Yield a service with copies of a migrated database."""
    home = make_home()
    try:
        with make_copies(database, home) as copy, run_in_thread() as loops:
            service = Service(copy, loops)
            with service.stack:
                yield service
    finally:
        clear(home)


def drop_log_line(*_: object) -> Json:
    """Raise DropEvent, so that structlog drops a line of the log."""
    raise structlog.DropEvent


def main(database: str) -> None:
    """Read commands from the standard input, and write an answer to each.

    Everything else that is printed goes to the standard error.
    """
    answers = os.fdopen(os.dup(1), "w", encoding="ascii")
    os.dup2(2, 1)
    for name in SET_UP_OF_ONE:
        setattr(full_world, name, lambda *_: None)
    with open_service(database) as service:
        structlog.configure(processors=[drop_log_line])
        for line in sys.stdin:
            print(json.dumps(service.run(json.loads(line))), file=answers, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
