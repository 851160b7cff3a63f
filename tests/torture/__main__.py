"""The command `make torture`, which kills the service under load and prints findings."""

import argparse
import sys
from pathlib import Path
from typing import Final

from tests.support.results import describe_commit, write_result
from tests.support.servers import CHANCE, ROOT
from tests.torture.planted import PLANTS
from tests.torture.running import RunOptions, run_torture

HOME: Final = ROOT / ".torture"


def parse_arguments() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description="Kill the service under load.")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument(
        "--kills", type=int, default=100, help="the number of processes to kill"
    )
    parser.add_argument("--seed", type=int, default=CHANCE.getrandbits(32))
    parser.add_argument(
        "--plant", choices=sorted(PLANTS), help="a fault to plant, which the run must find"
    )
    parser.add_argument("--result", type=Path, help="default: .torture/<database>.json")
    return parser.parse_args()


def show(line: str) -> None:
    """Print a line without delay."""
    print(line, flush=True)


def main() -> None:
    """Run the test, print the result, and exit with an error if there is a finding."""
    args, revision = parse_arguments(), describe_commit()
    HOME.mkdir(exist_ok=True)
    path: Path = args.result or HOME / f"{args.database}.json"
    log = path.with_suffix(".log")
    log.unlink(missing_ok=True)
    show(f"{args.kills} kills on {args.database}, seed {args.seed}; log: {log}")
    result = run_torture(
        RunOptions(args.database, args.kills, args.seed, args.plant), log, show
    )
    write_result(path, result.as_json(), revision)
    for finding in result.found:
        show(f"Found: {finding}")
    numbers = result.as_json()
    show(
        f"{numbers['kills']} kills, {numbers['operations']}, {numbers['cases']} cases, "
        f"{numbers['events']} events, {numbers['seconds']} s, {len(result.found)} findings"
    )
    if result.found:
        sys.exit(f"Seed {args.seed}, {path}, {log}")


if __name__ == "__main__":
    main()
