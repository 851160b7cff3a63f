"""`python -m bench`: measure this working tree; see `make bench`."""

import argparse
import json
import sys
import time
from dataclasses import asdict
from pathlib import Path

from bench import machine, report
from bench.checks import must_hold
from bench.places import HOME, PLACES, Product, floor_side, is_on_disk, product_side
from bench.processes import CLIENTS, memory_of, on_core
from bench.result import OfPlace, Result, Start, of_place
from bench.rounds import Pace, compare
from bench.sides import Kind

REST = 2.0
"""Seconds in which nobody asks, to see what is done all the same."""


def say(text: str) -> None:
    """Tell how it goes."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def resting(product: Product) -> float:
    """Say how many milliseconds of CPU a second it takes while nobody asks."""
    before = product.side.cpu()
    time.sleep(REST)
    return (product.side.cpu() - before) / REST * 1000


def measure(
    kind: str, pace: Pace, kinds: tuple[Kind, ...]
) -> tuple[OfPlace, dict[str, float]]:
    """Measure on one kind of database."""
    with (
        PLACES[kind]() as place,
        floor_side(place) as floor,
        product_side(place) as product,
        on_core(CLIENTS),
    ):
        say(f"{place.kind}: ready after {product.ready_after:.1f} s")
        used, idle = product.side.cpu(), memory_of(product.pid)
        client = machine.ceiling(floor, place.folder)
        rest = resting(product)
        found = compare(floor, product.side, pace, say, kinds)
        start = Start(product.ready_after, used, idle, memory_of(product.pid), rest)
        floor_url = place.floor if place.postmaster else f"sqlite:///{place.floor}"
        checked = [must_hold(floor_url, floor), must_hold(place.product, product.side)]
        return of_place(place.kind, found, start, checked), client


def run(arguments: argparse.Namespace) -> Result:
    """Measure on each kind of database that is asked for."""
    HOME.mkdir(exist_ok=True)
    if not is_on_disk(HOME):
        say(
            f"{HOME.name} is in memory: what a commit costs is not what it costs on a disk."
        )
    pace = Pace(arguments.rounds, arguments.seconds)
    kinds = tuple(Kind[name] for name in arguments.requests)
    places, client = list[OfPlace](), dict[str, float]()
    for kind in arguments.databases.split(","):
        place, client = measure(kind, pace, kinds)
        places.append(place)
        say("\n".join(report.of_place(place)) + "\n")
    return Result(
        machine.today(), machine.commit(), machine.described(), asdict(pace), client, places
    )


def read_arguments() -> argparse.Namespace:
    """Read what is asked for."""
    asked = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    asked.add_argument("--databases", default="sqlite,postgresql")
    asked.add_argument("--rounds", type=int, default=5)
    asked.add_argument("--seconds", type=float, default=2.0)
    asked.add_argument("--requests", default="STPIW", help="which of the five: STPIW")
    asked.add_argument("--result", type=Path, default=HOME / "result.json")
    return asked.parse_args()


def main() -> None:
    """Measure, tell, and keep the result."""
    arguments = read_arguments()
    result = run(arguments)
    arguments.result.write_text(json.dumps(result.as_json(), indent=2) + "\n", "utf-8")
    say(report.of_result(result))
    say(f"Kept in {arguments.result.name}")


if __name__ == "__main__":
    main()
