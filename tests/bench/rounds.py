"""Floor, product, floor again, for each of the five; some rounds of it."""

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from tests.bench.figures import Comparison, Round, Slice
from tests.bench.sides import Kind, Side

LONGER = 1.5
"""Submissions go on for so much longer than acts, which need a case each."""
SEEDED = 110
"""Cases that are there at least, so that a page of events is full."""


@dataclass(frozen=True)
class Pace:
    """How much is asked."""

    rounds: int
    seconds: float
    clients: int = 8


type Say = Callable[[str], None]


def measured(side: Side, kind: Kind, pace: Pace) -> Slice:
    """Ask one of the five for a while, and say what it cost."""
    seconds = pace.seconds * (LONGER if kind == Kind.S else 1)
    cpu, beside = side.cpu(), side.beside()
    sample = side.ask(kind, seconds, pace.clients)
    return Slice(
        sample.seconds, tuple(sample.waits), side.cpu() - cpu, side.beside() - beside
    )


def again_of(floor: Side) -> Side:
    """Make the same floor once more, with cases of its own to act on."""
    return replace(floor, name=f"{floor.name} again", written=deque(), made=0, acted=0)


def warm(side: Side, pace: Pace) -> None:
    """Ask everything once, until there is enough to read."""
    while side.made < SEEDED:
        side.ask(Kind.S, 1.0, pace.clients)
    for kind in Kind:
        if kind != Kind.S:
            side.ask(kind, 0.3, pace.clients)


def compare(
    floor: Side, product: Side, pace: Pace, say: Say, kinds: Iterable[Kind] = Kind
) -> Mapping[Kind, Comparison]:
    """Ask the five of both in turn."""
    again = again_of(floor)
    for side in (floor, product, again):
        warm(side, pace)
    rounds: dict[Kind, list[Round]] = {kind: [] for kind in kinds}
    for number in range(1, pace.rounds + 1):
        for kind, done in rounds.items():
            sides = (floor, product, again)
            done.append(Round(*(measured(side, kind, pace) for side in sides)))
            say(line(number, kind, done[-1]))
    floor.made, floor.acted = floor.made + again.made, floor.acted + again.acted
    return {kind: Comparison(tuple(done)) for kind, done in rounds.items()}


def line(number: int, kind: Kind, done: Round) -> str:
    """Tell how one round went."""
    rps = ", ".join(f"{s.rps:.0f}" for s in (done.floor, done.product, done.again))
    cpu = ", ".join(f"{s.each:.0f}" for s in (done.floor, done.product, done.again))
    return f"  round {number} {kind.name}: {rps} a second; {cpu} us of CPU each"
