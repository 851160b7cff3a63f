"""Pure functions that decide which directory changes need a second person (R14).

An administrator may be corrupt and, for example, register a consulate as an NGO. One person
may therefore make only changes that are harmless or that increase protection.
"""

from datetime import date
from typing import Final

from app.administration.row_changes import RowChange
from app.deadlines.limit_bounds import LimitPriority, get_usual_limit
from app.deadlines.limits import DeadlineKind, Limit, TimeUnit
from app.deadlines.rows import is_of_country
from app.directory.history import Values
from app.directory.kinds import Confidence, OfficeKind

SOURCED: Final = frozenset({"source", "as_of", "confidence"})
OFFICE_ALONE: Final = SOURCED | {"time_zone", "languages"}
COUNTRY_ALONE: Final = SOURCED | {"time_zone", "languages", "routing_reason"}

CONTACT_ALONE: Final = frozenset({"language", "label"})
ENDED_BY_TWO: Final = frozenset({OfficeKind.DESK, OfficeKind.OVERSIGHT})
"""Kinds of office that one person cannot deactivate, because all cases depend on them."""


def list_focal_point_columns(change: RowChange) -> frozenset[str]:
    """Return the changed columns of an office that need a second person.

    One person may add an inactive office. One person may also deactivate an office, because
    that can be urgent. Two people are needed to deactivate a desk or oversight. Two people
    are also needed to mark an active office as fictitious, because the service would then
    not start again.
    """
    before, after = change.before, change.after
    if before is None:
        return frozenset({"active"}) if after["active"] else frozenset()
    guarded = change.changed - OFFICE_ALONE
    if after["active"] and after["confidence"] == Confidence.FICTITIOUS:
        guarded |= change.changed & {"confidence"}
    if not after["active"] and before["kind"] not in ENDED_BY_TWO:
        guarded -= {"active"}
    return guarded


def list_country_columns(change: RowChange) -> frozenset[str]:
    """Return the changed columns of a country that need a second person."""
    return change.changed - COUNTRY_ALONE


def list_contact_columns(change: RowChange) -> frozenset[str]:
    """Return the changed columns of a contact that need a second person.

    If a contact is redirected or deactivated, the office is no longer notified of cases
    (R53). One person may add an inactive contact.
    """
    if change.before is None:
        return frozenset({"active"}) if change.after["active"] else frozenset()
    return change.changed - CONTACT_ALONE


def list_agreement_columns(change: RowChange) -> frozenset[str]:
    """Return the changed columns of an agreement that need a second person.

    One person may restrict an agreement: remove countries, start later, or end earlier.
    """
    guarded = change.changed - SOURCED
    old, new = change.before, change.after
    return frozenset(name for name in guarded if old is None or is_wider(name, old, new))


def list_time_limit_columns(change: RowChange) -> frozenset[str]:
    """Return the changed columns of a time limit that need a second person.

    One person may shorten a limit only if its deadline merely reminds an office. A longer
    limit needs two people, because it makes the person wait longer. A shorter limit of any
    other kind needs two people, because an office would lose a case, referral, draft or
    question earlier, or data would be erased earlier. Two people are also needed if an
    agreement sets no limit before or after the change, because no lengths can be compared.
    """
    guarded = change.changed - SOURCED
    if not guarded & {"amount", "unit"}:
        return frozenset()
    kind = DeadlineKind(change.after["deadline"])
    old = estimate_length(change.before, change.after)
    new = estimate_length(change.after, change.after)
    if kind in REMINDERS and old is not None and new is not None and new <= old:
        return frozenset()
    return guarded


def estimate_length(row: Values | None, named: Values) -> float | None:
    """Return the approximate length of a limit in hours, or None if there is no limit.

    `row` is None if the limit is new. `named` contains the columns `of`, `deadline` and
    `priority` of the limit. If a country sets no limit, the default applies.
    """
    if row is not None and row["amount"] is not None:
        return Limit(row["amount"], TimeUnit(row["unit"])).approximate_hours
    if not is_of_country(named["of"]):
        return None
    usual = get_usual_limit(
        DeadlineKind(named["deadline"]), LimitPriority(named["priority"])
    )
    return usual.approximate_hours


REMINDERS: Final = frozenset(
    {
        DeadlineKind.MEET_PERSON,
        DeadlineKind.GIVE_FEEDBACK,
        DeadlineKind.ANSWER,
        DeadlineKind.REVIEW,
        DeadlineKind.REVIEW_CLOSURE,
        DeadlineKind.CONFIRM_DELETION,
    }
)
"""Kinds of deadlines that only remind the office if they are missed."""


def is_wider(name: str, before: Values, after: Values) -> bool:
    """Return whether the change of a column may let more data cross a border."""
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
