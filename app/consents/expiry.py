"""Rules for the announcements of the end of a consent, and for its renewal."""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, Protocol
from uuid import UUID

from app.cases.sections import Section
from app.consents.coverage import (
    CoverageQuestion,
    Given,
    Purpose,
    covers,
    find_covered,
    list_readable,
    matches_recipient,
)

DAYS_BEFORE: Final = (14, 3, 0)
"""The numbers of days before the end of a consent at which the end is announced.

The numbers are our own. The first leaves time to meet the person, the second is a reminder,
and 0 is the end itself.
"""


class Ending(Given, Protocol):
    """A consent that ends, with its id and the time at which it was recorded."""

    @property
    def id(self) -> UUID:
        """The id of the consent."""

    @property
    def recorded_at(self) -> datetime:
        """The time at which the consent was recorded."""


def list_announcements(expires_at: datetime, speed: int = 1) -> list[tuple[int, datetime]]:
    """Return the days before the end and the time of each announcement of a consent's end.

    Deadlines run faster by the factor `speed`, which is more than 1 only in a drill.
    """
    return [(days, expires_at - timedelta(days=days) / speed) for days in DAYS_BEFORE]


def find_last_announcement(
    expires_at: datetime, now: datetime, speed: int = 1
) -> tuple[int, datetime] | None:
    """Return the latest announcement that is due by now, or None if none is due yet."""
    due = [(d, at) for d, at in list_announcements(expires_at, speed) if at <= now]
    return due[-1] if due else None


def find_next_announcement(
    expires_at: datetime, now: datetime, speed: int = 1
) -> datetime | None:
    """Return when the end of a consent is announced next, or None if the end has passed."""
    ahead = [at for _, at in list_announcements(expires_at, speed) if at > now]
    return ahead[0] if ahead else None


def is_later(other: Ending, consent: Ending) -> bool:
    """Return whether another consent ends later, or at the same time but is newer."""

    def rank(one: Ending) -> tuple[datetime, datetime, UUID]:
        return one.expires_at, one.recorded_at, one.id

    return rank(other) > rank(consent)


def is_renewed(
    consent: Ending, others: Iterable[Ending], question: CoverageQuestion | None
) -> bool:
    """Return whether other consents that end later cover everything that `consent` covers.

    If the consent names a class of offices, `question` is None, and only consents that name
    the same class or a wider class renew the consent.
    """
    later = [other for other in others if is_later(other, consent)]
    if question is None:
        fitting = [other for other in later if matches_class(other, consent)]
    else:
        fitting = [other for other in later if matches_recipient(other, question.recipient)]
    purposes = map(Purpose, consent.purposes)
    return all(is_renewed_for(purpose, consent, fitting, question) for purpose in purposes)


def matches_class(other: Given, consent: Given) -> bool:
    """Return whether `other` names the class that `consent` names, or a wider class."""
    return (
        other.focal_point_id is None
        and (other.kind, other.country) == (consent.kind, consent.country)
        and other.function in {None, consent.function}
    )


def is_renewed_for(
    purpose: Purpose,
    consent: Given,
    later: Iterable[Given],
    question: CoverageQuestion | None,
) -> bool:
    """Return whether later consents renew a consent for a purpose, with all its sections.

    A consent that is only for the return is renewed only by another such consent (G09). The
    purpose REFER is renewed only by a consent that counts in the same countries.
    """
    fitting = [other for other in later if purpose in other.purposes]
    if set(consent.purposes) == {Purpose.RETURN}:
        fitting = [other for other in fitting if set(other.purposes) == {purpose}]
    if purpose == Purpose.REFER:
        fitting = [o for o in fitting if o.country in {None, consent.country}]
    told = frozenset[Section]().union(*(list_sections(one, question) for one in fitting))
    return bool(fitting) and list_sections(consent, question) <= told


def list_sections(consent: Given, question: CoverageQuestion | None) -> frozenset[Section]:
    """Return a consent's sections; with `question`, only those that its office may read."""
    if question is None:
        return frozenset(map(Section, consent.sections))
    return list_readable(consent, question)


def is_missed(
    consent: Ending,
    others: Iterable[Ending],
    question: CoverageQuestion,
    sections: AbstractSet[Section],
) -> bool:
    """Return whether the recipient loses coverage of any of `sections` when a consent ends.

    The result is also True if no consent that ends later covers the purpose.
    """
    is_recipient = matches_recipient(consent, question.recipient)
    if question.purpose not in consent.purposes or not is_recipient:
        return False
    told = find_covered([one for one in others if is_later(one, consent)], question)
    return told is None or not (list_readable(consent, question) & sections) <= told


def find_end_of_cover(
    consents: Iterable[Given], question: CoverageQuestion, sections: AbstractSet[Section]
) -> datetime | None:
    """Return the time until which consents cover the sections, or None if they never do.

    The time may be in the past. Withdrawn consents do not count.
    """
    known = list(consents)
    for end in sorted({one.expires_at for one in known}, reverse=True):
        before = replace(question, now=end - timedelta.resolution)
        if covers(known, before, sections):
            return end
    return None
