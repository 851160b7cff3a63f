"""The operations in the contract, and a way to send requests that no client would send.

Requests are passed to the application without an HTTP client, which would correct or refuse
them.
"""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID, uuid4

from fastapi import FastAPI

from tests.support.in_thread import ThreadLoops, run_in_thread
from tests.support.world import Json, World

KEYED: Final = re.compile(r"\{([a-z_]+)\}")
JSON: Final = "application/json"
WRITES: Final = {"post", "put", "patch", "delete"}


@dataclass(frozen=True)
class Operation:
    """An operation in the contract."""

    method: str
    path: str
    spec: Json = field(hash=False)
    schemas: Json = field(hash=False)

    @property
    def name(self) -> str:
        return str(self.spec["operationId"])

    @property
    def body_schema(self) -> Json | None:
        """The schema of the JSON body, or None if the operation takes no JSON body."""
        content = self.spec.get("requestBody", {}).get("content", {})
        return content[JSON]["schema"] if JSON in content else None

    @property
    def path_names(self) -> list[str]:
        """The names of the path parameters."""
        return KEYED.findall(self.path)

    def list_parameters(self, place: str) -> list[str]:
        """Return the names of the parameters in one place: path, query or header."""
        return [p["name"] for p in self.spec.get("parameters", []) if p["in"] == place]

    @property
    def includes(self) -> str:
        """The query that requests every part that `include` can add, or ""."""
        [*found] = [p for p in self.spec.get("parameters", []) if p["name"] == "include"]
        items = found[0]["schema"]["items"] if found else {}
        item = resolve_reference(items, self.schemas)
        codes = item.get("enum", [item["const"]] if "const" in item else [])
        return "&".join(f"include={code}" for code in codes)


def list_operations(document: Json) -> list[Operation]:
    """Return every operation of a contract."""
    schemas = document["components"]["schemas"]
    return [
        Operation(method.upper(), path, told, schemas)
        for path, methods in document["paths"].items()
        for method, told in methods.items()
    ]


def resolve_reference(schema: Json, schemas: Json) -> Json:
    """Return the schema to which `schema` refers, or `schema` if it has no `$ref`."""
    name = schema.get("$ref", "").rpartition("/")[2]
    return dict(schemas[name]) if name else schema


def includes_problem(response: Json, problem: Json) -> bool:
    """Return whether a response in the contract lists a problem with its name and title.

    A response that lists no problem by name allows problems of the type `about:blank`.
    """
    kind, title = problem["type"], problem["title"]
    if kind == "about:blank":
        return "- `" not in response["description"]
    name = kind.removeprefix("/problems/")
    return f"- `{name}`: {title}" in response["description"].splitlines()


def list_writes(document: Json) -> list[Operation]:
    """Return the POST, PUT, PATCH and DELETE operations that require a credential."""
    written = [one for one in list_operations(document) if one.method.lower() in WRITES]
    return [one for one in written if one.spec["security"]]


@dataclass(frozen=True)
class Answer:
    """A response with its bytes unchanged."""

    status: int
    headers: list[tuple[bytes, bytes]]
    content: bytes

    def __getitem__(self, name: str) -> str | None:
        [*found] = [v for n, v in self.headers if n.lower() == name.lower().encode()]
        return found[0].decode() if found else None

    def parse_json(self) -> Json:
        return dict(json.loads(self.content))


type Headers = dict[str, str | bytes]


@dataclass
class Wire:
    """A connection to the application that sends any request without changes."""

    world: World
    here: ThreadLoops

    def send(
        self,
        method: str,
        target: str | bytes,
        headers: Headers | None = None,
        body: bytes = b"",
    ) -> Answer:
        """Send a request without changes; the target is not escaped."""
        raw = target if isinstance(target, bytes) else target.encode()
        return self.here.call(self.handle, method, raw, headers or {}, body)

    async def handle(
        self, method: str, target: bytes, headers: Headers, body: bytes
    ) -> Answer:
        path, _, query = target.partition(b"?")
        sent: list[Json] = []
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": decode_path(path),
            "raw_path": path,
            "root_path": "",
            "query_string": query,
            "headers": [(n.lower().encode(), to_bytes(v)) for n, v in headers.items()],
            "client": ("192.0.2.1", 4711),
            "server": ("127.0.0.1", 80),
        }

        async def append(message: Json) -> None:
            sent.append(message)

        await self.world.app(scope, split_body(body), append)  # type: ignore[arg-type]
        start = sent[0]
        content = b"".join(message.get("body", b"") for message in sent[1:])
        return Answer(start["status"], list(start["headers"]), content)


def split_body(body: bytes) -> Any:
    """Return an ASGI `receive` function that passes a body in pieces, then disconnects."""
    pieces = [body[n : n + 100_000] for n in range(0, len(body), 100_000)] or [b""]
    last = len(pieces) - 1
    said = iter(
        [
            {"type": "http.request", "body": piece, "more_body": number < last}
            for number, piece in enumerate(pieces)
        ]
    )

    async def receive() -> Json:
        return next(said, {"type": "http.disconnect"})

    return receive


def decode_path(path: bytes) -> str:
    """Decode a path as web servers do."""
    whole = re.sub(rb"%([0-9A-Fa-f]{2})", lambda m: bytes([int(m[1], 16)]), path)
    return whole.decode("utf-8", "replace")


def to_bytes(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else value.encode()


@contextmanager
def open_wire(
    url: str, app: FastAPI | None = None, ids: Callable[[], UUID] = uuid4
) -> Iterator[Wire]:
    """Open a world whose application handles requests in the calling thread."""
    with run_in_thread() as loop:
        world = World(url, app, loop, ids)
        try:
            yield Wire(world, loop)
        finally:
            world.close()
