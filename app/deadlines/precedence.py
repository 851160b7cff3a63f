"""Which limit counts, of those that countries and agreements set: pure.

An agreement in force between the country where the person is and that of the office waited
for; else what the country of the office set; else the default. How long a closed case is
kept is another question: see `kept_for`.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from app.deadlines.bounds import Haste, haste_of
from app.deadlines.limits import ClockKind, Limit, Priority, default

NOWHERE: Final = frozenset[str]()


@dataclass(frozen=True)
class Setting:
    """A limit that a country set, or the parties of an agreement that is in force."""

    of: str
    clock: ClockKind
    haste: Haste
    limit: Limit
    parties: frozenset[str] = NOWHERE


@dataclass(frozen=True)
class Border:
    """Where the person is, and of which country the office is that is waited for."""

    where: str | None
    home: str | None


def asked_of(
    kind: ClockKind,
    priority: Priority | None,
    border: Border,
    settings: Collection[Setting],
) -> Limit:
    """Say how long an office has; of two agreements the shorter one counts."""
    mine = about(kind, priority, settings)
    where, home = border.where, border.home
    if where and home and where != home:
        agreed = [one.limit for one in mine if {where, home} <= one.parties]
        if agreed:
            return min(agreed, key=length)
    own = [one.limit for one in mine if one.of == home]
    return own[0] if own else default(kind, priority)


def kept_for(
    priority: Priority | None,
    where: str | None,
    others: Collection[str],
    settings: Collection[Setting],
) -> Limit:
    """Say how long a closed case is kept: as the country says where the person is.

    An agreement with the country of another office that had part in the case can shorten
    that and never lengthen it: data is kept no longer than its purpose asks (IOM principle
    9), and whom it is shared with is no purpose.
    """
    mine = about(ClockKind.ERASE, priority, settings)
    own = [one.limit for one in mine if one.of == where]
    shared = frozenset(others) - {where}
    agreed = [one.limit for one in mine if where in one.parties and one.parties & shared]
    first = own[0] if own else default(ClockKind.ERASE, priority)
    return min([first, *agreed], key=length)


def about(
    kind: ClockKind, priority: Priority | None, settings: Collection[Setting]
) -> list[Setting]:
    """Choose what was set for a clock, for such a priority."""
    haste = haste_of(kind, priority)
    return [one for one in settings if (one.clock, one.haste) == (kind, haste)]


def length(limit: Limit) -> float:
    """Compare limits by about how long they are."""
    return limit.about
