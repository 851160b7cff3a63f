"""Which changes of the directory take two people: pure.

An administrator may be corrupt: a consulate called an NGO, an office of his own among those
who are asked to lead, a desk that serves nobody. So one person may change what harms nobody
and what protects; everything else takes two, and so does a column nobody thought of (R14).
"""

from datetime import date
from typing import Final

from app.administration.turns import Turn, Values
from app.directory.kinds import Kind

SOURCED: Final = frozenset({"source", "as_of", "confidence"})
OFFICE_ALONE: Final = SOURCED | {"time_zone", "languages"}
COUNTRY_ALONE: Final = SOURCED | {"time_zone", "languages", "routing_reason"}
AGREEMENT_ALONE: Final = SOURCED
CONTACT_ALONE: Final = frozenset({"language", "label"})
KEPT_BY_TWO: Final = frozenset({Kind.DESK, Kind.OVERSIGHT})
"""Without these a case has no owner, or nobody watches: one person cannot end them."""


def of_focal_point(turn: Turn) -> frozenset[str]:
    """Name the columns for which a second person is needed.

    One person may write an office that is not active yet, for nothing is sent to it, and
    may shut one at once, for that can be urgent: but for a desk and for oversight.
    """
    before, after = turn.before, turn.after
    if before is None:
        return frozenset({"active"}) if after["active"] else frozenset()
    grave = turn.changed - OFFICE_ALONE
    if not after["active"] and before["kind"] not in KEPT_BY_TWO:
        grave -= {"active"}
    return grave


def of_country(turn: Turn) -> frozenset[str]:
    """Name the settings for which a second person is needed."""
    return turn.changed - COUNTRY_ALONE


def of_contact(turn: Turn) -> frozenset[str]:
    """Name the columns for which a second person is needed.

    Whoever leads calls away, or shuts them off, silences an office: a case there waits, and
    nobody is told (R53). One person may write a contact that is not active yet.
    """
    if turn.before is None:
        return frozenset({"active"}) if turn.after["active"] else frozenset()
    return turn.changed - CONTACT_ALONE


def of_agreement(turn: Turn) -> frozenset[str]:
    """Name the columns for which a second person is needed.

    One person may narrow it: for fewer countries, from later on, or until sooner.
    """
    grave = turn.changed - AGREEMENT_ALONE
    old, new = turn.before, turn.after
    return frozenset(name for name in grave if old is None or widens(name, old, new))


def widens(name: str, before: Values, after: Values) -> bool:
    """Say whether a column lets more cross a border than it did."""
    old, new = before[name], after[name]
    match name:
        case "countries":
            return not set(new) <= set(old)
        case "in_force_from":
            return bool(new < old)
        case "in_force_until":
            return bool((new or date.max) > (old or date.max))
        case _:
            return True
