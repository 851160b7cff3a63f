"""The effects of missed deadlines agree with a copy of the table in LIFECYCLES.md (4)."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.cases import lifecycle as case_lifecycle
from app.casework.lateness import (
    LATENESS_RULES,
    Effect,
    LatenessRule,
    Noun,
    get_effect,
    get_record_kind,
)
from app.casework.overdue import EFFECTS
from app.deadlines.limits import DeadlineKind
from app.deadlines.miss_counts import Rhythm, compute_next_miss, count_misses
from app.handovers import lifecycle as handover_lifecycle
from app.referrals import lifecycle as referral_lifecycle
from app.returns import lifecycle as return_lifecycle

DUE = datetime(2026, 6, 1, 12, tzinfo=UTC)
HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(days=7)

TABLE = """
    case finish_draft: drop
    case acknowledge: reroute case.not_acknowledged
    case decide_lead: reroute case.not_decided
    case review_risk: remind case.overdue
    case review: remind case.review_due
    case monitor: remind case.overdue
    case review_closure: remind case.overdue
    case erase: erase
    referral finish_draft: drop
    referral acknowledge: expire_at_second referral.not_acknowledged
    referral decide_referral: expire referral.not_decided
    referral answer: expire_at_second referral.not_answered
    referral meet_person: remind referral.overdue
    referral give_feedback: remind referral.overdue
    referral review: remind referral.review_due
    referral confirm_deletion: remind referral.overdue
    handover answer_handover: expire handover.not_decided
    return review: remind return.overdue
    return confirm_arrival: remind return.overdue
    return monitor: remind return.overdue
    approval approve: lapse approval.expired
    question answer: remind case.not_answered
    interests assess_interests: remind case.overdue
    consent consent_ends: announce
    reading decide_emergency_access: end_reading
    reading emergency_access_ends: end_reading
    reading inform_person: remind case.overdue
"""


def test_the_table_is_this_one() -> None:
    rows = [
        f"{noun} {kind}: {late.effect} {late.event or ''}".strip()
        for (noun, kind), late in LATENESS_RULES.items()
    ]

    assert rows == [row.strip() for row in TABLE.strip().splitlines()]


def test_no_clock_of_any_life_cycle_runs_out_for_nothing() -> None:
    set_by_state = {
        *((Noun.CASE, kind) for kind, _ in case_lifecycle.CLOCKS.values()),
        *((Noun.REFERRAL, kind) for kind, _ in referral_lifecycle.CLOCKS.values()),
        *((Noun.HANDOVER, kind) for kind, _ in handover_lifecycle.CLOCKS.values()),
        *((Noun.RETURN, kind) for kind, _ in return_lifecycle.CLOCKS.values()),
    }

    assert set_by_state <= set(LATENESS_RULES)
    assert {kind for _, kind in LATENESS_RULES} == set(DeadlineKind)
    assert {noun for noun, _ in LATENESS_RULES} == set(Noun)
    assert set(EFFECTS) == set(Effect) - {Effect.EXPIRE_AT_SECOND}


@pytest.mark.parametrize(
    "late", LATENESS_RULES.values(), ids=[f"{n}-{k}" for n, k in LATENESS_RULES]
)
def test_help_that_has_begun_is_never_ended_and_a_desk_loses_nothing(
    late: LatenessRule,
) -> None:
    ends = {Effect.REROUTE, Effect.EXPIRE, Effect.DROP, Effect.LAPSE, Effect.ERASE}

    if late.effect == Effect.REMIND:
        for count in (1, 2, 99):
            assert get_effect(late, count, at_desk=False, absent=True) not in ends
    elif late.effect == Effect.REROUTE:
        assert get_effect(late, 1, at_desk=True, absent=True) == Effect.REROUTE
    assert get_effect(late, 9, at_desk=True, absent=False) != Effect.REROUTE


def test_who_is_asked_for_a_referral_is_reminded_once() -> None:
    late = LATENESS_RULES[Noun.REFERRAL, DeadlineKind.ACKNOWLEDGE]

    once, twice, gone = (
        get_effect(late, count, at_desk=False, absent=absent)
        for count, absent in ((1, False), (2, False), (1, True))
    )

    assert (once, twice, gone) == (Effect.REMIND, Effect.EXPIRE, Effect.EXPIRE)


@pytest.mark.parametrize(
    ("reference", "kind", "noun"),
    [
        ("referrals/1", DeadlineKind.ANSWER, Noun.REFERRAL),
        ("handovers/1", DeadlineKind.ANSWER_HANDOVER, Noun.HANDOVER),
        ("returns/1", DeadlineKind.REVIEW, Noun.RETURN),
        ("approvals/1", DeadlineKind.APPROVE, Noun.APPROVAL),
        ("cases/SC-1", DeadlineKind.ANSWER, Noun.QUESTION),
        ("cases/SC-1", DeadlineKind.ASSESS_INTERESTS, Noun.INTERESTS),
        ("cases/SC-1", DeadlineKind.INFORM_PERSON, Noun.READING),
    ],
)
def test_a_clock_says_what_it_is_about(
    reference: str, kind: DeadlineKind, noun: Noun
) -> None:
    assert get_record_kind(reference, kind, of_case=False) == noun
    assert get_record_kind(reference, kind, of_case=True) == Noun.CASE


@pytest.mark.parametrize(
    ("later", "count"),
    [
        (timedelta(seconds=-1), 0),
        (timedelta(), 1),
        (3 * HOUR - timedelta(seconds=1), 1),
        (3 * HOUR, 2),
        (6 * HOUR, 3),
        (9 * HOUR, 3),
        (6 * HOUR + WEEK - timedelta(seconds=1), 3),
        (6 * HOUR + WEEK, 4),
        (6 * HOUR + 10 * WEEK, 13),
    ],
)
def test_three_silences_come_each_in_its_length_and_then_one_a_week(
    later: timedelta, count: int
) -> None:
    assert count_misses(DUE, Rhythm.from_duration(3 * HOUR, HOUR), DUE + later) == count


lengths = st.timedeltas(min_value=HOUR, max_value=timedelta(days=800))
waits = st.timedeltas(min_value=timedelta(), max_value=timedelta(days=3000))


@given(lengths, waits)
def test_the_next_silence_is_the_first_moment_that_counts_one_more(
    length: timedelta, wait: timedelta
) -> None:
    rhythm = Rhythm.from_duration(length, HOUR)
    count = count_misses(DUE, rhythm, DUE + wait)

    after = compute_next_miss(DUE, rhythm, count)

    assert count_misses(DUE, rhythm, after) == count + 1
    assert count_misses(DUE, rhythm, after - timedelta(microseconds=1)) == count
    assert after > DUE + wait


def test_what_had_nothing_left_after_a_pause_gets_what_is_fair() -> None:
    assert Rhythm.from_duration(timedelta(), DAY) == Rhythm(DAY, WEEK)
    assert Rhythm.from_duration(3 * WEEK, DAY) == Rhythm(3 * WEEK, 3 * WEEK)


def test_in_a_drill_silences_come_as_fast_as_deadlines() -> None:
    assert Rhythm.from_duration(DAY / 24, DAY, speed=24) == Rhythm(HOUR, WEEK / 24)
