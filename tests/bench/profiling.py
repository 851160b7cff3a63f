"""Where the product spends its time on one of the five: `make profile WHAT=submit`."""

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from typing import Final

from tests.bench.places import HOME
from tests.bench.processes import ROOT
from tests.bench.rounds import Pace
from tests.bench.servers import BIN, Product
from tests.bench.sides import Kind

A_SECOND: Final = "200"
"""Samples of whichever thread holds the interpreter: what waits costs no CPU."""
TOP: Final = 40
OURS: Final = "(app/"


def profile(product: Product, kind: Kind, pace: Pace) -> Iterator[str]:
    """Ask one of the five, and watch the product meanwhile: py-spy, from outside.

    Attaching needs the right to trace: root, or kernel.yama.ptrace_scope=0.
    """
    side, found = product.side, HOME / f"profile-{kind.name}.txt"
    if kind == Kind.T:
        side.ask(Kind.S, 2 * pace.seconds, pace.clients)
    watch = [
        *(str(BIN / "py-spy"), "record", "--pid", str(product.pid), "--gil", "--function"),
        *("--rate", A_SECOND, "--duration", f"{pace.seconds:.0f}"),
        *("--format", "raw", "--output", str(found)),
    ]
    with subprocess.Popen(watch, stdout=subprocess.DEVNULL) as watching:
        while watching.poll() is None and (kind != Kind.T or side.written):
            side.ask(kind, 1, pace.clients)
    if watching.returncode:
        raise RuntimeError("py-spy could not watch the product.")
    yield from told(found.read_text("utf-8").splitlines())
    yield f"All stacks: {found.relative_to(ROOT)}"


def told(stacks: list[str]) -> Iterator[str]:
    """List the functions that took most: any by itself, ours with what they call."""
    alone, within, total = counted(stacks)
    ours = Counter({name: many for name, many in within.items() if OURS in name})
    libraries = Counter[str]()
    for name, many in alone.items():
        libraries[library_of(name)] += many
    for heading, found in (
        ("by library, by itself", libraries),
        ("by itself", alone),
        ("ours, with what it calls", ours),
    ):
        yield f"\n{heading}, of {total} samples:"
        for name, many in found.most_common(TOP):
            yield f"  {many / total:6.1%}  {name}"


def library_of(frame: str) -> str:
    """Name whose function it is: of `begin (app/kernel/db.py:177)` it is app's."""
    path = frame.rpartition("(")[2].partition(":")[0]
    name = path.partition("/")[0].removesuffix(".py")
    return "python" if name in sys.stdlib_module_names or name[:1] == "<" else name


def counted(stacks: list[str]) -> tuple[Counter[str], Counter[str], int]:
    """Count samples for each function: `outer;inner 12` was seen twelve times."""
    alone, within, total = Counter[str](), Counter[str](), 0
    for stack in stacks:
        path, _, many = stack.rpartition(" ")
        frames = path.split(";")
        alone[frames[-1]] += int(many)
        within.update(dict.fromkeys(frames, int(many)))
        total += int(many)
    return alone, within, total
