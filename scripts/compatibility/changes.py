"""The changes to a contract, their effect on clients, and the messages about them.

The service must still accept the values that clients send today, and may return only values
that clients know today. The direction of a value therefore matters: the schema of a request
may only become wider, and the schema of a response only narrower. A difference that no rule
compares counts as breaking.
"""

from dataclasses import dataclass
from enum import StrEnum, auto
from typing import Final

from compatibility.places import Place

type Node = tuple[Place, ...]
"""A schema: the conjunction of the schemas at these places, as in `allOf`."""


class Direction(StrEnum):
    """The direction of a value, from the point of view of a client."""

    SENT = "Request"
    READ = "Response"


class Effect(StrEnum):
    """How a difference changes the set of values that a schema accepts."""

    WIDER = auto()
    NARROWER = auto()
    OTHER = auto()


@dataclass(frozen=True, order=True)
class Change:
    """A difference between two contracts: place, message, and whether it breaks clients."""

    where: str
    message: str
    breaks: bool


@dataclass(frozen=True)
class Pair:
    """An old and a new schema to compare."""

    old: Node
    new: Node
    direction: Direction


type Difference = Change | Pair
"""A result of a comparison: a change, or two inner schemas that have to be compared."""

BREAKING: Final = {
    (Direction.SENT, Effect.NARROWER): "Requests of clients may be rejected.",
    (Direction.READ, Effect.WIDER): "Clients may receive values that they do not know.",
    (
        Direction.SENT,
        Effect.OTHER,
    ): "Requests of clients may be rejected, or have another meaning.",
    (Direction.READ, Effect.OTHER): "Clients may not understand the response.",
}


def make_change(direction: Direction, effect: Effect, place: Place, what: str) -> Change:
    """Return a change. It breaks clients if `BREAKING` lists its direction and effect."""
    why = BREAKING.get((direction, effect))
    return Change(
        place.pointer, f"{direction}: {what}" + (f" {why}" if why else ""), why is not None
    )


def make_breaking_change(place: Place, message: str) -> Change:
    """Return a change that breaks clients, whether they send or receive the value."""
    return Change(place.pointer, message, breaks=True)


def make_addition(place: Place, message: str) -> Change:
    """Return a change that does not break clients, such as an addition."""
    return Change(place.pointer, message, breaks=False)
