"""The functions that run the commands of the benchmark."""

import argparse
import json
import sys
import time
from dataclasses import asdict

from tests.bench import machine, page, report
from tests.bench.against import BENCH, list_keys, measure_changes
from tests.bench.checks import require_answers
from tests.bench.goals import CI_GOALS, CI_NOISE_LIMIT
from tests.bench.growing import measure_growth
from tests.bench.instructions import compare_instructions, install_valgrind
from tests.bench.peers.comparison import format_peers, measure_peer
from tests.bench.places import HOME, PLACES
from tests.bench.processes import CLIENTS, measure_memory, on_core
from tests.bench.profiling import record_profile
from tests.bench.result import Line, PlaceResult, Result, Start, make_place_result
from tests.bench.rounds import Pace, compare, prepare
from tests.bench.servers import Product, run_floor, run_product
from tests.bench.sides import Kind
from tests.support.checkouts import check_out
from tests.support.results import describe_commit

REST = 2.0
"""Seconds without requests, in which the CPU use of an idle product is measured."""


def show(text: str) -> None:
    """Print a line, and flush the output."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def measure_rest(product: Product) -> float:
    """Return the CPU milliseconds that Safe Conduct uses in a second without requests."""
    before = product.side.cpu()
    time.sleep(REST)
    return (product.side.cpu() - before) / REST * 1000


def measure(
    kind: str, pace: Pace, kinds: tuple[Kind, ...]
) -> tuple[PlaceResult, dict[str, float]]:
    """Measure one kind of database, and return its result and the limits of the client."""
    with (
        PLACES[kind]() as place,
        run_floor(place) as floor,
        run_product(place) as product,
        on_core(CLIENTS),
    ):
        show(f"{place.kind}: ready after {product.ready_after:.1f} s")
        used, idle = product.side.cpu(), measure_memory(product.pid)
        client = machine.measure_client(floor, place.folder)
        rest = measure_rest(product)
        found = compare(floor, product.side, pace, show, kinds)
        start = Start(
            ready=product.ready_after,
            ready_cpu=used,
            idle=idle,
            loaded=measure_memory(product.pid),
            idle_cpu=rest,
        )
        checked = [
            require_answers(place.floor_url, floor),
            require_answers(place.product, product.side),
        ]
        return make_place_result(place.kind, found, start, checked), client


def get_kinds(arguments: argparse.Namespace) -> tuple[Kind, ...]:
    """Return the kinds of requests that the arguments name."""
    return tuple(Kind[name] for name in arguments.requests)


def run(arguments: argparse.Namespace) -> None:
    """Measure on each kind of database, print the tables, and store the result."""
    pace = Pace(arguments.rounds, arguments.seconds)
    places, client = list[PlaceResult](), dict[str, float]()
    for kind in arguments.databases.split(","):
        place, client = measure(kind, pace, get_kinds(arguments))
        places.append(place)
        show("\n".join(report.format_place(place)) + "\n")
    result = Result(
        date=machine.get_date(),
        commit=describe_commit(),
        machine=machine.describe(),
        pace=asdict(pace),
        client=client,
        places=places,
    )
    arguments.result.write_text(json.dumps(result.as_json(), indent=2) + "\n", "utf-8")
    table = report.format_result(result)
    show(table)
    if arguments.page:
        page.write("measured", table)
    show(f"Result: {arguments.result.name}")


def run_growth(arguments: argparse.Namespace) -> None:
    """Compare the cost of requests with few and with many cases."""
    pace = Pace(arguments.rounds, arguments.seconds)
    grown = [
        measure_growth(kind, arguments.cases, pace, get_kinds(arguments), show)
        for kind in arguments.databases.split(",")
    ]
    table = report.format_growth(grown)
    kept = HOME / "growth.json"
    about = {"date": machine.get_date(), "commit": describe_commit()}
    whole = about | {"grown": [asdict(one) for one in grown]}
    kept.write_text(json.dumps(whole, indent=2) + "\n", "utf-8")
    show(table)
    if arguments.page:
        page.write("growth", f"{about['date']}, commit `{about['commit']}`.\n\n{table}")


def run_against(arguments: argparse.Namespace) -> None:
    """Compare the cost of requests to this working tree and to another commit."""
    pace, kinds = Pace(arguments.rounds, arguments.seconds), get_kinds(arguments)
    with check_out(arguments.revision, HOME, BENCH) as root:
        changes = [
            change
            for database in arguments.databases.split(",")
            for change in measure_changes(database, root, pace, kinds, show)
        ]
    show(report.format_changes(changes))


def run_instructions(arguments: argparse.Namespace) -> None:
    """Compare the instructions of requests to this working tree and to another commit."""
    install_valgrind()
    with check_out(arguments.revision, HOME, BENCH) as root:
        found = [
            one
            for database in arguments.databases.split(",")
            for one in compare_instructions(database, root, get_kinds(arguments), show)
        ]
    show(report.format_instructions(found))


def run_peers(arguments: argparse.Namespace) -> None:
    """Compare the cost of requests with that of a service on another framework."""
    pace = Pace(arguments.rounds, arguments.seconds)
    found = [
        result
        for database in arguments.databases.split(",")
        for result in measure_peer(database, pace, show)
    ]
    table = format_peers(found)
    show(table)
    if arguments.page:
        about = f"{machine.get_date()}, commit `{describe_commit()}`"
        page.write("peers", f"{about}; {machine.describe()}.\n\n{table}")


def run_keys(arguments: argparse.Namespace) -> None:
    """Prepare a database with the code of this working tree, and print two API keys."""
    show("\n".join(list_keys(arguments.url, arguments.folder)))


def run_smoke(arguments: argparse.Namespace) -> None:
    """Run a short benchmark, and fail if Safe Conduct costs much more CPU than before.

    Raises SystemExit in that case. A noisy run is not judged.
    """
    pace = Pace(2, arguments.seconds)
    place, _ = measure("sqlite", pace, tuple(CI_GOALS))
    show("\n".join(report.format_place(place)))
    noise = max(line.noise_of_cpu for line in place.lines)
    if noise > CI_NOISE_LIMIT:
        show(f"Noisy: the floor's CPU differs from itself by {noise:.0%}. Not judged.")
        return
    slow = [f"{line.kind}: {line.by_cpu:.3f}" for line in place.lines if is_slow(line)]
    if slow:
        raise SystemExit(f"The product costs much more CPU than before: {', '.join(slow)}")
    show("The product does not cost much more CPU than before.")


def is_slow(line: Line) -> bool:
    """Return whether a kind of request uses more CPU than its goal in CI allows."""
    return line.by_cpu < CI_GOALS[Kind[line.kind[0]]]


def run_profile(arguments: argparse.Namespace) -> None:
    """Profile Safe Conduct during one kind of request."""
    pace = Pace(1, arguments.seconds)
    with (
        PLACES[arguments.database]() as place,
        run_product(place) as product,
        on_core(CLIENTS),
    ):
        prepare(product.side, pace, [Kind(arguments.what)])
        for line in record_profile(product, Kind(arguments.what), pace):
            show(line)
