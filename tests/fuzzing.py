"""Try the contract on a real server: make fuzz-api, or python -m tests.fuzzing EXAMPLES.

Schemathesis reads the served document and makes requests that fit it and requests that do
not; all of its checks are on. It runs once for each of those who have a part in a case, in
a world where there is one of everything. Two of them are peers: what one may read by its
id must be hidden from the other.
"""

import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import structlog

from tests import databases
from tests.serving import ROOT, Served, served
from tests.stage import Stage, set_up
from tests.world import Json, Someone, done

LIVELY: Final = 0.7
"""How often an id is of something that is there."""
VERSIONS: Final = [f'"{version}.0123456789abcdef"' for version in range(1, 9)]
JUDGED: Final = ["2xx", 304, 400, 401, 403, 404, 409, 410, 412, 422, 428]
"""What a request that fits the contract may be answered; of 422, fuzz_hooks judges."""
OFFICER, PEER = "officer", "peer"


@contextmanager
def staged() -> Iterator[tuple[Served, Stage]]:
    """Serve a world on SQLite as long as the block lasts."""
    home = databases.make_home()
    try:
        with databases.copies("sqlite", home) as copy, copy() as url, served(url) as world:
            yield world, set_up(world)
    finally:
        databases.clear(home)


def cast(world: Served, stage: Stage) -> dict[str, Someone]:
    """Name those who are tried, and give the peer something of its own."""
    officer, lead, shelter = stage.people
    peer = world.someone("JM_CONSULATE_PORT_OF_SPAIN")
    stage.ids["code"].append(done(peer.writes_case(notice={"country": "TT"}))["code"])
    return {OFFICER: officer, PEER: peer, "lead": lead, "shelter": shelter}


def settings(name: str, people: dict[str, Someone], ids: dict[str, list[str]]) -> str:
    """Write the configuration of one run."""
    lists = {**ids, "versions": VERSIONS}
    places = {f"path.{name}": name for name in ids} | {"header.If-Match": "versions"}
    lines = ['hooks = "tests.fuzz_hooks"', "[dictionaries]"]
    lines += [f"{n} = {{ values = {json.dumps(known)} }}" for n, known in lists.items()]
    lines.append("[parameters]")
    lines += [
        f'"{where}" = {{ dictionary = "{n}", probability = {LIVELY} }}'
        for where, n in places.items()
    ]
    lines += [
        "[checks.positive_data_acceptance]",
        f"expected-statuses = {json.dumps(JUDGED)}",
    ]
    if name == OFFICER:
        lines += ["[auth.wfc]", 'path = "users.json"', f'peers = ["{OFFICER}", "{PEER}"]']
    else:
        lines += ["[auth.openapi.ApiKey]", f'bearer = "{people[name].key}"']
    return "\n".join(lines)


def users(people: dict[str, Someone]) -> Json:
    """Name the peers and their keys, as Web Fuzzing Commons spells it."""
    return {
        "auth": [
            {
                "name": name,
                "fixedHeaders": [
                    {"name": "Authorization", "value": f"Bearer {people[name].key}"}
                ],
            }
            for name in (OFFICER, PEER)
        ]
    }


def fuzz(name: str, world: Served, folder: Path, examples: str) -> int:
    """Run Schemathesis as one of them; 0 if it found nothing."""
    command = [
        *(str(Path(sys.executable).with_name("st")), "--config-file", str(folder / name)),
        *("run", f"http://127.0.0.1:{world.port}/openapi.json", "--max-examples", examples),
        *(
            "--seed",
            "1",
            "--no-color",
            "--continue-on-failure",
            "--generation-database",
            "none",
        ),
    ]
    return subprocess.run(command, cwd=ROOT, check=False).returncode


def main(examples: str = "100") -> None:
    """Try everybody, and fail if anything was found."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    with staged() as (world, stage), TemporaryDirectory() as made:
        folder, people = Path(made), cast(world, stage)
        (folder / "users.json").write_text(json.dumps(users(people)))
        found = []
        for name in people:
            if name == PEER:
                continue
            written = settings(name, people, stage.ids)
            path = json.dumps(str(folder / "users.json"))
            (folder / name).write_text(written.replace('"users.json"', path))
            found.append(fuzz(name, world, folder, examples))
    sys.exit(max(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
