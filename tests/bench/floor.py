"""The floor: a bare ASGI application on a raw driver, as durable as Safe Conduct.

It parses the JSON body, encrypts one field with AES-GCM, writes four rows and a counter in
one durable transaction, compares a version before an action, and computes entity tags. It
has no sign-in, authorization, validation, idempotency, routing, consents, deadlines or log.
Its cost is therefore a lower bound for any implementation.

Run `python -m tests.bench.floor PORT TARGET`, where TARGET is an SQLite file or a
`postgresql://` URL.
"""

import asyncio
import hashlib
import secrets
import sys
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import uvicorn
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic_core import from_json, to_json

from app.cli.http_server import PROTOCOL
from tests.bench.floor_postgresql import Postgresql
from tests.bench.floor_sqlite import Sqlite
from tests.bench.floor_tables import Act, Submission, Tables

type Message = dict[str, Any]
type Receive = Callable[[], Awaitable[Message]]
type Send = Callable[[Message], Awaitable[None]]
type Reply = tuple[int, list[tuple[bytes, bytes]], bytes]

SEAL: Final = AESGCM(secrets.token_bytes(32))
JSON: Final = (b"content-type", b"application/json")
POSTGRESQL_THREADS: Final = 8
"""Number of threads: one per client of the benchmark, so that commits can be concurrent."""


def seal(text: str) -> bytes:
    """Encrypt one field, and return a new nonce followed by the ciphertext."""
    nonce = secrets.token_bytes(12)
    return nonce + SEAL.encrypt(nonce, text.encode(), b"floor")


def compute_tag(body: bytes) -> str:
    """Return the entity tag of a response body."""
    return f'"0.{hashlib.sha256(body).hexdigest()[:16]}"'


class Floor:
    """The request handlers of the floor, a minimal server that uses the given tables."""

    def __init__(self, tables: Tables) -> None:
        self.tables = tables

    def submit(self, body: bytes) -> Reply:
        """Handle request S: write four rows and a counter, with one encrypted field."""
        sent = from_json(body)
        secret = seal(sent["sections"][0]["summary"])
        submission = Submission(to_json(sent["summary"]).decode(), secret)
        self.tables.submit(submission)
        code = submission.case.hex
        headers = [
            (b"location", f"/v1/cases/{code}".encode()),
            (b"etag", b'"1.0000000000000000"'),
        ]
        return 201, headers, to_json({"code": code, "summary": sent["summary"]})

    def apply_act(self, code: str, if_match: str) -> Reply:
        """Handle request T: increase a version and deliver an entry, or return 412."""
        version = int(if_match.strip('"').partition(".")[0])
        if not self.tables.apply_act(Act(code, version)):
            return 412, [], b"{}"
        tag = f'"{version + 1}.0000000000000000"'.encode()
        return 200, [(b"etag", tag)], to_json({"code": code, "version": version + 1})

    def poll(self, after: int, limit: int, known: str) -> Reply:
        """Return the entries after a position, or 304 if the entity tag is still valid."""
        head = self.tables.get_head()
        tag = f'"{after}.{head}"'
        if known == tag:
            return 304, [(b"etag", tag.encode())], b""
        rows = self.tables.list_events(after, limit)
        last = rows[-1][0] if rows else after
        items = [
            dict(zip(("id", "at", "type", "subject", "by", "facts"), row[1:], strict=True))
            for row in rows
        ]
        page = {"items": items, "cursor": str(last), "more": last < head}
        return 200, [(b"etag", tag.encode())], to_json(page)

    def list_work(self, limit: int) -> Reply:
        """Handle request W: return the worklist, the most urgent entry first."""
        names = ("subject", "kind", "due_at", "waiting_since")
        rows = self.tables.list_work(limit + 1)
        items = [dict(zip(names, row, strict=True)) for row in rows[:limit]]
        page: dict[str, Any] = {"items": items}
        if len(rows) > limit:
            page["next"] = items[-1]["due_at"]
        body = to_json(page)
        return 200, [(b"etag", compute_tag(body).encode())], body

    def answer(self, scope: Message, body: bytes) -> Reply:
        """Answer a request. The path of the request decides which method handles it."""
        path, headers = scope["path"], dict(scope["headers"])
        match path.removeprefix("/v1/").split("/"):
            case ["cases"]:
                return self.submit(body)
            case ["cases", code, _]:
                return self.apply_act(code, headers[b"if-match"].decode())
            case ["events"]:
                pairs = scope["query_string"].decode().split("&")
                query = dict(pair.split("=") for pair in pairs)
                after, limit = int(query.get("after", 0)), int(query["limit"])
                return self.poll(after, limit, headers.get(b"if-none-match", b"").decode())
            case ["worklist"]:
                return self.list_work(50)
            case _:
                return 200, [], b"{}"


class Application:
    """The ASGI application. It uses threads on PostgreSQL, where a commit has to wait."""

    def __init__(self, tables: Tables) -> None:
        self.floor = Floor(tables)
        threads = POSTGRESQL_THREADS if isinstance(tables, Postgresql) else 0
        self.pool = ThreadPoolExecutor(threads) if threads else None

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request."""
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        if self.pool is None:
            status, headers, content = self.floor.answer(scope, body)
        else:
            loop = asyncio.get_running_loop()
            status, headers, content = await loop.run_in_executor(
                self.pool, self.floor.answer, scope, body
            )
        if status != 304:
            headers += [JSON, (b"content-length", str(len(content)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": content})


def main(port: str, target: str) -> None:
    """Serve until the process is stopped."""
    tables = Postgresql(target) if target.startswith("postgresql") else Sqlite(target)
    config = uvicorn.Config(
        Application(tables),
        port=int(port),
        lifespan="off",
        access_log=False,
        log_level="error",
        server_header=False,
        **PROTOCOL,
    )
    uvicorn.Server(config).run()


if __name__ == "__main__":
    main(*sys.argv[1:])
