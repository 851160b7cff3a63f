"""A process that handles requests of one kind while Valgrind counts its instructions.

The requests go to the application without a server, one at a time, so that the process does
nothing else. `tests.bench.instructions` runs `python -m tests.bench.counted submit 40`.
"""

import argparse
import asyncio
import json
import os
import secrets
import subprocess
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from fastapi import FastAPI

from app.cli.startup import load_runtime
from app.main import create_app
from app.settings import Settings
from tests.bench.sides import CASE, MOST, PAGE, STATUS, Kind

WARM_UP: Final = 5
"""Number of requests that are sent first and not counted, because they fill caches."""
SEEDED: Final = 60
"""Number of cases that are submitted before a read, so that a page of events is full."""

type Send = Callable[[], Awaitable[Any]]
"""A function that sends one request of a kind."""


def build_scope(
    method: str, path: str, key: str, body: bytes, more: Mapping[str, str]
) -> dict[str, Any]:
    """Return the ASGI scope of a request. `more` contains additional headers."""
    named = {"host": "bench", "accept": "application/json", **more}
    named |= {"authorization": f"Bearer {key}", "content-length": str(len(body))}
    if body:
        named["content-type"] = "application/json"
    path, _, query = path.partition("?")
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": f"/v1/{path}",
        "raw_path": f"/v1/{path}".encode(),
        "root_path": "",
        "query_string": query.encode(),
        "headers": [
            (name.replace("_", "-").encode(), value.encode())
            for name, value in named.items()
        ],
        "client": ("127.0.0.1", 1),
        "server": ("bench", 80),
        "state": {},
    }


@dataclass
class Client:
    """A client of an application in the same process."""

    app: FastAPI
    submitter: str
    lead: str
    written: list[tuple[str, str]] = field(default_factory=list)
    """The cases that can be acknowledged, each as its code and its entity tag."""

    async def send(
        self, kind: Kind, method: str, path: str, key: str, body: bytes = b"", **more: str
    ) -> tuple[dict[bytes, bytes], Any]:
        """Send a request, and return the headers and the parsed body of the response.

        Raises RuntimeError if the status is not the one expected for the kind.
        """
        answered: list[dict[str, Any]] = []
        scope = build_scope(method, path, key, body, more)

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def answer(message: Any) -> None:
            answered.append(message)

        await self.app(scope, receive, answer)
        content = b"".join(one.get("body", b"") for one in answered[1:])
        if answered[0]["status"] != STATUS[kind]:
            raise RuntimeError(f"{answered[0]['status']}: {content!r}")
        return dict(answered[0]["headers"]), json.loads(content) if content else None

    async def submit(self) -> None:
        """Submit a case."""
        key = secrets.token_hex(12)
        headers, case = await self.send(
            Kind.S, "POST", "cases", self.submitter, CASE, idempotency_key=key
        )
        self.written.append((case["code"], headers[b"etag"].decode()))

    async def acknowledge(self) -> None:
        """Acknowledge the case that was submitted last."""
        code, tag = self.written.pop()
        path, key = f"cases/{code}/acknowledge", secrets.token_hex(12)
        await self.send(Kind.T, "POST", path, self.lead, idempotency_key=key, if_match=tag)

    async def prepare_idle_poll(self) -> Send:
        """Read the feed to its end, and return a function that requests later events."""
        path, more = f"events?limit={MOST}", True
        while more:
            _, page = await self.send(Kind.P, "GET", path, self.lead)
            path, more = f"events?after={page['cursor']}&limit={MOST}", page["more"]
        headers, _ = await self.send(Kind.P, "GET", path, self.lead)
        tag = headers[b"etag"].decode()
        return lambda: self.send(Kind.I, "GET", path, self.lead, if_none_match=tag)

    async def prepare(self, kind: Kind, count: int) -> Send:
        """Submit the cases that a kind needs; return a function that sends one request."""
        if kind == Kind.S:
            return self.submit
        for _ in range(count if kind == Kind.T else SEEDED):
            await self.submit()
        if kind == Kind.T:
            return self.acknowledge
        if kind == Kind.I:
            return await self.prepare_idle_poll()
        paths = {
            Kind.P: f"events?limit={PAGE}",
            Kind.W: "worklist",
            Kind.R: f"cases/{self.written[-1][0]}",
        }
        return lambda: self.send(kind, "GET", paths[kind], self.lead)


def set_counting(state: str) -> None:
    """Start (`on`) or stop (`off`) Valgrind's count of the instructions."""
    command = ["callgrind_control", f"--instr={state}", str(os.getpid())]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


async def count(kind: Kind, requests: int, submitter: str, lead: str) -> None:
    """Send some requests of a kind, and let Valgrind count their instructions."""
    app = create_app(load_runtime(Settings()))
    async with app.router.lifespan_context(app):
        send = await Client(app, submitter, lead).prepare(kind, requests + WARM_UP)
        for _ in range(WARM_UP):
            await send()
        set_counting("on")
        for _ in range(requests):
            await send()
        set_counting("off")


def main() -> None:
    """Run the command. The settings and the API keys are read from the environment."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.counted")
    parser.add_argument("kind", type=Kind)
    parser.add_argument("requests", type=int)
    arguments = parser.parse_args()
    keys = os.environ["SUBMITTER"], os.environ["LEAD"]
    asyncio.run(count(arguments.kind, arguments.requests, *keys))


if __name__ == "__main__":
    main()
