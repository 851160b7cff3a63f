"""The journeys of the demonstration, in the order they are told."""

from collections.abc import Callable, Collection, Mapping
from enum import StrEnum
from typing import Final

from app.demo import asylum, child, handover, her_no, no_return, regions, silence, worker
from app.demo.players import Troupe


class Journey(StrEnum):
    """Which journey."""

    WORKER = "worker"
    CHILD = "child"
    ASYLUM = "asylum"
    HANDOVER = "handover"
    NO_RETURN = "no-return"
    REGIONS = "regions"
    SILENCE = "silence"
    HER_NO = "her-no"


type Play = Callable[[Troupe], None]

# fmt: off
JOURNEYS: Final[Mapping[Journey, tuple[str, Play]]] = {
    Journey.WORKER:   ("a worker met abroad is referred, helped and followed", worker.play),
    Journey.CHILD:    ("a child without a guardian is protected first", child.play),
    Journey.ASYLUM:   ("who fears their own State is helped without it", asylum.play),
    Journey.HANDOVER: ("a case goes home, from one lead to another", handover.play),
    Journey.NO_RETURN: ("a return stops: nobody is sent back into danger", no_return.play),
    Journey.REGIONS:  ("two regions, three languages, and no agreement yet", regions.play),
    Journey.SILENCE:  ("nobody answers, and the case goes on to who does", silence.play),
    Journey.HER_NO:   ("a person says no, and it holds at once", her_no.play),
}
# fmt: on


def play(troupe: Troupe, chosen: Collection[Journey] = ()) -> None:
    """Play the chosen journeys, or all; each begins with a line of what it shows."""
    for journey, (shows, tell) in JOURNEYS.items():
        if not chosen or journey in chosen:
            troupe.say(f"\nJourney `{journey}`: {shows}.\n")
            tell(troupe)
