"""Who may be told a name: whom the person named itself, and nobody by another's word."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from app.cases.facts import sheet_of
from app.cases.sections import Safeguards, Section
from app.consents.standing import Standing
from app.directory.kinds import Kind
from tests.rules.test_coverage import KZ_LEAD, SHELTER, UZ_LEAD, Consent, Office, naming
from tests.world import NOON

IDENTITY = [Section.NEEDS.value, Section.IDENTITY.value]
TO_US = replace(naming(KZ_LEAD), sections=IDENTITY)


def standing(*given: Consent, child: bool = False) -> Standing:
    """Where a person stands that agreed to these, and said nothing else."""
    case: Any = SimpleNamespace(is_child=child, country="KZ")
    facts = sheet_of([], child=child)
    consents: list[Any] = list(given)
    return Standing(case, consents, Safeguards(), None, facts, False, NOON, True)


@pytest.mark.parametrize(
    ("given", "may"),
    [
        ([], False),
        ([TO_US], True),
        ([replace(naming(UZ_LEAD), sections=IDENTITY)], False),
        ([Consent(kind=Kind.STATE, sections=IDENTITY)], False),
        ([naming(KZ_LEAD)], False),
        ([replace(TO_US, withdrawn_at=NOON)], False),
        ([replace(TO_US, expires_at=NOON)], False),
        ([naming(UZ_LEAD), TO_US, Consent()], True),
    ],
)
def test_a_state_body_is_told_a_name_by_a_word_for_this_very_body_alone(
    given: list[Consent], may: bool
) -> None:
    assert standing(*given).may_be_named(KZ_LEAD) is may


def test_a_childs_own_word_names_it_to_no_state_body() -> None:
    assert standing(TO_US).may_be_named(KZ_LEAD)
    assert not standing(TO_US, child=True).may_be_named(KZ_LEAD)


@pytest.mark.parametrize("reader", [SHELTER, Office(kind=Kind.INTERGOVERNMENTAL)])
def test_who_is_no_state_body_may_be_told(reader: Office) -> None:
    assert standing().may_be_named(reader)
