"""The schema of a list allows only the lengths with which its requirement is met."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import pytest
from pydantic import BaseModel

from app.cases.lifecycle import Need as CaseNeed
from app.cases.sections import NamedContacts, Section
from app.casework import needs as casework_needs
from app.casework.bodies import AcceptLead, MonitorCase
from app.handovers import needs as handover_needs
from app.handovers.lifecycle import Need as HandoverNeed
from app.handovers.schemas import AcceptHandover
from app.kernel.requirements import Check
from app.referrals import needs as referral_needs
from app.referrals.lifecycle import Need as ReferralNeed
from app.referrals.schemas import Arrangement, AskAboutReferral
from app.returns import needs as return_needs
from app.returns.lifecycle import Need as ReturnNeed
from app.returns.schemas import TravelPlan
from tests.rules.test_handover_needs import GOOD as HANDOVER
from tests.rules.test_needs import CASE, REFERRAL
from tests.rules.test_return_needs import MET as RETURN
from tests.support.world import Json

MOST: Final = 30
CONTACTS: Final = "contacts"


def name_people(count: int) -> frozenset[str]:
    return frozenset(map(str, range(count)))


def plan_visits(count: int) -> tuple[Any, ...]:
    return tuple(CASE.now + timedelta(days=1 + day) for day in range(count))


def pick_sections(count: int) -> frozenset[Section]:
    return frozenset(list(Section)[:count])


BOUNDS: Final[list[tuple[type[BaseModel], str, Check[Any], Any, Callable[[int], Any]]]] = [
    (AcceptLead, CONTACTS, casework_needs.NEEDS[CaseNeed.TWO_CONTACTS], CASE, name_people),
    (
        NamedContacts,
        CONTACTS,
        casework_needs.NEEDS[CaseNeed.TWO_CONTACTS],
        CASE,
        name_people,
    ),
    (
        AcceptHandover,
        CONTACTS,
        handover_needs.CHECKS[HandoverNeed.TWO_CONTACTS],
        HANDOVER,
        name_people,
    ),
    (
        Arrangement,
        CONTACTS,
        referral_needs.CHECKS[ReferralNeed.TWO_CONTACTS],
        REFERRAL,
        name_people,
    ),
    (
        TravelPlan,
        CONTACTS,
        return_needs.CHECKS[ReturnNeed.TWO_CONTACTS],
        RETURN,
        name_people,
    ),
    (
        AskAboutReferral,
        "topics",
        referral_needs.CHECKS[ReferralNeed.QUESTION],
        REFERRAL,
        pick_sections,
    ),
    (MonitorCase, "visits", casework_needs.NEEDS[CaseNeed.SCHEDULE], CASE, plan_visits),
]


def find_array(schema: Json, name: str) -> Json:
    """Return the schema of an array property, even if the property may also be null."""
    found: Json = schema["properties"][name]
    return next((one for one in found.get("anyOf", [found]) if one.get("items")), found)


@pytest.mark.parametrize(
    ("model", "name", "check", "facts", "make"),
    BOUNDS,
    ids=[model.__name__ for model, *_ in BOUNDS],
)
def test_schema_allows_the_counts_that_the_requirement_needs(
    model: type[BaseModel],
    name: str,
    check: Check[Any],
    facts: Any,
    make: Callable[[int], Any],
) -> None:
    array = find_array(model.model_json_schema(), name)

    met = [
        count
        for count in range(MOST)
        if check.met(replace(facts, terms=replace(facts.terms, **{name: make(count)})))
    ]

    assert [count for count in met if count <= array["maxItems"]] == list(
        range(array["minItems"], array["maxItems"] + 1)
    )
