"""The comparison of Safe Conduct with a peer, a service on Django REST framework.

The floor, Safe Conduct, the peer and the floor again get the same requests in turn. Safe
Conduct and the peer are compared with the floor, and their CPU times with each other.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from tests.bench.checks import require_answers
from tests.bench.figures import NOISE_LIMIT, Comparison, Round
from tests.bench.goals import Goal, Verdict, assess
from tests.bench.peers.server import run_peer
from tests.bench.places import PLACES
from tests.bench.processes import CLIENTS, on_core
from tests.bench.report import format_table
from tests.bench.rounds import Pace, Say, copy_floor, measure, prepare
from tests.bench.servers import run_floor, run_product
from tests.bench.sides import Kind, Side

KINDS: Final = (Kind.S, Kind.P)
"""The requests that the peer answers."""
PEER_GOALS: Final = {Kind.P: Goal(0.5, 0)}
"""The highest allowed ratio of the CPU time of Safe Conduct to that of the peer."""
HEADS: Final = (
    "database",
    "request",
    "floor, rps",
    "DRF, rps",
    "product, rps",
    "floor, CPU us",
    "DRF, CPU us",
    "product, CPU us",
    "product by DRF",
    "at most",
    "reached",
    "floor, apart from itself",
)


@dataclass(frozen=True)
class PeerResult:
    """The costs of one kind of request on one kind of database."""

    database: str
    kind: Kind
    product: Comparison
    peer: Comparison

    @property
    def times(self) -> float:
        """Safe Conduct's CPU time per request, divided by the peer's (median of rounds)."""
        pairs = zip(self.product.rounds, self.peer.rounds, strict=True)
        return median(ours.product.each / its.product.each for ours, its in pairs)

    @property
    def reached(self) -> Verdict:
        """The verdict on the goal for CPU time, `FREE` without a goal, or `NOISY`."""
        noisy = self.product.noise_of_cpu > NOISE_LIMIT
        return assess(PEER_GOALS.get(self.kind), self.times, noisy=noisy)


def compare_peer(
    sides: tuple[Side, Side, Side], pace: Pace, say: Say
) -> Mapping[Kind, tuple[Comparison, Comparison]]:
    """Measure the floor, Safe Conduct, the peer and the floor again in each round."""
    floor, product, peer = sides
    again = copy_floor(floor)
    for side in (*sides, again):
        prepare(side, pace, KINDS)
    rounds: dict[Kind, list[tuple[Round, Round]]] = {kind: [] for kind in KINDS}
    for number in range(1, pace.rounds + 1):
        for kind, done in rounds.items():
            order = (floor, product, peer, again)
            one, ours, its, other = [measure(side, kind, pace) for side in order]
            done.append((Round(one, ours, other), Round(one, its, other)))
            costs = ", ".join(f"{found.each:.0f}" for found in (one, ours, its, other))
            say(f"  round {number} {kind.name}: {costs} us of CPU each")
    floor.made += again.made
    return {kind: compare_rounds(done) for kind, done in rounds.items()}


def compare_rounds(done: Iterable[tuple[Round, Round]]) -> tuple[Comparison, Comparison]:
    """Return the comparisons of Safe Conduct and of the peer with the floor."""
    ours, its = zip(*done, strict=True)
    return Comparison(ours), Comparison(its)


def measure_peer(database: str, pace: Pace, say: Say) -> list[PeerResult]:
    """Measure the floor, Safe Conduct and the peer on one kind of database."""
    with (
        PLACES[database]() as place,
        run_floor(place) as floor,
        run_product(place) as product,
        run_peer(place) as peer,
        on_core(CLIENTS),
    ):
        found = compare_peer((floor, product.side, peer), pace, say)
        require_answers(place.floor_url, floor)
        require_answers(place.product, product.side)
    return [PeerResult(place.kind, kind, *both) for kind, both in found.items()]


def format_peers(results: Sequence[PeerResult]) -> str:
    """Return the table of all results."""
    return "\n".join(format_table(HEADS, [format_peer(one) for one in results])) + "\n"


def format_peer(result: PeerResult) -> tuple[str, ...]:
    """Return the cells of the row for one kind of request on one kind of database."""
    floor, product, peer = result.product.floor, result.product.product, result.peer.product
    goal = PEER_GOALS.get(result.kind)
    return (
        result.database,
        f"{result.kind.name} {result.kind}",
        *(f"{figure.rps:.0f}" for figure in (floor, peer, product)),
        *(f"{figure.cpu:.0f}" for figure in (floor, peer, product)),
        f"{result.times:.2f}",
        f"{goal.least:.2f}" if goal else "",
        result.reached,
        f"{result.product.noise_of_cpu:.1%}",
    )
