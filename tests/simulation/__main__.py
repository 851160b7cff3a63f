"""Simulate seeds on every core: `python -m tests.simulation --seeds 2000` or `--seed 17`.

The program prints its progress, the end of the trace of each failed seed, and the totals.
It also writes the totals as JSON.
"""

import argparse
import os
import sys
import time
from pathlib import Path
from typing import Final

from tests.simulation.many_seeds import describe_result, play_all, play_some, sum_results
from tests.simulation.play import Result
from tests.simulation.seeds import add_seeds
from tests.support.results import write_result
from tests.support.servers import ROOT

RESULT: Final = ROOT / ".simulation" / "result.json"


def parse_options() -> argparse.Namespace:
    """Parse the options of the command line."""
    parser = argparse.ArgumentParser(prog="tests.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, help="the first seed (alone: this one only)")
    parser.add_argument("--seeds", type=int, help="how many seeds")
    parser.add_argument("--cores", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--out", type=Path, default=RESULT)
    parser.add_argument("--keep", action="store_true", help="add failed seeds to seeds.txt")
    parser.add_argument("--trace", action="store_true", help="print the whole trace")
    return parser.parse_args()


def print_line(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> int:
    """Run the simulation of each seed, and return 1 if a seed failed, otherwise 0."""
    args, began = parse_options(), time.perf_counter()
    first = 1 if args.seed is None else args.seed
    many = args.seeds or (1 if args.seed is not None else 100)
    seeds, results = range(first, first + many), list[Result]()
    runs = [play_some(seeds)] if many == 1 else [play_all(seeds, args.cores)]
    for result in (one for run in runs for one in run):
        results.append(result)
        if many == 1 or result.failure:
            print_line(
                "\n".join(
                    [*(result.full_trace if args.trace else ()), describe_result(result)]
                )
            )
        if many > 1 and len(results) % 10 == 0:
            gone = time.perf_counter() - began
            failed = sum(bool(one.failure) for one in results)
            print_line(f"{len(results)} of {many} seeds, {failed} failed, {gone:.0f} s")
    if args.keep:
        add_seeds((one.seed, one.failure) for one in results if one.failure)
    sums = sum_results(results, time.perf_counter() - began)
    write_result(args.out, sums)
    named = ("seeds", "failed", "steps", "virtual_days", "requests", "crashes", "seconds")
    print_line(", ".join(f"{name} {sums[name]}" for name in named))
    return 1 if sums["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
