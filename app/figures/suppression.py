"""The choice of numbers to show, so that they reveal no count of fewer than 11 people.

A number is left out if it is small with its noise (primary suppression). Further numbers
are left out until each small count can have five values (complementary suppression). This
holds even for a reader who knows the noise of each number, and which numbers are small with
their noise. No response contains either.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Final, NamedTuple

from app.consents.noise import SMALLEST_COUNT
from app.figures.catalogue import TableName
from app.figures.networks import PAIRS, Arc, Network, Node
from app.figures.numbers import (
    SMALLEST_LARGE,
    STEP,
    Number,
    compute_rounded,
    is_large_enough,
)
from app.figures.possible_values import UNLIMITED, Limits, Search

type Noise = Mapping[Number, int]
"""The noise of each number for which a reader can know whether it is small."""

POSSIBLE_VALUES: Final = 5
"""The number of values that each count of fewer than 11 people must be able to have."""
GROUP: Final = "group"


def find_large(network: Network, noise: Noise) -> set[Number]:
    """Return the numbers that are not small with their noise (primary suppression)."""
    return {
        arc.number
        for arc in network
        if arc.number is not None
        and arc.number in noise
        and is_large_enough(arc.count, noise[arc.number])
    }


def remove_revealing(network: Network, noise: Noise, shown: set[Number]) -> bool:
    """Remove numbers from `shown` until each small count can have five values.

    Return False if this is impossible: a count may have fewer possible values even if the
    network shows nothing. Removing a number never takes a possible value away from another
    count.
    """
    is_changed = True
    while is_changed:
        arcs = group_hidden(network, shown)
        is_changed = False
        for index in [index for index, arc in enumerate(arcs) if is_small(arc)]:
            while not (blocking := find_blocking(arcs, noise, shown, index)).is_hidden:
                if not blocking.numbers:
                    return False
                shown.remove(blocking.numbers[0])
                is_changed = True
    return True


class Blocking(NamedTuple):
    """Whether a count is hidden, and otherwise the shown numbers that reveal it."""

    is_hidden: bool
    numbers: list[Number]


def find_blocking(arcs: Network, noise: Noise, shown: set[Number], index: int) -> Blocking:
    """Return whether a count can have five values, and the shown numbers that prevent it.

    The least useful number comes first.
    """
    limits = [compute_limits(arc, noise, shown) for arc in arcs]
    search = Search(limits, [arc.count for arc in arcs])
    found = search.count_values(index, needed=POSSIBLE_VALUES)
    blocking = sorted((arcs[i] for i in found.blocking), key=get_hiding_order)
    numbers = [arc.number for arc in blocking if arc.number and arc.number in shown]
    return Blocking(found.number >= POSSIBLE_VALUES, numbers)


def get_hiding_order(arc: Arc) -> tuple[bool, bool, int, int, str]:
    """Return a sort key that puts the least useful numbers first.

    Totals over countries come first, then cells, subtotals, and the people of a country.
    """
    part, table, cell = arc.number or Number(None, TableName.CASES, ())
    is_people = table is TableName.CASES
    return part is not None, is_people, -len(cell), arc.count, str(cell)


def compute_limits(arc: Arc, noise: Noise, shown: set[Number]) -> Limits:
    """Return the lowest and highest count of an arc for a reader who knows the noise."""
    low, high = arc.low, UNLIMITED if arc.high is None else arc.high
    if arc.number is not None and arc.number in noise:
        own = noise[arc.number]
        value = compute_rounded(arc.count + own)
        if arc.number in shown:
            low = max(low, value - STEP // 2 - own)
            high = min(high, value + STEP // 2 - own)
        elif not is_large_enough(arc.count, own):
            high = min(high, SMALLEST_LARGE - 1 - own)
    return Limits(arc.tail, arc.head, low, high)


def is_small(arc: Arc) -> bool:
    """Return whether an arc counts, or leaves out, fewer than 11 people of its part.

    An arc that is never shown is not small, unless it is the arc of a group.
    """
    if arc.number is None and not is_group(arc):
        return False
    others = None if arc.high is None else arc.high - arc.count
    return arc.count < SMALLEST_COUNT or (others is not None and others < SMALLEST_COUNT)


def group_hidden(network: Network, shown: set[Number]) -> Network:
    """Return the network with an arc for each group of counts that a sum hides together.

    The hidden counts of a sum are a group, if several but not all are hidden. If fewer than
    11 people are outside the largest count of a sum, all other counts are the group, so
    that no reader learns that all people of a country are alike.
    """
    arcs = list(network)
    for node, members in find_sums(network, lambda arc: arc.tail):
        for index in choose_group(network, members, shown):
            arcs[index] = replace(arcs[index], tail=(GROUP, "from", *node))
        arcs += build_group(network, members, shown, node, (GROUP, "from", *node))
    for node, members in find_sums(network, lambda arc: arc.head):
        for index in choose_group(network, members, shown):
            arcs[index] = replace(arcs[index], head=(GROUP, "to", *node))
        arcs += build_group(network, members, shown, (GROUP, "to", *node), node)
    return arcs


def find_sums(
    network: Network, get_node: Callable[[Arc], Node]
) -> Iterator[tuple[Node, list[int]]]:
    """Return the nodes that add counts of different people, and the indexes of the counts.

    Nodes that add fewer than two counts are left out.
    """
    members: dict[Node, list[int]] = defaultdict(list)
    for index, arc in enumerate(network):
        if arc.number is not None and get_node(arc)[0] != PAIRS:
            members[get_node(arc)].append(index)
    return ((node, found) for node, found in members.items() if len(found) > 1)


def choose_group(network: Network, members: list[int], shown: set[Number]) -> list[int]:
    """Return the indexes of the counts that a sum hides together; empty without a group."""
    largest = max(members, key=lambda index: network[index].count)
    others = [index for index in members if index != largest]
    if sum(network[index].count for index in others) < SMALLEST_COUNT:
        return others if len(others) > 1 else []
    hidden = [index for index in members if network[index].number not in shown]
    return hidden if 1 < len(hidden) < len(members) else []


def build_group(
    network: Network, members: list[int], shown: set[Number], tail: Node, head: Node
) -> Network:
    """Return the arc of the group of a sum, or an empty list if there is no group."""
    group = choose_group(network, members, shown)
    return [Arc(tail, head, None, sum(network[i].count for i in group))] if group else []


def is_group(arc: Arc) -> bool:
    """Return whether an arc counts people who are hidden together."""
    return arc.tail[:1] == (GROUP,) or arc.head[:1] == (GROUP,)
