"""Whether entries can have led a record from its start to the state it is in."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from app.cases import lifecycle as cases
from app.handovers import lifecycle as handovers
from app.kernel.lifecycle import Table
from app.referrals import lifecycle as referrals

type Arrows = Mapping[str, frozenset[tuple[str, str]]]


def arrows(table: Table[Any, Any, Any], events: Mapping[Any, str]) -> Arrows:
    """Say from where to where each event leads."""
    found: dict[str, set[tuple[str, str]]] = {}
    for step in table.steps:
        pairs = {(str(source), str(step.target or source)) for source in step.sources}
        found.setdefault(events[step.action], set()).update(pairs)
    return {event: frozenset(pairs) for event, pairs in found.items() if pairs}


LIVES: Final[Mapping[str, tuple[str, Arrows]]] = {
    noun: (str(life.TABLE.start), arrows(life.TABLE, life.EVENTS))
    for noun, life in (("cases", cases), ("referrals", referrals), ("handovers", handovers))
}


def walks(noun: str, end: str, events: Iterable[str]) -> bool:
    """Say whether all these events, in some order, lead to this end; True: nobody knows.

    In some order: on PostgreSQL entries have no number, and machines' clocks are wrong.
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
                for event, after in steps(ways, state, left)
            )
    return False


def steps(ways: Arrows, state: str, left: Counter[str]) -> Iterator[tuple[str, str]]:
    """List the events that are left and begin in this state, and where each leads."""
    for event in left:
        for source, target in ways[event]:
            if source == state:
                yield event, target
