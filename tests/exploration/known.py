"""States from which a case has no way on, and which are known: each with its reason.

An entry whose path does not lead to such a state any more fails a test: take it out then.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from tests.exploration.abstract import Abstract
from tests.exploration.beginnings import BEGINNINGS
from tests.exploration.explore import Finding, Kind, Story
from tests.exploration.moves import WORLD, Move
from tests.exploration.stage import DESK, DESKS, KG, KZ, NGO, UZ

DESK_ALONE: Final = Move(WORLD, "disables", choice=f"{DESK}, second person")
LEADERS_OF: Final = {
    "KZ": frozenset({KZ, NGO}),
    "UZ": frozenset({UZ}),
    "KG": frozenset({KG}),
}
ALONE: Final = (
    Move(WORLD, "shuts", choice=NGO),
    Move(WORLD, "disables", choice=f"{KZ}, second person"),
)
LATER: Final = Move(WORLD, "waits", choice="4 hours")


@dataclass(frozen=True)
class Known:
    """States that are known to be wrong: why, how to come to one, and which are alike."""

    name: str
    reason: str
    path: Story
    kinds: frozenset[Kind]
    is_alike: Callable[[Abstract], bool]


def is_held_by(state: Abstract, offices: frozenset[str]) -> bool:
    """Return whether the office that has the case now is one of these."""
    for relation in ("lead", "candidate", "desk"):
        if holders := state.offices(relation):
            return holders <= offices
    return False


def has_nobody_to_lead(state: Abstract) -> bool:
    """Return whether no office of the country can lead, and none has the lead."""
    unled = is_held_by(state, state.absent | frozenset(DESKS))
    return unled and LEADERS_OF[state.country] <= state.absent


def is_decided_alone(state: Abstract) -> bool:
    """Return whether the office that has to decide has no second person."""
    desks = state.offices("escalation_desk")
    by_lead = is_held_by(state, state.alone)
    by_desk = is_held_by(state, state.absent) and bool(desks & (state.alone | state.absent))
    return by_lead or by_desk


def is_led_alone(state: Abstract) -> bool:
    """Return whether who has the case has no second person, and nobody else can lead."""
    others = LEADERS_OF[state.country] - state.absent - state.alone
    return is_held_by(state, state.alone) and not others


STUCK: Final = frozenset({Kind.STUCK})
ENDED_AS_A_WISH: Final = frozenset({Kind.ONLY_STOP})
KNOWN: Final[tuple[Known, ...]] = (
    Known(
        name="no office of the country can lead",
        reason="the desk can give the lead to nobody, and end the case only as a wish of "
        "the person (ADR 47); no alarm counts offices that are closed: administrators have "
        "to open one again",
        path=(*BEGINNINGS["the only lead is closed"], Move(WORLD, "shuts", choice=NGO)),
        kinds=STUCK | ENDED_AS_A_WISH,
        is_alike=has_nobody_to_lead,
    ),
    Known(
        name="the lead has no second person, and nobody else can lead",
        reason="two people close a case: administrators have to open another account",
        path=(*BEGINNINGS["led on a consent to State offices"], *ALONE),
        kinds=ENDED_AS_A_WISH,
        is_alike=is_led_alone,
    ),
    Known(
        name="the desk beside a lead that is closed has no second person",
        reason="two people of a desk move the lead, and no alarm counts an office with one "
        "person: administrators have to open an account",
        path=(*BEGINNINGS["the only lead is closed"], LATER, DESK_ALONE),
        kinds=STUCK,
        is_alike=is_decided_alone,
    ),
)


def is_known(finding: Finding) -> bool:
    """Return whether a finding is one of those that are known."""
    state = finding.state
    alike = [one for one in KNOWN if finding.kind in one.kinds]
    return state is not None and any(one.is_alike(state) for one in alike)
