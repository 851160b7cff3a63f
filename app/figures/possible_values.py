"""The values of a count that are possible for a reader of the release.

A reader knows the sums, and the limits of each number that is shown. A count can be greater
if more people can flow through its arc, and smaller if people can flow around it. Both are
found by augmenting paths (Ford and Fulkerson), beginning with the real counts. The flow is
integral, so each value between two possible values is possible.
"""

from collections import defaultdict, deque
from collections.abc import Container, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from app.figures.networks import Node

UNLIMITED: Final = 1_000_000_000
"""The highest count of an arc without a limit."""


class Limits(NamedTuple):
    """The end points of an arc, and the lowest and highest count that it can have."""

    tail: Node
    head: Node
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class PossibleValues:
    """The number of possible values of a count, and the arcs that prevent more values."""

    number: int
    blocking: frozenset[int]


class Search:
    """The network of a release, with its limits and the real counts."""

    def __init__(self, arcs: Sequence[Limits], counts: Sequence[int]) -> None:
        """Index the arcs by both end points."""
        self.arcs = arcs
        self.counts = counts
        self.at: dict[Node, list[int]] = defaultdict(list)
        for index, arc in enumerate(arcs):
            self.at[arc.tail].append(index)
            self.at[arc.head].append(index)

    def count_values(self, index: int, *, needed: int) -> PossibleValues:
        """Count the values that an arc can have, until `needed` values are found."""
        arc, count = self.arcs[index], self.counts[index]
        more = min(needed - 1, arc.high - count)
        up, blocking_up = self.push(arc.head, arc.tail, most=more, without=index)
        less = min(needed - 1 - up, count - arc.low)
        down, blocking_down = self.push(arc.tail, arc.head, most=less, without=index)
        blocking = blocking_up | blocking_down
        if up + down < needed - 1:
            blocking |= {index}
        return PossibleValues(1 + up + down, blocking)

    def push(
        self, source: Node, sink: Node, *, most: int, without: int
    ) -> tuple[int, frozenset[int]]:
        """Compute how many people, up to `most`, can move from `source` to `sink`.

        The arc `without` is not used. Return this number, and the arcs that block the
        others, if any.
        """
        flow, pushed = list(self.counts), 0
        while pushed < most:
            came = self.find_reachable(flow, source, sink, without={without})
            if sink not in came:
                return pushed, self.find_blocking(came, without)
            path = list(walk_back(came, sink))
            most_here = min(self.get_room(flow, i, forward=f) for i, f in path)
            amount = min(most - pushed, most_here)
            for i, forward in path:
                flow[i] += amount if forward else -amount
            pushed += amount
        return pushed, frozenset()

    def find_reachable(
        self, flow: list[int], source: Node, sink: Node, *, without: Container[int]
    ) -> dict[Node, tuple[Node, int, bool] | None]:
        """Return the nodes reachable from `source`, with their last steps, up to `sink`."""
        came: dict[Node, tuple[Node, int, bool] | None] = {source: None}
        waiting = deque([source])
        while waiting and sink not in came:
            node = waiting.popleft()
            for index in self.at[node]:
                forward = self.arcs[index].tail == node
                other = self.arcs[index].head if forward else self.arcs[index].tail
                if other in came or index in without:
                    continue
                if self.get_room(flow, index, forward=forward) > 0:
                    came[other] = (node, index, forward)
                    waiting.append(other)
        return came

    def get_room(self, flow: Sequence[int], index: int, *, forward: bool) -> int:
        """Return by how much the flow of an arc can grow, or shrink if not `forward`."""
        arc = self.arcs[index]
        return arc.high - flow[index] if forward else flow[index] - arc.low

    def find_blocking(self, reached: Container[Node], without: int) -> frozenset[int]:
        """Return the arcs between reached and unreached nodes, except the arc `without`."""
        return frozenset(
            index
            for index, arc in enumerate(self.arcs)
            if index != without and (arc.tail in reached) != (arc.head in reached)
        )


def walk_back(
    came: dict[Node, tuple[Node, int, bool] | None], sink: Node
) -> list[tuple[int, bool]]:
    """Return the steps of the path to the reached node `sink`, the last step first."""
    path = []
    step = came[sink]
    while step is not None:
        node, index, forward = step
        path.append((index, forward))
        step = came[node]
    return path
