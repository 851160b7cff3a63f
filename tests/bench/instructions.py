"""A comparison of instructions with another commit: `make bench-instructions REV=`.

Valgrind counts the instructions that a process executes for a request. Unlike CPU time, the
count does not depend on other load on the machine, so a difference of half a per cent can
be seen. The count does not include the work of the kernel and of PostgreSQL.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from app.demo.demo_accounts import KZ_LEAD, UZ_OFFICER
from tests.bench.against import prepare_keys_at
from tests.bench.places import PLACES, Place
from tests.bench.processes import ROOT
from tests.bench.rounds import Say
from tests.bench.servers import Keys, get_environment
from tests.bench.sides import Kind

REQUESTS: Final = 40
"""The number of requests whose instructions are counted."""
TOTAL: Final = re.compile(r"Collected : ([0-9]+)")


@dataclass(frozen=True)
class Instructions:
    """The instructions of one kind of request, in another commit and this working tree."""

    database: str
    kind: Kind
    before: float
    now: float


def install_valgrind() -> None:
    """Install the Debian package `valgrind` if it is missing.

    Raises CalledProcessError if the installation fails.
    """
    if not shutil.which("callgrind_control"):
        subprocess.run(["apt-get", "install", "--yes", "valgrind"], check=True)


def compare_instructions(
    database: str, root: Path, kinds: Sequence[Kind], say: Say
) -> list[Instructions]:
    """Count instructions of requests to this working tree and to the checkout in `root`."""
    make = PLACES[database]
    with make() as old_place, make() as new_place:
        old_keys = prepare_keys_at(root, old_place)
        new_keys = prepare_keys_at(ROOT, new_place)
        found = []
        for kind in kinds:
            before = count_instructions(root, old_place, old_keys, kind)
            now = count_instructions(ROOT, new_place, new_keys, kind)
            found.append(Instructions(new_place.kind, kind, before, now))
            say(f"  {kind}: {before:,.0f}, {now:,.0f}")
    return found


def count_instructions(root: Path, place: Place, keys: Keys, kind: Kind) -> float:
    """Return the number of instructions for one request, with the code in `root`.

    Raises RuntimeError if the process fails.
    """
    counted = ["--tool=callgrind", "--instr-atstart=no"]
    counted += [f"--callgrind-out-file={place.folder / 'callgrind'}"]
    program = [sys.executable, "-W", "ignore", "-m", "tests.bench.counted"]
    own = {
        **get_environment(place),
        "PYTHONPATH": str(root),
        "SUBMITTER": keys[UZ_OFFICER],
        "LEAD": keys[KZ_LEAD],
    }
    done = subprocess.run(
        ["valgrind", *counted, *program, kind, str(REQUESTS)],
        cwd=root,
        env=os.environ | own,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    total = TOTAL.search(done.stderr)
    if done.returncode or total is None:
        raise RuntimeError(f"The process failed:\n{done.stderr[-2000:]}")
    return int(total[1]) / REQUESTS
