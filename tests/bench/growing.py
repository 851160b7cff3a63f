"""Whether a request costs as much with a million cases as with ten thousand."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Final

from sqlalchemy import text

from app.demo.cast import HN_OFFICER, JM_OFFICER, KG_OFFICER, UZ_OFFICER
from app.kernel.migrations import head
from tests.bench.checks import CASES, asked, connected, must_hold, there
from tests.bench.client import load
from tests.bench.figures import AGREE, Comparison
from tests.bench.filling import counts, multiply
from tests.bench.goals import GROWTH, Verdict, judged
from tests.bench.places import HOME, Place, cluster
from tests.bench.processes import CLIENTS, ROOT, on_core
from tests.bench.rounds import Pace, compare
from tests.bench.servers import keys_of, product_side
from tests.bench.sides import PAGE, Kind, Side, case_in

SMALL: Final = 10_000
WHERE: Final = (
    (UZ_OFFICER, "KZ", 200),
    (HN_OFFICER, "GT", 100),
    (JM_OFFICER, "TT", 60),
    (KG_OFFICER, "KG", 40),
)
"""Who submits from where, and how many: not every office has as much to do. Of these cases
all others are copies."""
RECIPE: Final = ("filling.py", "growing.py")
READ: Final = 0.7
"""How many of those in Kazakhstan somebody has read."""
STAND: Final = """
    SELECT value, head FROM epoch, mailbox
    JOIN focal_point ON focal_point.id = focal_point_id WHERE code = 'KZ_LEAD'"""
DELIVERIES: Final = "SELECT count(*) FROM delivery"
RUNNING: Final = "SELECT count(*) FROM clock WHERE stopped_at IS NULL"

type Say = Callable[[str], None]


def folder_of(kind: str, cases: int) -> Path:
    """Name where what is filled is kept: by its tables, and by how it is filled."""
    recipe = b"".join((ROOT / "bench" / name).read_bytes() for name in RECIPE)
    digest = hashlib.sha256(recipe).hexdigest()[:8]
    folder = HOME / f"filled-{kind}-{head()}-{digest}-{cases}"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextmanager
def sqlite_filled(cases: int, say: Say) -> Iterator[Place]:
    """Take a file with so many cases; it is kept for the next run."""
    folder = folder_of("sqlite", cases)
    place = Place("SQLite", folder, "", f"sqlite:///{folder / 'product.db'}")
    if not (folder / "whole").exists():
        for left in folder.iterdir():
            left.unlink()
        fill(place, cases, say)
        (folder / "whole").touch()
    yield place


@contextmanager
def postgresql_filled(cases: int, say: Say) -> Iterator[Place]:
    """Take a database with so many cases; it is kept for the next run."""
    folder = folder_of("postgresql", cases)
    with cluster(folder) as server:
        place = Place("PostgreSQL", folder, "", server.url("product"), server.pid)
        if not (folder / "whole").exists():
            server.asked("DROP DATABASE IF EXISTS product WITH (FORCE)")
            (folder / "keys").unlink(missing_ok=True)
            server.asked("CREATE DATABASE product")
            fill(place, cases, say)
            (folder / "whole").touch()
        yield place


FILLED: Final = {"sqlite": sqlite_filled, "postgresql": postgresql_filled}


def fill(place: Place, cases: int, say: Say) -> None:
    """Write some cases through the service, then copies of them until there are so many."""
    say(f"{place.kind}: filling in {cases} cases")
    keys = keys_of(place)
    before = counts(place.product)
    with product_side(place, keys) as product:
        for officer, country, many in WHERE:
            side = replace(product.side, submitter=keys[officer], body=case_in(country))
            write(side, many)
            if officer == UZ_OFFICER:
                acts = islice(side.acts(), int(many * READ))
                load(side.port, acts, 200, clients=4)
    multiply(place.product, before, cases, say)


def write(side: Side, many: int) -> None:
    """Submit so many cases."""
    sample = load(
        side.port, islice(side.submissions(), many), 201, clients=4, seconds=600, keep=True
    )
    side.keep(sample)


@contextmanager
def standing(place: Place) -> Iterator[Side]:
    """Serve what is filled, to a poller that is nearly up to date."""
    with product_side(place) as product:
        epoch, position = stand_of(place.product)
        side, cases = product.side, size_of(place.product)["cases"]
        side.name = f"{cases} cases"
        side.cursor = f"{epoch}.{position}"
        side.start = f"{epoch}.{position - 2 * PAGE}"
        yield side


def stand_of(url: str) -> tuple[str, int]:
    """Say how far the mailbox of the lead has come."""
    with connected(url) as connection:
        epoch, position = connection.execute(text(STAND)).one()
    return epoch, position


@dataclass(frozen=True)
class Grown:
    """What one request costs with many cases, in times of what it costs with few."""

    kind: str
    few: float
    many: float
    times: float
    noise: float
    reached: Verdict


@dataclass(frozen=True)
class OfGrowth:
    """What growth costs on one kind of database."""

    database: str
    few: Mapping[str, int]
    many: Mapping[str, int]
    lines: list[Grown]
    checked: list[str]


def growth_of(
    kind: str, cases: int, pace: Pace, kinds: Iterable[Kind], say: Say
) -> OfGrowth:
    """Ask the five of few cases and of many, in turn; the few stand for the floor."""
    filled = FILLED[kind]
    with filled(SMALL, say) as few, filled(cases, say) as many:
        before = [there(place.product) for place in (few, many)]
        sizes = size_of(few.product), size_of(many.product)
        with standing(few) as small, standing(many) as large, on_core(CLIENTS):
            found = compare(small, large, pace, say, kinds)
            checked = [
                must_hold(few.product, small, before[0]),
                must_hold(many.product, large, before[1]),
            ]
    lines = [grown(one, comparison) for one, comparison in found.items()]
    return OfGrowth(few.kind, sizes[0], sizes[1], lines, checked)


def size_of(url: str) -> dict[str, int]:
    """Count what there is many of."""
    cases, deliveries, clocks = asked(url, CASES, DELIVERIES, RUNNING)
    return {"cases": cases, "deliveries": deliveries, "clocks that run": clocks}


def grown(kind: Kind, found: Comparison) -> Grown:
    """Judge one request, by CPU: requests a second tell more of the neighbours."""
    noise, times = found.noise_of_cpu, 1 / found.by_cpu
    verdict = judged(GROWTH, times, noisy=noise > AGREE)
    few, many = found.floor.cpu, found.product.cpu
    return Grown(f"{kind.name} {kind}", few, many, times, noise, verdict)
