"""Which changes of the directory take two people: pure.

An administrator may be corrupt: a consulate called an NGO, an office of his own among those
who are asked to lead, a desk that serves nobody. So one person may change what harms nobody
and what protects; everything else takes two, and so does a column nobody thought of (R14).
"""

from datetime import date
from typing import Final

from app.administration.turns import Turn, Values
from app.deadlines.bounds import Haste, usual
from app.deadlines.limits import ClockKind, Limit, Unit
from app.deadlines.rows import is_of_country
from app.directory.kinds import Confidence, Kind

SOURCED: Final = frozenset({"source", "as_of", "confidence"})
OFFICE_ALONE: Final = SOURCED | {"time_zone", "languages"}
COUNTRY_ALONE: Final = SOURCED | {"time_zone", "languages", "routing_reason"}
AGREEMENT_ALONE: Final = SOURCED
CONTACT_ALONE: Final = frozenset({"language", "label"})
ENDED_BY_TWO: Final = frozenset({Kind.DESK, Kind.OVERSIGHT})
"""Without these a case has no owner, or nobody watches: one person cannot end them."""


def of_focal_point(turn: Turn) -> frozenset[str]:
    """Name the columns for which a second person is needed.

    One person may write an office that is not active yet, for nothing is sent to it, and
    may shut one at once, for that can be urgent: but for a desk and for oversight. With an
    active one that is called made up, nothing would be served after a restart.
    """
    before, after = turn.before, turn.after
    if before is None:
        return frozenset({"active"}) if after["active"] else frozenset()
    grave = turn.changed - OFFICE_ALONE
    if after["active"] and after["confidence"] == Confidence.FICTITIOUS:
        grave |= turn.changed & {"confidence"}
    if not after["active"] and before["kind"] not in ENDED_BY_TWO:
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
    return frozenset(name for name in grave if old is None or is_wider(name, old, new))


def of_time_limit(turn: Turn) -> frozenset[str]:
    """Name the columns for which a second person is needed.

    One person may shorten, in a country, what only reminds. Longer, and somebody waits
    longer; shorter where a case, a referral, a draft or a question is taken away when the
    time is up, and it is taken from those who were about to help, or destroyed. What an
    agreement sets comes before what two countries decided: only less of it is one's to say.
    """
    grave = turn.changed - SOURCED
    if not grave & {"amount", "unit"}:
        return frozenset()
    kind = ClockKind(turn.after["clock"])
    old, new = (
        estimate_length(turn.before, turn.after),
        estimate_length(turn.after, turn.after),
    )
    if kind in REMINDERS and old is not None and new is not None and new <= old:
        return frozenset()
    return grave


def estimate_length(row: Values | None, named: Values) -> float | None:
    """Say about how long a row lets somebody wait; None: it depends on other rows."""
    if row is not None and row["amount"] is not None:
        return Limit(row["amount"], Unit(row["unit"])).about
    if not is_of_country(named["of"]):
        return None
    return usual(ClockKind(named["clock"]), Haste(named["priority"])).about


REMINDERS: Final = frozenset(
    {
        *(ClockKind.MEET_PERSON, ClockKind.GIVE_FEEDBACK, ClockKind.ANSWER),
        *(ClockKind.REVIEW, ClockKind.REVIEW_CLOSURE, ClockKind.CONFIRM_DELETION),
    }
)
"""Clocks after which somebody is reminded, and nothing is taken from anybody."""


def is_wider(name: str, before: Values, after: Values) -> bool:
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
