"""Requests during outages behind a proxy that asks /readyz: `make outage SECONDS=60`.

Two processes serve one PostgreSQL database behind HAProxy, and one process runs the worker.
The worker stops for five times SECONDS, the database for SECONDS, and one of the processes
is killed. Meanwhile offices read and submit. Each read must be answered, or get a 503 of
the service itself, and no acknowledged submission may be lost. HAProxy has the
configuration of `deploy/haproxy`; it is installed from Debian.
"""

import os
import re
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import Final
from uuid import uuid4

import httpx2
from httpx2 import Response

from app.console.visits import SESSION_COOKIE
from tests.processes.drill.load import build_dated_consents
from tests.processes.test_demo import COMMAND, environment
from tests.support.console_browser import SAME_ORIGIN
from tests.support.databases import clear, make_home, set_up
from tests.support.debian import install_packages
from tests.support.installed_servers import InstalledServer, find_programs, start_installed
from tests.support.results import ROOT, write_result
from tests.support.servers import get_address, make_client, open_port, write_key_file
from tests.support.world import Someone, World, make_case

CONFIGURATION: Final = ROOT / "deploy" / "haproxy" / "safe-conduct.cfg"
RESULT: Final = ROOT / ".torture" / "outage.json"
PROXY, ONE, TWO = 8080, 8001, 8002
"""The ports in the configuration, which are replaced by free ones."""
PATIENCE: Final = 60.0
SETTLES: Final = 10.0
"""Seconds in which all processes run, before and after each outage."""
PAUSE: Final = 0.1
UNAVAILABLE: Final = 503
JSON, PAGE = "application/problem+json", "text/html"
HEADINGS: Final = re.compile(r"<html[^>]* lang=")
"""What each page of the console has, and no page of HAProxy."""


type Process = subprocess.Popen[bytes]


@dataclass
class Counts:
    """What the clients saw: statuses of reads by phase, and codes of submitted cases."""

    phase: str = "before"
    reads: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    submitted: list[str] = field(default_factory=list)
    repeated: int = 0
    over: Event = field(default_factory=Event)

    def add_read(self, path: str, answer: Response) -> None:
        """Count the answer to a read, and keep it if it is not one of the service."""
        self.reads[f"{self.phase}: {answer.status_code}"] += 1
        if not (answer.is_success or is_own_refusal(answer)):
            seen = f"{answer.status_code} {answer.headers.get('Content-Type')}"
            self.wrong.append(f"{self.phase}: {path}: {seen} {answer.text[:200]}")


def is_own_refusal(answer: Response) -> bool:
    """Return whether an answer is a 503 that the service itself wrote."""
    if answer.status_code != UNAVAILABLE:
        return False
    kind = answer.headers.get("Content-Type", "").partition(";")[0]
    return kind == JSON or (kind == PAGE and bool(HEADINGS.search(answer.text)))


def read_repeatedly(counts: Counts, reader: Someone, http: httpx2.Client) -> None:
    """Read lists, events and a page of the console until stopped."""
    cookie = {"Cookie": f"{SESSION_COOKIE}={reader.key}"}
    headers = reader.make_headers() | SAME_ORIGIN | cookie
    while not counts.over.is_set():
        for path in ("/v1/cases", "/v1/worklist", "/v1/events", "/console/"):
            try:
                counts.add_read(path, http.get(path, headers=headers))
            except httpx2.TransportError as error:
                counts.wrong.append(f"{counts.phase}: {path}: {error!r}")
        time.sleep(PAUSE)


def submit_repeatedly(counts: Counts, officer: Someone, http: httpx2.Client) -> None:
    """Submit cases until stopped, each with one key until it is acknowledged."""
    while not counts.over.is_set():
        body = make_case(submit=True, **build_dated_consents(datetime.now(UTC)))
        headers = officer.make_headers() | {"Idempotency-Key": str(uuid4())}
        while True:
            try:
                answer = http.post("/v1/cases", json=body, headers=headers)
            except httpx2.TransportError:
                answer = Response(UNAVAILABLE)
            if answer.is_success:
                counts.submitted.append(answer.json()["code"])
                break
            assert answer.is_server_error or "Retry-After" in answer.headers, answer.text
            counts.repeated += 1
            time.sleep(PAUSE)
        time.sleep(PAUSE)


def print_line(text: str) -> None:
    """Print a line of the report without delay."""
    print(text, flush=True)  # noqa: T201 - a program


def find_proxy() -> str:
    """Return the path of HAProxy, which root installs if it is missing."""
    path = f"{os.environ['PATH']}:/usr/sbin"
    install_packages(
        "haproxy", until=lambda: shutil.which("haproxy", path=path) is not None
    )
    found = shutil.which("haproxy", path=path)
    return found or sys.exit("make outage needs HAProxy: apt-get install haproxy")


@dataclass
class Site:
    """The server of the database, and the processes of the service and the proxy."""

    home: Path
    server: InstalledServer
    url: str
    ports: dict[int, int]
    stack: ExitStack

    def start(self, *words: str, port: int = 0) -> Process:
        """Start a command of the service, which is killed at the end."""
        told = environment(
            self.home,
            SAFE_CONDUCT_DATABASE_URL=self.url,
            SAFE_CONDUCT_KEY_FILE=str(self.home / "keys"),
            SAFE_CONDUCT_ERASURE_LEDGER=str(self.home / "erasures"),
            SAFE_CONDUCT_ENVIRONMENT="drill",
            SAFE_CONDUCT_LOG_LEVEL="error",
            SAFE_CONDUCT_CONSOLE="true",
            SAFE_CONDUCT_PUBLIC_URL="http://localhost:8080",
            SAFE_CONDUCT_PORT=str(port),
        )
        with (self.home / "log").open("ab") as log:
            started = subprocess.Popen(
                [COMMAND, *words], env=told, cwd=self.home, stderr=log
            )
        self.stack.callback(started.wait)
        self.stack.callback(started.kill)
        return started

    def start_proxy(self) -> None:
        """Start HAProxy with the configuration of the repository, on free ports."""
        text = CONFIGURATION.read_text("utf-8")
        for port, free in self.ports.items():
            assert f":{port}\n" in text
            text = text.replace(f":{port}\n", f":{free}\n")
        (self.home / "haproxy.cfg").write_text(text, "utf-8")
        words = [find_proxy(), "-q", "-f", str(self.home / "haproxy.cfg")]
        started = subprocess.Popen(words)
        self.stack.callback(started.wait)
        self.stack.callback(started.terminate)

    def wait_until_ready(self, *ports: int) -> float:
        """Wait until each port answers /readyz with 200, without a silent worker."""
        began = time.monotonic()
        for port in ports:
            while not is_ready(self.ports[port]):
                assert time.monotonic() - began < PATIENCE, f"{port} does not become ready"
                time.sleep(PAUSE)
        return time.monotonic() - began


def is_ready(port: int) -> bool:
    """Return whether a process is ready and the worker is not silent."""
    try:
        answer = httpx2.get(f"{get_address(port)}/readyz", trust_env=False)
    except httpx2.TransportError:
        return False
    return answer.is_success and answer.json()["worker"] == "ready"


@contextmanager
def open_site() -> Iterator[Site]:
    """Start a database server, two processes, a worker and the proxy."""
    home = make_home()
    home.chmod(0o755)
    with ExitStack() as stack:
        stack.callback(clear, home)
        server = stack.enter_context(start_installed(max(find_programs())))
        server.run("createdb", "safe_conduct")
        url = f"postgresql+psycopg://postgres@/safe_conduct?host={server.folder}"
        url += f"&port={server.port}"
        set_up(url)
        write_key_file(home)
        ports = {}
        for port in (PROXY, ONE, TWO):
            with open_port() as free:
                ports[port] = free.getsockname()[1]
        site = Site(home, server, url, ports, stack)
        yield site


def play_outages(
    site: Site, counts: Counts, seconds: float, worker: Process, second: Process
) -> dict[str, float]:
    """Let each part fail in turn; return the seconds until all was ready again."""
    took = {}

    def let_fail(phase: str, length: float, fail: Callable[[], None]) -> None:
        counts.phase = phase
        fail()
        time.sleep(length)

    def settle(phase: str) -> None:
        took[phase] = round(site.wait_until_ready(ONE, TWO, PROXY), 1)
        counts.phase = "between"
        time.sleep(SETTLES)

    time.sleep(SETTLES)
    let_fail("no worker", 5 * seconds, lambda: stop(worker))
    site.start("worker", "run")
    settle("no worker")
    let_fail("no database", seconds, lambda: site.server.run_pg_ctl("stop", "-m", "fast"))
    site.server.run_pg_ctl("start")
    settle("no database")
    let_fail("one killed", SETTLES, second.kill)
    site.start("serve", port=site.ports[TWO])
    settle("one killed")
    return took


def stop(process: Process) -> None:
    """Stop a process with SIGTERM."""
    process.terminate()
    process.wait()


def run_outages(seconds: float) -> tuple[Counts, dict[str, float], list[str]]:
    """Play all outages under load. Return the counts, the times, and the lost cases."""
    counts = Counts()
    with open_site() as site:
        world = World(site.url)
        officer, lead = world.add_person("UZ_CONSULATE_ALMATY"), world.add_person("KZ_LEAD")
        site.start("serve", port=site.ports[ONE])
        second = site.start("serve", port=site.ports[TWO])
        worker = site.start("worker", "run")
        site.start_proxy()
        site.wait_until_ready(ONE, TWO, PROXY)
        world.http.close()
        world.http = make_client(site.ports[PROXY])
        clients = [make_client(site.ports[PROXY]) for _ in range(4)]
        acts = [read_repeatedly, read_repeatedly, submit_repeatedly, submit_repeatedly]
        people = [lead, officer, officer, officer]
        with ThreadPoolExecutor(len(acts)) as pool:
            running = []
            try:
                for act, who, http in zip(acts, people, clients, strict=True):
                    running.append(pool.submit(act, counts, who, http))
                took = play_outages(site, counts, seconds, worker, second)
            finally:
                counts.over.set()
            for one in running:
                one.result()
        found = {one["code"] for one in officer.list_all("/cases")}
        world.close()
    return counts, took, [code for code in counts.submitted if code not in found]


def main() -> None:
    """Run the outages, and exit with 1 if a read got no answer or a case is lost."""
    seconds = float(sys.argv[1])
    counts, took, lost = run_outages(seconds)
    RESULT.parent.mkdir(exist_ok=True)
    numbers = {
        "seconds": seconds,
        "reads": dict(counts.reads),
        "wrong": counts.wrong,
        "submitted": len(counts.submitted),
        "repeated": counts.repeated,
        "lost": lost,
        "ready_after": took,
    }
    write_result(RESULT, numbers)
    for name, value in numbers.items():
        print_line(f"{name}: {value[:5] if isinstance(value, list) else value}")
    if counts.wrong or lost or not counts.submitted:
        sys.exit(1)


if __name__ == "__main__":
    main()
