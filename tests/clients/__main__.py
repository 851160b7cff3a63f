"""Lint the contract, generate five clients, and run a journey with each: `make clients`.

The clients are generated with openapi-python-client, openapi-typescript, hey-api, and
openapi-generator for Java and Go. The run stops if a compiler prints a warning, if a tool
is missing, or if a client misses a step of steps.csv. The generated clients are written to
.clients/.
"""

import json
import os
import shutil
import sys
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from structlog.testing import capture_logs

from app.clock import get_utc_now
from app.webhooks.schemas import build_example
from app.webhooks.signing import build_headers, encode_secret
from tests.clients import page
from tests.clients.builds import BUILDS, CONTRACT, DEBIAN_LIBRARIES
from tests.clients.commands import (
    ROOT,
    WORK,
    create_folder,
    install_packages_of_npm,
    print_line,
    run,
)
from tests.clients.steps import Request, find_fault
from tests.support import databases
from tests.support.debian import install_packages
from tests.support.servers import Served, get_address, serve_world
from tests.support.world import (
    Json,
    Someone,
    make_consent,
    make_service_consent,
    unwrap,
)

IN_3_2: Final = ROOT / "openapi" / "openapi-3.2.json"
PAGE: Final = ROOT / "docs" / "integrate.md"
NEEDED: Final = {
    "node": "apt-get install nodejs npm",
    "npm": "apt-get install nodejs npm",
    "java": "apt-get install default-jdk-headless",
    "javac": "apt-get install default-jdk-headless",
    "go": "apt-get install golang-go golang-golang-x-oauth2-dev",
}
LIBRARY_OF_GO: Final = Path(DEBIAN_LIBRARIES, "src", "golang.org", "x", "oauth2")
SUBMITTING: Final = ("submit.ts", "submit.py")
"""The programs in docs/integrate.md, each of which submits a case."""
CALLERS: Final = {
    "OFFICER_KEY": "UZ_CONSULATE_ALMATY",
    "LEAD_KEY": "KZ_LEAD",
    "SHELTER_KEY": "KZ_SHELTER_KOGERSHIN",
}


def require_tools() -> None:
    """Install Go. If a tool is missing, print how to install it, and exit."""
    has_go = install_packages(
        *("golang-go", "golang-golang-x-oauth2-dev"),
        until=lambda: shutil.which("go") is not None and LIBRARY_OF_GO.exists(),
    )
    missing = {tool: how for tool, how in NEEDED.items() if shutil.which(tool) is None}
    if not has_go:
        missing["go"] = NEEDED["go"]
    for tool, how in missing.items():
        print_line(f"{tool} is missing, or lacks a library. On Debian: {how}")
    if missing:
        sys.exit(1)


def check_contract() -> str:
    """Lint each edition of the contract with Redocly and Spectral; exit at a warning."""
    folder = install_packages_of_npm("lint")
    quiet = {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true"}
    told = ("--max-problems", "20", "--format", "json")
    for edition in (CONTRACT, IN_3_2):
        found = run("npx", "redocly", "lint", edition, *told, at=folder, env=quiet)
        counted = json.loads(found[found.index("{") : found.rindex("}") + 1])["totals"]
        if counted["warnings"]:
            sys.exit(found)
        run("npx", "spectral", "lint", edition, "--fail-severity", "hint", at=folder)
    return "no warning of redocly or spectral"


def build(name: str) -> list[object]:
    """Build a client, print the seconds it took, and return the command of its journey."""
    began = time.monotonic()
    command = BUILDS[name]()
    seconds = round(time.monotonic() - began)
    print_line(f"{name}: generated and compiled in {seconds} seconds")
    return command


def play(name: str, command: list[object], env: Mapping[str, str], logs: list[Any]) -> None:
    """Run the journey of a client, and exit unless the client performed every step."""
    first = len(logs)
    output = run(*command, env=env)

    def list_answered() -> list[Request]:
        entries = [entry for entry in logs[first:] if entry["event"] == "request"]
        return [Request(one["method"], one["route"], one["status"]) for one in entries]

    if fault := find_fault(output, list_answered):
        sys.exit(f"{name}: {fault}")
    print_line(f"{name}: played all steps of tests/clients/steps.csv")


def verify_webhook() -> str:
    """Check that the TypeScript receiver accepts a message that the service signed."""
    secret, body = bytes(range(32)), json.dumps(build_example())
    signed = build_headers([secret], "message-1", get_utc_now(), body.encode())
    sent = {
        "secret": encode_secret(secret),
        "headers": {name.lower(): value for name, value in signed.items()},
        "body": body,
    }
    receiver = WORK / "typescript" / "built" / "receiver.js"
    return run("node", receiver, given=json.dumps(sent))


def submit_for_page(world: Served) -> tuple[Someone, Json]:
    """Submit a case to an office, and return a person of that office, and the case."""
    lead = world.add_person("SANA_SEZIM")
    ngos = make_consent(recipient_class={"kind": "non_state", "country": "KZ"})
    allowed = [make_consent(), ngos, make_service_consent()]
    case = world.add_person("UZ_CONSULATE_ALMATY").submit(consents=allowed)
    world.wait(hours=3)
    return lead, case


def run_page(url: str, lead: Someone, case: Json) -> str:
    """Run the commands in docs/integrate.md; exit unless they handle and submit cases."""
    folder = create_folder("page")
    env = {"SAFE_CONDUCT_URL": url, "SAFE_CONDUCT_KEY": lead.key}
    env["npm_config_ignore_scripts"] = "true"
    for _, script in page.list_scripts(PAGE.read_text(), folder):
        run("bash", "-euo", "pipefail", "-c", script, at=folder, env=env)
    if lead.read(case)["state"] != "under_review":
        sys.exit("The program in docs/integrate.md acknowledged no case.")
    submitted = unwrap(lead.get("/worklist/counts"))["sent"]
    if submitted != len(SUBMITTING):
        sys.exit(f"The programs in docs/integrate.md submitted {submitted} cases.")
    return "the commands for TypeScript and Python work"


@contextmanager
def serve_demo() -> Iterator[Served]:
    """Serve the demonstration directory while the context is open."""
    with databases.open_alone() as (_, url), serve_world(url) as world:
        yield world


def build_clients(world: Served, pool: ThreadPoolExecutor) -> dict[str, list[object]]:
    """Build all clients, check the contract and the page, and return each client's command.

    The tasks run in the threads of `pool`.
    """
    lead, case = submit_for_page(world)
    building = {name: pool.submit(build, name) for name in BUILDS}
    checks: dict[str, Future[str]] = {
        "The contract": pool.submit(check_contract),
        "docs/integrate.md": pool.submit(run_page, get_address(world.port), lead, case),
    }
    commands = {name: future.result() for name, future in building.items()}
    for name, future in checks.items():
        print_line(f"{name}: {future.result()}")
    return commands


def main() -> None:
    """Run all checks."""
    require_tools()
    with capture_logs() as logs, serve_demo() as world:
        pool = ThreadPoolExecutor(os.cpu_count())
        try:
            commands = build_clients(world, pool)
        finally:
            pool.shutdown(cancel_futures=True)
        env = {"SAFE_CONDUCT_URL": get_address(world.port)}
        env |= {name: world.add_person(code).key for name, code in CALLERS.items()}
        for name, command in commands.items():
            play(name, command, env, logs)
    print_line(f"TypeScript: {verify_webhook().strip()}")


if __name__ == "__main__":
    main()
