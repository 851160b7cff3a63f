"""Tests of routing: properties of every result, and the time for a large directory."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from random import Random
from time import thread_time
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.deadlines.limits import Priority
from app.directory.kinds import AgeGroup, OfficeFunction, OfficeKind, Service, Sex
from app.directory.lead_offices import may_matter_to_lead
from app.routing.question import Profile, Question
from app.routing.ranking import Ranking, rank_leads, rank_recipients
from tests.rules.questions import AVOIDED, NOON, PLAIN, changed

COUNTRIES = ("KZ", "UZ", "NI", "TT", "FR")
CODES = tuple(f"OFFICE_{number:02}" for number in range(8))
SERVICES = (Service.SHELTER, Service.RETURN, Service.CHILD_PROTECTION)

type Rule = Callable[[Question], Ranking]


def draw_some[T](values: tuple[T, ...]) -> st.SearchStrategy[frozenset[T]]:
    return st.frozensets(st.sampled_from(values))


@st.composite
def generate_offices(draw: st.DrawFn, number: int) -> Profile:
    kind = draw(st.sampled_from(OfficeKind))
    places = st.lists(st.sampled_from((*COUNTRIES, "*")), unique=True, max_size=3)
    ages = st.timedeltas(timedelta(days=-1), timedelta(days=10))
    return Profile(
        id=UUID(int=number),
        code=CODES[number],
        kind=kind,
        function=draw(st.sampled_from(OfficeFunction)),
        of_state=draw(st.sampled_from(COUNTRIES)) if kind == OfficeKind.STATE else None,
        serves=draw(places),
        languages=draw(st.sampled_from([(), ("uz",), ("ru", "kk")])),
        services=draw(draw_some(SERVICES)),
        can_lead=draw(st.booleans()),
        active=draw(st.sampled_from([True, True, True, False])),
        sexes=draw(draw_some(tuple(Sex))),
        ages=draw(draw_some(tuple(AgeGroup))),
        open=draw(st.sampled_from([True, False, None])),
        capacity=draw(st.sampled_from([None, 0, 1])),
        capacity_as_of=NOON - draw(ages),
        deputy=draw(st.sampled_from((None, *CODES))),
    )


@st.composite
def generate_questions(draw: st.DrawFn) -> Question:
    profiles = tuple(
        draw(generate_offices(n)) for n in range(draw(st.integers(0, len(CODES))))
    )
    ids = tuple(UUID(int=number) for number in range(len(CODES)))
    return replace(
        PLAIN,
        country=draw(st.sampled_from(COUNTRIES)),
        services=draw(draw_some(SERVICES)),
        priority=draw(st.sampled_from(Priority)),
        ages=draw(st.frozensets(st.sampled_from(AgeGroup), min_size=1)),
        sex=draw(st.sampled_from((None, *Sex))),
        agreed=draw(draw_some(COUNTRIES)),
        origin=draw(st.sampled_from((None, *COUNTRIES))),
        origin_blocked=draw(st.booleans()),
        origin_permitted=draw(st.booleans()),
        unsafe=draw(draw_some(CODES)),
        consented=draw(draw_some(ids)),
        declined=draw(draw_some(ids)),
        approached=draw(draw_some(ids)),
        holder=draw(st.sampled_from((None, *ids))),
        home=draw(st.sampled_from((None, *COUNTRIES))),
        profiles=profiles,
    )


both = pytest.mark.parametrize(
    "rule", [rank_leads, pytest.param(rank_recipients, marks=pytest.mark.slow)]
)


@both
@given(question=generate_questions(), seed=st.integers())
def test_the_answer_does_not_depend_on_the_order_of_the_directory(
    rule: Rule, question: Question, seed: int
) -> None:
    shuffled = list(question.profiles)
    Random(seed).shuffle(shuffled)

    assert rule(replace(question, profiles=tuple(shuffled))) == rule(question)


@both
@given(question=generate_questions())
def test_each_of_the_directory_is_in_with_reasons_or_out_with_reasons(
    rule: Rule, question: Question
) -> None:
    ranking = rule(question)

    found = [c.code for c in ranking.in_turn] + [out.code for out in ranking.excluded]
    assert sorted(found) == sorted(profile.code for profile in question.profiles)
    assert all(c.reasons for c in ranking.in_turn)
    assert all(out.reasons for out in ranking.excluded)


@both
@given(question=generate_questions())
def test_nobody_is_asked_who_is_barred(rule: Rule, question: Question) -> None:
    origin, blocked = question.origin, question.origin_blocked

    for candidate in rule(question).candidates:
        office = candidate.profile
        state = office.of_state
        assert office.active
        assert office.kind not in {OfficeKind.DESK, OfficeKind.OVERSIGHT}
        assert office.code not in question.unsafe
        assert office.id in question.consented - question.declined
        assert not (state and blocked and origin in {None, state})
        assert state not in AVOIDED


@given(question=generate_questions())
def test_who_leads_is_of_the_country_and_leads(question: Question) -> None:
    for candidate in rank_leads(question).candidates:
        office = candidate.profile
        assert office.can_lead
        assert {question.country, "*"} & set(office.serves)
        assert office.of_state in {None, question.country}


@given(question=generate_questions())
def test_choice_of_a_lead_depends_on_a_part_of_the_directory_only(
    question: Question,
) -> None:
    """Leaving out the other offices changes no candidate, no desk and no near exclusion."""
    country = question.country
    part = tuple(p for p in question.profiles if may_matter_to_lead(p, country))

    whole, restricted = (
        rank_leads(question),
        rank_leads(replace(question, profiles=part)),
    )

    near = tuple(out for out in whole.excluded if out.near)
    assert (whole.candidates, whole.desk) == (restricted.candidates, restricted.desk)
    assert near == tuple(out for out in restricted.excluded if out.near)


@given(question=generate_questions())
def test_who_serves_offers_it_to_such_a_person_within_reach(question: Question) -> None:
    for candidate in rank_recipients(question).candidates:
        office = candidate.profile
        abroad = {office.of_state} - {None, question.country}
        here = bool({question.country, "*"} & set(office.serves)) and not office.of_state
        assert question.services <= office.services
        assert office.id not in question.approached | {question.holder}
        assert question.sex is None or not office.sexes or question.sex in office.sexes
        assert not office.ages or question.ages <= office.ages
        assert abroad <= question.agreed
        assert here or office.of_state or set(office.serves) <= question.agreed
        if abroad and not question.origin_permitted:
            assert question.origin not in {None, office.of_state}


@both
@given(question=generate_questions())
def test_every_list_ends_at_a_desk_that_is_safe_and_cannot_decline(
    rule: Rule, question: Question
) -> None:
    safe: list[str | None] = [
        profile.code
        for profile in question.profiles
        if profile.kind == OfficeKind.DESK
        and profile.active
        and profile.code not in question.unsafe
    ]
    everyone = frozenset(profile.id for profile in question.profiles)

    ranking, exhausted = rule(question), rule(replace(question, declined=everyone))

    assert (ranking.desk.code if ranking.desk else None) in (safe or [None])
    assert exhausted.candidates == ()
    assert exhausted.desk == ranking.desk


@both
@given(question=generate_questions(), data=st.data())
def test_to_decline_takes_one_off_the_list_and_changes_nothing_else(
    rule: Rule, question: Question, data: st.DataObject
) -> None:
    # No office has a deputy here, as a deputy loses its place when its office declines.
    alone = replace(
        question, profiles=tuple(replace(p, deputy=None) for p in question.profiles)
    )
    before = [c.code for c in rule(alone).candidates]
    gone = data.draw(st.sampled_from(alone.profiles)) if alone.profiles else None
    declined = alone.declined | ({gone.id} if gone else frozenset())

    after = [c.code for c in rule(replace(alone, declined=declined)).candidates]

    assert after == [code for code in before if gone is None or code != gone.code]


@both
@given(question=generate_questions(), data=st.data())
def test_to_be_unsafe_takes_one_off_the_list_and_brings_nobody_on(
    rule: Rule, question: Question, data: st.DataObject
) -> None:
    code = data.draw(st.sampled_from(CODES))
    before = {c.code for c in rule(question).candidates}

    feared = rule(replace(question, unsafe=question.unsafe | {code}))

    assert {c.code for c in feared.candidates} == before - {code}
    assert code not in {c.code for c in feared.in_turn}


@both
@given(question=generate_questions(), data=st.data())
def test_free_places_never_make_anybody_worse_off(
    rule: Rule, question: Question, data: st.DataObject
) -> None:
    code = data.draw(st.sampled_from(CODES))
    calm = replace(question, priority=Priority.NORMAL)
    before = [c.code for c in rule(calm).candidates]

    after = rule(changed(calm, code, capacity=1, capacity_as_of=NOON)).candidates

    place = [c.code for c in after].index(code) if code in before else 0
    assert place <= (before.index(code) if code in before else 0)


@given(question=generate_questions())
def test_the_closed_office_with_an_open_deputy_is_never_asked_before_it(
    question: Question,
) -> None:
    night = replace(question, priority=Priority.EMERGENCY)
    order = [c.profile for c in rank_leads(night).candidates]
    places = {profile.code: place for place, profile in enumerate(order)}

    for profile in order:
        deputy = next((p for p in order if p.code == profile.deputy), None)
        if profile.open is False and deputy and deputy.open:
            assert places[deputy.code] < places[profile.code]


def build_question(count: int) -> Question:
    """Return a question with `count` offices, half of which serve the person's country."""
    profiles = [
        Profile(
            id=UUID(int=number),
            code=f"OFFICE_{number:05}",
            kind=(OfficeKind.NON_STATE, OfficeKind.INTERGOVERNMENTAL)[number % 3 == 0],
            function=OfficeFunction.SOCIAL,
            of_state=None,
            serves=["KZ" if number % 2 else "TT"],
            languages=("uz", "ru")[: number % 3],
            services=frozenset(SERVICES[: number % 4]),
            can_lead=number % 5 != 0,
            open=(True, False, None)[number % 3],
            capacity=number % 4,
            capacity_as_of=NOON - timedelta(hours=number % 200),
            deputy=f"OFFICE_{(number * 7) % count:05}",
        )
        for number in range(count)
    ]
    consented = frozenset(profile.id for profile in profiles)
    night = replace(PLAIN, priority=Priority.EMERGENCY, services=frozenset(SERVICES[:1]))
    return replace(night, profiles=tuple(profiles), consented=consented)


def measure_seconds(rule: Rule, question: Question, times: int) -> float:
    began = thread_time()
    for _ in range(times):
        rule(question)
    return thread_time() - began


@pytest.mark.slow
@pytest.mark.parametrize("rule", [rank_leads, rank_recipients])
def test_a_directory_a_hundred_times_as_large_takes_a_hundred_times_as_long(
    rule: Rule,
) -> None:
    few, lots = build_question(50), build_question(5_000)
    took = [
        (measure_seconds(rule, few, 100), measure_seconds(rule, lots, 1)) for _ in range(7)
    ]

    small, large = (min(times) for times in zip(*took, strict=True))

    assert len(rule(lots).candidates) > 500
    assert large < 3 * small
