"""Calls of any operation with existing ids, by a person who may make the call."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final

from hypothesis import find, settings
from sqlalchemy import Connection, select

from app.kernel.actors import SERVICE
from app.kernel.db import Base, Database
from tests.support.contract import load_contract
from tests.support.databases import listen_to
from tests.support.full_world import Ids, Stage, build_headers, fill_path, set_up
from tests.support.hostile_input import (
    CACHEABLE,
    MANY,
    encode_json,
    find_flaws,
    list_hostile_values,
    make_bodies,
)
from tests.support.raw_requests import (
    JSON,
    Answer,
    Operation,
    Wire,
    includes_problem,
    list_operations,
    list_writes,
    open_wire,
)
from tests.support.request_bodies import BODIES
from tests.support.world import Someone

DOCUMENT: Final = load_contract()
"""The committed OpenAPI document; another test compares it with the served one."""
ALL: Final = list_operations(DOCUMENT)
WRITES: Final = list_writes(DOCUMENT)
PUBLIC_WRITES: Final = {
    "issue_token",
    "create_passkey_challenge",
    "create_session_with_passkey",
    "create_enrolment_options",
    "redeem_enrolment",
    "redeem_key_link",
}
"""The POST operations that need no credential in a header."""
TAKING: Final = [one for one in WRITES if one.body_schema]
READ: Final = {
    one.path
    for one in ALL
    if one.method == "GET" and "Purpose" not in one.list_parameters("header")
}
"""Paths that can be read without an entry in the access log."""
ONE: Final = settings(MANY, max_examples=500)
MALFORMED: Final = {"request-invalid", "json-invalid", "body-unexpected"}
KNOWN_BODIES: Final[dict[str, Any]] = {}
"""A valid body for each operation; it does not depend on the database."""


def get_name(one: Operation) -> str:
    return one.name


@dataclass
class Hunt:
    """A world in which operations are called, with its connection and its people."""

    wire: Wire
    stage: Stage
    committed: list[str]
    """Statements that were committed since a test last cleared this list."""
    numbers: "count[int]" = field(default_factory=count)

    def ask(
        self,
        operation: Operation,
        body: bytes = b"",
        choose: int = 0,
        headers: Mapping[str, str | bytes | None] | None = None,
    ) -> Answer:
        """Send a request with valid headers; a header given as None is left out."""
        one, ids = self.choose_caller(operation, choose)
        target = fill_path(operation.path, ids)
        merged = {**self.build_headers(operation, one, target), **(headers or {})}
        kept = {name: value for name, value in merged.items() if value is not None}
        return self.wire.send(operation.method, target, kept, body)

    def choose_caller(self, operation: Operation, choose: int) -> tuple[Someone, Ids]:
        """Return a person who can call the operation, and ids that this person can see."""
        places = self.stage.list_callers(operation)
        assert places, (
            f"Nobody can call {operation.path}: add a record to tests/support/full_world.py"
        )
        return places[choose % len(places)]

    def build_headers(
        self, operation: Operation, one: Someone, target: str
    ) -> Mapping[str, Any]:
        """Return the headers of a request, with an entity tag if a row is replaced."""
        headers = build_headers(operation, one, f"k{next(self.numbers)}")
        if operation.method != "PUT" or operation.path not in READ:
            return headers
        tag = self.wire.send("GET", target, headers)["etag"]
        return headers | {"If-Match": tag} if tag else headers

    def read_all_rows(self) -> dict[str, list[Any]]:
        """Return every row of every table."""
        with self.wire.world.database.begin_read(SERVICE) as session:
            return {
                table.name: sorted(map(str, session.execute(select(table)).all()))
                for table in Base.metadata.sorted_tables
            }

    def find_body(self, operation: Operation, choose: int = 0) -> Any:
        """Return a body that the operation accepts, or {} if it takes none. Cache it."""
        if not operation.body_schema:
            return {}

        def is_accepted(body: Any) -> bool:
            return not is_malformed(self.ask(operation, encode_json(body), choose))

        if operation.name not in KNOWN_BODIES:
            known = BODIES.get(operation.name)
            fitting = known is not None and is_accepted(known)
            found = (
                known
                if fitting
                else find(make_bodies(operation), is_accepted, settings=ONE)
            )
            KNOWN_BODIES[operation.name] = found
        return self.set_path_ids(operation, KNOWN_BODIES[operation.name], choose)

    def set_path_ids(self, operation: Operation, body: Any, choose: int) -> Any:
        """Return the body, in which fields that repeat an id of the path have that id."""
        known, (_, ids) = (
            BODIES.get(operation.name, {}),
            self.choose_caller(operation, choose),
        )
        if not isinstance(body, dict) or not ids:
            return body
        own = ids | {"code": ids[operation.path_names[-1]]}
        same = {name for name in own.keys() & known.keys() if body.get(name) == known[name]}
        return body | {name: own[name] for name in same}

    def find_caller(self, operation: Operation) -> int:
        """Return the index of a caller for whom a body with a NUL is refused as malformed.

        Each person is tried with one group of ids before any person is tried with a second
        group. Raises AssertionError if there is no such caller.
        """
        whose = [one.key for one, _ in self.stage.list_callers(operation)]
        for choose in sorted(range(len(whose)), key=lambda n: whose[n] in whose[:n]):
            bad = list_hostile_values(self.find_body(operation, choose), {"NUL"}).values()
            if all(is_malformed(self.ask(operation, body, choose)) for body in bad):
                return choose
        raise AssertionError(f"Nobody may call {operation.name}")


@contextmanager
def open_hunt(url: str, app: Any) -> Iterator[Hunt]:
    """Open a world with records of each kind, and record its committed statements."""
    with open_wire(url, app) as wire, record_commits(wire.world.database) as kept:
        yield Hunt(wire, set_up(wire), kept)


@contextmanager
def record_commits(database: Database) -> Iterator[list[str]]:
    """Yield a list of the committed statements that changed data within the block."""
    kept: list[str] = []

    def write(connection: Connection, _: Any, statement: str, *__: Any) -> None:
        if statement.split(None, 1)[0].upper() in {"INSERT", "UPDATE", "DELETE"}:
            connection.info.setdefault("written", []).append(statement)

    def commit(connection: Connection) -> None:
        kept.extend(connection.info.pop("written", []))

    def discard(connection: Connection) -> None:
        connection.info.pop("written", None)

    with (
        listen_to(database, "before_cursor_execute", write),
        listen_to(database, "commit", commit),
        listen_to(database, "rollback", discard),
    ):
        yield kept


def get_problem_name(answer: Answer) -> str:
    """Return the name of the problem in a response."""
    return str(answer.parse_json()["type"]).removeprefix("/problems/")


def is_malformed(answer: Answer) -> bool:
    """Return whether a request was refused for its format, before any rule was checked."""
    return answer.status >= 400 and get_problem_name(answer) in MALFORMED


def find_faults(operation: Operation, answer: Answer) -> list[str]:
    """Return the faults of a response, such as a problem that is not in the contract."""
    found = find_flaws(answer, cacheable=operation.path.startswith(CACHEABLE))
    if answer.status < 400 or found:
        return found
    listed = operation.spec["responses"].get(str(answer.status))
    kind = answer["content-type"] or ""
    if listed and kind == JSON and kind in listed["content"]:
        return []
    if listed and includes_problem(listed, answer.parse_json()):
        return []
    return [f"a problem that the contract does not list: {get_problem_name(answer)}"]
