"""The command `make rewrap-torture`, which kills `key rewrap` of many cases under load.

A PostgreSQL database gets many cases whose data keys and MACs are real, as in production.
While the service works, keys are replaced and `safe-conduct key rewrap` is killed again and
again. No request may fail. At the end, the newest key must open each case, and no earlier
key may open any. The newest key must have made each MAC, and the earlier keys are retired.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from sqlalchemy import bindparam, select, text, update

from app.cases.models import CaseKey
from app.cli import renewed_macs
from app.cli.startup import load_runtime
from app.cli.wrapped_keys import count_by_version
from app.demo.demo_accounts import KZ_LEAD, UZ_OFFICER
from app.kernel.file_keys import FileKeys
from app.kernel.keyfile import read_keys
from app.kernel.stored_keys import StoredKey
from app.kernel.vault import KEY_BYTES, Unopenable, Vault, get_key_place
from app.settings import Settings
from tests.bench.checks import connect
from tests.bench.client import send_once
from tests.bench.filling import copy_cases, count_rows
from tests.bench.places import Place, make_folder, start_cluster
from tests.bench.processes import (
    ROOT,
    SERVERS,
    find_free_port,
    run_program,
    wait_until,
)
from tests.bench.servers import BIN, READY, get_environment, prepare_keys
from tests.torture.people_at_work import REAL, Load

PROGRAM: Final = str(BIN / "safe-conduct")
LONGEST_LIFE: Final = 1.5
"""Maximum seconds for which `key rewrap` runs after its start before it is killed."""
WORK_AFTER: Final = 5
"""The seconds that people work after the earlier keys are retired."""
OPENED: Final = 1000
"""The number of cases that people open at the end. The keys of all cases are tried."""
WITHOUT_TRIGGERS: Final = "SET session_replication_role = replica"
KEYS_OF_CASES: Final = select(CaseKey.case_id, CaseKey.version, CaseKey.wrapped)

type Show = Callable[[str], None]
type Environment = Mapping[str, str]


@contextmanager
def serve(place: Place, environment: Environment) -> Iterator[int]:
    """Run the service and a worker, and yield the port."""
    port, log = find_free_port(), place.folder / "product.log"
    more = {**environment, "SAFE_CONDUCT_PORT": str(port)}
    worker = partial(run_program, [PROGRAM, "worker", "run"], SERVERS)
    server = partial(run_program, [PROGRAM, "serve"], SERVERS)
    with (
        worker(place.folder / "worker.log", ROOT, **more),
        server(log, ROOT, **more) as process,
    ):
        wait_until(process, lambda: send_once(port, READY, 200), log)
        yield port


def get_process_environment(environment: Environment) -> dict[str, str]:
    """Return the environment of a process, with the settings of the service."""
    return {**os.environ, **environment}


def run_command(environment: Environment, *words: str) -> str:
    """Run a command of the service, and return its output.

    Raises CalledProcessError if the command fails.
    """
    done = subprocess.run(
        [PROGRAM, *words],
        env=get_process_environment(environment),
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def fill(
    place: Place, environment: Environment, load: Load, cases: int, show: Show
) -> None:
    """Submit some cases, copy them, and give each copy its own data key and MAC."""
    before = count_rows(place.product)
    with load.make_client(UZ_OFFICER) as client:
        load.codes += filter(None, (load.submit(client) for _ in range(REAL)))
    with load.make_client(KZ_LEAD) as client:
        for code in load.codes:
            load.open_case(client, code)
    copy_cases(place.product, before, cases, lambda _: None)
    count = replace_keys(place)
    show(f"{count} cases, of which {len(load.codes)} were submitted over HTTP.")
    show(run_command(environment, "case", "protect").strip())


def replace_keys(place: Place) -> int:
    """Write new data keys for the copies, and return the number of all cases with a key."""
    vault = Vault(FileKeys.load(place.folder / "keys"))
    own = update(CaseKey).where(CaseKey.case_id == bindparam("case"))
    written = own.values(version=bindparam("key"), wrapped=bindparam("secret"))
    with connect(place.product) as connection:
        connection.execute(text(WITHOUT_TRIGGERS))
        found = connection.execute(KEYS_OF_CASES).all()
        copies = [one.case_id for one in found if not can_open(vault, *one)]
        connection.execute(written, [make_key(vault, one) for one in copies])
    return len(found)


def make_key(vault: Vault, case_id: UUID) -> dict[str, Any]:
    """Return the row of a new data key of a case."""
    secret = random.randbytes(KEY_BYTES)
    version, wrapped = vault.wrap_secret(secret, *get_key_place(case_id))
    return {"case": case_id, "key": version, "secret": wrapped}


def can_open(vault: Vault, case_id: UUID, version: str, wrapped: bytes) -> bool:
    """Return whether a vault opens the data key of a case."""
    try:
        vault.unwrap_secret(version, wrapped, *get_key_place(case_id))
    except Unopenable:
        return False
    return True


def rotate_key(environment: Environment) -> None:
    """Add a standby key to the key file, and activate it, as an operator does."""
    run_command(environment, "key", "new", "--standby")
    run_command(environment, "key", "activate")


def kill_rewraps(environment: Environment, kills: int, seed: int, show: Show) -> int:
    """Run `key rewrap` until it was killed `kills` times. Return the number of new keys.

    A kill before the first batch does not count. The next process then runs longer.
    """
    chance, killed, rotated = random.Random(seed), 0, 1
    start = measure_start(environment)
    rotate_key(environment)
    left = count_outdated(environment)
    while killed < kills:
        if not is_killed(environment, start + chance.random() * LONGEST_LIFE):
            rotate_key(environment)  # the process ended before it could be killed
            rotated, left = rotated + 1, count_outdated(environment)
        elif (now := count_outdated(environment)) == left:
            start *= 1.3  # each process first reads the rows that are already finished
        else:
            killed, left = killed + 1, now
            show(f"kill {killed}: {left} secrets and MACs of earlier keys are left")
    return rotated


def measure_start(environment: Environment) -> float:
    """Return the seconds that a command needs to start."""
    began = time.monotonic()
    run_command(environment, "key", "--help")
    return time.monotonic() - began


def is_killed(environment: Environment, seconds: float) -> bool:
    """Run `key rewrap`, kill it after some seconds, and return whether it ran that long.

    Raises RuntimeError if the command fails.
    """
    process = subprocess.Popen(
        [PROGRAM, "key", "rewrap"],
        env=get_process_environment(environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.communicate()
        return True
    if process.returncode:
        raise RuntimeError(f"key rewrap failed with {process.returncode}.")
    return False


def load_settings(environment: Environment) -> Settings:
    """Return the settings of the service."""
    return Settings(
        database_url=environment["SAFE_CONDUCT_DATABASE_URL"],
        key_file=Path(environment["SAFE_CONDUCT_KEY_FILE"]),
        erasure_ledger=Path(environment["SAFE_CONDUCT_ERASURE_LEDGER"]),
    )


def count_outdated(environment: Environment) -> int:
    """Return the number of secrets and MACs of earlier keys."""
    runtime = load_runtime(load_settings(environment))
    counts = count_by_version(runtime)
    for _ in renewed_macs.count_by_version(runtime, counts):
        pass
    del counts[runtime.vault.current_version]
    runtime.database.engine.dispose()
    return counts.total()


def retire_keys(environment: Environment, lines: Sequence[StoredKey]) -> None:
    """Retire the earlier keys. This fails if the database still needs one of them."""
    for one in lines[:-1]:
        run_command(environment, "key", "retire", one.version)


def find_wrong_keys(place: Place, lines: Sequence[StoredKey]) -> list[str]:
    """Return the cases that the newest key does not open, or that an earlier one opens.

    An earlier key is also tried under the name of the newest one.
    """
    newest = lines[-1]
    current = Vault(FileKeys({newest.version: newest.value}))
    earlier = [
        Vault(FileKeys({newest.version: one.value, one.version: one.value}))
        for one in lines[:-1]
    ]
    with connect(place.product) as connection:
        rows = connection.execute(KEYS_OF_CASES).all()
    wrong = [f"not opened: {row.case_id}" for row in rows if not can_open(current, *row)]
    return wrong + [
        f"opened by an earlier key: {row.case_id}"
        for row in rows
        if any(can_open(vault, *row) for vault in earlier)
    ]


def select_codes(codes: Sequence[str], seed: int) -> list[str]:
    """Return the codes of some of the submitted cases, which are opened at the end."""
    return random.Random(seed).sample(codes, min(len(codes), OPENED))


def run(cases: int, kills: int, seed: int, show: Show) -> list[str]:
    """Run the whole test, and return its findings."""
    with make_folder("rewrapping") as folder, start_cluster(folder) as server:
        server.run_sql("CREATE DATABASE product")
        place = Place("PostgreSQL", folder, "", server.get_url("product"), server.pid)
        keys = prepare_keys(place)
        environment = {
            **get_environment(place),
            "SAFE_CONDUCT_DAILY_CAP": "100000",
        }
        del environment["SAFE_CONDUCT_LOST_KEYS"]
        with serve(place, environment) as port:
            load = Load(port, keys)
            fill(place, environment, load, cases, show)
            with load.run():
                rotated = kill_rewraps(environment, kills, seed, show)
                show(run_command(environment, "key", "rewrap").strip())
                retire_keys(environment, read_keys(folder / "keys"))
                time.sleep(WORK_AFTER)
            done = ", ".join(f"{count} {what}" for what, count in load.done.items())
            show(f"{kills} kills, {rotated} new keys; {done}; {len(load.errors)} errors.")
            show(run_command(environment, "key", "list"))
            with load.make_client(KZ_LEAD) as client:
                for code in select_codes(load.codes, seed):
                    load.open_case(client, code)
        return load.errors + find_wrong_keys(place, read_keys(folder / "keys"))


def main() -> None:
    """Run the command, print the result, and exit with an error if there is a finding."""
    parser = argparse.ArgumentParser(description="Kill `key rewrap` under load.")
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=random.randrange(2**32))
    args = parser.parse_args()
    print(f"{args.cases} cases, {args.kills} kills, seed {args.seed}", flush=True)
    began = time.monotonic()
    wrong = run(args.cases, args.kills, args.seed, lambda line: print(line, flush=True))
    for line in wrong[:20]:
        print(f"Found: {line}")
    print(f"{len(wrong)} findings, {time.monotonic() - began:.0f} s")
    if wrong:
        sys.exit(1)


if __name__ == "__main__":
    main()
