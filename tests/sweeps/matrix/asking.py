"""Calls of every operation by every account, compared with the access matrix."""

import json
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path
from typing import Final

from fastapi import FastAPI
from sqlalchemy import select

from app.api.http.rate_limits import WrongKeyLimit
from app.kernel.actors import SERVICE
from app.kernel.db import Base
from tests.support.effort import is_night
from tests.support.full_world import fill_path
from tests.support.operation_calls import ALL, PUBLIC_WRITES, READ, record_commits
from tests.support.raw_requests import Answer, Headers, Operation, Wire, open_wire
from tests.support.request_bodies import BODIES
from tests.support.snapshots import copy_file_to, restore_file_from
from tests.support.world import World
from tests.sweeps.matrix import reading
from tests.sweeps.matrix.bodies import BODY_OF
from tests.sweeps.matrix.people import Caller, callers, people
from tests.sweeps.matrix.stages import CANARY, WHOLE, Build, Stage

OPERATIONS: Final = {one.name: one for one in ALL}
TRACES: Final = {"sighting", "retrieval"}
"""Tables to which reads write, as evidence that an office has read a record or its feed."""
ENTRY: Final = "access_entry"
PARTS: Final = {"section": WHOLE}
"""Path parameters whose values are tested as operations, such as `open_section.needs`."""
INCLUDED: Final = "included"
"""The name under which an operation is tested with every part that `include` can add."""


@dataclass
class Matrix:
    """A matrix of calls: a world with accounts, and the expected response to each call."""

    wire: Wire
    plan: "Plan"
    table: reading.Table
    stages: dict[str, Stage]
    callers: list[Caller]
    kept: list[str]
    restore: Callable[[], None] | None
    roles: Collection[str]
    """The stages at which accounts with a single role are tested too."""
    numbers: "count[int]" = field(default_factory=count)
    before: dict[str, list[str]] = field(init=False)

    def __post_init__(self) -> None:
        self.before = self.rows()

    def rows(self) -> dict[str, list[str]]:
        """Return every row of every table, except those of the tables that record reads."""
        tables = [t for t in Base.metadata.sorted_tables if t.name not in TRACES | {ENTRY}]
        with self.wire.world.database.begin_read(SERVICE) as session:
            found = {t.name: session.execute(select(t)).all() for t in tables}
        return {name: sorted(map(str, rows)) for name, rows in found.items()}

    def faults(self, name: str) -> list[str]:
        """Call an operation as every account at every stage, and return the differences."""
        return [
            fault
            for stage in self.stages_of(name)
            for caller in self.askers(name, stage)
            for fault in self.judged(name, stage, caller)
        ]

    def planned(self) -> int:
        """Return the number of planned calls over all operations, stages and accounts."""
        return sum(
            len(list(self.askers(name, stage)))
            for name in self.plan.operations()
            for stage in self.stages_of(name)
        )

    def stages_of(self, name: str) -> list[Stage]:
        """Return the stages at which an operation can be called."""
        keys = set(operation_of(name).path_names) - PARTS.keys()
        found = [stage for stage in self.stages.values() if keys <= stage.ids.keys()]
        children = len(keys) > 1
        return [stage for stage in found if children or stage.name != "mixed"]

    def askers(self, name: str, stage: Stage) -> Iterator[Caller]:
        """Yield the callers of an operation, including strangers and invalid keys."""
        first, alone = stage is self.stages_of(name)[0], stage.name in self.roles
        for caller in self.callers:
            if caller.name in reading.NOBODIES:
                asks = first or caller.name == "administrator"
            else:
                asks = caller.name in STRANGERS or is_in(stage, caller)
            if asks and (alone or "/" not in caller.name):
                yield caller

    def judged(self, name: str, stage: Stage, caller: Caller) -> list[str]:
        """Call an operation, and return the differences between response and table.

        A write that should succeed is not called if the database cannot be restored.
        """
        who = relation(stage, caller)
        due = self.table.verdict(name, stage.name, who)
        if due.status < 300 and self.restore is None and method(name) != "GET":
            return []
        self.kept.clear()
        self.wire.world.app.state.throttle = WrongKeyLimit()
        answer, said = self.ask(name, stage, caller)
        found = [
            *wrong_status(due, answer),
            *wrong_sight(due, answer, stage),
            *wrong_names(due, answer, said, may_know(stage, caller)),
            *self.wrong_traces(due, answer, method(name)),
        ]
        if self.restore and self.changed():
            self.restore()
        place = f"{name} | {stage.name} | {who} ({caller.name})"
        return [f"{place}: {fault}" for fault in found]

    def ask(self, name: str, stage: Stage, caller: Caller) -> tuple[Answer, bytes]:
        """Call an operation with valid input; return the response and the sent body."""
        operation, part = operation_of(name), name.partition(".")[2]
        ids = stage.ids | dict.fromkeys(PARTS, part)
        body = BODY_OF.get(name, BODIES.get(operation.name, {}))
        named = ids[operation.path_names[-1] if operation.path_names else "code"]
        of_case = "code" in body and operation.name not in PUBLIC_WRITES
        own = {"code": named} if of_case else {}
        sent = json.dumps(body | own).encode() if operation.body_schema else b""
        target = fill_path(operation.path, ids)
        if part == INCLUDED:
            target += f"?{operation.includes}"
        headers = self.headers(operation, caller, stage)
        if operation.method == "PUT" and operation.path in READ:
            headers = {n: v for n, v in headers.items() if n != "If-Match"}
            headers |= self.seen(target)
        return self.wire.send(operation.method, target, headers, sent), sent

    def headers(self, operation: Operation, caller: Caller, stage: Stage) -> Headers:
        """Return the headers that an operation requires."""
        key = caller.keys.get(reading.scopes().get(operation.name, ""), "")
        said: Headers = {
            "If-Match": stage.tag,
            "Idempotency-Key": f"m{next(self.numbers)}",
            "Purpose": "assistance",
        }
        header_names = operation.list_parameters("header")
        shown = {"Authorization": f"Bearer {key}"} if key else {}
        named = {name: value for name, value in said.items() if name in header_names}
        return {"Content-Type": "application/json", **shown, **named}

    def seen(self, target: str) -> Headers:
        """Return the header for a PUT: If-Match if the row exists, else If-None-Match."""
        [one] = (caller for caller in self.callers if caller.name == "administrator")
        key = one.keys["directory:read"]
        shown = self.wire.send("GET", target, {"Authorization": f"Bearer {key}"})
        return {"If-Match": shown["etag"]} if shown["etag"] else {"If-None-Match": "*"}

    def strayed(self, listed: str) -> list[str]:
        """Return each account and stage where a list shows a case that must be hidden."""
        return [
            f"{caller.name}: {stage.name}"
            for caller in self.inside()
            for stage in self.named(caller, listed)
            if get_listed_relation(stage, caller, listed).partition("/")[0] not in HEARD_OF
        ]

    def excluded(self, listed: str) -> list[str]:
        """Return each account and stage where a list of a party lacks the case."""
        return [
            f"{caller.name}: {stage}"
            for caller in self.inside()
            for stage in set(self.stages) - {one.name for one in self.named(caller, listed)}
            if is_party(self.stages[stage], caller)
        ]

    def inside(self) -> list[Caller]:
        """Return the callers that may call the lists, which are those not in `NOBODIES`."""
        return [caller for caller in self.callers if caller.name not in reading.NOBODIES]

    def named(self, caller: Caller, listed: str) -> list[Stage]:
        """Return the stages whose case, or a record of the case, appears in a list."""
        said: Headers = {"Authorization": f"Bearer {caller.keys['cases:read']}"}
        query = "&" if "?" in listed else "?"
        answer = self.wire.send("GET", f"/v1/{listed}{query}limit=200", said)
        text = answer.content.decode()
        ids = ("code", "referral_id", "handover_id")
        return [
            stage
            for stage in self.stages.values()
            if any(f'{stage.ids.get(one, "none")}"' in text for one in ids)
        ]

    def changed(self) -> list[str]:
        """Return the tables that were written, except those to which reads write."""
        return [one for one in map(table_of, self.kept) if one not in TRACES | {ENTRY}]

    def wrong_traces(self, due: reading.Verdict, answer: Answer, how: str) -> Iterator[str]:
        """Yield the differences between the actual and the expected writes of a call."""
        tables = list(map(table_of, self.kept))
        if tables.count(ENTRY) != due.entries:
            yield f"{tables.count(ENTRY)} entries of access, not {due.entries}"
        refused = answer.status >= 400
        other = self.changed() if how == "GET" or refused else []
        if other or (refused and TRACES & set(tables)):
            yield f"refused or read, and yet written: {tables}"


STRANGERS: Final = {"elsewhere", *(("desk", "shelter") if is_night() else ())}
"""Accounts that are tested at every stage; others only if they are or were a party."""


def is_in(stage: Stage, caller: Caller) -> bool:
    """Return whether an office is or was a party of a case."""
    return not relation(stage, caller).startswith("stranger")


def operation_of(name: str) -> Operation:
    """Return the operation with the given name, ignoring a suffix such as `.needs`."""
    return OPERATIONS[name.partition(".")[0]]


def method(name: str) -> str:
    return operation_of(name).method


def relation(stage: Stage, caller: Caller) -> str:
    return reading.relation(stage.name, caller.name)


PARTIES: Final = {
    "submitter",
    "candidate",
    "lead",
    "lead_of_origin",
    "helper",
    "helped",
    "asked",
    "offered",
    "desk",
    "escalation_desk",
    "oversight",
}
HEARD_OF: Final = PARTIES | {
    "former_lead",
    "last_lead",
    "former_candidate",
    "former_recipient",
}
"""Relations whose offices keep events or records of a case, including former relations."""


EARLIER: Final = {
    "void": "submitted",
    **dict.fromkeys(("monitoring", "closed", "erased"), "suspended"),
}
"""For some stages, an earlier stage whose parties keep the events of the case."""


def get_listed_relation(stage: Stage, caller: Caller, listed: str) -> str:
    """Return an office's relation to a case; for events, at the stage in `EARLIER`."""
    when = EARLIER.get(stage.name, stage.name) if listed == "events" else stage.name
    return reading.relation(when, caller.name)


def is_party(stage: Stage, caller: Caller) -> bool:
    """Return whether an account has a relation that puts the case into its list."""
    return relation(stage, caller).partition("/")[0] in PARTIES


def may_know(stage: Stage, caller: Caller) -> frozenset[str] | None:
    """Return the offices that may be named to an account, including its own office.

    Return None if the tables name no offices for the account's relation at this stage.
    """
    known = reading.may_know(relation(stage, caller), stage.name)
    return None if known is None else known | {caller.office}


def table_of(statement: str) -> str:
    """Return the name of the table that a statement writes."""
    words = statement.replace('"', " ").replace("(", " ").split()
    return words[1] if words[0].upper() == "UPDATE" else words[2]


def wrong_status(due: reading.Verdict, answer: Answer) -> Iterator[str]:
    """Yield the difference between the status of a response and the expected status."""
    if answer.status != due.status:
        told = "" if answer.status < 400 else json.loads(answer.content)["type"]
        yield f"{answer.status} {told}, not {due.status}"


def wrong_sight(due: reading.Verdict, answer: Answer, stage: Stage) -> Iterator[str]:
    """Yield the differences between the documents in a response and the expected ones."""
    seen = set(CANARY.findall(format_answer(answer)))
    meant = {(what, stage.name) for what in due.sees}
    if seen != meant and answer.status == due.status:
        yield f"seen {sorted(seen)}, not {sorted(meant)}"
    elif seen - meant:
        yield f"seen {sorted(seen - meant)}"


def format_answer(answer: Answer) -> str:
    """Return the headers and the content of a response as text."""
    headers = " ".join(f"{n!r} {v!r}" for n, v in answer.headers)
    return f"{headers} {answer.content.decode()}"


def wrong_names(
    due: reading.Verdict, answer: Answer, sent: bytes, may: frozenset[str] | None
) -> Iterator[str]:
    """Yield a message with the offices that a response must not name to the account."""
    if may is None or ANY in due.names:
        return
    text, said = answer.content.decode(), sent.decode()
    named = {one for one in OFFICES if f'"{one}"' in text and f'"{one}"' not in said}
    if named - may - due.names:
        yield f"named {sorted(named - may - due.names)}"


ANY: Final = reading.ANY
OFFICES: Final = {name for names in reading.names_told().values() for name in names}


ALIKE: Final = {f"write_section.{one}" for one in WHOLE if one != "identity"}


@dataclass(frozen=True)
class Plan:
    """The operations, the stages and the table of one world."""

    table: str
    build: Build
    some: Build
    """A function that builds only some of the stages, for PostgreSQL."""
    alone: frozenset[str]
    """Stages at which accounts with one role are tested, too; all stages in `make soak`."""

    def operations(self) -> list[str]:
        """Return the operations to call; those in `ALIKE` only in night runs."""
        named = reading.table(self.table).operations
        return [one for one in named if is_night() or one not in ALIKE]


@contextmanager
def matrix(url: str, app: FastAPI, plan: Plan, home: Path) -> Iterator[Matrix]:
    """Build a world, copy it, and yield its access matrix."""
    with open_wire(url, app) as wire:
        world, known = wire.world, people(wire.world)
        stages = (plan.build if world.database.is_sqlite else plan.some)(known)
        everyone = callers(world, known)
        back, alone = copy_world(world, home), stages if is_night() else plan.alone
        with record_commits(world.database) as kept:
            table = reading.table(plan.table)
            yield Matrix(wire, plan, table, stages, everyone, kept, back, alone)


def copy_world(world: World, home: Path) -> Callable[[], None] | None:
    """Copy a SQLite database, and return a function that restores it.

    Return None if the database is not SQLite.
    """
    engine = world.database.engine
    if not world.database.is_sqlite:
        return None
    return partial(restore_file_from, copy_file_to(home / "kept.db", engine), engine)
