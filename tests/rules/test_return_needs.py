"""Tests of the requirements of a return, including the limit of thirty days."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest

from app.cases.facts import Guardian, ReflectionPeriod
from app.cases.risk import RiskLevel
from app.kernel.requirements import NeedsUnmet
from app.returns.lifecycle import TABLE, Action, Need
from app.returns.needs import CHECKS, RULES, Facts, Terms
from app.returns.risk import FamilyFinding, Interests, Nationality, Threat
from tests.support.world import NOON


@dataclass(frozen=True)
class SideAssessment:
    """The risk assessment of one side."""

    at: datetime = NOON
    level: RiskLevel | None = RiskLevel.LOW
    threats: tuple[str, ...] = ()


MET = Facts(
    now=NOON,
    under_way=True,
    agreed=True,
    contact_permitted=True,
    identity_covered=True,
    family_covered=True,
    child=True,
    determined=True,
    interests=Interests.IN_FAVOUR,
    child_received=True,
    guardian=Guardian.APPOINTED,
    nationality=Nationality.CONFIRMED,
    destination=SideAssessment(),
    origin=SideAssessment(),
    reflection=ReflectionPeriod.ENDED,
    arrives_at=NOON + timedelta(days=1),
    escorted=True,
    visits_left=False,
    recipient_gone=True,
    terms=Terms(
        informed=True,
        family=FamilyFinding.CAN_RECEIVE,
        received=True,
        approved=True,
        reason="THREAT",
        protection=frozenset({"ASYLUM"}),
        unmarked=True,
        contacts=frozenset({"Ana", "Ion"}),
        arrives_at=NOON + timedelta(days=1),
        person_agrees=True,
        escort=True,
        reconfirmed=True,
        person_met=True,
        visits=(NOON + timedelta(days=7), NOON + timedelta(days=30)),
    ),
)


def replace_terms(**terms: object) -> Facts:
    """Return facts that meet every requirement, with the given terms replaced."""
    return replace(MET, terms=replace(MET.terms, **terms))  # type: ignore[arg-type]


OLD = SideAssessment(at=NOON - timedelta(days=31))
LACKS = {
    Need.UNDER_WAY: replace(MET, under_way=False),
    Need.LEAD_READY: replace(MET, contact_permitted=False),
    Need.STILL_CLEARED: replace(MET, child_received=False),
    Need.RETURN_CONSENT: replace(MET, agreed=False),
    Need.INFORMATION: replace_terms(informed=False),
    Need.CONTACT_PERMITTED: replace(MET, contact_permitted=False),
    Need.IDENTITY_CONSENT: replace(MET, identity_covered=False),
    Need.FAMILY_CONSENT: replace(MET, family_covered=False),
    Need.CHILD: replace(MET, child=False),
    Need.INTERESTS_DETERMINED: replace(MET, determined=False),
    Need.CHILD_RECEPTION: replace_terms(received=False),
    Need.NATIONALITY_CONFIRMED: replace(MET, nationality=Nationality.NOT_CONFIRMED),
    Need.RISKS_CURRENT: replace(MET, origin=OLD),
    Need.NO_THREAT: replace(MET, destination=SideAssessment(threats=(Threat.LIFE,))),
    Need.CHILD_PROVIDED_FOR: replace(MET, child_received=False),
    Need.GUARDIAN: replace(MET, guardian=Guardian.NEEDED),
    Need.REFLECTION_OVER: replace(MET, reflection=ReflectionPeriod.RUNNING),
    Need.SECOND_PERSON: replace_terms(approved=False),
    Need.REASON: replace_terms(reason=None),
    Need.PROTECTION: replace_terms(protection=frozenset()),
    Need.NO_MARKER: replace_terms(unmarked=False),
    Need.TWO_CONTACTS: replace_terms(contacts=frozenset({"Ana"})),
    Need.ARRIVAL: replace_terms(arrives_at=NOON),
    Need.ARRIVAL_AHEAD: replace(MET, arrives_at=NOON),
    Need.ESCORT: replace_terms(escort=False),
    Need.ESCORTED: replace(MET, escorted=False),
    Need.PERSON_AGREES: replace_terms(person_agrees=False),
    Need.RECONFIRMED: replace_terms(reconfirmed=False),
    Need.PERSON_MET: replace_terms(person_met=False),
    Need.SCHEDULE: replace_terms(visits=()),
    Need.VISITS_OVER: replace(MET, visits_left=True),
    Need.RECIPIENT_GONE: replace(MET, recipient_gone=False),
}
ON_THE_WAY = {Need.CONTACT_PERMITTED, Need.UNDER_WAY}
BEFORE_IT_GOES = {Need.RETURN_CONSENT, Need.RISKS_CURRENT, Need.NO_THREAT}
FOR_A_CHILD = {Need.INTERESTS_DETERMINED, Need.CHILD_PROVIDED_FOR, Need.GUARDIAN}
ALONGSIDE = (
    {need: {Need.LEAD_READY, Need.STILL_CLEARED} for need in ON_THE_WAY}
    | {need: {Need.STILL_CLEARED} for need in BEFORE_IT_GOES | FOR_A_CHILD}
    | {
        Need.INTERESTS_DETERMINED: {Need.CHILD_PROVIDED_FOR, Need.STILL_CLEARED},
        Need.LEAD_READY: {Need.CONTACT_PERMITTED, Need.STILL_CLEARED},
        Need.STILL_CLEARED: {Need.CHILD_PROVIDED_FOR},
    }
)
"""For some requirements, the others that the facts in `LACKS` leave unmet as well."""


def test_every_need_has_its_check_and_is_asked_and_proved() -> None:
    required = {need for row in TABLE.steps for need in row.needs}

    assert set(CHECKS) == set(Need) == required == set(LACKS)


@pytest.mark.parametrize("need", Need)
def test_each_need_is_met_and_unmet_and_no_other_with_it(need: Need) -> None:
    unmet = {other for other in Need if not CHECKS[other].met(LACKS[need])}

    assert CHECKS[need].met(MET)
    assert unmet == {need} | ALONGSIDE.get(need, set())


@pytest.mark.parametrize("side", ["destination", "origin"])
@pytest.mark.parametrize(
    ("age", "current"),
    [
        (timedelta(), True),
        (timedelta(days=30), True),
        (timedelta(days=30, microseconds=1), False),
        (timedelta(days=31), False),
    ],
)
def test_an_assessment_of_either_side_holds_for_thirty_days(
    side: str, age: timedelta, *, current: bool
) -> None:
    found = SideAssessment(at=NOON - age)

    facts = replace(MET, **{side: found})  # type: ignore[arg-type]

    assert CHECKS[Need.RISKS_CURRENT].met(facts) == current


@pytest.mark.parametrize("side", ["destination", "origin"])
def test_both_sides_have_to_assess(side: str) -> None:
    facts = replace(MET, **{side: None})  # type: ignore[arg-type]

    assert not CHECKS[Need.RISKS_CURRENT].met(facts)
    assert not CHECKS[Need.NO_THREAT].met(facts)


@pytest.mark.parametrize("side", ["destination", "origin"])
@pytest.mark.parametrize("threat", Threat)
def test_any_threat_that_either_side_found_is_one(side: str, threat: Threat) -> None:
    facts = replace(MET, **{side: SideAssessment(threats=(threat,))})  # type: ignore[arg-type]

    assert not CHECKS[Need.NO_THREAT].met(facts)


@pytest.mark.parametrize(
    ("level", "safe"),
    [(RiskLevel.LOW, True), (RiskLevel.MEDIUM, True), (RiskLevel.HIGH, False)],
)
def test_a_high_danger_is_a_threat_whatever_else_is_said(
    level: RiskLevel, *, safe: bool
) -> None:
    facts = replace(MET, origin=SideAssessment(level=level))

    assert CHECKS[Need.NO_THREAT].met(facts) == safe


@pytest.mark.parametrize(
    "lack",
    [
        {"determined": False},
        {"interests": None},
        {"interests": Interests.AGAINST},
        {"child_received": False},
    ],
)
def test_a_child_needs_all_of_it_and_an_adult_nothing(lack: dict[str, object]) -> None:
    child = replace(MET, **lack)  # type: ignore[arg-type]

    assert not CHECKS[Need.CHILD_PROVIDED_FOR].met(child)
    assert CHECKS[Need.CHILD_PROVIDED_FOR].met(replace(child, child=False))


@pytest.mark.parametrize("guardian", Guardian)
def test_guardian_that_is_needed_is_unmet_for_a_child_alone(guardian: Guardian) -> None:
    child = replace(MET, guardian=guardian)

    assert CHECKS[Need.GUARDIAN].met(child) == (guardian != Guardian.NEEDED)
    assert CHECKS[Need.GUARDIAN].met(replace(child, child=False))


def test_adult_without_an_escort_may_travel_alone() -> None:
    alone = replace(replace_terms(escort=False), escorted=False, child=False)

    assert CHECKS[Need.ESCORT].met(alone)
    assert CHECKS[Need.ESCORTED].met(alone)


@pytest.mark.parametrize("stands", [None, *ReflectionPeriod])
def test_only_a_period_that_runs_holds_back_and_only_who_did_not_ask_to_leave(
    stands: ReflectionPeriod | None,
) -> None:
    waits = replace(MET, reflection=stands)
    leaves = replace(waits, terms=replace(MET.terms, asked_to_leave=True))

    check = CHECKS[Need.REFLECTION_OVER]

    assert check.met(waits) == (stands != ReflectionPeriod.RUNNING)
    assert check.met(leaves)


def test_a_family_that_is_left_alone_needs_no_consent() -> None:
    alone = replace(
        LACKS[Need.FAMILY_CONSENT], terms=Terms(family=FamilyFinding("NOT_CONTACTED"))
    )

    assert CHECKS[Need.FAMILY_CONSENT].met(alone)
    assert not CHECKS[Need.FAMILY_CONSENT].met(replace(alone, terms=Terms()))


def test_all_that_a_decision_lacks_is_told_together() -> None:
    bare = replace(MET, agreed=False, destination=None, nationality=None, terms=Terms())
    [go] = [row for row in TABLE.steps if row.action == Action.GO]

    with pytest.raises(NeedsUnmet) as refused:
        RULES.require(go, bare)

    assert [lack["requirement"] for lack in refused.value.facts["unmet"]] == [
        "return_consent",
        "risks_current",
        "no_threat",
        "nationality_confirmed",
        "second_person",
    ]


@pytest.mark.parametrize(
    ("days", "fits"), [(0, False), (0.001, True), (30, True), (30.001, False), (365, False)]
)
def test_an_arrival_is_ahead_by_no_more_than_an_assessment_holds(
    days: float, *, fits: bool
) -> None:
    at = NOON + timedelta(days=days)
    planned, told = replace(MET, arrives_at=at), replace_terms(arrives_at=at)

    assert CHECKS[Need.ARRIVAL].met(told) == CHECKS[Need.ARRIVAL_AHEAD].met(planned) == fits


def test_without_a_time_nothing_is_ahead() -> None:
    unplanned = replace(replace_terms(arrives_at=None), arrives_at=None)

    assert not CHECKS[Need.ARRIVAL].met(unplanned)
    assert not CHECKS[Need.ARRIVAL_AHEAD].met(unplanned)
