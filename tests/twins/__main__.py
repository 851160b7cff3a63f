"""Play seeds in twin worlds: `python -m tests.twins --seeds 2000` or `--seed 17`.

The program prints the first difference of each seed, how often each secret happened before
each relation, and how many answers were compared. It exits with 1 if there is a difference.
"""

import argparse
import os
import sys
import time
from typing import Final

from tests.support.databases import KINDS
from tests.support.results import ROOT, write_result
from tests.twins.many_seeds import (
    count_cells,
    describe_counts,
    play_all,
    play_some,
    sum_results,
)
from tests.twins.play import Result

RESULT: Final = ROOT / ".simulation"
USUAL: Final = 100


def parse_options() -> argparse.Namespace:
    """Parse the options of the command line."""
    parser = argparse.ArgumentParser(prog="tests.twins", description=__doc__)
    parser.add_argument("--seed", type=int, help="the first seed (alone: this one only)")
    parser.add_argument("--seeds", type=int, help="how many seeds")
    parser.add_argument("--cores", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--database", choices=KINDS, default="sqlite")
    return parser.parse_args()


def print_line(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def describe(result: Result) -> str:
    """Return what a seed plays, and its first difference."""
    plan = result.plan
    relations = ", ".join(cell.relation for cell in plan.cells)
    line = f"seed {plan.seed}: {plan.secret} ({' or '.join(plan.variants)}), {relations}"
    if result.difference is None:
        return f"{line}: {result.answers} answers, no difference"
    return f"{line}\n{result.difference.describe()}"


def main() -> int:
    """Play each seed, and return 1 if a seed has a difference, otherwise 0."""
    args, began = parse_options(), time.perf_counter()
    first = args.seed or 0
    many = args.seeds or (USUAL if args.seed is None else 1)
    seeds, results = range(first, first + many), list[Result]()
    runs = (
        play_some(args.database, seeds)
        if many == 1
        else play_all(args.database, seeds, args.cores)
    )
    for result in runs:
        results.append(result)
        if many == 1 or result.difference:
            print_line(describe(result))
    sums = sum_results(results, time.perf_counter() - began)
    write_result(RESULT / f"twins-{args.database}.json", sums)
    for line in describe_counts(count_cells(results)):
        print_line(line)
    named = ("seeds", "failed", "answers", "accepted", "least", "seconds")
    print_line(", ".join(f"{name} {sums[name]}" for name in named))
    return 1 if sums["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
