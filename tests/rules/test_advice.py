"""Tests of the advice on how to use a list of offices."""

from dataclasses import dataclass

import pytest

from app.directory.actions import get_standard_data
from app.directory.files import read_folder
from app.directory.kinds import Service, StateRouting
from app.routing.advice import ADVICE_TEXTS, Advice, build_advice

COUNTRIES = {row.code: row for row in read_folder(get_standard_data()).countries}
# From country_routing.csv; a country without an entry has no advice of its own.
OF_COUNTRIES = {
    "SV": ["ask_about_first_contact"],
    "KZ": ["ask_about_criminal_case"],
    **{code: ["state_route_avoided"] for code in ("AF", "NI", "HT", "CU")},
    **{code: ["state_route_avoided"] for code in ("SR", "GD", "KN", "DM")},
}


@dataclass(frozen=True)
class Setting:
    state_routing: StateRouting = StateRouting.AUTO
    first_contact: str | None = None
    needs_criminal_case: str | None = None


@pytest.mark.parametrize("code", COUNTRIES)
def test_each_country_of_the_sources_is_advised_on_as_they_say(code: str) -> None:
    found = list(build_advice(COUNTRIES[code], child=False, beside=("IOM",)))

    assert [one.advice for one in found] == OF_COUNTRIES.get(code, [])
    assert all(one.beside == ("IOM",) for one in found)


def test_a_child_is_referred_to_child_protection_at_the_same_time() -> None:
    [found] = build_advice(Setting(), child=True, beside=("IOM",))

    assert found.advice == Advice.CHILD_PROTECTION_IN_PARALLEL
    assert (found.service, found.beside) == (Service.CHILD_PROTECTION, ())


def test_a_country_nobody_knows_is_said_to_be_one() -> None:
    [found] = build_advice(None, child=False, beside=("IOM", "UNHCR"))

    assert (found.advice, found.beside) == (
        Advice.OUTSIDE_OF_THE_DIRECTORY,
        ("IOM", "UNHCR"),
    )


def test_all_that_is_to_be_known_is_told_together() -> None:
    everything = Setting(StateRouting.AVOID, "police", "ask")

    found = [one.advice for one in build_advice(everything, child=True, beside=())]

    assert found == [
        Advice.CHILD_PROTECTION_IN_PARALLEL,
        Advice.ASK_ABOUT_FIRST_CONTACT,
        Advice.ASK_ABOUT_CRIMINAL_CASE,
        Advice.STATE_ROUTE_AVOIDED,
    ]


def test_every_advice_has_words() -> None:
    assert set(ADVICE_TEXTS) == set(Advice)
    assert all(text.endswith(".") for text in ADVICE_TEXTS.values())


def test_programs_know_an_advice_by_its_code() -> None:
    assert list(Advice) == [
        "child_protection_in_parallel",
        "ask_about_first_contact",
        "ask_about_criminal_case",
        "state_route_avoided",
        "outside_of_the_directory",
    ]
