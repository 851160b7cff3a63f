"""Tests of the warnings before a consent expires, and of newer consents that replace it."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.cases.sections import Section
from app.consents.coverage import CoverageQuestion, GivenBy, Purpose, covers
from app.consents.expiry import (
    find_end_of_cover,
    find_last_announcement,
    find_next_announcement,
    is_missed,
    is_renewed,
)
from app.directory.kinds import OfficeFunction, OfficeKind

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
END = NOW + timedelta(days=30)
DAY = timedelta(days=1)
S, P = Section, Purpose
FIRST, OFFICE = UUID(int=1), UUID(int=7)


@dataclass(frozen=True)
class Word:
    """A consent of a person.

    By default, it allows non-State offices in Kazakhstan to give shelter.
    """

    id: UUID = FIRST
    focal_point_id: UUID | None = None
    kind: OfficeKind | None = OfficeKind.NON_STATE
    function: OfficeFunction | None = None
    country: str | None = "KZ"
    purposes: tuple[str, ...] = (P.SHELTER,)
    sections: tuple[str, ...] = (S.NEEDS, S.CONTACT)
    given_by: GivenBy = GivenBy.PERSON
    expires_at: datetime = END
    withdrawn_at: datetime | None = None
    recorded_at: datetime = NOW


@dataclass(frozen=True)
class Office:
    """An office; by default it is an NGO's shelter in Kazakhstan."""

    id: UUID = OFFICE
    kind: OfficeKind = OfficeKind.NON_STATE
    function: OfficeFunction = OfficeFunction.SHELTER
    of_state: str | None = None
    serves: tuple[str, ...] = ("KZ",)


WORD, LATER = Word(), Word(UUID(int=2), expires_at=END + DAY)
SHELTER: Any = Office()
ASKING = CoverageQuestion(SHELTER, P.SHELTER, NOW, child=False)
BOTH = frozenset({S.NEEDS, S.CONTACT})


def build_named_consent(office: Office, **changes: Any) -> Any:
    """Return a consent that names one office and, by default, ends a day after `END`."""
    return replace(
        LATER, focal_point_id=office.id, kind=None, country=None, function=None, **changes
    )


@pytest.mark.parametrize(
    ("left", "last", "ahead"),
    [
        (15 * DAY, None, 14),
        (14 * DAY, 14, 3),
        (3 * DAY + timedelta(seconds=1), 14, 3),
        (3 * DAY, 3, 0),
        (timedelta(seconds=1), 3, 0),
        (timedelta(), 0, None),
        (-9 * DAY, 0, None),
    ],
)
def test_the_end_is_announced_14_and_3_days_before_and_then(
    left: timedelta, last: int | None, ahead: int | None
) -> None:
    now = END - left

    due, following = find_last_announcement(END, now), find_next_announcement(END, now)

    assert (due and due[0]) == last
    assert following == (None if ahead is None else END - ahead * DAY)


@given(st.integers(0, 60 * 24 * 60), st.integers(1, 5000))
def test_each_moment_is_after_the_last_announcement_and_before_the_next(
    minutes: int, speed: int
) -> None:
    now = END - timedelta(minutes=minutes)

    last, following = (
        find_last_announcement(END, now, speed),
        find_next_announcement(END, now, speed),
    )

    assert last is None or last[1] <= now
    assert following is None or now < following <= END
    assert (following is None) == (now >= END)


@pytest.mark.parametrize(
    ("other", "renews"),
    [
        (LATER, True),
        (replace(LATER, sections=(S.NEEDS, S.CONTACT, S.HEALTH)), True),
        (replace(LATER, purposes=(P.SHELTER, P.MEDICAL)), True),
        (replace(LATER, sections=(S.NEEDS,)), False),
        (replace(LATER, purposes=(P.MEDICAL,)), False),
        (replace(LATER, country="UZ"), False),
        (replace(LATER, kind=OfficeKind.STATE), False),
        (replace(LATER, function=OfficeFunction.SHELTER), False),
        (replace(LATER, expires_at=END - DAY), False),
        (replace(LATER, expires_at=END), True),
        (replace(LATER, expires_at=END, id=UUID(int=0)), False),
        (build_named_consent(SHELTER), False),
    ],
)
def test_a_class_is_renewed_by_what_names_as_many_for_as_much_and_longer(
    other: Any, *, renews: bool
) -> None:
    word: Any = WORD

    assert is_renewed(word, [word, other], None) == renews


def test_two_consents_can_renew_one_together() -> None:
    word: Any = WORD
    parts: list[Any] = [replace(LATER, sections=(name,)) for name in (S.NEEDS, S.CONTACT)]

    assert is_renewed(word, parts, None)
    assert not is_renewed(word, parts[:1], None)


@pytest.mark.parametrize(
    ("other", "renews"),
    [
        (build_named_consent(SHELTER), True),
        (build_named_consent(Office(UUID(int=8))), False),
        (LATER, True),
        (replace(LATER, function=OfficeFunction.SHELTER), True),
        (replace(LATER, kind=OfficeKind.STATE), False),
    ],
)
def test_an_office_is_named_by_itself_or_by_its_class(other: Any, *, renews: bool) -> None:
    word = build_named_consent(SHELTER, expires_at=END)

    assert is_renewed(word, [other], ASKING) == renews


def test_a_class_of_state_bodies_does_not_renew_a_name_that_an_ngo_wrote_down() -> None:
    state: Any = Office(kind=OfficeKind.STATE, of_state="KZ")
    word = build_named_consent(state, expires_at=END, sections=(S.IDENTITY,))
    wide: Any = replace(LATER, kind=OfficeKind.STATE, sections=(S.IDENTITY,))
    asking = CoverageQuestion(state, P.SHELTER, NOW, child=False, from_ngo=True)

    assert not is_renewed(word, [wide], asking)
    assert is_renewed(word, [wide], replace(asking, from_ngo=False))


def test_to_return_and_to_be_referred_are_renewed_by_what_counts_for_them() -> None:
    home: Any = replace(WORD, purposes=(P.RETURN,))
    mixed: Any = replace(LATER, purposes=(P.RETURN, P.SHELTER))
    named = build_named_consent(SHELTER, expires_at=END, purposes=(P.REFER,))
    elsewhere: Any = replace(LATER, purposes=(P.REFER,))

    assert not is_renewed(home, [mixed], None)
    assert is_renewed(home, [replace(mixed, purposes=(P.RETURN,))], None)
    assert not is_renewed(named, [elsewhere], ASKING)
    assert is_renewed(named, [build_named_consent(SHELTER, purposes=(P.REFER,))], ASKING)


@pytest.mark.parametrize(
    ("others", "misses"),
    [
        ([], True),
        ([LATER], False),
        ([build_named_consent(SHELTER)], False),
        ([replace(LATER, sections=(S.NEEDS,))], True),
        ([replace(LATER, purposes=(P.MEDICAL,))], True),
        ([replace(LATER, withdrawn_at=NOW)], True),
        ([replace(LATER, given_by=GivenBy.GUARDIAN_WITH_ASSENT)], True),
    ],
)
def test_a_recipient_misses_what_no_other_consent_tells_it(
    others: list[Any], *, misses: bool
) -> None:
    word: Any = WORD

    assert is_missed(word, [word, *others], ASKING, BOTH) == misses


def test_nobody_misses_a_consent_that_is_about_something_or_somebody_else() -> None:
    word: Any = WORD
    nothing: Any = replace(LATER, sections=())
    police: Any = Office(kind=OfficeKind.STATE, of_state="KZ")

    assert not is_missed(word, [], replace(ASKING, purpose=P.MEDICAL), BOTH)
    assert not is_missed(word, [], replace(ASKING, recipient=police), BOTH)
    assert not is_missed(word, [nothing], ASKING, frozenset())


days = st.integers(-40, 40)
words = st.builds(
    lambda left, sections, back: replace(
        WORD,
        expires_at=NOW + left * DAY,
        sections=tuple(sections),
        withdrawn_at=NOW if back else None,
    ),
    days,
    st.sets(st.sampled_from([S.NEEDS, S.CONTACT])),
    st.booleans(),
)


@given(st.lists(words, max_size=5))
def test_a_referral_is_covered_until_that_moment_and_not_from_then_on(
    consents: list[Any],
) -> None:
    until = find_end_of_cover(consents, ASKING, BOTH)

    moments = [one.expires_at + off for one in consents for off in (-DAY / 2, DAY / 2)]
    for moment in moments:
        covered = covers(consents, replace(ASKING, now=moment), BOTH)
        assert covered == (until is not None and moment < until)
