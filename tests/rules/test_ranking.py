"""The ranking of leads (LIFECYCLES.md, section 8) gives the results worked out by hand."""

from dataclasses import replace
from datetime import timedelta

import pytest

from app.directory.kinds import AgeGroup, OfficeKind, Sex
from app.routing.question import Question
from app.routing.ranking import Ranking, ReasonIn, ReasonOut, rank_leads
from tests.rules.questions import (
    BY_CODE,
    EVERYONE,
    NOON,
    PLAIN,
    asked,
    changed,
    in_turn,
    out,
    table,
)

# Worked out by hand from the plan, not from the code, in the order of section 8.
LEADS = """
    plain                                 => KZ_LEAD LAWYER NETWORK IOM UNHCR | DESK_A
    unsafe KZ_LEAD                        => LAWYER NETWORK IOM UNHCR | DESK_A
    unsafe LAWYER IOM                     => KZ_LEAD NETWORK UNHCR | DESK_A
    unsafe KZ_LEAD LAWYER NETWORK IOM UNHCR => | DESK_A
    unsafe DESK_A                         => KZ_LEAD LAWYER NETWORK IOM UNHCR | DESK_B
    unsafe DESK_A DESK_B                  => KZ_LEAD LAWYER NETWORK IOM UNHCR | -
    in UZ                                 => UZ_LEAD NETWORK IOM UNHCR | DESK_A
    in UZ; needs ASYLUM                   => UZ_LEAD NETWORK UNHCR IOM | DESK_A
    in TT                                 => TT_NGO IOM UNHCR | DESK_B
    in TT; home UZ                        => TT_NGO IOM UNHCR | DESK_B
    in UZ; blocked                        => NETWORK IOM UNHCR | DESK_A
    blocked                               => KZ_LEAD LAWYER NETWORK IOM UNHCR | DESK_A
    blocked; origin KZ                    => LAWYER NETWORK IOM UNHCR | DESK_A
    blocked; origin unknown               => LAWYER NETWORK IOM UNHCR | DESK_A
    origin unknown                        => KZ_LEAD LAWYER NETWORK IOM UNHCR | DESK_A
    in NI                                 => IOM UNHCR | DESK_B
    in FR                                 => IOM UNHCR | DESK_A
    in FR; home TT                        => IOM UNHCR | DESK_B
    in FR; home UZ                        => IOM UNHCR | DESK_A
    in FR; home TT; unsafe DESK_B         => IOM UNHCR | DESK_A
    in FR; unsafe IOM UNHCR               => | DESK_A
    needs ASYLUM                          => KZ_LEAD LAWYER NETWORK UNHCR IOM | DESK_A
    speaks ru; needs RETURN               => KZ_LEAD LAWYER NETWORK IOM UNHCR | DESK_A
    declined KZ_LEAD                      => LAWYER NETWORK IOM UNHCR | DESK_A
    declined KZ_LEAD LAWYER NETWORK IOM UNHCR => | DESK_A
    declined DESK_A                       => KZ_LEAD LAWYER NETWORK IOM UNHCR | DESK_A
    only NETWORK                          => NETWORK | DESK_A
    only UZ_LEAD UZ_POST                  => | DESK_A
    only                                  => | DESK_A
"""


@pytest.mark.parametrize(("question", "answer"), table(LEADS))
def test_who_is_asked_to_lead_is_what_was_worked_out_by_hand(
    question: str, answer: str
) -> None:
    assert in_turn(rank_leads(asked(question))) == answer


# The reasons why an office is left out. Every office is in the ranking or here.
OUT = """
    UZ_LEAD => not_of_the_country
    UZ_POST => not_of_the_country
    NI_LEAD => not_of_the_country state_route_avoided
    WOMEN   => not_considered
    HOSTEL  => not_considered
    GUARD   => not_considered
    UZ_HOME => not_of_the_country not_considered
    UZ_KIDS => not_of_the_country not_considered
    TT_NGO  => not_of_the_country
    CONVENE => not_considered
    WATCH   => not_considered
    DESK_B  => another_desk
"""


def test_why_everybody_else_is_out_is_what_was_worked_out_by_hand() -> None:
    found = {code: " ".join(reasons) for code, reasons in out(rank_leads(PLAIN)).items()}

    assert found == dict(table(OUT))


def test_only_who_has_to_do_with_the_country_is_worth_explaining() -> None:
    near = {left.code for left in rank_leads(PLAIN).excluded if left.near}

    assert near == {"UZ_POST", "WOMEN", "HOSTEL", "GUARD", "CONVENE"}


def test_rule_2_a_consulate_leads_neither_where_it_sits_nor_at_home() -> None:
    assert out(rank_leads(asked("in KZ")))["UZ_POST"] == (ReasonOut.NOT_OF_THE_COUNTRY,)
    assert out(rank_leads(asked("in UZ")))["UZ_POST"] == (ReasonOut.NOT_OF_THE_COUNTRY,)


def test_rule_6_a_state_that_is_avoided_is_told_apart_from_one_without_consent() -> None:
    assert out(rank_leads(asked("in NI")))["NI_LEAD"] == (ReasonOut.STATE_ROUTE_AVOIDED,)
    assert out(rank_leads(asked("only IOM")))["KZ_LEAD"] == (ReasonOut.NO_CONSENT,)


def test_rule_8_who_declined_is_said_to_have() -> None:
    declined = rank_leads(asked("declined KZ_LEAD"))

    assert out(declined)["KZ_LEAD"] == (ReasonOut.HAS_DECLINED,)


def test_all_that_speaks_against_someone_is_told_together() -> None:
    hopeless = changed(asked("in NI; unsafe NI_LEAD; declined NI_LEAD"), "NI_LEAD")
    closed = changed(hopeless, "NI_LEAD", can_lead=False, active=False)

    assert out(rank_leads(closed))["NI_LEAD"] == (
        ReasonOut.NOT_ACTIVE,
        ReasonOut.NOT_CONSIDERED,
        ReasonOut.STATE_ROUTE_AVOIDED,
        ReasonOut.NO_CONSENT,
        ReasonOut.HAS_DECLINED,
    )


def test_nothing_is_sent_to_who_is_not_active_not_even_to_a_desk() -> None:
    gone = changed(changed(PLAIN, "KZ_LEAD", active=False), "DESK_A", active=False)

    ranking = rank_leads(gone)

    assert in_turn(ranking) == "LAWYER NETWORK IOM UNHCR | DESK_B"
    assert out(ranking)["KZ_LEAD"] == (ReasonOut.NOT_ACTIVE,)
    assert ReasonOut.NOT_ACTIVE in out(ranking)["DESK_A"]


@pytest.mark.parametrize(
    ("where", "home", "reason"),
    [
        ("KZ", None, ReasonIn.DESK_OF_THE_COUNTRY),
        ("FR", "UZ", ReasonIn.DESK_OF_THE_SUBMITTER),
        ("FR", "FR", ReasonIn.DESK_OF_ELSEWHERE),
        ("FR", None, ReasonIn.DESK_OF_ELSEWHERE),
    ],
)
def test_it_is_said_whose_desk_stands_at_the_end(
    where: str, home: str | None, reason: ReasonIn
) -> None:
    desk = rank_leads(replace(PLAIN, country=where, home=home)).desk

    assert desk
    assert (desk.code, desk.reasons) == ("DESK_A", (reason,))


GUARDED = ["unsafe KZ_LEAD", "blocked; origin KZ", "blocked; origin unknown"]


@pytest.mark.parametrize("guarded", GUARDED)
def test_what_safeguards_say_is_spelled_like_a_consent_that_was_not_given(
    guarded: str,
) -> None:
    others = [profile.id for profile in EVERYONE if profile.kind != OfficeKind.STATE]
    without = replace(PLAIN, consented=frozenset(others))

    told, unguarded = rank_leads(asked(guarded)), rank_leads(without)

    assert [c.reasons for c in told.candidates] == [c.reasons for c in unguarded.candidates]
    assert in_turn(told) == in_turn(unguarded)
    assert out(told)["KZ_LEAD"] == out(unguarded)["KZ_LEAD"] == (ReasonOut.NO_CONSENT,)


def test_a_desk_that_is_unsafe_is_spelled_like_one_that_is_not_needed() -> None:
    ranking = rank_leads(asked("unsafe DESK_A"))

    assert out(ranking)["DESK_A"] == out(rank_leads(PLAIN))["DESK_B"]


FITS = [
    ({"services": frozenset({"SHELTER", "LEGAL_AID"})}, ReasonIn.OFFERS_SERVICES_NEEDED),
    ({"sexes": frozenset({Sex.MALE, Sex.OTHER})}, ReasonIn.SERVES_THIS_SEX),
    ({"ages": frozenset(AgeGroup)}, ReasonIn.SERVES_THIS_AGE),
    ({"languages": ("ru", "uz-Cyrl")}, ReasonIn.SPEAKS_THE_LANGUAGE),
    ({"capacity": 1, "capacity_as_of": NOON}, ReasonIn.HAS_PLACES),
    (
        {"capacity": 1, "capacity_as_of": NOON - timedelta(days=2)},
        ReasonIn.HAD_PLACES_LATELY,
    ),
    ({"open": True}, ReasonIn.OPEN_NOW),
]
BARE = changed(asked("emergency; sex male"), "NETWORK")


@pytest.mark.parametrize(("fit", "reason"), FITS, ids=[reason for _, reason in FITS])
def test_what_speaks_for_someone_is_told_and_brings_them_forward(
    fit: dict[str, object], reason: ReasonIn
) -> None:
    twin = replace(BY_CODE["NETWORK"], id=BY_CODE["WATCH"].id, code="A_TWIN")
    before = replace(BARE, profiles=(BY_CODE["NETWORK"], twin))

    after = changed(before, "NETWORK", **fit)

    assert in_turn(rank_leads(before)) == "A_TWIN NETWORK | -"
    assert in_turn(rank_leads(after)) == "NETWORK A_TWIN | -"
    first, second = rank_leads(after).candidates
    assert first.reasons == (ReasonIn.WORKS_IN_THE_COUNTRY, reason)
    assert second.reasons == (ReasonIn.WORKS_IN_THE_COUNTRY,)


AGAINST = [
    {"sexes": frozenset({Sex.FEMALE})},
    {"ages": frozenset({AgeGroup.CHILD})},
    {"capacity": 0, "capacity_as_of": NOON},
    {"capacity": 0, "capacity_as_of": NOON - timedelta(days=3)},
    {"open": False},
]


@pytest.mark.parametrize("known", AGAINST)
def test_what_speaks_against_someone_puts_them_behind_and_bars_no_lead(
    known: dict[str, object],
) -> None:
    twin = replace(BY_CODE["NETWORK"], id=BY_CODE["WATCH"].id, code="Z_TWIN")
    before = replace(BARE, profiles=(BY_CODE["NETWORK"], twin))

    after = changed(before, "NETWORK", **known)

    assert in_turn(rank_leads(before)) == "NETWORK Z_TWIN | -"
    assert in_turn(rank_leads(after)) == "Z_TWIN NETWORK | -"


@pytest.mark.parametrize(
    "unbelieved",
    [
        {"capacity": 0, "capacity_as_of": NOON - timedelta(days=8)},
        {"capacity": 9, "capacity_as_of": NOON - timedelta(days=8)},
        {"capacity": 9, "capacity_as_of": NOON + timedelta(minutes=1)},
        {"capacity": None, "capacity_as_of": NOON},
    ],
)
def test_what_is_old_or_little_or_of_tomorrow_counts_like_nothing(
    unbelieved: dict[str, object],
) -> None:
    after = changed(BARE, "NETWORK", **unbelieved)

    assert [c.reasons for c in rank_leads(after).candidates] == [
        c.reasons for c in rank_leads(BARE).candidates
    ]
    assert in_turn(rank_leads(after)) == in_turn(rank_leads(BARE))


def test_free_places_count_less_the_older_they_are() -> None:
    counts = [(3, 1), (3, 6), (None, 0), (0, 6), (0, 1)]
    twins = [
        replace(
            BY_CODE["NETWORK"],
            code=f"{chr(ord('Z') - n)}_TWIN",
            capacity=free,
            capacity_as_of=NOON - timedelta(days=age),
        )
        for n, (free, age) in enumerate(counts)
    ]

    ranking = rank_leads(replace(PLAIN, profiles=tuple(reversed(twins))))

    assert in_turn(ranking) == "Z_TWIN Y_TWIN X_TWIN W_TWIN V_TWIN | -"


def test_who_is_open_counts_in_an_emergency_alone() -> None:
    closed = changed(PLAIN, "LAWYER", open=False)

    assert in_turn(rank_leads(closed)) == in_turn(rank_leads(PLAIN))
    assert in_turn(rank_leads(changed(asked("emergency"), "LAWYER", open=False))) == (
        "KZ_LEAD NETWORK LAWYER IOM UNHCR | DESK_A"
    )


def build_night_question(**deputy: object) -> Question:
    """Return a question with the priority `emergency`, in which KZ_LEAD is closed.

    The deputy of KZ_LEAD is NETWORK, which is open by default.
    """
    closed = changed(asked("emergency"), "KZ_LEAD", open=False, deputy="NETWORK")
    return changed(closed, "NETWORK", **{"open": True} | deputy)


def list_first_two(ranking: Ranking) -> str:
    return " ".join(candidate.code for candidate in ranking.candidates[:2])


def test_an_open_deputy_comes_before_the_closed_office_in_an_emergency() -> None:
    ranking = rank_leads(build_night_question())

    assert in_turn(ranking) == "NETWORK KZ_LEAD LAWYER IOM UNHCR | DESK_A"
    assert ReasonIn.STANDS_IN in ranking.candidates[0].reasons


@pytest.mark.parametrize(
    "question",
    [
        build_night_question(open=False),
        build_night_question(open=None),
        build_night_question(can_lead=False),
        build_night_question(active=False),
        replace(build_night_question(), unsafe=frozenset({"NETWORK"})),
        replace(build_night_question(), declined=frozenset({BY_CODE["NETWORK"].id})),
        replace(build_night_question(), priority=PLAIN.priority),
        changed(build_night_question(), "KZ_LEAD", open=True),
        changed(build_night_question(), "KZ_LEAD", open=None),
        changed(build_night_question(), "KZ_LEAD", deputy="NOBODY"),
    ],
)
def test_nobody_stands_in_otherwise(question: Question) -> None:
    ranking = rank_leads(question)

    assert ranking.candidates[0].code == "KZ_LEAD"
    assert all(ReasonIn.STANDS_IN not in c.reasons for c in ranking.candidates)


def test_two_that_stand_in_for_each_other_are_each_there_once() -> None:
    both = changed(build_night_question(), "NETWORK", deputy="KZ_LEAD")

    assert in_turn(rank_leads(both)) == "NETWORK KZ_LEAD LAWYER IOM UNHCR | DESK_A"
    assert (
        list_first_two(rank_leads(changed(both, "NETWORK", open=False))) == "KZ_LEAD LAWYER"
    )


# A second copy: the reasons are stored with each case, and clients read them.
CODES_IN = """
body_of_the_country
works_in_the_country
agreement_in_force
offers_services_needed
serves_this_sex
serves_this_age
speaks_the_language
has_places
had_places_lately
open_now
stands_in
desk_of_the_country
desk_of_the_submitter
desk_of_elsewhere
chosen_by_the_desk
"""
CODES_OUT = """
not_active
not_of_the_country
not_considered
service_not_offered
sex_not_served
age_not_served
state_route_avoided
no_agreement
no_consent
full
has_declined
already_asked
holds_the_case
another_desk
"""


def test_programs_know_a_reason_by_its_code() -> None:
    assert list(ReasonIn) == CODES_IN.split()
    assert list(ReasonOut) == CODES_OUT.split()


def test_who_is_of_no_state_is_offered_beside() -> None:
    assert rank_leads(PLAIN).beside == ("LAWYER", "NETWORK", "IOM", "UNHCR")


def test_where_there_is_no_desk_the_last_candidate_is_the_last_to_be_asked() -> None:
    ranking = rank_leads(asked("unsafe DESK_A DESK_B"))

    assert ranking.desk is None
    assert ranking.in_turn == ranking.candidates


def test_who_is_left_out_is_listed_by_code_in_whatever_order_they_are_read() -> None:
    backwards = replace(PLAIN, profiles=EVERYONE[::-1])

    codes = [left.code for left in rank_leads(backwards).excluded]

    assert codes == sorted(codes)
    assert len(codes) > 1


def test_who_oversees_never_leads_whatever_the_directory_says_of_it() -> None:
    ranking = rank_leads(changed(PLAIN, "WATCH", can_lead=True))

    assert out(ranking)["WATCH"] == (ReasonOut.NOT_CONSIDERED,)
