"""Rules for how well a focal point fits a routing question, and what excludes it.

Rule numbers refer to LIFECYCLES.md, section 8.
"""

from datetime import timedelta
from enum import IntEnum
from typing import Final

from app.directory.kinds import (
    OfficeKind,
    has_language,
    is_at_home,
    is_blocked,
    is_of_origin,
    is_serving,
)
from app.routing.question import Profile, Question

type Key = tuple[int | str, ...]

RELIABLE_FOR: Final = timedelta(days=1)
COUNTS_FOR: Final = timedelta(days=7)
"""The time for which a count of free places is used. The count is reliable for the time
`RELIABLE_FOR`, and an estimate after that. No source gives these numbers."""


class Room(IntEnum):
    """The likelihood of a free place, estimated from the last count."""

    FREE = 0
    FREE_LATELY = 1
    NOT_KNOWN = 2
    FULL_LATELY = 3
    FULL = 4


def is_in_country(question: Question, profile: Profile) -> bool:
    """Return whether an office belongs to the person's country and works there (rule 2)."""
    country = question.country
    return is_at_home(profile, country) and is_serving(profile, country)


def can_help(profile: Profile) -> bool:
    """Return whether an office can help a person. Desks and oversight bodies cannot."""
    return profile.kind not in {OfficeKind.DESK, OfficeKind.OVERSIGHT}


def is_near(question: Question, profile: Profile) -> bool:
    """Return whether an office can help, and belongs to the country or works there."""
    country = question.country
    of_it = is_at_home(profile, country) or is_serving(profile, country)
    return can_help(profile) and of_it


def is_safe(question: Question, profile: Profile) -> bool:
    """Return whether an office is neither listed as unsafe nor blocked (rules 1, 4)."""
    blocked = is_blocked(
        profile, origin_blocked=question.origin_blocked, origin=question.origin
    )
    return profile.code not in question.unsafe and not blocked


def may_lead(question: Question, profile: Profile) -> bool:
    """Return whether an office is safe and may be informed about the person."""
    return profile.id in question.consented and is_safe(question, profile)


def may_serve(question: Question, profile: Profile) -> bool:
    """Return whether an office is safe and may be informed in order to give a service.

    The State of origin may be informed only if the person permitted it (ORIGIN_PERMITTED).
    """
    settled = question.origin_permitted or not is_of_origin(
        profile, question.origin, question.country
    )
    return may_lead(question, profile) and settled


def is_avoided(question: Question, profile: Profile) -> bool:
    """Return whether an office belongs to a State that routing avoids (rule 6)."""
    return profile.kind == OfficeKind.STATE and profile.of_state in question.avoided


def is_within_reach(question: Question, profile: Profile) -> bool:
    """Return whether an office is within reach, and so may receive more than the summary.

    Either the office is based in the person's country, or agreements cover its countries.
    """
    if is_at_home(profile, question.country):
        return True
    beyond = {profile.of_state} if profile.of_state else set(profile.serves)
    return bool(beyond) and beyond <= question.agreed


def may_serve_sex(question: Question, profile: Profile) -> bool:
    """Return whether an office serves the person's sex; True if either is unknown."""
    return not (question.sex and profile.sexes) or question.sex in profile.sexes


def may_serve_age(question: Question, profile: Profile) -> bool:
    """Return whether an office may serve all ages in the question, or has named no ages."""
    return not profile.ages or question.ages <= profile.ages


def estimate_room(question: Question, profile: Profile) -> Room:
    """Estimate how likely a free place is; ignore counts that are old or in the future."""
    if profile.capacity is None or profile.capacity_as_of is None:
        return Room.NOT_KNOWN
    age = question.now - profile.capacity_as_of
    if not timedelta() <= age <= COUNTS_FOR:
        return Room.NOT_KNOWN
    if age <= RELIABLE_FOR:
        return Room.FREE if profile.capacity else Room.FULL
    return Room.FREE_LATELY if profile.capacity else Room.FULL_LATELY


def build_fit_key(question: Question, profile: Profile) -> Key:
    """Return the sort key of an office. In an emergency, open offices come first."""
    known_closed = {True: 0, None: 1, False: 2}[profile.open]
    return (
        known_closed if question.is_emergency else 0,
        -len(question.services & profile.services),
        rank_match(
            may_serve_sex(question, profile), known=bool(question.sex and profile.sexes)
        ),
        rank_match(may_serve_age(question, profile), known=bool(profile.ages)),
        not has_language(profile.languages, question.language),
        estimate_room(question, profile),
        profile.code,
    )


def rank_match(serves: bool, *, known: bool) -> int:  # noqa: FBT001 - its main argument
    """Return 0 if an office is known to suit, 1 if it may suit, and 2 if it does not."""
    return (0 if known else 1) if serves else 2
