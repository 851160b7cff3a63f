"""A check that the journal entries of a record can lead to its present state."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from app.cases import lifecycle as case_lifecycle
from app.handovers import lifecycle as handover_lifecycle
from app.kernel.lifecycle import Table
from app.referrals import lifecycle as referral_lifecycle

type Arrows = Mapping[str, frozenset[tuple[str, str]]]


def list_transitions(table: Table[Any, Any, Any], events: Mapping[Any, str]) -> Arrows:
    """Return the source and target states of each event in a life cycle."""
    found: dict[str, set[tuple[str, str]]] = {}
    for step in table.steps:
        pairs = {(str(source), str(step.target or source)) for source in step.sources}
        found.setdefault(events[step.action], set()).update(pairs)
    return {event: frozenset(pairs) for event, pairs in found.items() if pairs}


LIVES: Final[Mapping[str, tuple[str, Arrows]]] = {
    noun: (str(life.TABLE.start), list_transitions(life.TABLE, life.EVENTS))
    for noun, life in (
        ("cases", case_lifecycle),
        ("referrals", referral_lifecycle),
        ("handovers", handover_lifecycle),
    )
}


def can_reach(noun: str, end: str, events: Iterable[str]) -> bool:
    """Return whether the events, in any order, can lead to a state.

    The order is ignored, because entries have no number on PostgreSQL, and the clocks of
    machines can be wrong. Records without a life cycle always pass.
    """
    if noun not in LIVES:
        return True
    start, ways = LIVES[noun]
    left = Counter(event for event in events if event in ways)
    seen: set[tuple[str, frozenset[tuple[str, int]]]] = set()
    waiting = [(start, left)]
    while waiting:
        state, left = waiting.pop()
        if not left and state == end:
            return True
        here = (state, frozenset(left.items()))
        if here not in seen:
            seen.add(here)
            waiting += (
                (after, left - Counter([event]))
                for event, after in list_next_states(ways, state, left)
            )
    return False


def list_next_states(
    ways: Arrows, state: str, left: Counter[str]
) -> Iterator[tuple[str, str]]:
    """Yield each remaining event that is possible in a state, with the next state."""
    for event in left:
        for source, target in ways[event]:
            if source == state:
                yield event, target
