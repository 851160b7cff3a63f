"""A person who runs the commands of the client from a shell."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import IO, override

import httpx2

from tests.processes.test_demo import COMMAND, SECONDS, environment
from tests.support.forked_commands import Command, run
from tests.support.servers import Served, get_address
from tests.support.world import Someone


class Shell:
    """A shell in a folder of its own, with the settings and the API key of a person."""

    def __init__(self, one: Someone, folder: Path, port: int | None = None) -> None:
        assert isinstance(one.world, Served)
        self.folder, self.key = folder, folder / "key"
        self.key.touch(0o600)
        self.key.write_text(f"{one.key}\n")
        self.set = {
            "SAFE_CONDUCT_URL": get_address(port or one.world.port),
            "SAFE_CONDUCT_API_KEY_FILE": str(self.key),
        }

    def build_environment(self, **more: str) -> dict[str, str]:
        return environment(self.folder, **(self.set | more))

    def run(
        self, *words: str, given: str | None = None, **more: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a command, wait until it ends, and return its exit code and its output."""
        typed = Command([COMMAND, *words], self.build_environment(**more), self.folder)
        return run(typed, SECONDS, given or "")

    def start(
        self, *words: str, into: int | IO[str] = subprocess.PIPE
    ) -> subprocess.Popen[bytes]:
        """Start a command whose output can be read while it runs."""
        return subprocess.Popen(
            [COMMAND, *words],
            env=self.build_environment(),
            cwd=self.folder,
            stdout=into,
            stderr=subprocess.PIPE,
            bufsize=0,
        )


class Faulty(ThreadingHTTPServer):
    """A proxy that loses the first responses, or refuses the first requests with 503."""

    def __init__(self, port: int, lost: int, busy: int) -> None:
        super().__init__(("127.0.0.1", 0), Relay)
        self.beyond, self.lost, self.busy, self.asked = get_address(port), lost, busy, 0


class Relay(BaseHTTPRequestHandler):
    """A handler that forwards a request, and returns the response or loses it."""

    server: Faulty

    def do_POST(self) -> None:
        way, size = self.server, int(self.headers["Content-Length"])
        body, way.asked = self.rfile.read(size), way.asked + 1
        if way.busy:
            way.busy -= 1
            self.send_answer(503, {"Retry-After": "1"}, b"")
            return
        names = ("Authorization", "Content-Type", "Idempotency-Key")
        headers = {name: self.headers[name] for name in names}
        answer = httpx2.post(f"{way.beyond}{self.path}", content=body, headers=headers)
        if way.lost:
            way.lost -= 1
            self.close_connection = True
            return
        self.send_answer(answer.status_code, dict(answer.headers), answer.content)

    def send_answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name in headers.keys() - {"content-length", "connection", "date", "server"}:
            self.send_header(name, headers[name])
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Write nothing to the console."""


@contextmanager
def open_faulty_way(port: int, lost: int = 0, busy: int = 0) -> Iterator[Faulty]:
    """Yield a running proxy that at first loses responses or refuses requests as busy."""
    with Faulty(port, lost, busy) as server:
        thread = Thread(target=server.serve_forever, args=[0.05])
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
