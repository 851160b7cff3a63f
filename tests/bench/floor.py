"""The floor: a bare ASGI application on a raw driver, which does the same durable work.

What it does: it reads the body as JSON, seals one field of it with AES-GCM, writes four
rows and a counter in one durable transaction, judges a version before an act, and tags what
is read. What it does not: no sign-in, no rights, no shape of what is sent, no idempotency,
no routing, no consent, no clock, no log. So it costs what nobody could do without.

`python -m bench.floor PORT TARGET`: a SQLite file, or a `postgresql://` address.
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

from app.cli.serving import PROTOCOL
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
"""As many as clients of the bench: while one waits for its commit, another works."""


def sealed(text: str) -> bytes:
    """Seal one field, under a nonce of its own."""
    nonce = secrets.token_bytes(12)
    return nonce + SEAL.encrypt(nonce, text.encode(), b"floor")


def tag_of(body: bytes) -> str:
    """Spell what was read as an entity tag."""
    return f'"0.{hashlib.sha256(body).hexdigest()[:16]}"'


class Floor:
    """The five, over some tables."""

    def __init__(self, tables: Tables) -> None:
        self.tables = tables

    def submit(self, body: bytes) -> Reply:
        """S: four rows and a counter, one field sealed."""
        sent = from_json(body)
        secret = sealed(sent["sections"][0]["summary"])
        submission = Submission(to_json(sent["notice"]).decode(), secret)
        self.tables.submit(submission)
        code = submission.case.hex
        headers = [
            (b"location", f"/v1/cases/{code}".encode()),
            (b"etag", b'"1.0000000000000000"'),
        ]
        return 201, headers, to_json({"code": code, "notice": sent["notice"]})

    def act(self, code: str, if_match: str) -> Reply:
        """T: one version is compared and moved on, an entry written and delivered."""
        version = int(if_match.strip('"').partition(".")[0])
        if not self.tables.act(Act(code, version)):
            return 412, [], b"{}"
        tag = f'"{version + 1}.0000000000000000"'.encode()
        return 200, [(b"etag", tag)], to_json({"code": code, "version": version + 1})

    def poll(self, after: int, limit: int, known: str) -> Reply:
        """P and I: what is after a position; nothing but its head for who is there."""
        head = self.tables.head()
        tag = f'"{after}.{head}"'
        if known == tag:
            return 304, [(b"etag", tag.encode())], b""
        rows = self.tables.events(after, limit)
        last = rows[-1][0] if rows else after
        items = [
            dict(zip(("id", "at", "type", "subject", "by", "facts"), row[1:], strict=True))
            for row in rows
        ]
        page = {"items": items, "next": str(last), "more": last < head}
        return 200, [(b"etag", tag.encode())], to_json(page)

    def worklist(self, limit: int) -> Reply:
        """W: what waits, the most urgent first."""
        names = ("subject", "kind", "due_at", "waiting_since")
        rows = self.tables.worklist(limit + 1)
        items = [dict(zip(names, row, strict=True)) for row in rows[:limit]]
        body = to_json({"items": items, "next": None, "more": len(rows) > limit})
        return 200, [(b"etag", tag_of(body).encode())], body

    def answer(self, scope: Message, body: bytes) -> Reply:
        """Find what is asked."""
        path, headers = scope["path"], dict(scope["headers"])
        match path.removeprefix("/v1/").split("/"):
            case ["cases"]:
                return self.submit(body)
            case ["cases", code, _]:
                return self.act(code, headers[b"if-match"].decode())
            case ["events"]:
                pairs = scope["query_string"].decode().split("&")
                query = dict(pair.split("=") for pair in pairs)
                after, limit = int(query.get("after", 0)), int(query["limit"])
                return self.poll(after, limit, headers.get(b"if-none-match", b"").decode())
            case ["worklist"]:
                return self.worklist(50)
            case _:
                return 200, [], b"{}"


class Application:
    """Speaks ASGI for it: in line where nobody waits for the database, else in threads."""

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
    """Serve until told to end."""
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
