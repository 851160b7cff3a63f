"""A comparison of this working tree with another commit: `make bench-against REV=`.

Both products run at the same time, each with its own database, and get the same requests
in turn. The other commit runs from a checkout, with the benchmark of this working tree.
"""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from app.demo.demo_accounts import KZ_LEAD, UZ_OFFICER
from tests.bench.checks import require_answers
from tests.bench.figures import Comparison
from tests.bench.places import PLACES, Place
from tests.bench.processes import CLIENTS, on_core
from tests.bench.rounds import Pace, Say, compare
from tests.bench.servers import Keys, prepare_keys, run_product
from tests.bench.sides import Kind, Side

BENCH: Final = Path("tests", "bench")


@dataclass(frozen=True)
class Change:
    """The cost of one kind of request on one kind of database at two commits."""

    database: str
    kind: Kind
    found: Comparison

    @property
    def times(self) -> float:
        """The CPU time of this working tree, divided by that of the other commit."""
        return 1 / self.found.by_cpu


def prepare_keys_at(root: Path, place: Place) -> Keys:
    """Create the tables with the code in `root`, and return two API keys."""
    command = [sys.executable, "-W", "ignore", "-m", "tests.bench", "keys"]
    arguments = ["--url", place.product, "--folder", str(place.folder)]
    environment = os.environ | {"PYTHONPATH": str(root)}
    done = subprocess.run(
        [*command, *arguments],
        cwd=root,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    submitter, lead = done.stdout.split()
    return {UZ_OFFICER: submitter, KZ_LEAD: lead}


def list_keys(url: str, folder: Path) -> list[str]:
    """Prepare a database, and return the API keys of the submitter and of the lead."""
    keys = prepare_keys(Place("", folder, "", url))
    return [keys[UZ_OFFICER], keys[KZ_LEAD]]


def measure_changes(
    database: str, root: Path, pace: Pace, kinds: Sequence[Kind], say: Say
) -> list[Change]:
    """Compare the cost of requests to this working tree and to the checkout in `root`."""
    make = PLACES[database]
    with make() as old_place, make() as new_place:
        old_keys = prepare_keys_at(root, old_place)
        with (
            run_product(old_place, old_keys, root) as old,
            run_product(new_place) as new,
            on_core(CLIENTS),
        ):
            found = compare_sides(old.side, new.side, pace, kinds, say)
        require_answers(old_place.product, old.side)
        require_answers(new_place.product, new.side)
    return [Change(new_place.kind, kind, one) for kind, one in found.items()]


def compare_sides(
    old: Side, new: Side, pace: Pace, kinds: Sequence[Kind], say: Say
) -> Mapping[Kind, Comparison]:
    """Measure the other commit, this tree, and the other commit again in each round."""
    old.name, new.name = "the other commit", "this tree"
    return compare(old, new, pace, say, kinds)
