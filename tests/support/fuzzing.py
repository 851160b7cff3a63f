"""Fuzz the contract on a real server: `make fuzz-api EXAMPLES=100 PEOPLE=lead`.

Schemathesis reads the OpenAPI document that the server serves. It sends requests that fit
the document and requests that do not, with all checks on. There is one run for each person
in `USERS`, and each run has a copy of a world with records of each kind. The number of
runs at the same time is at most the number of cores. A record that one person may read by
its id must be hidden from every person who has no part in the record.
"""

import json
import logging
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import structlog
from sqlalchemy import make_url

from app.access.role_scopes import ADMINISTRATOR_SCOPES
from tests.support import databases, results
from tests.support.full_world import Stage, collect_ids, set_up
from tests.support.fuzz_hooks import LIVE, PRISTINE
from tests.support.raw_requests import (
    Operation,
    list_operations,
    open_wire,
    resolve_reference,
)
from tests.support.servers import ROOT, start_server, write_key_file
from tests.support.world import Json, Someone, unwrap

ADMINISTRATOR: Final = "administrator"
USERS: Final = ("lead", "officer", "home", "oversight", ADMINISTRATOR)
"""The people of the stage who send the requests."""
STRANGER: Final = "stranger"
RESULT: Final = ROOT / ".fuzz" / "result.json"
LIVELY: Final = 0.8
"""Probability that an id belongs to an existing record."""
VERSIONS: Final = ", ".join(f'"{number}.0123456789abcdef"' for number in range(1, 17))
"""Entity tags with the versions 1 to 16, which a record may have."""
LIMIT: Final = 15
"""Maximum number of seconds for an example; on an idle core it takes 3."""
PHASES: Final = "examples,coverage,fuzzing,stateful"
JUDGED: Final = ["2xx", 304, 400, 401, 403, 404, 409, 410, 412, 422, 428]
"""Expected statuses of a request that fits the contract; fuzz_hooks checks each 422."""
UNHEADED: Final = [400, 401, 403, 422, 428]
"""Expected statuses if a header is missing: 428 for If-Match (RFC 6585)."""


@dataclass(frozen=True)
class Prepared:
    """A world in its first state, and the ids of its records."""

    home: Path
    database: Path
    stage: Stage
    stranger: Someone
    operations: list[Operation]


@contextmanager
def build_stage() -> Iterator[Prepared]:
    """Build a world with records of each kind. Each run uses a copy of that world."""
    with databases.open_alone() as (home, url):
        with open_wire(url) as wire:
            stage, operations = set_up(wire), list_operations(wire.world.app.openapi())
            stranger = wire.world.add_person("JM_CONSULATE_PORT_OF_SPAIN")
            unwrap(stranger.create_case(summary={"country": "TT"}))
        path = Path(make_url(url).database or "")
        write_key_file(home)
        yield Prepared(home, path, stage, stranger, operations)


# Configuration of Schemathesis.


def write_config(runtime: Prepared, name: str, folder: Path) -> Path:
    """Write the configuration of one run, with its users and ids, and return its path."""
    users = {name: runtime.stage.cast[name], STRANGER: runtime.stranger}
    seen = runtime.stage.visible_ids[list(runtime.stage.cast).index(name)]
    known = {**runtime.stage.ids, **collect_ids(seen)} | {"versions": [VERSIONS]}
    (folder / "users.json").write_text(json.dumps(build_auth(users)))
    lines = [
        'hooks = "tests.support.fuzz_hooks"',
        "[cache]",
        "enabled = false",
        "[dictionaries]",
    ]
    lines += [f"{n} = {{ values = {json.dumps(ids)} }}" for n, ids in known.items()]
    lines.append("[parameters]")
    lines += [
        f'"{where}" = {{ dictionary = "{n}", probability = {LIVELY} }}'
        for where, n in dict(list_parameters(runtime.operations, known)).items()
    ]
    lines += [
        "[checks.positive_data_acceptance]",
        f"expected-statuses = {json.dumps(JUDGED)}",
        "[checks.missing_required_header]",
        f"expected-statuses = {json.dumps(UNHEADED)}",
        "[[operations]]",  # the clock stands still, and no worker runs
        'include-path = "/readyz"',
        'checks.not_a_server_error.expected-statuses = ["2xx", "4xx", 503]',
        'checks.positive_data_acceptance.expected-statuses = ["2xx", 503]',
        "[auth.wfc]",
        f"path = {json.dumps(str(folder / 'users.json'))}",
        f"user = {json.dumps(name)}",
        f"peers = {json.dumps([name, STRANGER])}",
    ]
    (folder / "config.toml").write_text("\n".join(lines))
    return folder / "config.toml"


def list_parameters(
    told: list[Operation], known: dict[str, list[str]]
) -> Iterator[tuple[str, str]]:
    """Yield each parameter or body field that takes ids, with the name of its values."""
    yield "header.If-Match", "versions"
    forms: dict[str | None, str] = {}
    for operation in told:
        for parameter in operation.spec.get("parameters", []):
            name, schema = parameter["name"], parameter["schema"]
            if parameter["in"] == "path" and "$ref" not in schema and name in known:
                yield f"path.{name}", name  # the codes of an enumeration are in its schema
                forms.setdefault(schema.get("pattern"), name)
    forms.pop(None, None)
    for operation in told:
        fields = resolve_reference(operation.body_schema or {}, operation.schemas).get(
            "properties", {}
        )
        for name, schema in fields.items():
            if schema.get("pattern") in forms:
                yield f"body.{name}", forms[schema["pattern"]]


def build_auth(users: dict[str, Someone]) -> Json:
    """Return users with their keys in the format of Web Fuzzing Commons."""
    return {
        "auth": [
            {
                "name": name,
                "fixedHeaders": [{"name": "Authorization", "value": f"Bearer {one.key}"}],
            }
            for name, one in users.items()
        ]
    }


# Runs and results.


@dataclass(frozen=True)
class Run:
    """One run of Schemathesis: the person, and the number of examples."""

    name: str
    examples: str


@dataclass(frozen=True)
class Found:
    """The result of one run of Schemathesis."""

    run: Run
    seconds: float
    output: str
    report: Json

    @property
    def cases(self) -> int:
        return int(self.report["test_cases"]["generated"])

    @property
    def failed(self) -> int:
        """The number of failed checks, and at least 1 if an operation was not tested."""
        told, cases = self.report["operations"], self.report["test_cases"]
        whole = self.report["complete"] and told["tested"] == told["selected"] > 0
        found = cases["with_failures"] + cases["errored"] + len(self.report["errors"])
        return int(found) if whole else max(int(found), 1)

    def to_json(self) -> Json:
        """Return the numbers of the result."""
        of_run = {"name": self.run.name, "examples": int(self.run.examples)}
        return {**of_run, "cases": self.cases, "failed": self.failed}

    def to_line(self) -> str:
        """Return the result as one line."""
        tested = self.report["operations"]["tested"]
        return (
            f"{self.run.name}: {self.run.examples} examples of {tested} operations, "
            f"{self.cases} cases, {self.failed} failed, {self.seconds:.0f} s"
        )


def run_schemathesis(runtime: Prepared, run: Run) -> Found:
    """Run Schemathesis as one person, against a server that only this run uses.

    Raises RuntimeError if Schemathesis writes no report, and TimeoutExpired if it hangs.
    """
    folder, began = runtime.home / run.name, time.monotonic()
    folder.mkdir()
    database, report = str(folder / "live.db"), folder / "report.json"
    shutil.copy(runtime.database, database)
    config = write_config(runtime, run.name, folder)
    with start_server(f"sqlite:///{database}", runtime.home / "keys") as server:
        command = [
            str(Path(sys.executable).with_name("st")),
            "--config-file",
            str(config),
            "run",
            f"http://127.0.0.1:{server.port}/openapi.json",
            "--max-examples",
            run.examples,
            "--phases",
            PHASES,
            "--seed",
            "1",
            "--no-color",
            "--continue-on-failure",
            "--generation-database",
            "none",
            "--report-json-path",
            str(report),
            *list_options(runtime.operations, run.name),
        ]
        ran = subprocess.run(
            command,
            cwd=folder,  # Schemathesis writes its files there
            env={
                **os.environ,
                "PYTHONPATH": str(ROOT),
                PRISTINE: str(runtime.database),
                LIVE: database,
            },
            check=False,
            capture_output=True,
            text=True,
            timeout=600 + LIMIT * int(run.examples),
        )
    output = ran.stdout + ran.stderr
    if not report.exists():
        raise RuntimeError(output)
    numbers = json.loads(report.read_text())
    return Found(run, time.monotonic() - began, output, numbers)


def list_options(told: list[Operation], name: str) -> Iterator[str]:
    """Yield options that limit an administrator to the operations of administrators."""
    if name != ADMINISTRATOR:
        return
    scopes = "|".join(ADMINISTRATOR_SCOPES)
    for operation in told:
        if re.search(rf"scope `({scopes})`", operation.spec["description"]):
            yield from ("--include-operation-id", operation.name)


def plan_runs(examples: str, people: str) -> list[Run]:
    """Return a run for each person in `people`, or for every person if `people` is empty.

    The names in `people` are separated by commas. Raises SystemExit for an unknown name.
    """
    names = people.split(",") if people else USERS
    if unknown := set(names) - set(USERS):
        raise SystemExit(f"There is no {min(unknown)}: {', '.join(USERS)}.")
    return [Run(name, examples) for name in names]


def main(examples: str = "100", people: str = "") -> None:
    """Run Schemathesis as each person, print and store the results; fail on any finding."""
    runs = plan_runs(examples, people)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # `timeout` sends SIGTERM
    found, began = list[Found](), time.monotonic()
    with build_stage() as runtime, ThreadPoolExecutor(os.cpu_count()) as pool:
        for one in pool.map(partial(run_schemathesis, runtime), runs):
            found.append(one)
            print_lines(one.output if one.failed else "", one.to_line())
    cases, failed = (sum(counts) for counts in zip(*map(count_cases, found), strict=True))
    print_lines(f"{max(cases - failed, 0)} passed, {failed} failed")
    users = [one.to_json() for one in found]
    results.write_result(RESULT, {"users": users, "seconds": time.monotonic() - began})
    sys.exit(failed > 0)


def count_cases(one: Found) -> tuple[int, int]:
    return one.cases, one.failed


def print_lines(*lines: str) -> None:
    """Print lines, and flush the output at once."""
    sys.stdout.write("".join(f"{line}\n" for line in lines if line))
    sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
