"""Pure functions that choose between the limits of countries, agreements and the default.

An agreement in force between the country where the person is and the country of the office
that has to act comes first. The limit of the office's country comes next, then the default.
The retention of a closed case follows other rules: see `get_retention_limit`.
"""

from collections.abc import Collection
from dataclasses import dataclass

from app.deadlines.limit_bounds import LimitPriority, get_limit_priority
from app.deadlines.limits import DeadlineKind, Limit, Priority, get_default_limit


@dataclass(frozen=True)
class Setting:
    """A limit that a country, or the parties of an agreement in force, have set."""

    of: str
    deadline: DeadlineKind
    priority: LimitPriority
    limit: Limit
    parties: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Border:
    """The country where the person is, and the country of the office that has to act."""

    where: str | None
    home: str | None


def get_answer_limit(
    kind: DeadlineKind,
    priority: Priority | None,
    border: Border,
    known: Collection[Setting],
) -> Limit:
    """Return an office's time limit, or the shortest limit if several agreements apply."""
    relevant = select_settings(kind, priority, known)
    where, home = border.where, border.home
    if where and home and where != home:
        agreed = [one.limit for one in relevant if {where, home} <= one.parties]
        if agreed:
            return min(agreed, key=estimate_hours)
    own = [one.limit for one in relevant if one.of == home]
    return own[0] if own else get_default_limit(kind, priority)


def get_retention_limit(
    priority: Priority | None,
    where: str | None,
    others: Collection[str],
    settings: Collection[Setting],
) -> Limit:
    """Return the retention of a closed case, as set by the country where the person is.

    An agreement with the country of another office of the case can shorten the retention,
    but not extend it, because data is kept no longer than its purpose requires (IOM
    principle 9).
    """
    relevant = select_settings(DeadlineKind.ERASE, priority, settings)
    own = [one.limit for one in relevant if one.of == where]
    shared = frozenset(others) - {where}
    with_country = [one for one in relevant if where in one.parties]
    agreed = [one.limit for one in with_country if one.parties & shared]
    first = own[0] if own else get_default_limit(DeadlineKind.ERASE, priority)
    return min([first, *agreed], key=estimate_hours)


def select_settings(
    kind: DeadlineKind, priority: Priority | None, settings: Collection[Setting]
) -> list[Setting]:
    """Select the settings for a deadline and a priority."""
    cell = (kind, get_limit_priority(kind, priority))
    return [one for one in settings if (one.deadline, one.priority) == cell]


def estimate_hours(limit: Limit) -> float:
    """Return the approximate length of a limit in hours, as a sort key."""
    return limit.approximate_hours
