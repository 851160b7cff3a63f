"""The demo journeys, in the order in which they are run."""

from collections.abc import Callable, Collection, Mapping
from enum import StrEnum
from typing import Final

from app.demo import asylum, child, handover, her_no, no_return, regions, silence, worker
from app.demo.demo_users import Demo


class Journey(StrEnum):
    """The name of a journey on the command line."""

    WORKER = "worker"
    CHILD = "child"
    ASYLUM = "asylum"
    HANDOVER = "handover"
    NO_RETURN = "no-return"
    REGIONS = "regions"
    SILENCE = "silence"
    HER_NO = "her-no"


type Play = Callable[[Demo], None]

# fmt: off
JOURNEYS: Final[Mapping[Journey, tuple[str, Play]]] = {
    Journey.WORKER:   ("a worker abroad is referred and helped", worker.play),
    Journey.CHILD:    ("a child without a guardian is protected first", child.play),
    Journey.ASYLUM:   ("the State that a person fears learns nothing", asylum.play),
    Journey.HANDOVER: ("a person goes home, and another lead takes over", handover.play),
    Journey.NO_RETURN: ("a return is stopped because it is not safe", no_return.play),
    Journey.REGIONS:  ("two regions have no agreement with each other", regions.play),
    Journey.SILENCE:  ("offices miss deadlines, and other offices are asked", silence.play),
    Journey.HER_NO:   ("a person withdraws a consent, with immediate effect", her_no.play),
}
# fmt: on


def play(demo: Demo, chosen: Collection[Journey] = ()) -> None:
    """Run the chosen journeys, by default all, and print a line before each journey."""
    for journey, (shows, play_journey) in JOURNEYS.items():
        if not chosen or journey in chosen:
            demo.say(f"\nJourney `{journey}`: {shows}.\n")
            play_journey(demo)
