"""The command `python -m tests.differential REVISION --requests 100000`.

It compares this working tree with another commit on one kind of database. The exit code is
1 if an answer differs. The shortest sequence of requests that shows the difference is then
printed. A table of all requests by operation and status is written to `.differential/`. A
run that is interrupted (SIGINT) prints and writes its results so far.
"""

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Final

from tests.differential.pair import open_pair
from tests.differential.search import Search, Tally, format_difference, format_tally
from tests.support.checkouts import ROOT, check_out
from tests.support.databases import KINDS
from tests.support.raw_requests import Operation, list_operations

HOME: Final = ROOT / ".differential"
CONTRACT: Final = Path("openapi", "openapi-3.1.json")
PACKAGE: Final = Path("tests", "differential")


def read_arguments() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.differential", description=__doc__
    )
    parser.add_argument("revision", help="the commit to compare this tree with")
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--database", choices=KINDS, default="sqlite")
    parser.add_argument("--seed", type=int, default=None)
    return parser.parse_args()


def list_common_operations(other: Path, tree: Path) -> list[Operation]:
    """Return the operations of the other commit that this working tree has too."""
    theirs, ours = (
        list_operations(json.loads((root / CONTRACT).read_text("utf-8")))
        for root in (other, tree)
    )
    kept = {(one.method, one.path) for one in ours}
    return [one for one in theirs if (one.method, one.path) in kept]


def show(text: str) -> None:
    """Print a line without delay."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def write_tally(tally: Tally, database: str) -> Path:
    """Write the numbers by operation and status to a file, and return its path."""
    path = HOME / f"{database}.tsv"
    rows = [f"{name}\t{status}\t{n}" for (name, status), n in sorted(tally.answers.items())]
    path.write_text("\n".join(["operation\tstatus\tanswers", *rows]) + "\n", "utf-8")
    return path


def main() -> int:
    """Compare both trees, print the result, and return the exit code."""
    arguments = read_arguments()
    seed = int(time.time()) if arguments.seed is None else arguments.seed
    HOME.mkdir(exist_ok=True)
    with check_out(arguments.revision, HOME, PACKAGE) as other:
        operations = list_common_operations(other, ROOT)
        show(f"{len(operations)} operations on {arguments.database}, seed {seed}")
        found = None
        with open_pair([other, ROOT], arguments.database, HOME) as pair:
            search = Search(pair, operations, seed, show)
            try:
                found = search.run(arguments.requests)
            except KeyboardInterrupt:
                show("The run was interrupted before its end.")
    for line in format_tally(search.tally):
        show(line)
    show(f"All numbers: {write_tally(search.tally, arguments.database).name}")
    if found is None:
        return 0
    for line in format_difference(found):
        show(line)
    return 1


if __name__ == "__main__":
    sys.exit(main())
