"""The needs of a case and of a referral: each met, each unmet, and told together."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest

from app.cases import lifecycle as case_life
from app.cases.lifecycle import Action as CaseAction
from app.cases.lifecycle import Need as CaseNeed
from app.cases.lifecycle import State as CaseState
from app.casework import needs as of_case
from app.directory.kinds import Service
from app.kernel.actors import Side
from app.kernel.lifecycle import AnyOf
from app.kernel.needs import NeedsUnmet, Unmet
from app.referrals import lifecycle as referral_life
from app.referrals import needs as of_referral
from app.referrals.lifecycle import Action, Need
from tests.world import NOON

CASE = of_case.Facts(
    notice_complete=True,
    may_be_referred=True,
    recipient_safe=True,
    risk_current=True,
    nothing_sent=True,
    nothing_open=True,
    terms=of_case.Terms(
        "GOALS_MET", frozenset({"Ana", "Ion"}), person_informed=True, approved=True
    ),
)
REFERRAL = of_referral.Facts(
    now=NOON,
    case_state=CaseState.REFERRING,
    service=Service.SHELTER,
    covered=True,
    risk_current=True,
    recipient_safe=True,
    agreed=True,
    origin_permitted=True,
    terms=of_referral.Terms(
        meeting_at=NOON + timedelta(hours=1),
        contacts=frozenset({"Ana", "Ion"}),
        reason="NO_CAPACITY",
        person_met=True,
        outcome="delivered",
        feedback=True,
    ),
)
CASE_LACKS = {
    CaseNeed.NOTICE: replace(CASE, notice_complete=False),
    CaseNeed.CONSENT_TO_REFER: replace(CASE, may_be_referred=False),
    CaseNeed.RECIPIENT_SAFE: replace(CASE, recipient_safe=False),
    CaseNeed.RISK_CURRENT: replace(CASE, risk_current=False),
    CaseNeed.NOTHING_SENT: replace(CASE, nothing_sent=False),
    CaseNeed.NOTHING_OPEN: replace(CASE, nothing_open=False),
    CaseNeed.REASON: replace(CASE, terms=replace(CASE.terms, reason=None)),
    CaseNeed.TWO_CONTACTS: replace(
        CASE, terms=replace(CASE.terms, contacts=frozenset({"Ana"}))
    ),
    CaseNeed.PERSON_INFORMED: replace(
        CASE, terms=replace(CASE.terms, person_informed=False)
    ),
    CaseNeed.SECOND_PERSON: replace(CASE, terms=replace(CASE.terms, approved=False)),
}
REFERRAL_LACKS = {
    Need.CASE_OPEN: replace(REFERRAL, case_state=CaseState.CLOSED),
    Need.CONSENT: replace(REFERRAL, covered=False),
    Need.RISK_CURRENT: replace(REFERRAL, risk_current=False),
    Need.RECIPIENT_SAFE: replace(REFERRAL, recipient_safe=False),
    Need.AGREEMENT: replace(REFERRAL, agreed=False),
    Need.ORIGIN_PERMITTED: replace(REFERRAL, origin_permitted=False),
    Need.TWO_CONTACTS: replace(
        REFERRAL, terms=replace(REFERRAL.terms, contacts=frozenset({"Ana"}))
    ),
    Need.MEETING: replace(REFERRAL, terms=replace(REFERRAL.terms, meeting_at=None)),
    Need.REASON: replace(REFERRAL, terms=replace(REFERRAL.terms, reason=None)),
    Need.PERSON_MET: replace(REFERRAL, terms=replace(REFERRAL.terms, person_met=False)),
    Need.OUTCOME: replace(REFERRAL, terms=replace(REFERRAL.terms, outcome=None)),
    Need.FEEDBACK: replace(REFERRAL, terms=replace(REFERRAL.terms, feedback=False)),
}
CASE_UNBUILT = [
    CaseNeed.CHILD_PATH,
    CaseNeed.VITAL_INTEREST,
    CaseNeed.NEXT_CANDIDATE,
    CaseNeed.REVIEW_DATE,
    CaseNeed.SCHEDULE,
    CaseNeed.NO_LEGAL_HOLD,
    CaseNeed.FOCAL_POINT_CHOSEN,
    CaseNeed.REFERRAL_ACCEPTED,
    CaseNeed.NO_REFERRAL_ACCEPTED,
]
REFERRAL_UNBUILT = [
    Need.CHILD_PATH,
    Need.VITAL_INTEREST,
    Need.QUESTION,
    Need.CONSENT_TO_ANSWER,
    Need.ALTERNATIVE,
    Need.REVIEW_DATE,
    Need.TIME_IS_UP,
]
SAFETY = {Service.SHELTER, Service.MEDICAL, Service.CHILD_PROTECTION}
WORKED_ON = {
    CaseState.SUBMITTED,
    CaseState.UNDER_REVIEW,
    CaseState.REFERRING,
    CaseState.ASSISTING,
    CaseState.MONITORING,
}


def options[N](needs: Iterable[N | AnyOf]) -> Iterator[N]:  # type: ignore[type-arg]
    """Take apart what is enough by itself."""
    for need in needs:
        yield from need.needs if isinstance(need, AnyOf) else (need,)


def case_step(action: CaseAction) -> case_life.Row:
    [row] = [row for row in case_life.TABLE.steps if row.action == action]
    return row


def step(action: Action) -> referral_life.Row:
    [row] = [row for row in referral_life.TABLE.steps if row.action == action]
    return row


def test_every_need_has_its_check() -> None:
    assert set(of_case.NEEDS) == set(CaseNeed)
    assert set(of_referral.NEEDS) == set(Need)


def test_every_need_is_asked_by_some_step() -> None:
    asked_of_cases = {n for row in case_life.TABLE.steps for n in options(row.needs)}
    asked = {n for row in referral_life.TABLE.steps for n in options(row.needs)}

    assert asked_of_cases == set(CaseNeed)
    assert asked == set(Need)


def test_every_need_is_proved_here_or_known_not_to_be_built() -> None:
    assert {*CASE_LACKS, *CASE_UNBUILT} == set(CaseNeed)
    assert not CASE_LACKS.keys() & set(CASE_UNBUILT)
    assert {*REFERRAL_LACKS, *REFERRAL_UNBUILT} == set(Need)
    assert not REFERRAL_LACKS.keys() & set(REFERRAL_UNBUILT)


@pytest.mark.parametrize("need", CASE_LACKS)
def test_each_need_of_a_case_is_met_and_unmet(need: CaseNeed) -> None:
    assert of_case.NEEDS[need].met(CASE)
    assert not of_case.NEEDS[need].met(CASE_LACKS[need])


@pytest.mark.parametrize("need", CASE_LACKS)
def test_what_one_need_of_a_case_lacks_leaves_the_others_met(need: CaseNeed) -> None:
    others = [other for other in CASE_LACKS if other != need]

    assert all(of_case.NEEDS[other].met(CASE_LACKS[need]) for other in others)


@pytest.mark.parametrize("need", REFERRAL_LACKS)
def test_each_need_of_a_referral_is_met_and_unmet(need: Need) -> None:
    assert of_referral.NEEDS[need].met(REFERRAL)
    assert not of_referral.NEEDS[need].met(REFERRAL_LACKS[need])


@pytest.mark.parametrize("need", REFERRAL_LACKS)
def test_what_one_need_of_a_referral_lacks_leaves_the_others_met(need: Need) -> None:
    others = [other for other in REFERRAL_LACKS if other != need]

    assert all(of_referral.NEEDS[other].met(REFERRAL_LACKS[need]) for other in others)


def test_what_is_not_built_is_never_met_whatever_the_facts_of_a_case() -> None:
    worlds = [
        of_case.Facts(a, b, c, d, e, f, terms)
        for a, b, c, d, e, f in product((True, False), repeat=6)
        for terms in (CASE.terms, of_case.Terms())
    ]

    met = {n for n in CASE_UNBUILT for facts in worlds if of_case.NEEDS[n].met(facts)}

    assert len(worlds) == 128
    assert met == set()


def test_what_is_not_built_is_never_met_whatever_the_facts_of_a_referral() -> None:
    worlds = [
        of_referral.Facts(NOON, state, Service.SHELTER, a, b, c, d, e, terms)
        for a, b, c, d, e in product((True, False), repeat=5)
        for terms in (REFERRAL.terms, of_referral.Terms())
        for state in CaseState
    ]

    met = {
        n for n in REFERRAL_UNBUILT for facts in worlds if of_referral.NEEDS[n].met(facts)
    }

    assert len(worlds) == 640
    assert met == set()


def test_a_step_of_a_case_that_needs_what_is_not_built_is_refused() -> None:
    hopeless = {
        row.action
        for row in case_life.TABLE.steps
        if any(need in CASE_UNBUILT for need in row.needs)
    }

    refused = {
        row.action for row in case_life.TABLE.steps if of_case.RULES.unmet(row, CASE)
    }

    assert refused == hopeless
    assert hopeless == {
        CaseAction.REROUTE,
        CaseAction.ASSIGN,
        CaseAction.BEGIN_ASSISTANCE,
        CaseAction.FALL_BACK,
        CaseAction.SUSPEND,
        CaseAction.MONITOR,
        CaseAction.ERASE,
    }


def test_a_step_of_a_referral_that_needs_what_is_not_built_is_refused() -> None:
    refused = {
        row.action
        for row in referral_life.TABLE.steps
        if of_referral.RULES.unmet(row, REFERRAL)
    }

    assert refused == {
        Action.ASK,
        Action.ANSWER,
        Action.REDIRECT,
        Action.HOLD,
        Action.EXPIRE,
    }


def test_all_that_a_closing_lacks_is_told_together() -> None:
    bare = replace(CASE, nothing_open=False, terms=of_case.Terms())

    with pytest.raises(NeedsUnmet) as refused:
        of_case.RULES.require(case_step(CaseAction.CLOSE), bare)

    assert [lack["need"] for lack in refused.value.facts["unmet"]] == [
        "reason",
        "nothing_open",
        "person_informed",
        "second_person",
    ]


def test_all_that_a_sending_lacks_is_told_together() -> None:
    bare = of_referral.Facts(
        now=NOON,
        case_state=CaseState.CLOSED,
        service=Service.SHELTER,
        covered=False,
        risk_current=False,
        recipient_safe=False,
        agreed=False,
        origin_permitted=False,
    )

    with pytest.raises(NeedsUnmet) as refused:
        of_referral.RULES.require(step(Action.SEND), bare)

    unmet = refused.value.facts["unmet"]
    assert [(lack["need"], lack["by"]) for lack in unmet] == [
        ("case_open", "sender"),
        ("consent", "sender"),
        ("risk_current", "sender"),
        ("recipient_safe", "sender"),
        ("agreement", "sender"),
        ("origin_permitted", "sender"),
    ]


@pytest.mark.parametrize(
    ("missing", "first"),
    [
        (
            of_case.RULES.unmet(
                case_step(CaseAction.SUBMIT), CASE_LACKS[CaseNeed.CONSENT_TO_REFER]
            ),
            "consent_to_refer",
        ),
        (
            of_referral.RULES.unmet(step(Action.SEND), REFERRAL_LACKS[Need.CONSENT]),
            "consent",
        ),
    ],
    ids=["submit", "send"],
)
def test_who_lacks_a_consent_is_told_what_would_do_instead(
    missing: list[Unmet], first: str
) -> None:
    [lack] = [lack.spell() for lack in missing]

    assert lack["need"] == first
    assert [other["need"] for other in lack["alternatives"]] == [
        "child_path",
        "vital_interest",
    ]


def test_what_a_request_brings_is_asked_of_whoever_acts() -> None:
    bare = replace(REFERRAL, terms=of_referral.Terms())

    lacks = of_referral.RULES.unmet(step(Action.ACCEPT), bare)

    assert [(lack.need, lack.by) for lack in lacks] == [
        ("two_contacts", Side.RECIPIENT),
        ("meeting", Side.RECIPIENT),
    ]
    assert of_referral.RULES.in_the_way(step(Action.ACCEPT), bare) == []
    assert of_referral.RULES.asked(step(Action.ACCEPT)) == [Need.TWO_CONTACTS, Need.MEETING]


@pytest.mark.parametrize("service", Service)
@pytest.mark.parametrize("state", CaseState)
def test_a_suspended_case_is_open_to_what_keeps_someone_safe_alone(
    state: CaseState, service: Service
) -> None:
    facts = replace(REFERRAL, case_state=state, service=service)
    safe = state == CaseState.SUSPENDED and service in SAFETY

    assert of_referral.NEEDS[Need.CASE_OPEN].met(facts) == (state in WORKED_ON or safe)


@pytest.mark.parametrize(
    ("hours", "ahead"), [(-1, False), (0, False), (1, True)], ids=["past", "now", "ahead"]
)
def test_a_meeting_is_still_ahead(hours: int, *, ahead: bool) -> None:
    at = NOON + timedelta(hours=hours)
    facts = replace(REFERRAL, terms=replace(REFERRAL.terms, meeting_at=at))

    assert of_referral.NEEDS[Need.MEETING].met(facts) == ahead
