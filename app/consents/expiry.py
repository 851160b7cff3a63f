"""When the end of a consent is announced, and which consents replace it. Pure functions."""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, Protocol
from uuid import UUID

from app.cases.sections import Section
from app.consents.coverage import (
    Asking,
    Given,
    Purpose,
    covered,
    covers,
    names,
    told_by,
)

DAYS_BEFORE: Final = (14, 3, 0)
"""So many days before a consent ends this is announced; 0: when it has ended.

Our own numbers: the first leaves time to meet the person, the second is the last call.
"""


class Ending(Given, Protocol):
    """A consent, with what puts those that end at one moment in an order."""

    @property
    def id(self) -> UUID:
        """Its id."""

    @property
    def recorded_at(self) -> datetime:
        """When it was recorded."""


def list_announcements(expires_at: datetime, speed: int = 1) -> list[tuple[int, datetime]]:
    """List how many days before its end, and when, the end of a consent is announced.

    `speed` is how many times as fast deadlines run: more than 1 in a drill alone.
    """
    return [(days, expires_at - timedelta(days=days) / speed) for days in DAYS_BEFORE]


def last_announcement(
    expires_at: datetime, now: datetime, speed: int = 1
) -> tuple[int, datetime] | None:
    """Return the last announcement that is due by now; None: the end is far away.

    Those before it are not made any more: the worker may have been down meanwhile.
    """
    due = [(d, at) for d, at in list_announcements(expires_at, speed) if at <= now]
    return due[-1] if due else None


def next_announcement(
    expires_at: datetime, now: datetime, speed: int = 1
) -> datetime | None:
    """Return when the end of a consent is announced next; None: it has ended."""
    ahead = [at for _, at in list_announcements(expires_at, speed) if at > now]
    return ahead[0] if ahead else None


def ends_after(other: Ending, consent: Ending) -> bool:
    """Return whether another consent ends later; of one moment, the newer one counts."""

    def rank(one: Ending) -> tuple[datetime, datetime, UUID]:
        return one.expires_at, one.recorded_at, one.id

    return rank(other) > rank(consent)


def is_renewed(consent: Ending, others: Iterable[Ending], asking: Asking | None) -> bool:
    """Return whether other consents that stand and end later cover all that one covers.

    `asking` is about the office that it names, whatever the purpose; None: it names a
    class, and only a consent to the same class, or a wider one, renews it.
    """
    later = [other for other in others if ends_after(other, consent)]
    if asking is None:
        fitting = [other for other in later if names_class(other, consent)]
    else:
        fitting = [other for other in later if names(other, asking.recipient)]
    purposes = map(Purpose, consent.purposes)
    return all(is_renewed_for(purpose, consent, fitting, asking) for purpose in purposes)


def names_class(other: Given, consent: Given) -> bool:
    """Return whether another consent names the class of this one, or a wider one."""
    return (
        other.focal_point_id is None
        and (other.kind, other.country) == (consent.kind, consent.country)
        and other.function in {None, consent.function}
    )


def is_renewed_for(
    purpose: Purpose, consent: Given, later: Iterable[Given], asking: Asking | None
) -> bool:
    """Return whether later consents tell as much for one purpose.

    A consent to return alone is renewed by another to return alone (G09), and one to be
    referred by one that counts in the same country.
    """
    fitting = [other for other in later if purpose in other.purposes]
    if set(consent.purposes) == {Purpose.RETURN}:
        fitting = [other for other in fitting if set(other.purposes) == {purpose}]
    if purpose == Purpose.REFER:
        fitting = [o for o in fitting if o.country in {None, consent.country}]
    told = frozenset[Section]().union(*(told_to(other, asking) for other in fitting))
    return bool(fitting) and told_to(consent, asking) <= told


def told_to(consent: Given, asking: Asking | None) -> frozenset[Section]:
    """Return what a consent tells an office; without one, all that it names."""
    if asking is None:
        return frozenset(map(Section, consent.sections))
    return told_by(consent, asking)


def is_missed(
    consent: Ending,
    others: Iterable[Ending],
    asking: Asking,
    sections: AbstractSet[Section],
) -> bool:
    """Return whether a recipient may be told less once a consent has ended.

    `sections`: those that were sent with what it was
    asked for; without any it can be told the summary alone.
    """
    if asking.purpose not in consent.purposes or not names(consent, asking.recipient):
        return False
    told = covered([one for one in others if ends_after(one, consent)], asking)
    return told is None or not (told_by(consent, asking) & sections) <= told


def find_end_of_cover(
    consents: Iterable[Given], asking: Asking, sections: AbstractSet[Section]
) -> datetime | None:
    """Return until when consents cover these sections, or did; None: they never do.

    Consents that were taken back count for nothing.
    """
    known = list(consents)
    for end in sorted({one.expires_at for one in known}, reverse=True):
        before = replace(asking, now=end - timedelta.resolution)
        if covers(known, before, sections):
            return end
    return None
