"""Tests of the precedence of time limits, and of the limits that may be set."""

from typing import Any, Final

import pytest
from pydantic import ValidationError

from app.administration.cell_values import validate_row
from app.deadlines.limit_bounds import (
    FIXED,
    LimitPriority,
    find_fault,
    get_usual_limit,
    list_priorities,
)
from app.deadlines.limits import (
    DeadlineKind,
    Limit,
    Priority,
    TimeUnit,
    days,
    get_default_limit,
    hours,
    months,
    working_days,
)
from app.deadlines.precedence import Border, Setting, get_answer_limit, get_retention_limit
from app.deadlines.rows import TimeLimitRow

K: Final = DeadlineKind
KZ: Final = Setting("KZ", K.ANSWER_HANDOVER, LimitPriority.NORMAL, working_days(8))
UZ: Final = Setting("UZ", K.ANSWER_HANDOVER, LimitPriority.NORMAL, working_days(7))
BOTH: Final = frozenset({"KZ", "UZ"})
TREATY: Final = Setting(
    "KZ_UZ", K.ANSWER_HANDOVER, LimitPriority.NORMAL, working_days(6), BOTH
)
PACT: Final = Setting(
    "ASIA", K.ANSWER_HANDOVER, LimitPriority.NORMAL, days(7), frozenset({"KG", "KZ", "UZ"})
)
SETTINGS: Final = [KZ, UZ, TREATY, PACT]


@pytest.mark.parametrize(
    ("where", "home", "limit"),
    [
        ("KZ", "UZ", days(7)),
        ("UZ", "KZ", days(7)),
        ("KG", "UZ", days(7)),
        ("UZ", "UZ", working_days(7)),
        ("KZ", "KZ", working_days(8)),
        ("JM", "UZ", working_days(7)),
        ("KZ", "JM", working_days(10)),
        ("KZ", None, working_days(10)),
        (None, "UZ", working_days(7)),
    ],
)
def test_an_agreement_comes_before_the_country_of_the_office_and_that_before_the_default(
    where: str | None, home: str | None, limit: Limit
) -> None:
    found = get_answer_limit(
        K.ANSWER_HANDOVER, Priority.NORMAL, Border(where, home), SETTINGS
    )

    assert found == limit


def test_of_two_agreements_the_shorter_counts_whichever_comes_first() -> None:
    border = Border("KZ", "UZ")

    found = [
        get_answer_limit(K.ANSWER_HANDOVER, Priority.NORMAL, border, settings)
        for settings in ([TREATY, PACT], [PACT, TREATY])
    ]

    assert found == [days(7), days(7)]


@pytest.mark.parametrize("priority", [Priority.EMERGENCY, Priority.URGENT])
def test_what_is_set_for_one_priority_says_nothing_of_another(priority: Priority) -> None:
    found = get_answer_limit(K.ANSWER_HANDOVER, priority, Border("KZ", "UZ"), SETTINGS)

    assert found == get_default_limit(K.ANSWER_HANDOVER, priority)


def erase(of: str, count: int, *parties: str) -> Setting:
    return Setting(of, K.ERASE, LimitPriority.ANY, months(count), frozenset(parties))


@pytest.mark.parametrize(
    ("settings", "others", "kept"),
    [
        ([], {"UZ"}, 24),
        ([erase("KZ", 36)], {"UZ"}, 36),
        ([erase("UZ", 6)], {"UZ"}, 24),
        ([erase("KZ_UZ", 12, "KZ", "UZ")], {"KZ", "UZ"}, 12),
        ([erase("KZ_UZ", 12, "KZ", "UZ")], {"KZ"}, 24),
        ([erase("KZ_UZ", 60, "KZ", "UZ")], {"UZ"}, 24),
        ([erase("KZ", 36), erase("KZ_UZ", 30, "KZ", "UZ")], {"UZ"}, 30),
        ([erase("KZ", 6), erase("KZ_UZ", 12, "KZ", "UZ")], {"UZ"}, 6),
        ([erase("KG_UZ", 6, "KG", "UZ")], {"KG", "UZ"}, 24),
    ],
)
def test_an_agreement_can_shorten_how_long_a_case_is_kept_and_never_lengthen_it(
    settings: list[Setting], others: set[str], kept: int
) -> None:
    assert get_retention_limit(Priority.URGENT, "KZ", others, settings) == months(kept)


def build_row(**said: Any) -> TimeLimitRow:
    cells: dict[str, Any] = {
        "of": "KZ",
        "deadline": "acknowledge",
        "priority": "normal",
        "amount": 2,
        "unit": "working_days",
        "confidence": "configured",
    }
    return validate_row(TimeLimitRow, cells | said)


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"amount": None, "unit": None},
        {"priority": "emergency", "amount": 5, "unit": "hours"},
        {"deadline": "erase", "priority": "any", "amount": 120, "unit": "months"},
        {"deadline": "give_feedback", "priority": "urgent", "amount": 5},
        {"of": "KZ_UZ"},
    ],
    ids=str,
)
def test_a_limit_within_its_bounds_is_taken(said: dict[str, Any]) -> None:
    assert build_row(**said).reference.count("/") == 2


@pytest.mark.parametrize(
    ("said", "column", "why"),
    [
        ({"amount": 0}, "amount", "greater than or equal to 1"),
        ({"amount": -3}, "amount", "greater than or equal to 1"),
        ({"amount": 6}, "unit", "must be at most 5 times the default"),
        ({"amount": 8, "unit": "days"}, "unit", "the default: 1 working day"),
        ({"amount": None}, "unit", "must be given if, and only if, amount is given"),
        ({"unit": None}, "unit", "must be given if, and only if, amount is given"),
        ({"unit": "weeks"}, "unit", "Input should be"),
        ({"priority": "urgent"}, "unit", "must run day and night"),
        ({"priority": "emergency", "amount": 6, "unit": "hours"}, "unit", "1 hour"),
        ({"priority": "any"}, "priority", "must be emergency or urgent or normal"),
        ({"deadline": "erase"}, "priority", "must be any"),
        (
            {"deadline": "erase", "priority": "any", "unit": "days"},
            "unit",
            "must be months",
        ),
        (
            {"deadline": "erase", "priority": "any", "amount": 121, "unit": "months"},
            "unit",
            "24 months",
        ),
        (
            {"deadline": "review_risk", "priority": "any"},
            "deadline",
            "because its limit is fixed",
        ),
        ({"deadline": "assess_interests", "priority": "any"}, "deadline", "G02"),
        ({"of": "kz"}, "of", "pattern"),
    ],
    ids=str,
)
def test_a_limit_out_of_its_bounds_is_refused_with_what_it_must_be(
    said: dict[str, Any], column: str, why: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        build_row(**said)

    [fault] = refused.value.errors()
    assert fault["loc"] == (column,)
    assert why in fault["msg"]


def test_every_default_could_be_set_as_it_is() -> None:
    cells = [(k, h) for k in DeadlineKind if k not in FIXED for h in list_priorities(k)]

    assert [(k, h) for k, h in cells if find_fault(k, h, get_usual_limit(k, h))] == []
    assert len(cells) == 8 * 3 + 5
    assert {get_usual_limit(k, h).unit for k, h in cells} == set(TimeUnit)


def test_an_emergency_may_be_shorter_and_never_waits_for_monday() -> None:
    waits = find_fault(K.DECIDE_LEAD, LimitPriority.EMERGENCY, working_days(1))
    shorter = find_fault(K.DECIDE_LEAD, LimitPriority.EMERGENCY, hours(1))

    assert waits == "must run day and night: hours or days"
    assert shorter is None
