"""The runs: whole, of growth, for CI, and to profile."""

import argparse
import json
import sys
import time
from dataclasses import asdict

from tests.bench import machine, page, report
from tests.bench.checks import must_hold
from tests.bench.goals import COARSE, LEAST
from tests.bench.growing import growth_of
from tests.bench.places import HOME, PLACES
from tests.bench.processes import CLIENTS, memory_of, on_core
from tests.bench.profiling import profile
from tests.bench.result import Line, OfPlace, Result, Start, of_place
from tests.bench.rounds import Pace, compare, warm
from tests.bench.servers import Product, floor_side, product_side
from tests.bench.sides import Kind
from tests.support.results import commit

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
        checked = [
            must_hold(place.floor_url, floor),
            must_hold(place.product, product.side),
        ]
        return of_place(place.kind, found, start, checked), client


def kinds_of(arguments: argparse.Namespace) -> tuple[Kind, ...]:
    """Read which of the five are asked for."""
    return tuple(Kind[name] for name in arguments.requests)


def run(arguments: argparse.Namespace) -> None:
    """Measure on each kind of database that is asked for, tell, and keep the result."""
    pace = Pace(arguments.rounds, arguments.seconds)
    places, client = list[OfPlace](), dict[str, float]()
    for kind in arguments.databases.split(","):
        place, client = measure(kind, pace, kinds_of(arguments))
        places.append(place)
        say("\n".join(report.of_place(place)) + "\n")
    about = (machine.today(), commit(), machine.described())
    result = Result(*about, asdict(pace), client, places)
    arguments.result.write_text(json.dumps(result.as_json(), indent=2) + "\n", "utf-8")
    table = report.of_result(result)
    say(table)
    if arguments.page:
        page.write("measured", table)
    say(f"Kept in {arguments.result.name}")


def run_growth(arguments: argparse.Namespace) -> None:
    """Say whether requests cost more with many cases than with few."""
    pace = Pace(arguments.rounds, arguments.seconds)
    grown = [
        growth_of(kind, arguments.cases, pace, kinds_of(arguments), say)
        for kind in arguments.databases.split(",")
    ]
    table = report.of_growth(grown)
    kept = HOME / "growth.json"
    about = {"date": machine.today(), "commit": commit()}
    whole = about | {"grown": [asdict(one) for one in grown]}
    kept.write_text(json.dumps(whole, indent=2) + "\n", "utf-8")
    say(table)
    if arguments.page:
        page.write("growth", f"{about['date']}, commit `{about['commit']}`.\n\n{table}")


def run_smoke(arguments: argparse.Namespace) -> None:
    """Fail where the product costs far more than it did, beside the floor of this run."""
    pace = Pace(2, arguments.seconds)
    place, _ = measure("sqlite", pace, tuple(Kind))
    say("\n".join(report.of_place(place)))
    noise = max(line.noise_of_cpu for line in place.lines)
    if noise > COARSE:
        say(
            f"Noisy: the floor's CPU differs from itself by {noise:.0%}. Nothing is judged."
        )
        return
    slow = [f"{line.kind}: {line.by_cpu:.3f}" for line in place.lines if is_slow(line)]
    if slow:
        raise SystemExit(f"The product costs much more than it did: {', '.join(slow)}")
    say("By CPU, the product costs about what it did, or less.")


def is_slow(line: Line) -> bool:
    """Say whether a request reaches less of the floor by CPU than CI asks for."""
    return line.by_cpu < LEAST[Kind[line.kind[0]]]


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
