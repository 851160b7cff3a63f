"""A player that calls operations on behalf of people, and records the calls as examples.

Ids, times and secrets of a journey are the same in each run, so the recorded responses
change only if the service changes.
"""

import json
import secrets
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from itertools import count
from random import Random
from typing import Any, Final
from unittest.mock import patch
from uuid import NAMESPACE_URL, UUID, uuid5

from httpx2 import Response

from app.cli.openapi_editions import EVENT_STREAM
from tests.support.full_world import fill_path
from tests.support.raw_requests import JSON, Operation, list_operations
from tests.support.world import Json, Someone, World, get_problem, unwrap

type Headers = Mapping[str, str]

ITEMS: Final = 2
"""The maximum number of items in a list of objects in a recorded response."""
OF_MACHINE: Final = {"time_zones": "2026a"}
"""Members of responses that depend on the machine, with the value in examples."""
LIFE_CYCLES: Final = ("cases", "referrals", "handovers", "returns")
"""First parts of the paths of records whose actions require the entity tag."""
CHANGING: Final = {"Approval", "If-None-Match", "Last-Event-ID", "Prefer", "after"}
"""Parameters that examples leave out, because a fixed value would break a request.

Swagger UI fills the form of "Try it out" with the examples.
"""
PROBLEMS: Final = "problems"
"""The name of the journey that records the problems that many operations can return."""
FAKE_SECRET: Final = "this-example-opens-nothing"


@dataclass
class Example:
    """The recorded calls of one operation."""

    request: Json = field(default_factory=dict)
    responses: Json = field(default_factory=dict)
    """The bodies by their status."""
    problems: Json = field(default_factory=dict)
    """The bodies of problems by their code."""

    def export(self) -> Json:
        """Return the parts that have content."""
        return {name: part for name, part in vars(self).items() if part}


@dataclass
class Player:
    """The world of one journey, and the examples that were recorded in it."""

    world: World
    journey: str
    examples: dict[str, Example] = field(default_factory=dict)
    shared: Json = field(default_factory=dict)
    """The bodies of the problems that are examples of all operations, by their code."""
    calls: Counter[str] = field(default_factory=Counter)
    """The number of calls of each operation."""

    @cached_property
    def operations(self) -> dict[str, Operation]:
        """All operations by their operation id."""
        return {one.name: one for one in list_operations(self.world.app.openapi())}

    def play(  # noqa: PLR0913 - the parts of a request
        self,
        name: str,
        one: Someone | None = None,
        body: Any = None,
        /,
        *,
        status: Any = None,
        query: Any = None,
        headers: Any = None,
        **ids: str,
    ) -> Json:
        """Call an operation, and record the request and the response as its example.

        `status` is the expected status, and `query` and `headers` are mappings. They have
        no types, because mypy would compare the path parameters in `ids` with these types.
        Raises AssertionError if the response is not a success or has another status, or if
        the operation has an example of this status already.
        """
        request = self.build_request(name, one, body, query or {}, headers or {}, ids)
        answer = self.send(name, one, request)
        assert answer.is_success, f"{name}: {answer.text}"
        assert status in {None, answer.status_code}, f"{name}: {answer.text}"
        example = self.examples.setdefault(name, Example())
        key = str(answer.status_code)
        assert key not in example.responses, f"{name} has an example of {key} already"
        example.request = example.request or select_shown(request)
        example.responses[key] = truncate_lists(parse_body(answer))
        return parse_body(answer) or {}

    def play_refusal(  # noqa: PLR0913 - the parts of a request
        self,
        problem: str,
        name: str,
        one: Someone | None = None,
        body: Any = None,
        /,
        *,
        query: Any = None,
        headers: Any = None,
        **ids: str,
    ) -> Json:
        """Call an operation that is refused, and record the problem as its example.

        A problem of the journey `problems` is the example of each operation that has none
        of its own. Raises AssertionError if the response is not this problem, or if the
        problem has an example already.
        """
        request = self.build_request(name, one, body, query or {}, headers or {}, ids)
        answer = self.send(name, one, request)
        assert get_problem(answer)[1] == problem, f"{name}: {answer.text}"
        own = self.examples.setdefault(name, Example()).problems
        kept = self.shared if self.journey == PROBLEMS else own
        assert problem not in kept, f"{name} has an example of {problem} already"
        kept[problem] = truncate_lists(answer.json())
        return dict(answer.json())

    def play_with(
        self,
        second: Someone,
        name: str,
        one: Someone,
        body: Any = None,
        /,
        *,
        headers: Any = None,
        **ids: str,
    ) -> Json:
        """Call an operation before and after a second person approves the call."""
        given = dict(headers or {})
        asked = str(self.play(name, one, body, status=202, headers=given, **ids)["id"])
        unwrap(second.send(f"/approvals/{asked}/approve"))
        return self.play(name, one, body, headers=given | {"Approval": asked}, **ids)

    def build_request(  # noqa: PLR0913, PLR0917 - the parts of a request
        self,
        name: str,
        one: Someone | None,
        body: Any,
        query: Mapping[str, Any],
        headers: Headers,
        ids: Mapping[str, str],
    ) -> Json:
        """Return the parts of a request, with the headers that the operation requires."""
        assert name in self.operations, f"The contract has no operation {name}"
        self.calls[name] += 1
        operation = self.operations[name]
        needed = {
            parameter["name"]
            for parameter in operation.spec.get("parameters", [])
            if parameter["in"] == "header"
            and (parameter.get("required") or parameter["name"] == "If-Match")
        }
        sent: dict[str, Callable[[], str]] = {
            "If-Match": lambda: self.read_tag(operation, one, ids),
            "Idempotency-Key": lambda: str(
                uuid5(NAMESPACE_URL, f"{name} {self.calls[name]}")
            ),
            "Purpose": lambda: "assistance",
        }
        given = {*headers} | ({"If-Match"} if "If-None-Match" in headers else set())
        made = {key: value() for key, value in sent.items() if key in needed - given}
        parts = {"path": dict(ids), "query": dict(query), "headers": made | dict(headers)}
        return {**parts, "body": body} if body is not None else parts

    @staticmethod
    def read_tag(operation: Operation, one: Someone | None, ids: Mapping[str, str]) -> str:
        """Return the entity tag of the record that an operation changes."""
        assert one is not None
        path = fill_path(operation.path, dict(ids)).removeprefix("/v1")
        parts = path.split("/")
        record = "/".join(parts[:3]) if parts[1] in LIFE_CYCLES else path
        return one.get(record).headers["ETag"]

    def send(self, name: str, one: Someone | None, request: Json) -> Response:
        """Send a request with the key of a person, or without a key."""
        operation = self.operations[name]
        given = {k: v for k, v in request["headers"].items() if v}
        body = encode_body(operation, request["body"]) if "body" in request else {}
        return self.world.http.request(
            operation.method,
            fill_path(operation.path, request["path"]),
            params=request["query"],
            headers=(one.make_headers() if one else {}) | given | body.pop("headers", {}),
            **body,
        )


def encode_body(operation: Operation, body: Any) -> Json:
    """Return the arguments with which the client sends a body: JSON, a form, or bytes."""
    if isinstance(body, bytes):
        return {"content": body, "headers": {"Content-Type": JSON}}
    content = operation.spec.get("requestBody", {}).get("content", {JSON: {}})
    return {"json" if JSON in content else "data": body}


def select_shown(request: Json) -> Json:
    """Return the parts of a request that its example shows."""
    shown = {
        place: {name: value for name, value in part.items() if name not in CHANGING}
        if isinstance(part, dict) and place != "body"
        else part
        for place, part in request.items()
    }
    return {place: part for place, part in shown.items() if part or place == "body"}


def parse_body(answer: Response) -> Any:
    """Return the JSON body of a response, the data of a stream's first event, or None."""
    if answer.headers.get("content-type", "").startswith(EVENT_STREAM):
        return json.loads(answer.text.split("\ndata: ", 1)[1].split("\n", 1)[0])
    return answer.json() if answer.content else None


def truncate_lists(value: Any) -> Any:
    """Return a JSON value in which no list of objects has more than `ITEMS` items.

    Members that depend on the machine have a fixed value.
    """
    if isinstance(value, dict):
        return {n: OF_MACHINE.get(n, truncate_lists(member)) for n, member in value.items()}
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return [truncate_lists(item) for item in value[:ITEMS]]
    return value


@contextmanager
def replace_secrets(seed: str) -> Iterator[Random]:
    """Replace the random source of keys, tokens and nonces with a seeded source."""
    source, numbers = Random(seed), count()

    def make_text(_: int) -> str:
        return f"{FAKE_SECRET}-{next(numbers):016}"

    with patch.multiple(
        secrets,
        token_hex=lambda size: source.randbytes(size).hex(),
        token_bytes=source.randbytes,
        token_urlsafe=make_text,
    ):
        yield source


@dataclass
class RepeatableIds:
    """A source of random ids that returns the same ids in each run."""

    source: Random

    def __call__(self) -> UUID:
        return UUID(bytes=self.source.randbytes(16), version=4)
