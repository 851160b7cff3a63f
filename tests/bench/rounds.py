"""The rounds of a run, which measure the floor, Safe Conduct and the floor again."""

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from tests.bench.figures import Comparison, Round, Slice
from tests.bench.sides import Kind, Side

LONGER = 1.5
"""Factor by which submissions are sent longer than acts, because each act needs a case."""
SEEDED = 110
"""The minimum number of cases, so that the second page of events is full, too."""


@dataclass(frozen=True)
class Pace:
    """The number and duration of rounds, and the number of clients."""

    rounds: int
    seconds: float
    clients: int = 8


type Say = Callable[[str], None]


def measure(side: Side, kind: Kind, pace: Pace) -> Slice:
    """Send requests of one kind for a while, and return durations and CPU times."""
    seconds = pace.seconds * (LONGER if kind == Kind.S else 1)
    cpu, beside = side.cpu(), side.database_cpu()
    sample = side.ask(kind, seconds, pace.clients)
    return Slice(
        sample.seconds, tuple(sample.waits), side.cpu() - cpu, side.database_cpu() - beside
    )


def copy_floor(floor: Side) -> Side:
    """Return the floor for its second measurement, with a separate list of cases."""
    return replace(floor, name=f"{floor.name} again", written=deque(), made=0, acted=0)


def prepare(side: Side, pace: Pace, kinds: Iterable[Kind]) -> None:
    """Submit cases until there are enough, then send each other kind for a short time."""
    while side.made < SEEDED:
        side.ask(Kind.S, 1.0, pace.clients)
    for kind in kinds:
        if kind != Kind.S:
            side.ask(kind, 0.3, pace.clients)


def compare(
    floor: Side,
    product: Side,
    pace: Pace,
    say: Say,
    kinds: Sequence[Kind],
) -> Mapping[Kind, Comparison]:
    """Measure each kind on the floor, Safe Conduct and the floor again, in each round."""
    again = copy_floor(floor)
    for side in (floor, product, again):
        prepare(side, pace, kinds)
    rounds: dict[Kind, list[Round]] = {kind: [] for kind in kinds}
    for number in range(1, pace.rounds + 1):
        for kind, done in rounds.items():
            sides = (floor, product, again)
            done.append(Round(*(measure(side, kind, pace) for side in sides)))
            say(format_round(number, kind, done[-1]))
    floor.made, floor.acted = floor.made + again.made, floor.acted + again.acted
    return {kind: Comparison(tuple(done)) for kind, done in rounds.items()}


def format_round(number: int, kind: Kind, done: Round) -> str:
    """Return a line about one round."""
    rps = ", ".join(f"{s.rps:.0f}" for s in (done.floor, done.product, done.again))
    cpu = ", ".join(f"{s.each:.0f}" for s in (done.floor, done.product, done.again))
    return f"  round {number} {kind.name}: {rps} a second; {cpu} us of CPU each"
