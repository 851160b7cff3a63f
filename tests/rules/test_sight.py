"""Tests of the policy conditions. For an unsafe office, only two of them can hold."""

from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from app.cases.sections import Paper, Section
from app.consents.coverage import Purpose
from app.directory.kinds import OfficeFunction
from app.disclosure.policy import Condition
from app.disclosure.queries import ReadContext, list_conditions

ME, OTHER = UUID(int=1), UUID(int=2)
HELP = frozenset({Purpose.SHELTER})
OPENED = {Condition.CONSENTED, Condition.POLICE_CONSENT}
NEITHER_OWN = {
    Condition.SAFE,
    Condition.KNOWS_LEAD,
    Condition.NOT_OF_ORIGIN,
    Condition.ORIGIN_PERMITTED,
    *OPENED,
}


def build_sight(  # noqa: PLR0913 - one for each condition
    author: UUID | None = OTHER,
    *,
    follows: bool = False,
    of_origin: bool = False,
    safe: bool = True,
    in_place: bool = True,
    subject: Section | Paper = Section.NEEDS,
    function: OfficeFunction = OfficeFunction.SHELTER,
    told: frozenset[Purpose] = HELP,
) -> Any:
    """Return a context for reading; by default, a safe office has a consent for `needs`."""
    stands = SimpleNamespace(
        case=SimpleNamespace(is_in_sight=follows, may_know_lead=lambda _: True),
        is_of_origin=lambda _: of_origin,
        is_safe=lambda _, __: safe,
        is_permitted_for_origin=lambda _: True,
        get_covered_sections=lambda _, purpose: (
            {Section.NEEDS} if purpose in told else None
        ),
    )
    me = SimpleNamespace(id=ME, code="ONE", function=function)
    paper = author and SimpleNamespace(author=author)
    whole: Any = ReadContext
    return whole(me, stands, subject, paper, in_place)


def list_rule_conditions(purposes: frozenset[Purpose] = HELP, **how: Any) -> set[Condition]:
    return set(list_conditions(build_sight(**how), purposes))


def test_for_who_may_all_hold_but_what_is_about_others() -> None:
    assert list_rule_conditions() == NEITHER_OWN
    assert list_rule_conditions(author=ME) == {*NEITHER_OWN, Condition.OWN_TEXT}
    assert list_rule_conditions(author=None, follows=True) == {
        *NEITHER_OWN,
        Condition.IN_TOUCH,
    }


def test_for_who_is_feared_none_holds_but_that_a_text_is_its_own_and_it_follows() -> None:
    assert list_rule_conditions(safe=False) == set()
    assert list_rule_conditions(safe=False, author=ME, follows=True) == {
        Condition.OWN_TEXT,
        Condition.IN_TOUCH,
    }


def test_of_the_state_of_origin_nobody_is_in_touch_nor_of_another_place() -> None:
    found = list_rule_conditions(of_origin=True, follows=True)

    assert found == NEITHER_OWN - {Condition.NOT_OF_ORIGIN}


def test_who_may_not_know_who_helps_is_not_told_as_one_of_another_place() -> None:
    assert list_rule_conditions(in_place=False) == NEITHER_OWN - {Condition.NOT_OF_ORIGIN}


def test_a_consent_counts_for_its_section_and_its_purpose() -> None:
    assert Condition.CONSENTED not in list_rule_conditions(frozenset({Purpose.REFER}))
    assert Condition.CONSENTED not in list_rule_conditions(frozenset())
    assert Condition.CONSENTED in list_rule_conditions(
        frozenset({Purpose.REFER, Purpose.SHELTER})
    )
    assert not OPENED & list_rule_conditions(subject=Paper.CONTACTS)
    assert Condition.CONSENTED not in list_rule_conditions(subject=Section.HEALTH)


@pytest.mark.parametrize("function", [OfficeFunction.POLICE, OfficeFunction.PROSECUTION])
def test_police_and_prosecution_need_a_consent_of_their_own(
    function: OfficeFunction,
) -> None:
    theirs = frozenset({Purpose.LAW_ENFORCEMENT})

    assert Condition.POLICE_CONSENT not in list_rule_conditions(function=function)
    assert Condition.POLICE_CONSENT in list_rule_conditions(
        function=function, told=HELP | theirs
    )
    assert Condition.POLICE_CONSENT in list_rule_conditions(told=frozenset())
