"""What a difference is to clients, and in which words they are told.

One principle: what clients sent until now is accepted, and what they are answered is what
they already knew. So it matters which way a schema travels: what clients send may only get
wider, and what they read only narrower. What this check does not understand breaks.
"""

from dataclasses import dataclass
from enum import StrEnum, auto
from typing import Final

from compatibility.places import Place

type Node = tuple[Place, ...]
"""A schema: all of these places together, as `allOf` says it."""


class Way(StrEnum):
    """Which way a value travels, seen from the client."""

    SENT = "In what clients send"
    READ = "In what clients read"


class Effect(StrEnum):
    """What a difference does to the set of values that a schema lets pass."""

    WIDER = auto()
    NARROWER = auto()
    OTHER = auto()


@dataclass(frozen=True, order=True)
class Change:
    """A difference between two contracts, where it is, and whether it breaks clients."""

    where: str
    says: str
    breaks: bool


@dataclass(frozen=True)
class Pair:
    """Two schemas to compare: of then and of now."""

    old: Node
    new: Node
    way: Way


type Step = Change | Pair
"""What comparing two things comes to: a change, or two schemas to compare as well."""

BREAKING: Final = {
    (Way.SENT, Effect.NARROWER): "What clients send may be refused.",
    (Way.READ, Effect.WIDER): "Clients may meet what they do not know.",
    (Way.SENT, Effect.OTHER): "What clients send may be refused, or mean something else.",
    (Way.READ, Effect.OTHER): "Clients may not understand it.",
}


def told(way: Way, effect: Effect, place: Place, what: str) -> Change:
    """Judge a difference of a schema by the way its values travel."""
    why = BREAKING.get((way, effect))
    return Change(
        place.pointer, f"{way}: {what}" + (f" {why}" if why else ""), why is not None
    )


def breaks(place: Place, says: str) -> Change:
    """Say that something breaks clients, whichever way it travels."""
    return Change(place.pointer, says, breaks=True)


def adds(place: Place, says: str) -> Change:
    """Say that something is new, and that nobody needs to know it."""
    return Change(place.pointer, says, breaks=False)
