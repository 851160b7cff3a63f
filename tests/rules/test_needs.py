"""Tests of the requirements of cases and referrals. All unmet requirements are reported."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Final

import pytest

from app.cases import lifecycle as case_lifecycle
from app.cases.further_actions import FURTHER
from app.cases.lifecycle import Action as CaseAction
from app.cases.lifecycle import Need as CaseNeed
from app.cases.lifecycle import State as CaseState
from app.cases.sections import Section
from app.casework import needs as casework_needs
from app.directory.kinds import Service
from app.kernel.actors import Side
from app.kernel.lifecycle import AnyOf
from app.kernel.requirements import NeedsUnmet, UnmetRequirement
from app.referrals import lifecycle as referral_lifecycle
from app.referrals import needs as referral_needs
from app.referrals.lifecycle import Action, Need
from tests.support.world import NOON

CASE = casework_needs.Facts(
    now=NOON,
    review_by=NOON + timedelta(days=14),
    notice_complete=True,
    may_be_referred=True,
    child_path=True,
    vital_interest=True,
    recipient_safe=True,
    risk_current=True,
    nothing_sent=True,
    nothing_open=True,
    return_over=True,
    helped=True,
    with_candidate=True,
    lead_failing=True,
    next_lead_named=False,
    submitter_gone=True,
    legal_hold=False,
    may_be_child=True,
    terms=casework_needs.Terms(
        "GOALS_MET",
        frozenset({"Ana", "Ion"}),
        person_informed=True,
        approved=True,
        review_at=NOON + timedelta(days=14),
        visits=(NOON + timedelta(days=7), NOON + timedelta(days=30)),
        chosen_fits=True,
        time_is_up=True,
        erased_before=True,
    ),
)
REFERRAL = referral_needs.Facts(
    now=NOON,
    review_by=NOON + timedelta(days=14),
    case_state=CaseState.REFERRING,
    service=Service.SHELTER,
    covered=True,
    answer_covered=True,
    child_path=True,
    vital_interest=True,
    reflection_told=True,
    already_asked=False,
    risk_current=True,
    recipient_safe=True,
    agreed=True,
    origin_permitted=True,
    return_cleared=True,
    return_done=True,
    may_be_child=True,
    terms=referral_needs.Terms(
        meeting_at=NOON + timedelta(hours=1),
        contacts=frozenset({"Ana", "Ion"}),
        reason="NO_CAPACITY",
        person_met=True,
        outcome="delivered",
        feedback=True,
        topics=frozenset({Section.NEEDS}),
        answered=frozenset(),
        alternative="KZ_LEGAL_AID",
        review_at=NOON + timedelta(days=14),
        time_is_up=True,
    ),
)
CASE_LACKS = {
    CaseNeed.NO_OFFER_OPEN: replace(CASE, offer_open=True),
    CaseNeed.NO_REQUEST_OPEN: replace(CASE, request_open=True),
    CaseNeed.ACCESS_REVIEWED: replace(CASE, access_unreviewed=True),
    CaseNeed.SUMMARY: replace(CASE, notice_complete=False),
    CaseNeed.CONSENT_TO_REFER: replace(CASE, may_be_referred=False),
    CaseNeed.RECIPIENT_SAFE: replace(CASE, recipient_safe=False),
    CaseNeed.RISK_CURRENT: replace(CASE, risk_current=False),
    CaseNeed.NOTHING_SENT: replace(CASE, nothing_sent=False),
    CaseNeed.NOTHING_OPEN: replace(CASE, nothing_open=False),
    CaseNeed.RETURN_OVER: replace(CASE, return_over=False),
    CaseNeed.REASON: replace(CASE, terms=replace(CASE.terms, reason=None)),
    CaseNeed.TWO_CONTACTS: replace(
        CASE, terms=replace(CASE.terms, contacts=frozenset({"Ana"}))
    ),
    CaseNeed.PERSON_INFORMED: replace(
        CASE, terms=replace(CASE.terms, person_informed=False)
    ),
    CaseNeed.SECOND_PERSON: replace(CASE, terms=replace(CASE.terms, approved=False)),
    CaseNeed.CHILD_PATH: replace(CASE, child_path=False),
    CaseNeed.VITAL_INTEREST: replace(CASE, vital_interest=False),
    CaseNeed.NEXT_CANDIDATE: replace(CASE, with_candidate=False),
    CaseNeed.REVIEW_DATE: replace(CASE, terms=replace(CASE.terms, review_at=None)),
    CaseNeed.SCHEDULE: replace(CASE, terms=replace(CASE.terms, visits=())),
    CaseNeed.NO_LEGAL_HOLD: replace(CASE, legal_hold=True),
    CaseNeed.FOCAL_POINT_CHOSEN: replace(
        CASE, terms=replace(CASE.terms, chosen_fits=False)
    ),
    CaseNeed.LEAD_FAILING: replace(CASE, lead_failing=False),
    CaseNeed.NOBODY_NAMED: replace(CASE, next_lead_named=True),
    CaseNeed.SUBMITTER_GONE: replace(CASE, submitter_gone=False),
    CaseNeed.REFERRAL_ACCEPTED: replace(CASE, helped=False),
    CaseNeed.TIME_IS_UP: replace(CASE, terms=replace(CASE.terms, time_is_up=False)),
    CaseNeed.ERASED_BEFORE: replace(CASE, terms=replace(CASE.terms, erased_before=False)),
}
NO_GROUND: Final = replace(
    CASE, may_be_referred=False, child_path=False, vital_interest=False
)
NOTHING_TO_SEND_ON: Final = replace(
    REFERRAL, covered=False, child_path=False, vital_interest=False
)
HELPLESS: Final = replace(CASE, helped=False)
"""A case without an accepted referral, as NO_REFERRAL_ACCEPTED requires."""
REFERRAL_LACKS = {
    Need.CASE_OPEN: replace(REFERRAL, case_state=CaseState.CLOSED),
    Need.CONSENT: replace(REFERRAL, covered=False),
    Need.RISK_CURRENT: replace(REFERRAL, risk_current=False),
    Need.RECIPIENT_SAFE: replace(REFERRAL, recipient_safe=False),
    Need.AGREEMENT: replace(REFERRAL, agreed=False),
    Need.NOT_ALREADY_ASKED: replace(REFERRAL, already_asked=True),
    Need.RETURN_CLEARED: replace(REFERRAL, return_cleared=False),
    Need.RETURN_DONE: replace(REFERRAL, return_done=False),
    Need.ORIGIN_PERMITTED: replace(REFERRAL, origin_permitted=False),
    Need.TWO_CONTACTS: replace(
        REFERRAL, terms=replace(REFERRAL.terms, contacts=frozenset({"Ana"}))
    ),
    Need.MEETING: replace(REFERRAL, terms=replace(REFERRAL.terms, meeting_at=None)),
    Need.REASON: replace(REFERRAL, terms=replace(REFERRAL.terms, reason=None)),
    Need.PERSON_MET: replace(REFERRAL, terms=replace(REFERRAL.terms, person_met=False)),
    Need.OUTCOME: replace(REFERRAL, terms=replace(REFERRAL.terms, outcome=None)),
    Need.FEEDBACK: replace(REFERRAL, terms=replace(REFERRAL.terms, feedback=False)),
    Need.CHILD_PATH: replace(REFERRAL, child_path=False),
    Need.VITAL_INTEREST: replace(REFERRAL, vital_interest=False),
    Need.REFLECTION_TOLD: replace(
        REFERRAL, service=Service.LAW_ENFORCEMENT, reflection_told=False
    ),
    Need.QUESTION: replace(REFERRAL, terms=replace(REFERRAL.terms, topics=frozenset())),
    Need.CONSENT_TO_ANSWER: replace(
        REFERRAL,
        answer_covered=False,
        terms=replace(REFERRAL.terms, answered=frozenset({Section.NEEDS})),
    ),
    Need.ALTERNATIVE: replace(REFERRAL, terms=replace(REFERRAL.terms, alternative=None)),
    Need.REVIEW_DATE: replace(REFERRAL, terms=replace(REFERRAL.terms, review_at=None)),
    Need.TIME_IS_UP: replace(REFERRAL, terms=replace(REFERRAL.terms, time_is_up=False)),
}
SAFETY = {Service.SHELTER, Service.MEDICAL, Service.CHILD_PROTECTION}
WORKED_ON = {
    CaseState.SUBMITTED,
    CaseState.UNDER_REVIEW,
    CaseState.REFERRING,
    CaseState.ASSISTING,
    CaseState.MONITORING,
}


def list_options[N](needs: Iterable[N | AnyOf]) -> Iterator[N]:  # type: ignore[type-arg]
    """Yield each requirement, including each of several alternatives."""
    for need in needs:
        yield from need.needs if isinstance(need, AnyOf) else (need,)


def find_case_step(action: CaseAction) -> case_lifecycle.Row:
    [row] = [row for row in case_lifecycle.TABLE.steps if row.action == action]
    return row


def find_step(action: Action) -> referral_lifecycle.Row:
    [row] = [row for row in referral_lifecycle.TABLE.steps if row.action == action]
    return row


def test_every_need_has_its_check() -> None:
    assert set(casework_needs.NEEDS) == set(CaseNeed)
    assert set(referral_needs.CHECKS) == set(Need)


def test_every_need_is_asked_by_some_step() -> None:
    asked_of_cases = {
        n
        for row in (*case_lifecycle.TABLE.steps, *FURTHER.steps)
        for n in list_options(row.needs)
    }
    required = {
        n for row in referral_lifecycle.TABLE.steps for n in list_options(row.needs)
    }

    assert asked_of_cases == set(CaseNeed)
    assert required == set(Need)


def test_every_need_is_proved_here() -> None:
    assert {*CASE_LACKS, CaseNeed.NO_REFERRAL_ACCEPTED} == set(CaseNeed)
    assert set(REFERRAL_LACKS) == set(Need)


def test_help_that_is_given_and_help_that_ended_exclude_each_other() -> None:
    check = casework_needs.NEEDS[CaseNeed.NO_REFERRAL_ACCEPTED]

    assert check.met(HELPLESS)
    assert not check.met(CASE)


@pytest.mark.parametrize(
    ("days", "fits"), [(-1, False), (0, False), (1, True), (14, True), (14.01, False)]
)
def test_a_review_is_set_ahead_and_in_time(days: float, *, fits: bool) -> None:
    at = NOON + timedelta(days=days)
    case = replace(CASE, terms=replace(CASE.terms, review_at=at))
    referral = replace(REFERRAL, terms=replace(REFERRAL.terms, review_at=at))

    assert casework_needs.NEEDS[CaseNeed.REVIEW_DATE].met(case) == fits
    assert referral_needs.CHECKS[Need.REVIEW_DATE].met(referral) == fits


@pytest.mark.parametrize(
    ("days", "fits"),
    [
        ([1], True),
        ([1, 2], True),
        ([2, 1], False),
        ([0, 1], False),
        ([30], True),
        ([30.001], False),
        ([1, 731], True),
        ([1, 731.001], False),
    ],
)
def test_visits_are_ahead_and_rise_and_none_is_too_far(
    days: list[float], *, fits: bool
) -> None:
    visits = tuple(NOON + timedelta(days=day) for day in days)

    planned = replace(CASE, terms=replace(CASE.terms, visits=visits))

    assert casework_needs.NEEDS[CaseNeed.SCHEDULE].met(planned) == fits


@pytest.mark.parametrize(
    ("answered", "child_path", "says_more", "fits"),
    [
        ([], False, False, True),
        ([], False, True, False),
        ([], True, True, True),
        ([Section.NEEDS], True, False, False),
        (None, True, False, False),
    ],
)
def test_without_a_consent_it_may_be_said_that_there_is_no_more_to_say(
    answered: list[Section] | None, *, child_path: bool, says_more: bool, fits: bool
) -> None:
    sections = None if answered is None else frozenset(answered)
    terms = replace(REFERRAL.terms, answered=sections, says_more=says_more)
    facts = replace(REFERRAL, answer_covered=False, child_path=child_path, terms=terms)

    assert referral_needs.CHECKS[Need.CONSENT_TO_ANSWER].met(facts) == fits


@pytest.mark.parametrize("need", CASE_LACKS)
def test_each_need_of_a_case_is_met_and_unmet(need: CaseNeed) -> None:
    assert casework_needs.NEEDS[need].met(CASE)
    assert not casework_needs.NEEDS[need].met(CASE_LACKS[need])


@pytest.mark.parametrize("need", CASE_LACKS)
def test_what_one_need_of_a_case_lacks_leaves_the_others_met(need: CaseNeed) -> None:
    others = [other for other in CASE_LACKS if other != need]

    assert all(casework_needs.NEEDS[other].met(CASE_LACKS[need]) for other in others)


@pytest.mark.parametrize("need", REFERRAL_LACKS)
def test_each_need_of_a_referral_is_met_and_unmet(need: Need) -> None:
    assert referral_needs.CHECKS[need].met(REFERRAL)
    assert not referral_needs.CHECKS[need].met(REFERRAL_LACKS[need])


@pytest.mark.parametrize("need", REFERRAL_LACKS)
def test_what_one_need_of_a_referral_lacks_leaves_the_others_met(need: Need) -> None:
    others = [other for other in REFERRAL_LACKS if other != need]

    assert all(referral_needs.CHECKS[other].met(REFERRAL_LACKS[need]) for other in others)


def test_all_that_a_closing_lacks_is_told_together() -> None:
    bare = replace(CASE, nothing_open=False, terms=casework_needs.Terms())

    with pytest.raises(NeedsUnmet) as refused:
        casework_needs.RULES.require(find_case_step(CaseAction.CLOSE), bare)

    assert [lack["requirement"] for lack in refused.value.facts["unmet"]] == [
        "reason",
        "nothing_open",
        "person_informed",
        "second_person",
    ]


def test_all_that_a_sending_lacks_is_told_together() -> None:
    bare = referral_needs.Facts(
        now=NOON,
        review_by=NOON,
        case_state=CaseState.CLOSED,
        service=Service.LAW_ENFORCEMENT,
        covered=False,
        answer_covered=False,
        child_path=False,
        vital_interest=False,
        reflection_told=False,
        already_asked=True,
        risk_current=False,
        recipient_safe=False,
        agreed=False,
        origin_permitted=False,
        return_cleared=False,
        return_done=False,
        may_be_child=True,
    )

    with pytest.raises(NeedsUnmet) as refused:
        referral_needs.RULES.require(find_step(Action.SEND), bare)

    unmet = refused.value.facts["unmet"]
    assert [(lack["requirement"], lack["by"]) for lack in unmet] == [
        ("case_open", "sender"),
        ("consent", "sender"),
        ("risk_current", "sender"),
        ("recipient_safe", "sender"),
        ("agreement", "sender"),
        ("origin_permitted", "sender"),
        ("reflection_told", "sender"),
        ("not_already_asked", "sender"),
    ]


@pytest.mark.parametrize(
    ("missing", "first"),
    [
        (
            casework_needs.RULES.list_unmet(find_case_step(CaseAction.SUBMIT), NO_GROUND),
            "consent_to_refer",
        ),
        (
            referral_needs.RULES.list_unmet(find_step(Action.SEND), NOTHING_TO_SEND_ON),
            "consent",
        ),
    ],
    ids=["submit", "send"],
)
def test_who_lacks_a_consent_is_told_what_would_do_instead(
    missing: list[UnmetRequirement], first: str
) -> None:
    [lack] = missing

    assert lack.requirement == first
    assert [other.requirement for other in lack.alternatives] == [
        "child_path",
        "vital_interest",
    ]


def test_what_a_request_brings_is_asked_of_whoever_acts() -> None:
    bare = replace(REFERRAL, terms=referral_needs.Terms())

    lacks = referral_needs.RULES.list_unmet(find_step(Action.ACCEPT), bare)

    assert [(lack.requirement, lack.by) for lack in lacks] == [
        ("two_contacts", Side.RECIPIENT),
        ("meeting", Side.RECIPIENT),
    ]
    assert referral_needs.RULES.list_blocking(find_step(Action.ACCEPT), bare) == []
    assert referral_needs.RULES.list_request_needs(find_step(Action.ACCEPT), bare) == [
        Need.TWO_CONTACTS,
        Need.MEETING,
    ]


@pytest.mark.parametrize("state", CaseState)
def test_a_suspended_case_is_open_to_what_keeps_someone_safe_alone(
    state: CaseState,
) -> None:
    case_open = referral_needs.CHECKS[Need.CASE_OPEN]
    of_state = replace(REFERRAL, case_state=state)

    open_to = {one for one in Service if case_open.met(replace(of_state, service=one))}

    safe = SAFETY if state == CaseState.SUSPENDED else set[Service]()
    assert open_to == (set(Service) if state in WORKED_ON else safe)


@pytest.mark.parametrize(
    ("hours", "ahead"), [(-1, False), (0, False), (1, True)], ids=["past", "now", "ahead"]
)
def test_a_meeting_is_still_ahead(hours: int, *, ahead: bool) -> None:
    at = NOON + timedelta(hours=hours)
    facts = replace(REFERRAL, terms=replace(REFERRAL.terms, meeting_at=at))

    assert referral_needs.CHECKS[Need.MEETING].met(facts) == ahead


@pytest.mark.parametrize(
    ("service", "told", "may"),
    [
        (Service.LAW_ENFORCEMENT, True, True),
        (Service.LAW_ENFORCEMENT, False, False),
        (Service.SHELTER, False, True),
        (Service.SHELTER, True, True),
    ],
)
def test_only_police_wait_until_the_person_was_told_of_the_reflection_period(
    service: Service, *, told: bool, may: bool
) -> None:
    facts = replace(REFERRAL, service=service, reflection_told=told)

    assert referral_needs.CHECKS[Need.REFLECTION_TOLD].met(facts) == may


def test_what_the_person_agreed_to_is_answered_without_any_other_ground() -> None:
    terms = replace(REFERRAL.terms, answered=frozenset({Section.NEEDS}), says_more=True)
    agreed = replace(REFERRAL, answer_covered=True, child_path=False, terms=terms)

    assert referral_needs.CHECKS[Need.CONSENT_TO_ANSWER].met(agreed)
