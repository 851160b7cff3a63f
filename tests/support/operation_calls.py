"""The hunt: any operation, asked by whoever could, for what is there, in any way at all."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final

from hypothesis import find, settings
from sqlalchemy import Connection, select

from app.kernel.actors import SERVICE
from app.kernel.db import Base, Database
from tests.support.databases import listening
from tests.support.full_world import Ids, Stage, filled, set_up, spoken
from tests.support.hostile_input import MANY, bodies, flaws, hostile_values, written
from tests.support.raw_requests import (
    JSON,
    Answer,
    Operation,
    Wire,
    lists,
    operations,
    wired,
    writes,
)
from tests.support.request_bodies import BODIES
from tests.support.servers import ROOT
from tests.support.world import Someone

DOCUMENT: Final = json.loads((ROOT / "openapi" / "openapi-3.1.json").read_text("utf-8"))
"""As it is committed: another test compares that with what is served."""
ALL: Final = operations(DOCUMENT)
WRITES: Final = writes(DOCUMENT)
TAKING: Final = [one for one in WRITES if one.takes]
READ: Final = {
    one.path for one in ALL if one.method == "GET" and "Purpose" not in one.names("header")
}
"""What is read without leaving a trace."""
ONE: Final = settings(MANY, max_examples=500)
MALFORMED: Final = {"request-invalid", "json-refused", "body-unexpected"}
WHOLE: Final[dict[str, Any]] = {}
"""The shape of a body does not depend on the database."""


def named(one: Operation) -> str:
    return one.name


@dataclass
class Hunt:
    """A world, and everyone in it who could be asked for something."""

    wire: Wire
    stage: Stage
    kept: list[str]
    """What was written and committed since somebody looked."""
    numbers: "count[int]" = field(default_factory=count)

    def ask(
        self,
        operation: Operation,
        body: bytes = b"",
        choose: int = 0,
        headers: Mapping[str, str | bytes | None] | None = None,
    ) -> Answer:
        """Do as the operation asks, but for what is given; None leaves a header out."""
        one, ids = self.chosen(operation, choose)
        target = filled(operation.path, ids)
        said = {**self.spoken(operation, one, target), **(headers or {})}
        kept = {name: value for name, value in said.items() if value is not None}
        return self.wire.send(operation.method, target, kept, body)

    def chosen(self, operation: Operation, choose: int) -> tuple[Someone, Ids]:
        """Choose somebody, and what they see."""
        places = self.stage.places(operation)
        assert places, (
            f"Nobody sees {operation.path}: bring one about in tests/support/full_world.py"
        )
        return places[choose % len(places)]

    def spoken(self, operation: Operation, one: Someone, target: str) -> Mapping[str, Any]:
        """Say all that goes with a body; to replace a row, its tag of now."""
        said = spoken(operation, one, f"k{next(self.numbers)}")
        if operation.method != "PUT" or operation.path not in READ:
            return said
        tag = self.wire.send("GET", target, said)["etag"]
        return said | {"If-Match": tag} if tag else said

    def everything(self) -> dict[str, list[Any]]:
        """Read every row of every table."""
        with self.wire.world.database.reading(SERVICE) as session:
            return {
                table.name: sorted(map(str, session.execute(select(table)).all()))
                for table in Base.metadata.sorted_tables
            }

    def whole(self, operation: Operation, choose: int = 0) -> Any:
        """Take the body we know, or find one whose shape the operation takes; once."""
        if not operation.takes:
            return {}

        def fits(body: Any) -> bool:
            return not is_malformed(self.ask(operation, written(body), choose))

        if operation.name not in WHOLE:
            known = BODIES.get(operation.name)
            fitting = known is not None and fits(known)
            found = known if fitting else find(bodies(operation), fits, settings=ONE)
            WHOLE[operation.name] = found
        return self.aimed(operation, WHOLE[operation.name], choose)

    def aimed(self, operation: Operation, body: Any, choose: int) -> Any:
        """Let a body say of itself what the path says, where it is as we know it."""
        known, (_, ids) = BODIES.get(operation.name, {}), self.chosen(operation, choose)
        if not isinstance(body, dict) or not ids:
            return body
        own = ids | {"code": ids[operation.keys[-1]]}
        same = {name for name in own.keys() & known.keys() if body.get(name) == known[name]}
        return body | {name: own[name] for name in same}

    def deepest(self, operation: Operation) -> int:
        """Choose one who is refused for what is sent, not for who they are.

        Everybody is tried in one place before anybody is tried in another.
        """
        whose = [one.key for one, _ in self.stage.places(operation)]
        for choose in sorted(range(len(whose)), key=lambda n: whose[n] in whose[:n]):
            bad = hostile_values(self.whole(operation, choose), {"NUL"}).values()
            if all(is_malformed(self.ask(operation, body, choose)) for body in bad):
                return choose
        raise AssertionError(f"Nobody is heard: {operation.name}")


@contextmanager
def hunting(url: str, app: Any) -> Iterator[Hunt]:
    """Open a world, bring one of everything about, and watch what is kept."""
    with wired(url, app) as wire, watched(wire.world.database) as kept:
        yield Hunt(wire, set_up(wire), kept)


@contextmanager
def watched(database: Database) -> Iterator[list[str]]:
    """List every statement that changes something, once it is committed."""
    kept: list[str] = []

    def write(connection: Connection, _: Any, statement: str, *__: Any) -> None:
        if statement.split(None, 1)[0].upper() in {"INSERT", "UPDATE", "DELETE"}:
            connection.info.setdefault("written", []).append(statement)

    def commit(connection: Connection) -> None:
        kept.extend(connection.info.pop("written", []))

    def roll_back(connection: Connection) -> None:
        connection.info.pop("written", None)

    with (
        listening(database, "before_cursor_execute", write),
        listening(database, "commit", commit),
        listening(database, "rollback", roll_back),
    ):
        yield kept


def name_of(answer: Answer) -> str:
    """Name the problem that it is."""
    return str(answer.json()["type"]).removeprefix("/problems/")


def is_malformed(answer: Answer) -> bool:
    """Say whether the shape was refused, before anything was judged."""
    return answer.status >= 400 and name_of(answer) in MALFORMED


def faults(operation: Operation, answer: Answer) -> list[str]:
    """Say what is wrong with an answer of an operation: the contract lists its problems."""
    found = flaws(answer)
    if answer.status < 400 or found:
        return found
    told = operation.told["responses"].get(str(answer.status))
    kind = answer["content-type"] or ""
    if told and kind == JSON and kind in told["content"]:
        return []
    if told and lists(told, answer.json()):
        return []
    return [f"a problem that the contract does not list: {name_of(answer)}"]
