"""A random walk through the operations that both commits have.

The walk is drawn from the contract of the other commit. A walk is a generator: it yields
requests, and gets the answers of the other commit, from which it makes later requests.
"""

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from itertools import count, product
from random import Random
from typing import Any, Final
from urllib.parse import quote

from tests.differential.drawing import choose_body, choose_query
from tests.differential.pool import Pool, parse_object
from tests.support.full_world import fill_path
from tests.support.raw_requests import JSON, Operation

ANSWERING: Final = (
    "officer",
    "lead",
    "lead",
    "shelter",
    "taker",
    "desk",
    "home",
    "supervisor",
)
"""The people who are chosen more often than others. The lead may do the most."""
RECORDS: Final = (
    "/v1/cases/{code}",
    "/v1/referrals/{referral_id}",
    "/v1/handovers/{handover_id}",
    "/v1/returns/{return_id}",
)
"""The paths of records whose responses list available actions."""
SECONDS: Final = ("supervisor", "second", "administrator")
"""The people who decide approvals as a second person."""
ENDING: Final = frozenset(
    {"erase", "withdraw", "discard", "stop", "close", "decline-lead", "revoke", "end"}
)
"""The last parts of paths of actions that end records, which are seldom taken."""
STAFF: Final = frozenset({"accounts", "administration"})
"""Tags of operations that change what the people of the walk may do."""
SELDOM: Final = 0.12
WAITS: Final = (60, 3600, 3600, 7 * 3600, 7 * 3600, 30 * 3600, 9 * 86400)
PURPOSES: Final = ("assistance", "protection", "curiosity")
STALE: Final = ('"1.0123456789abcdef"', '"x"', "*")
VALUES: Final = {
    "Prefer": ("wait=0",),
    "Accept-Language": ("es", "ru;q=0.9, fr", "uz", "de", "*"),
}
"""The values of headers that do not depend on earlier responses."""
NO_KEY: Final = "no key"
WRONG_KEY: Final = "wrong key"

type Json = dict[str, Any]


@dataclass(frozen=True)
class Ask:
    """A command that the walk yields: a request of a person, or a wait of the world."""

    operation: Operation | None
    person: str
    arguments: Json


type Walk = Generator[Ask, Json, None]
type Turn = Generator[Ask, Json, Json]


@dataclass
class Walker:
    """The state of a walk."""

    operations: list[Operation]
    chance: Random
    keys: Mapping[str, str]
    """The API key of each person, including a person whose key is revoked."""
    numbers: "count[int]" = field(default_factory=count)

    def __post_init__(self) -> None:
        self.pool = Pool(self.operations, self.chance)
        self.by_name = {one.name: one for one in self.operations}
        self.people = [*self.keys, NO_KEY, WRONG_KEY]
        reads = {one.path: one for one in self.operations if one.method == "GET"}
        self.records = [reads[path] for path in RECORDS]

    def walk(self) -> Walk:
        """Yield commands without end. At the start, each person reads each list once."""
        for person, one in product(self.keys, self.operations):
            if one.method == "GET" and not one.path_names:
                query = "?limit=200" if "limit" in one.list_parameters("query") else ""
                headers = {"Authorization": f"Bearer {self.keys[person]}"}
                yield from self.send(person, one, one.path + query, headers, "")
        while True:
            roll = self.chance.random()
            if roll < 0.006:
                seconds = self.chance.choice(WAITS)
                yield Ask(None, "", {"seconds": seconds})
            elif roll < 0.03:
                yield from self.ask("officer", self.by_name["create_case"])
            elif roll < 0.25:
                yield from self.take_available_actions()
            else:
                operation = self.choose_operation()
                ids = self.choose_ids(operation)
                person = self.choose_person(fill_quoted(operation.path, ids))
                yield from self.ask(person, operation, ids)

    def choose_ids(self, operation: Operation) -> dict[str, str]:
        """Return a value for each parameter of a path."""
        return {name: self.pool.choose_id(name) for name in operation.path_names}

    def choose_person(self, target: str) -> str:
        """Return a person, in most cases one who got a response about the record."""
        roll = self.chance.random()
        record = "/".join(target.split("/")[:4])
        readers = sorted(self.pool.readers.get(record, ()))
        if readers and roll < 0.65:
            return self.chance.choice(readers)
        return self.chance.choice(ANSWERING if roll < 0.85 else self.people)

    def choose_operation(self) -> Operation:
        """Return an operation, seldom one that ends records or changes accounts."""
        while True:
            one = self.chance.choice(self.operations)
            is_rare = one.method != "GET" and (
                one.method == "DELETE"
                or one.path.rpartition("/")[2] in ENDING
                or STAFF & set(one.spec["tags"])
            )
            if not is_rare or self.chance.random() < SELDOM:
                return one

    def take_available_actions(self) -> Turn:
        """Read a record as several people, and perform actions that the responses list."""
        case, *others = self.records
        known = [one for one in others if self.pool.has_ids(one)]
        read = self.chance.choice([case, case, case, *known])
        ids = self.choose_ids(read)
        answer: Json = {}
        for _ in range(3):
            person = self.choose_actor(fill_quoted(read.path, ids))
            answer = yield from self.ask(person, read, ids)
            acts = self.list_actions(read, parse_object(answer["body"]))
            if acts:
                answer = yield from self.ask(person, self.chance.choice(acts), ids)
        return answer

    def choose_actor(self, target: str) -> str:
        """Return a person who may be able to act on a record."""
        readers = self.pool.readers.get(target, set()) & {*ANSWERING}
        usual = readers and self.chance.random() < 0.75
        return self.chance.choice(sorted(readers) if usual else ANSWERING)

    def list_actions(self, read: Operation, record: Json) -> list[Operation]:
        """Return the operations to try for the available actions of a record."""
        names = {str(one["action"]) for one in record.get("available_actions", [])}
        paths = {f"{read.path}/{name.replace('_', '-')}" for name in names}
        acts = [
            one
            for one in self.operations
            if one.path in paths
            or (one.name in names and one.path_names == read.path_names)
        ]
        return [one for one in acts if self.keeps(one)]

    def keeps(self, operation: Operation) -> bool:
        """Return whether to try an operation: no read, seldom one that ends a record."""
        ends = operation.path.rpartition("/")[2] in ENDING
        return operation.method != "GET" and (not ends or self.chance.random() < SELDOM)

    def ask(
        self, person: str, operation: Operation, ids: Mapping[str, str] | None = None
    ) -> Turn:
        """Send a request. If it needs an approval, get one, and send the request again."""
        target = fill_quoted(operation.path, ids or self.choose_ids(operation))
        if "If-Match" in operation.list_parameters("header") and self.chance.random() < 0.8:
            yield from self.read_tag(person, operation, target)
        body = choose_body(operation, self.pool)
        headers = self.make_headers(person, operation, target)
        target += choose_query(operation, self.pool)
        answer = yield from self.send(person, operation, target, headers, body)
        question = parse_object(answer["body"])
        if answer["status"] != 202 or "decision" not in question:
            return answer
        yield from self.answer_question(str(question["id"]))
        headers |= {"Approval": str(question["id"])}
        if "Idempotency-Key" in headers and self.chance.random() < 0.5:
            headers["Idempotency-Key"] = f"k{next(self.numbers)}"
        return (yield from self.send(person, operation, target, headers, body))

    def read_tag(self, person: str, operation: Operation, target: str) -> Turn:
        """Read the record that an operation changes, if possible, for its entity tag."""
        path, record = operation.path, target
        if operation.method == "POST":
            path, record = path.rpartition("/")[0], target.rpartition("/")[0]
        read = next(
            (one for one in self.operations if (one.method, one.path) == ("GET", path)),
            None,
        )
        if read is None:
            return {}
        headers = self.make_headers(person, read, record)
        return (yield from self.send(person, read, record, headers, ""))

    def answer_question(self, approval: str) -> Turn:
        """Decide an approval as a second person, in most cases by approving it."""
        kind = "approve_approval" if self.chance.random() < 0.8 else "refuse_approval"
        person, operation = self.chance.choice(SECONDS), self.by_name[kind]
        return (yield from self.ask(person, operation, {"approval_id": approval}))

    def send(
        self,
        person: str,
        operation: Operation,
        target: str,
        headers: dict[str, str],
        body: str,
    ) -> Turn:
        """Yield a request, and store the values of its response."""
        arguments = {
            "method": operation.method,
            "target": target,
            "headers": headers,
            "body": body,
        }
        answer = yield Ask(operation, person, arguments)
        self.pool.record(operation, target, person, answer)
        return answer

    def make_headers(
        self, person: str, operation: Operation, target: str
    ) -> dict[str, str]:
        """Return the headers of a request: mostly valid, sometimes missing or wrong."""
        headers = dict[str, str]()
        if person == WRONG_KEY:
            headers["Authorization"] = f"Bearer sc_0123456789_{'A' * 43}"
        elif person != NO_KEY:
            headers["Authorization"] = f"Bearer {self.keys[person]}"
        if operation.body_schema:
            headers["Content-Type"] = "text/plain" if self.chance.random() < 0.01 else JSON
        for name in operation.list_parameters("header"):
            value = self.choose_header(name, operation, target)
            if value is not None:
                headers[name] = value
        return headers

    def choose_header(self, name: str, operation: Operation, target: str) -> str | None:
        """Return the value of a header, or None to leave it out."""
        roll, choose = self.chance.random(), self.chance.choice
        if roll < 0.03:
            return choose((None, "", "x", "*", "\xff"))
        match name:
            case "If-Match" | "If-None-Match":
                return self.choose_tag(name, operation, target)
            case "Idempotency-Key":
                return self.choose_idempotency_key(operation)
            case "Purpose":
                return choose(PURPOSES[:2] if roll < 0.9 else PURPOSES)
            case "Approval":
                return self.pool.choose_id("approval_id") if roll < 0.1 else None
            case _:
                return choose(VALUES.get(name) or self.pool.cursors or ["x"])

    def choose_tag(self, name: str, operation: Operation, target: str) -> str | None:
        """Return the last entity tag of a record, sometimes a wrong one.

        Return None to leave out the header.
        """
        roll, tags = self.chance.random(), self.pool.tags
        if name == "If-None-Match" and operation.method == "PUT":
            return None if target in tags else "*"
        if name == "If-None-Match":
            return tags.get(target) if roll < 0.2 else None
        record = target.rpartition("/")[0] if operation.method == "POST" else target
        return self.chance.choice(STALE) if roll < 0.08 else tags.get(record, '"1.0"')

    def choose_idempotency_key(self, operation: Operation) -> str:
        """Return a new idempotency key, or sometimes the last one of the same operation."""
        last = self.pool.keys.get(operation.name)
        if last is None or self.chance.random() > 0.1:
            last = self.pool.keys[operation.name] = f"k{next(self.numbers)}"
        return last


def fill_quoted(path: str, ids: Mapping[str, str]) -> str:
    """Return a path with percent-encoded values in the place of its parameters.

    The symbols with which a code may end are not encoded.
    """
    quoted = {name: quote(value, safe="*~$=") for name, value in ids.items()}
    return fill_path(path, quoted)
