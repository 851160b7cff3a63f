"""Tests of edge cases in the rankings of leads and recipients, and in their reasons."""

from dataclasses import replace

import pytest

from app.directory.kinds import AgeGroup
from app.routing.question import Question
from app.routing.ranking import ReasonIn, ReasonOut, rank_leads, rank_recipients
from tests.rules.questions import EVERYONE, PLAIN, asked, changed, ids, in_turn, out

SHELTERS = asked("needs SHELTER; agreed UZ")


def list_reasons(question: Question, code: str) -> tuple[ReasonIn, ...]:
    """Return the reasons that the ranking of leads gives for a candidate."""
    [found] = [one for one in rank_leads(question).candidates if one.code == code]
    return found.reasons


def test_whom_the_person_named_leads_before_the_body_of_the_country() -> None:
    named = replace(PLAIN, named=ids(["UNHCR"]))

    assert in_turn(rank_leads(named)) == "UNHCR KZ_LEAD LAWYER NETWORK IOM | DESK_A"


def test_whom_the_person_named_serves_before_others_on_their_side_of_the_border() -> None:
    nobody = [one.code for one in rank_recipients(SHELTERS).candidates]
    last = [code for code in nobody if code != "UZ_HOME"][-1]

    named = rank_recipients(replace(SHELTERS, named=ids([last, "UZ_HOME"])))

    assert last != nobody[0]
    assert [one.code for one in named.candidates] == [
        last,
        *(code for code in nobody if code != last),
    ]


def test_the_body_of_the_country_is_said_to_be_one_and_others_to_work_there() -> None:
    assert list_reasons(PLAIN, "KZ_LEAD")[0] == ReasonIn.BODY_OF_THE_COUNTRY
    assert list_reasons(PLAIN, "LAWYER")[0] == ReasonIn.WORKS_IN_THE_COUNTRY
    assert list_reasons(PLAIN, "IOM")[0] == ReasonIn.WORKS_IN_THE_COUNTRY


def test_other_services_than_those_needed_speak_for_nobody() -> None:
    assert ReasonIn.OFFERS_SERVICES_NEEDED in list_reasons(PLAIN, "LAWYER")
    assert ReasonIn.OFFERS_SERVICES_NEEDED not in list_reasons(PLAIN, "UNHCR")


@pytest.mark.parametrize(
    ("ages", "said"), [({"adult"}, True), ({"adult", "child"}, True), ({"child"}, False)]
)
def test_to_serve_this_age_and_no_other_speaks_for_somebody_too(
    ages: set[str], *, said: bool
) -> None:
    serving = changed(PLAIN, "LAWYER", ages=frozenset(map(AgeGroup, ages)))

    assert (ReasonIn.SERVES_THIS_AGE in list_reasons(serving, "LAWYER")) == said


def test_to_be_open_speaks_for_somebody_in_an_emergency_alone() -> None:
    calm = changed(PLAIN, "LAWYER", open=True)
    urgent = changed(asked("emergency"), "LAWYER", open=True)

    assert ReasonIn.OPEN_NOW not in list_reasons(calm, "LAWYER")
    assert ReasonIn.OPEN_NOW in list_reasons(urgent, "LAWYER")


def test_a_deputy_who_was_asked_already_does_not_come_again() -> None:
    question = changed(asked("emergency"), "KZ_LEAD", open=True)
    question = changed(question, "LAWYER", open=False, deputy="KZ_LEAD")

    codes = [one.code for one in rank_leads(question).candidates]

    assert codes[0] == "KZ_LEAD"
    assert sorted(codes) == ["IOM", "KZ_LEAD", "LAWYER", "NETWORK", "UNHCR"]


def test_a_deputy_stands_in_once_for_all_whom_it_serves() -> None:
    question = changed(asked("emergency"), "UNHCR", open=True)
    question = changed(question, "KZ_LEAD", open=False, deputy="UNHCR")
    question = changed(question, "LAWYER", open=False, deputy="UNHCR")

    codes = [one.code for one in rank_leads(question).candidates]

    assert codes[:2] == ["UNHCR", "KZ_LEAD"]
    assert len(codes) == len(set(codes))


def test_of_a_desk_it_is_said_that_it_is_another_one_and_no_more() -> None:
    declined = rank_leads(asked("declined DESK_B"))

    assert out(declined)["DESK_B"] == (ReasonOut.ANOTHER_DESK,)


@pytest.mark.parametrize("code", ["WATCH", "CONVENE"])
def test_who_serves_nobody_and_is_not_active_is_said_to_be_neither(code: str) -> None:
    asleep = rank_recipients(changed(SHELTERS, code, active=False))

    assert out(asleep)[code] == (ReasonOut.NOT_ACTIVE, ReasonOut.NOT_CONSIDERED)
    assert out(rank_recipients(SHELTERS))[code] == (ReasonOut.NOT_CONSIDERED,)


def test_of_two_desks_the_first_by_code_stands_at_the_end() -> None:
    elsewhere = asked("in FR")
    backwards = replace(elsewhere, profiles=EVERYONE[::-1])

    assert in_turn(rank_leads(elsewhere)).endswith("| DESK_A")
    assert in_turn(rank_leads(backwards)).endswith("| DESK_A")
