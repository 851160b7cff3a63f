"""`python -m bench`: measure this working tree, or profile it; see the Makefile."""

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
from bench.profiling import profile
from bench.result import OfPlace, Result, Start, of_place
from bench.rounds import Pace, compare, warm
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


def run(arguments: argparse.Namespace) -> None:
    """Measure on each kind of database that is asked for, tell, and keep the result."""
    pace = Pace(arguments.rounds, arguments.seconds)
    kinds = tuple(Kind[name] for name in arguments.requests)
    places, client = list[OfPlace](), dict[str, float]()
    for kind in arguments.databases.split(","):
        place, client = measure(kind, pace, kinds)
        places.append(place)
        say("\n".join(report.of_place(place)) + "\n")
    about = (machine.today(), machine.commit(), machine.described())
    result = Result(*about, asdict(pace), client, places)
    arguments.result.write_text(json.dumps(result.as_json(), indent=2) + "\n", "utf-8")
    say(report.of_result(result))
    say(f"Kept in {arguments.result.name}")


def run_profile(arguments: argparse.Namespace) -> None:
    """Say where the product spends its time on one of the five."""
    pace = Pace(1, arguments.seconds)
    with (
        PLACES[arguments.database]() as place,
        product_side(place) as product,
        on_core(CLIENTS),
    ):
        warm(product.side, pace)
        for line in profile(product, Kind(arguments.what), pace):
            say(line)


def read_arguments() -> argparse.Namespace:
    """Read what is asked for."""
    asked = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    does = asked.add_subparsers(required=True)
    whole = does.add_parser("run", help="floor, product, floor; tables and a result")
    whole.add_argument("--databases", default="sqlite,postgresql")
    whole.add_argument("--rounds", type=int, default=5)
    whole.add_argument("--seconds", type=float, default=2.0)
    whole.add_argument("--requests", default="STPIW", help="which of the five")
    whole.add_argument("--result", type=Path, default=HOME / "result.json")
    whole.set_defaults(does=run)
    one = does.add_parser("profile", help="where one of the five spends its time")
    one.add_argument("what", choices=[str(kind) for kind in Kind])
    one.add_argument("--database", default="sqlite", choices=PLACES)
    one.add_argument("--seconds", type=float, default=8.0)
    one.set_defaults(does=run_profile)
    return asked.parse_args()


def main() -> None:
    """Do what is asked for."""
    arguments = read_arguments()
    HOME.mkdir(exist_ok=True)
    if not is_on_disk(HOME):
        say(f"{HOME.name} is in memory: a commit costs less there than on a disk.")
    arguments.does(arguments)


if __name__ == "__main__":
    main()
