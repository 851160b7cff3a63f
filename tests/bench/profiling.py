"""The profile of Safe Conduct during one kind of request: `make profile WHAT=submit`."""

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
"""Samples per second of the thread that holds the interpreter lock."""
TOP: Final = 40
OURS: Final = "(app/"


def record_profile(product: Product, kind: Kind, pace: Pace) -> Iterator[str]:
    """Send one kind of request while py-spy samples Safe Conduct, and yield its lines.

    py-spy must run as root, or kernel.yama.ptrace_scope must be 0. Raises RuntimeError if
    py-spy fails.
    """
    side, found = product.side, HOME / f"profile-{kind.name}.txt"
    if kind == Kind.T:
        side.ask(Kind.S, 2 * pace.seconds, pace.clients)
    watch = [
        str(BIN / "py-spy"),
        "record",
        "--gil",
        "--function",
        f"--pid={product.pid}",
        f"--rate={A_SECOND}",
        f"--duration={pace.seconds:.0f}",
        "--format=raw",
        f"--output={found}",
    ]
    with subprocess.Popen(watch, stdout=subprocess.DEVNULL) as watching:
        while watching.poll() is None and (kind != Kind.T or side.written):
            side.ask(kind, 1, pace.clients)
    if watching.returncode:
        raise RuntimeError("py-spy could not attach to the product.")
    yield from format_profile(found.read_text("utf-8").splitlines())
    yield f"All stacks: {found.relative_to(ROOT)}"


def format_profile(stacks: list[str]) -> Iterator[str]:
    """Yield three tables of samples: by library, by function, and by function of `app`.

    In the last table, the samples of a function include those of the functions it calls.
    """
    alone, within, total = count_samples(stacks)
    own = Counter({name: many for name, many in within.items() if OURS in name})
    libraries = Counter[str]()
    for name, many in alone.items():
        libraries[get_library(name)] += many
    for heading, found in (
        ("by library, own time", libraries),
        ("by function, own time", alone),
        ("our functions, with their calls", own),
    ):
        yield f"\n{heading}, of {total} samples:"
        for name, many in found.most_common(TOP):
            yield f"  {many / total:6.1%}  {name}"


def get_library(frame: str) -> str:
    """Return the library of a stack frame: `app` for `begin (app/kernel/db.py:177)`.

    It is `python` for the standard library, and for code such as `<string>`.
    """
    path = frame.rpartition("(")[2].partition(":")[0]
    name = path.partition("/")[0].removesuffix(".py")
    return "python" if name in sys.stdlib_module_names or name[:1] == "<" else name


def count_samples(stacks: list[str]) -> tuple[Counter[str], Counter[str], int]:
    """Count the samples of each function, without and with its calls, and all samples.

    The line `outer;inner 12` stands for 12 samples of `inner`, called by `outer`.
    """
    alone, within, total = Counter[str](), Counter[str](), 0
    for stack in stacks:
        path, _, many = stack.rpartition(" ")
        frames = path.split(";")
        alone[frames[-1]] += int(many)
        within.update(dict.fromkeys(frames, int(many)))
        total += int(many)
    return alone, within, total
