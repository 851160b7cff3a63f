"""Tests of the facts of a case: their values, their defaults, and which fact counts."""

from contextlib import nullcontext
from dataclasses import dataclass
from datetime import date
from uuid import UUID

import pytest

from app.cases.facts import (
    RULES,
    URGENT_CHILD_SERVICES,
    AssessmentRequired,
    BestInterests,
    FactName,
    Guardian,
    ReflectionPeriod,
    build_fact_sheet,
    require_assessment,
)
from app.directory.kinds import Service

TODAY = date(2026, 6, 1)


@dataclass(frozen=True)
class RecordedFact:
    """A fact in the form in which it is recorded."""

    name: FactName
    value: str
    country: str | None = None
    body: UUID | None = None
    ends_on: date | None = None


# fact            | possible values                                      | services
FACTS = """
identification    | not_assessed presumed formally_identified not_victim | IDENTIFICATION
guardian          | not_needed needed appointed                          | FOR_A_CHILD
best_interests    | not_needed assessment_due assessed determined        | FOR_A_CHILD
reflection_period | not_available offered running ended declined         | STATUS
legal_hold        | in_force lifted                                      |
"""


ASKED = {
    "FOR_A_CHILD": "GUARDIANSHIP CHILD_PROTECTION",
    "STATUS": "IDENTIFICATION RESIDENCE_STATUS",
}


@pytest.mark.parametrize("line", FACTS.strip().splitlines())
def test_each_fact_says_what_the_document_allows(line: str) -> None:
    name, values, finds_out = (cell.split() for cell in f"{line} ".split("|"))
    services = " ".join(ASKED.get(word, word) for word in finds_out).split()

    rule = RULES[FactName(name[0])]

    assert [value.value for value in rule.values] == values
    assert rule.services == {Service(service) for service in services}


def test_no_fact_is_without_a_rule() -> None:
    assert set(RULES) == set(FactName)
    assert len(FACTS.strip().splitlines()) == len(FactName)


def test_what_a_child_is_owed_first() -> None:
    assert {service.value for service in URGENT_CHILD_SERVICES} == {
        "CHILD_PROTECTION",
        "GUARDIANSHIP",
        "SHELTER",
        "MEDICAL",
    }


@pytest.mark.parametrize(
    ("child", "guardian", "interests"),
    [(True, "needed", "assessment_due"), (False, "not_needed", "not_needed")],
)
def test_what_nobody_said_is_needed_for_a_child(
    guardian: str, interests: str, *, child: bool
) -> None:
    sheet = build_fact_sheet([], child=child)

    assert (sheet.guardian, sheet.best_interests) == (guardian, interests)
    assert not sheet.interests_are_assessed
    assert not sheet.legal_hold


def test_the_last_of_a_name_counts() -> None:
    facts = [
        RecordedFact(FactName.GUARDIAN, value)
        for value in ("needed", "appointed", "needed")
    ]

    assert build_fact_sheet(facts, child=True).guardian == Guardian.NEEDED
    assert build_fact_sheet(facts[:2], child=True).guardian == Guardian.APPOINTED


@pytest.mark.parametrize("value", BestInterests)
@pytest.mark.parametrize("child", [True, False])
def test_interests_count_for_a_child_once_somebody_assessed_them(
    value: BestInterests, *, child: bool
) -> None:
    sheet = build_fact_sheet([RecordedFact(FactName.BEST_INTERESTS, value)], child=child)

    assert sheet.interests_are_assessed == (child and value in {"assessed", "determined"})


@pytest.mark.parametrize("name", RULES)
def test_that_an_assessment_is_not_needed_is_said_of_no_child(name: FactName) -> None:
    fact = RecordedFact(name, "not_needed")
    refused = name == FactName.BEST_INTERESTS

    require_assessment(fact, child=False)
    with pytest.raises(AssessmentRequired) if refused else nullcontext():
        require_assessment(fact, child=True)


def test_what_was_not_needed_for_an_adult_is_due_for_a_child() -> None:
    facts = [RecordedFact(FactName.BEST_INTERESTS, "not_needed")]

    assert build_fact_sheet(facts, child=False).best_interests == BestInterests.NOT_NEEDED
    assert (
        build_fact_sheet(facts, child=True).best_interests == BestInterests.ASSESSMENT_DUE
    )


def test_a_hold_is_in_force_until_it_is_lifted() -> None:
    held = RecordedFact(FactName.LEGAL_HOLD, "in_force")
    lifted = RecordedFact(FactName.LEGAL_HOLD, "lifted")

    assert build_fact_sheet([held], child=False).legal_hold
    assert not build_fact_sheet([held, lifted], child=False).legal_hold
    assert build_fact_sheet([held, lifted, held], child=False).legal_hold


def test_each_country_has_a_reflection_period_of_its_own() -> None:
    here = RecordedFact(FactName.REFLECTION_PERIOD, "offered", "KZ")
    there = RecordedFact(FactName.REFLECTION_PERIOD, "declined", "UZ")

    sheet = build_fact_sheet([here, there], child=False)

    assert sheet.get_reflection_period("KZ", TODAY) == ReflectionPeriod.OFFERED
    assert sheet.get_reflection_period("UZ", TODAY) == ReflectionPeriod.DECLINED
    assert sheet.get_reflection_period("TT", TODAY) is None


@pytest.mark.parametrize(
    ("ends_on", "stands"),
    [
        (date(2026, 6, 2), ReflectionPeriod.RUNNING),
        (date(2026, 6, 1), ReflectionPeriod.ENDED),
        (date(2026, 5, 31), ReflectionPeriod.ENDED),
    ],
)
def test_a_period_that_runs_ends_by_itself(ends_on: date, stands: ReflectionPeriod) -> None:
    runs = RecordedFact(FactName.REFLECTION_PERIOD, "running", "KZ", ends_on=ends_on)

    assert (
        build_fact_sheet([runs], child=False).get_reflection_period("KZ", TODAY) == stands
    )


def test_two_bodies_may_disagree_on_who_is_a_victim() -> None:
    one, other = UUID(int=1), UUID(int=2)
    facts = [
        RecordedFact(FactName.IDENTIFICATION, "formally_identified", "KZ", one),
        RecordedFact(FactName.IDENTIFICATION, "not_victim", "KZ", other),
    ]

    latest = build_fact_sheet(facts, child=False).latest

    values = [latest[FactName.IDENTIFICATION, "KZ", body].value for body in (one, other)]
    assert values == ["formally_identified", "not_victim"]
