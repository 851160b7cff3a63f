"""A comparison of the cost of requests with many cases and with ten thousand cases."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Final

from sqlalchemy import text

from app.demo.demo_accounts import HN_OFFICER, JM_OFFICER, KG_OFFICER, UZ_OFFICER
from tests.bench.checks import CASES, connect, count_cases, require_answers, select_numbers
from tests.bench.client import load
from tests.bench.figures import NOISE_LIMIT, Comparison
from tests.bench.filling import copy_cases, count_rows
from tests.bench.goals import GROWTH, Verdict, assess
from tests.bench.places import HOME, Place, start_cluster
from tests.bench.processes import CLIENTS, ROOT, on_core
from tests.bench.rounds import Pace, compare
from tests.bench.servers import prepare_keys, run_product
from tests.bench.sides import PAGE, Kind, Side, make_case

SMALL: Final = 10_000
WHERE: Final = (
    (UZ_OFFICER, "KZ", 200),
    (HN_OFFICER, "GT", 100),
    (JM_OFFICER, "TT", 60),
    (KG_OFFICER, "KG", 40),
)
"""Submitters, countries and numbers of cases. All other cases are copies of these."""
RECIPE: Final = ("filling.py", "growing.py")
READ: Final = 0.7
"""The share of the cases in Kazakhstan that are acknowledged."""
STAND: Final = """
    SELECT value, head FROM epoch, mailbox
    JOIN focal_point ON focal_point.id = focal_point_id WHERE code = 'KZ_LEAD'"""
DELIVERIES: Final = "SELECT count(*) FROM delivery"
RUNNING: Final = "SELECT count(*) FROM clock WHERE stopped_at IS NULL"

type Say = Callable[[str], None]


def make_folder(kind: str, cases: int) -> Path:
    """Create and return the folder of a filled database.

    The name depends on the number of cases, the newest migration and the code that fills
    the database. That code also runs in checkouts of earlier commits, so the newest
    migration is found by its file name.
    """
    newest = max(path.name for path in (ROOT / "migrations" / "versions").glob("*.py"))
    recipe = b"".join((ROOT / "tests" / "bench" / name).read_bytes() for name in RECIPE)
    digest = hashlib.sha256(recipe).hexdigest()[:8]
    folder = HOME / f"filled-{kind}-{newest[:4]}-{digest}-{cases}"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextmanager
def prepare_sqlite(cases: int, say: Say) -> Iterator[Place]:
    """Yield an SQLite file with `cases` cases, which the next run reuses."""
    folder = make_folder("sqlite", cases)
    place = Place("SQLite", folder, "", f"sqlite:///{folder / 'product.db'}")
    if not (folder / "whole").exists():
        for left in folder.iterdir():
            left.unlink()
        fill(place, cases, say)
        (folder / "whole").touch()
    yield place


@contextmanager
def prepare_postgresql(cases: int, say: Say) -> Iterator[Place]:
    """Yield a PostgreSQL database with `cases` cases. The next run reuses the database."""
    folder = make_folder("postgresql", cases)
    with start_cluster(folder) as server:
        place = Place("PostgreSQL", folder, "", server.get_url("product"), server.pid)
        if not (folder / "whole").exists():
            server.run_sql("DROP DATABASE IF EXISTS product WITH (FORCE)")
            (folder / "keys").unlink(missing_ok=True)
            server.run_sql("CREATE DATABASE product")
            fill(place, cases, say)
            (folder / "whole").touch()
        yield place


FILLED: Final = {"sqlite": prepare_sqlite, "postgresql": prepare_postgresql}


def fill(place: Place, cases: int, say: Say) -> None:
    """Create some cases through the service, and copy them to get `cases` cases."""
    say(f"{place.kind}: writing {cases} cases")
    keys = prepare_keys(place)
    before = count_rows(place.product)
    with run_product(place, keys) as product:
        for officer, country, many in WHERE:
            side = replace(product.side, submitter=keys[officer], body=make_case(country))
            write(side, many)
            if officer == UZ_OFFICER:
                acts = islice(side.list_acts(), int(many * READ))
                load(side.port, acts, 200, clients=4)
    copy_cases(place.product, before, cases, say)


def write(side: Side, many: int) -> None:
    """Submit `many` cases."""
    sample = load(
        side.port,
        islice(side.list_submissions(), many),
        201,
        clients=4,
        seconds=600,
        keep=True,
    )
    side.record(sample)


@contextmanager
def serve_filled(place: Place) -> Iterator[Side]:
    """Serve a filled database, and yield a side that polls near the end of the feed."""
    with run_product(place) as product:
        epoch, position = get_position(place.product)
        side, cases = product.side, count_sizes(place.product)["cases"]
        side.name = f"{cases} cases"
        side.cursor = f"{epoch}.{position}"
        side.start = f"{epoch}.{position - 2 * PAGE}"
        yield side


def get_position(url: str) -> tuple[str, int]:
    """Return the epoch and the newest position in the feed of the lead."""
    with connect(url) as connection:
        epoch, position = connection.execute(text(STAND)).one()
    return epoch, position


@dataclass(frozen=True)
class Grown:
    """The cost of one kind of request with few and with many cases, and their ratio."""

    kind: str
    few: float
    many: float
    times: float
    noise: float
    reached: Verdict


@dataclass(frozen=True)
class GrowthResult:
    """The comparison of few and many cases on one kind of database."""

    database: str
    few: Mapping[str, int]
    many: Mapping[str, int]
    lines: list[Grown]
    checked: list[str]


def measure_growth(
    kind: str, cases: int, pace: Pace, kinds: Sequence[Kind], say: Say
) -> GrowthResult:
    """Compare the cost of the given kinds of requests with few and with many cases."""
    filled = FILLED[kind]
    with filled(SMALL, say) as few, filled(cases, say) as many:
        before = [count_cases(place.product) for place in (few, many)]
        sizes = count_sizes(few.product), count_sizes(many.product)
        with serve_filled(few) as small, serve_filled(many) as large, on_core(CLIENTS):
            found = compare(small, large, pace, say, kinds)
            checked = [
                require_answers(few.product, small, before[0]),
                require_answers(many.product, large, before[1]),
            ]
    lines = [make_grown(one, comparison) for one, comparison in found.items()]
    return GrowthResult(
        database=few.kind, few=sizes[0], many=sizes[1], lines=lines, checked=checked
    )


def count_sizes(url: str) -> dict[str, int]:
    """Return the numbers of cases, deliveries and running deadlines."""
    cases, deliveries, clocks = select_numbers(url, CASES, DELIVERIES, RUNNING)
    return {"cases": cases, "deliveries": deliveries, "running deadlines": clocks}


def make_grown(kind: Kind, found: Comparison) -> Grown:
    """Return the growth of the cost of one kind of request.

    CPU times are compared, because other load on the machine affects them least.
    """
    noise, times = found.noise_of_cpu, 1 / found.by_cpu
    return Grown(
        kind=f"{kind.name} {kind}",
        few=found.floor.cpu,
        many=found.product.cpu,
        times=times,
        noise=noise,
        reached=assess(GROWTH, times, noisy=noise > NOISE_LIMIT),
    )
