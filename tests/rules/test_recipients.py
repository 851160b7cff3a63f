"""The ranking of recipients of a referral agrees with results worked out by hand."""

from dataclasses import replace
from datetime import timedelta

import pytest

from app.directory.kinds import AgeGroup, Service
from app.routing.ranking import ReasonIn, ReasonOut, rank_recipients
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

# Worked out by hand from the plan: local offices first, then by language, then by code.
RECIPIENTS = """
    needs SHELTER                           => WOMEN HOSTEL IOM | DESK_A
    needs SHELTER; sex female               => WOMEN HOSTEL IOM | DESK_A
    needs SHELTER; sex male                 => HOSTEL IOM | DESK_A
    needs SHELTER; sex other                => IOM | DESK_A
    needs SHELTER; aged child               => WOMEN IOM | DESK_A
    needs SHELTER; aged adult child         => WOMEN IOM | DESK_A
    needs SHELTER; aged child; sex male     => IOM | DESK_A
    needs SHELTER; speaks ru                => HOSTEL WOMEN IOM | DESK_A
    needs SHELTER; agreed UZ                => WOMEN HOSTEL IOM UZ_HOME | DESK_A
    needs SHELTER; unsafe WOMEN             => HOSTEL IOM | DESK_A
    needs SHELTER; unsafe WOMEN DESK_A      => HOSTEL IOM | DESK_B
    needs SHELTER; declined HOSTEL          => WOMEN IOM | DESK_A
    needs SHELTER; approached WOMEN         => HOSTEL IOM | DESK_A
    needs SHELTER; holder IOM               => WOMEN HOSTEL | DESK_A
    needs SHELTER; only IOM                 => IOM | DESK_A
    needs SHELTER; in FR                    => IOM | DESK_A
    needs SHELTER; in NI                    => IOM | DESK_B
    needs SHELTER RETURN                    => IOM | DESK_A
    needs SHELTER RETURN; agreed UZ         => IOM UZ_HOME | DESK_A
    needs RETURN                            => IOM | DESK_A
    needs RETURN; agreed UZ                 => IOM UZ_HOME | DESK_A
    needs RETURN; agreed UZ; permitted      => IOM UZ_HOME UZ_LEAD | DESK_A
    needs RETURN; agreed UZ; permitted; blocked => IOM UZ_HOME | DESK_A
    needs RETURN; agreed UZ; origin unknown => IOM UZ_HOME | DESK_A
    needs RETURN; agreed UZ; origin TT      => IOM UZ_HOME UZ_LEAD | DESK_A
    needs RETURN; in UZ                     => UZ_HOME IOM | DESK_A
    needs RETURN; in UZ; permitted          => UZ_HOME UZ_LEAD IOM | DESK_A
    needs CONSULAR_DOCUMENT                 => | DESK_A
    needs CONSULAR_DOCUMENT; permitted      => | DESK_A
    needs CONSULAR_DOCUMENT; permitted; agreed UZ => UZ_POST | DESK_A
    needs CHILD_PROTECTION; aged child      => GUARD | DESK_A
    needs CHILD_PROTECTION; aged child; agreed UZ => GUARD | DESK_A
    needs CHILD_PROTECTION; aged child; in NI => | DESK_B
    needs MEDICAL                           => | DESK_A
"""


@pytest.mark.parametrize(("question", "answer"), table(RECIPIENTS))
def test_who_could_serve_is_what_was_worked_out_by_hand(question: str, answer: str) -> None:
    assert in_turn(rank_recipients(asked(question))) == answer


OUT = """
    needs SHELTER; sex male => WOMEN sex_not_served
    needs SHELTER; aged child => HOSTEL age_not_served
    needs SHELTER; only IOM => WOMEN no_consent
    needs SHELTER; unsafe WOMEN => WOMEN no_consent
    needs SHELTER; declined WOMEN => WOMEN has_declined
    needs SHELTER; approached WOMEN => WOMEN already_asked
    needs SHELTER; holder WOMEN => WOMEN holds_the_case
    needs SHELTER => LAWYER service_not_offered
    needs SHELTER => UZ_HOME no_agreement
    needs SHELTER => CONVENE not_considered
    needs SHELTER => WATCH not_considered
    needs SHELTER => DESK_B another_desk
    needs RETURN; agreed UZ => UZ_LEAD no_consent
    needs RETURN => UZ_LEAD no_agreement no_consent
    needs RETURN; permitted; agreed UZ; blocked => UZ_LEAD no_consent
    needs CHILD_PROTECTION; aged child; agreed UZ => UZ_KIDS not_of_the_country
    needs CHILD_PROTECTION; in NI; aged child => NI_LEAD state_route_avoided
"""


@pytest.mark.parametrize(("question", "answer"), table(OUT))
def test_why_one_could_not_serve_is_what_was_worked_out_by_hand(
    question: str, answer: str
) -> None:
    code, *reasons = answer.split()

    assert list(out(rank_recipients(asked(question)))[code]) == reasons


def test_all_that_speaks_against_someone_is_told_together() -> None:
    question = asked("needs MEDICAL; sex male; declined WOMEN; approached WOMEN; only IOM")
    grown = replace(question, ages=frozenset(AgeGroup), holder=BY_CODE["WOMEN"].id)
    hopeless = changed(
        changed(grown, "WOMEN", capacity=0, capacity_as_of=NOON, active=False),
        "WOMEN",
        ages=frozenset({AgeGroup.ADULT}),
        serves=["UZ"],
    )

    assert out(rank_recipients(hopeless))["WOMEN"] == (
        ReasonOut.NOT_ACTIVE,
        ReasonOut.SERVICE_NOT_OFFERED,
        ReasonOut.SEX_NOT_SERVED,
        ReasonOut.AGE_NOT_SERVED,
        ReasonOut.NO_AGREEMENT,
        ReasonOut.NO_CONSENT,
        ReasonOut.FULL,
        ReasonOut.HAS_DECLINED,
        ReasonOut.ALREADY_ASKED,
        ReasonOut.HOLDS_THE_CASE,
    )


@pytest.mark.parametrize(
    ("hours", "answer"),
    [
        (0, "WOMEN IOM | DESK_A"),
        (24, "WOMEN IOM | DESK_A"),
        (25, "WOMEN HOSTEL IOM | DESK_A"),
        (24 * 7, "WOMEN HOSTEL IOM | DESK_A"),
        (24 * 7 + 1, "HOSTEL WOMEN IOM | DESK_A"),
        (-1, "HOSTEL WOMEN IOM | DESK_A"),
    ],
)
def test_who_said_it_was_full_is_out_for_a_day_and_behind_for_a_week(
    hours: int, answer: str
) -> None:
    alike = asked("needs SHELTER; speaks kk")
    as_of = NOON - timedelta(hours=hours)

    ranking = rank_recipients(changed(alike, "HOSTEL", capacity=0, capacity_as_of=as_of))

    assert in_turn(rank_recipients(alike)) == "HOSTEL WOMEN IOM | DESK_A"
    assert in_turn(ranking) == answer


def test_who_is_beyond_a_border_must_have_agreed_wherever_it_works() -> None:
    two = changed(asked("needs SHELTER; agreed UZ"), "UZ_HOME", serves=["UZ", "TM"])

    assert out(rank_recipients(two))["UZ_HOME"] == (ReasonOut.NO_AGREEMENT,)
    assert "UZ_HOME" in in_turn(
        rank_recipients(replace(two, agreed=frozenset({"UZ", "TM"})))
    )
    assert "UZ_HOME" in out(rank_recipients(changed(two, "UZ_HOME", serves=[])))


def test_what_speaks_for_someone_is_told() -> None:
    known = changed(
        asked("needs SHELTER; sex female; aged child"),
        "WOMEN",
        capacity=2,
        capacity_as_of=NOON,
    )

    [women, iom] = rank_recipients(known).candidates

    assert women.reasons == (
        ReasonIn.WORKS_IN_THE_COUNTRY,
        ReasonIn.OFFERS_SERVICES_NEEDED,
        ReasonIn.SERVES_THIS_SEX,
        ReasonIn.SERVES_THIS_AGE,
        ReasonIn.SPEAKS_THE_LANGUAGE,
        ReasonIn.HAS_PLACES,
    )
    assert iom.reasons == (
        ReasonIn.WORKS_IN_THE_COUNTRY,
        ReasonIn.OFFERS_SERVICES_NEEDED,
    )


def test_who_is_beyond_a_border_is_in_by_its_agreement() -> None:
    found = {
        c.code: c.reasons
        for c in rank_recipients(asked("needs RETURN; agreed UZ")).candidates
    }

    assert found["UZ_HOME"][0] == ReasonIn.AGREEMENT_IN_FORCE


def test_in_an_emergency_the_open_one_comes_first_among_those_who_are_there() -> None:
    night = asked("needs SHELTER; emergency")
    night = changed(changed(night, "WOMEN", open=False), "HOSTEL", open=True)

    assert in_turn(rank_recipients(night)) == "HOSTEL IOM WOMEN | DESK_A"
    assert in_turn(rank_recipients(replace(night, priority=PLAIN.priority))) == (
        "WOMEN HOSTEL IOM | DESK_A"
    )


def test_a_question_of_each_service_accounts_for_everybody() -> None:
    for service in Service:
        ranking = rank_recipients(replace(PLAIN, services=frozenset({service})))
        found = [c.code for c in ranking.in_turn] + list(out(ranking))
        assert sorted(found) == sorted(p.code for p in EVERYONE)
