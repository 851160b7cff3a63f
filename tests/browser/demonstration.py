"""The demonstration in a separate process, and a client of its API."""

import csv
import json
import os
import re
import signal
import subprocess
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from socket import socket
from typing import Any, Final
from uuid import uuid4

ROOT: Final = Path(__file__).parents[2]
COMMAND: Final = ROOT / ".venv" / "bin" / "safe-conduct"
OLDER: Final = "tests.support.older_sessions"
PYTHON: Final = ROOT / ".venv" / "bin" / "python"
PATIENCE: Final = 300
"""Seconds that the demonstration may take to play its journeys, and to end."""
KEYS_NAME: Final = "demo-api-keys.csv"
PLAYED: Final = re.compile(r"All \d+ journeys were played|No example case is played")
"""Matches the last line that the demo prints. After it, only the tests change cases."""
NO_JOURNEYS: Final = "--no-journeys"
"""The option with which the demonstration plays no journey."""


@dataclass(frozen=True)
class Answer:
    """The status, headers and parsed body of a response of the API."""

    status: int
    headers: Mapping[str, str]
    body: Any


@dataclass(frozen=True)
class Client:
    """A client that calls the API with the key of an account, or another credential."""

    url: str
    key: str

    def call(
        self, method: str, path: str, body: object = None, headers: Mapping[str, str] = {}
    ) -> Answer:
        """Send a request and return the response, even if it is a problem."""
        sent = {"Authorization": f"Bearer {self.key}"} | dict(headers)
        data = None
        if body is not None:
            data, sent["Content-Type"] = json.dumps(body).encode(), "application/json"
        request = urllib.request.Request(
            f"{self.url}/v1{path}", data=data, headers=sent, method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return Answer(answer.status, dict(answer.headers), parse(answer.read()))
        except urllib.error.HTTPError as problem:
            with problem:
                return Answer(problem.code, dict(problem.headers), parse(problem.read()))

    def get(self, path: str) -> Any:
        """Read a path, require status 200 (OK), and return the body."""
        answer = self.call("GET", path)
        assert answer.status == 200, answer
        return answer.body

    def create(self, path: str, body: object) -> Any:
        """Create a record with a random idempotency key, and return it."""
        answer = self.call("POST", path, body, {"Idempotency-Key": str(uuid4())})
        assert answer.status in {200, 201, 202, 204}, answer
        return answer.body

    def act(self, path: str, action: str, body: object = None) -> Any:
        """Take an action on a record's current version, and return the response body."""
        tag = self.call("GET", path).headers["etag"]
        headers = {"If-Match": tag, "Idempotency-Key": str(uuid4())}
        answer = self.call("POST", f"{path}/{action}", body, headers)
        assert answer.status in {200, 201, 202, 204}, answer
        return answer.body


def parse(body: bytes) -> Any:
    """Return the JSON of a body, or None if it is empty."""
    return json.loads(body) if body else None


@dataclass
class Demonstration:
    """A running demonstration, with its address, its printed lines and its API keys."""

    url: str
    folder: Path
    environment: Mapping[str, str]
    printed: list[str] = field(default_factory=list)
    keys: dict[str, str] = field(default_factory=dict)

    def get_client(self, label: str) -> Client:
        """Return a client with the key of the account that has this label."""
        return Client(self.url, self.keys[label])

    def build_client(self, credential: str) -> Client:
        """Return a client with the given credential."""
        return Client(self.url, credential)

    @property
    def link(self) -> str:
        """The path of the page on which a demo user is chosen."""
        return self.find_printed(r"http://localhost:\d+(/console/demo/\S+)")

    def find_printed(self, pattern: str) -> str:
        """Return the first group of a pattern in the printed lines."""
        found = re.search(pattern, "\n".join(self.printed))
        assert found, self.printed
        return found[1]

    def make_sessions_older(self, column: str, *, minutes: int, which: str) -> None:
        """Set a time of the `newest` session, or of `all` sessions, to `minutes` ago."""
        arguments = [str(self.folder / "var"), column, str(minutes), which]
        subprocess.run([PYTHON, "-m", OLDER, *arguments], cwd=ROOT, check=True)

    def read_log(self) -> str:
        """Return the log of the service."""
        return (self.folder / "log").read_text("utf-8")


def find_free_port() -> int:
    """Return a port on which nothing listens.

    The demonstration has to know its port before it starts, because passkeys belong to an
    address.
    """
    with socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port


def build_environment(folder: Path, port: int) -> dict[str, str]:
    """Return the environment of a first `make run`, with a higher limit of requests."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("SAFE_CONDUCT_")}
    return kept | {
        "SAFE_CONDUCT_DATABASE_URL": f"sqlite:///{folder}/var/demo.db",
        "SAFE_CONDUCT_KEY_FILE": f"{folder}/var/keys",
        "SAFE_CONDUCT_PORT": str(port),
        "SAFE_CONDUCT_REQUESTS_PER_MINUTE": "100000",
    }


@contextmanager
def serve_demonstration(folder: Path, *options: str) -> Iterator[Demonstration]:
    """Start the demonstration, and yield it when its journeys have been played."""
    port = find_free_port()
    environment = build_environment(folder, port)
    served = Demonstration(f"http://localhost:{port}", folder, environment)
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [COMMAND, "demo", "serve", *options],
            env=environment,
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    timer = threading.Timer(PATIENCE, process.kill)
    timer.start()
    try:
        assert process.stdout is not None
        for line in process.stdout:
            served.printed.append(line.rstrip())
            if PLAYED.search(line):
                break
        timer.cancel()
        assert PLAYED.search("".join(served.printed[-1:])), served.read_log()
        served.keys |= read_keys(folder)
        yield served
        assert process.poll() is None, f"it ended: {process.returncode}"
    finally:
        timer.cancel()
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=PATIENCE)


def read_keys(folder: Path) -> dict[str, str]:
    """Return the API key of each demo account, by its label."""
    with (folder / "var" / KEYS_NAME).open(encoding="utf-8", newline="") as table:
        return {row["label"]: row["key"] for row in csv.DictReader(table)}
