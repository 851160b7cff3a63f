"""In a handover, an agreement decides which sections cross the border (ADR 49)."""

from typing import Any

import pytest
from sqlalchemy import update

from app.directory.models import Agreement
from tests.support.directory_changes import update_directory
from tests.support.endings import end_agreement
from tests.support.world import (
    Json,
    Someone,
    World,
    get_actions,
    get_unmet,
    make_consent,
    make_handover_consent,
    make_service_consent,
    make_takeover,
    unwrap,
)

HOME: Json = {"country_of_origin": "UZ", "origin_contact": "permitted"}
NARROW = make_handover_consent(sections=["needs"])
WIDE = make_handover_consent(sections=["needs", "contact", "identity"])


@pytest.fixture
def successor(world: World) -> Someone:
    """Return a person of the focal point of Uzbekistan, across the border."""
    return world.add_person("UZ_LEAD")


def lead_case(officer: Someone, lead: Someone, *given: Json) -> Json:
    """Return a case that Kazakhstan leads, whose consents include those in `given`."""
    consents = [make_consent(), make_service_consent(), *given]
    return lead.take_lead(officer.submit(safeguards=HOME, consents=consents))


def update_agreement(world: World, **changes: Any) -> None:
    """Change the agreement between Kazakhstan and Uzbekistan."""
    with world.database.begin_write() as session:
        one = update(Agreement).where(Agreement.code == "KZ_UZ_DEMO")
        update_directory(session, one.values(**changes))


def list_open_sections(who: Someone, case: Json) -> list[str]:
    """Return those of the sections needs, contact and identity that an office can open."""
    names = ("needs", "contact", "identity")
    path = f"/cases/{case['code']}/sections"
    return [name for name in names if who.open(f"{path}/{name}").is_success]


@pytest.mark.parametrize("given", [(NARROW, WIDE), (WIDE, NARROW), (WIDE,)])
def test_a_wider_consent_does_not_block_what_a_narrower_one_allows(
    world: World, officer: Someone, lead: Someone, successor: Someone, given: tuple[Json]
) -> None:
    update_agreement(world, level="L1")
    case = lead_case(officer, lead, *given)

    offered = lead.offer(case, "UZ_LEAD")

    assert offered.status_code == 201, offered.json()
    assert unwrap(offered)["held_back"] == ["contact", "identity"]
    assert lead.read(unwrap(offered))["held_back"] == ["contact", "identity"]
    assert successor.read(unwrap(offered))["held_back"] == []
    assert get_actions(successor.read(unwrap(offered)))["accept"]["open"]
    unwrap(successor.does("accept", unwrap(offered), make_takeover()))
    assert list_open_sections(successor, case) == ["needs"]
    assert successor.read(unwrap(offered))["held_back"] == ["contact", "identity"]
    assert lead.read(unwrap(offered))["held_back"] == []


def test_nothing_is_held_back_that_an_agreement_lets_cross(
    officer: Someone, lead: Someone, successor: Someone
) -> None:
    case = lead_case(officer, lead, WIDE)

    offered = unwrap(lead.offer(case, "UZ_LEAD"))

    assert offered["held_back"] == []
    unwrap(successor.does("accept", offered, make_takeover()))
    assert list_open_sections(successor, case) == ["needs", "contact", "identity"]


def test_what_may_cross_is_judged_again_at_every_opening_by_the_new_lead(
    world: World, officer: Someone, lead: Someone, successor: Someone
) -> None:
    update_agreement(world, level="L2")
    case = lead_case(officer, lead, NARROW, WIDE)
    taken = unwrap(lead.offer(case, "UZ_LEAD"))
    unwrap(successor.does("accept", taken, make_takeover()))
    first = list_open_sections(successor, case)

    update_agreement(world, level="L3")
    more = list_open_sections(successor, case)
    update_agreement(world, level="L1")
    less = list_open_sections(successor, case)
    end_agreement(world)
    none = list_open_sections(successor, case)

    assert first == ["needs", "contact"]
    assert more == ["needs", "contact", "identity"]
    assert (less, none) == (["needs"], [])
    assert successor.read(taken)["held_back"] == ["contact", "identity", "needs"]


def test_who_is_asked_to_lead_opens_only_what_may_cross(
    world: World, officer: Someone, lead: Someone, successor: Someone
) -> None:
    update_agreement(world, level="L0")
    case = lead_case(officer, lead, NARROW)

    offered = unwrap(lead.offer(case, "UZ_LEAD"))

    assert offered["held_back"] == ["needs"]
    assert list_open_sections(successor, case) == []
    update_agreement(world, level="L1")
    assert list_open_sections(successor, case) == ["needs"]


def test_what_the_new_lead_wrote_itself_it_opens_whatever_may_cross(
    world: World, officer: Someone, lead: Someone, successor: Someone
) -> None:
    update_agreement(world, level="L1")
    case = lead_case(officer, lead, WIDE)
    unwrap(successor.does("accept", unwrap(lead.offer(case, "UZ_LEAD")), make_takeover()))
    content = {"section": "contact", "alias": "Nilufar", "safe_channel": "Signal"}
    path, seen = f"/cases/{case['code']}/sections/contact", successor.get_tag(case)

    unwrap(successor.ask("PUT", path, content, headers={"If_Match": seen}))

    assert list_open_sections(successor, case) == ["needs", "contact"]


def test_a_border_that_no_agreement_covers_stops_the_lead_as_before(
    world: World, officer: Someone, lead: Someone
) -> None:
    end_agreement(world)
    case = lead_case(officer, lead, NARROW, WIDE)

    assert get_unmet(lead.offer(case, "UZ_LEAD")) == [("agreement", "lead")]


def test_within_one_country_nothing_is_held_back(
    world: World, officer: Someone, lead: Someone
) -> None:
    end_agreement(world)
    every = ["needs", "contact", "identity"]
    case = lead_case(officer, lead, make_handover_consent("SANA_SEZIM", sections=every))
    sana = world.add_person("SANA_SEZIM")

    offered = unwrap(lead.offer(case, "SANA_SEZIM"))
    unwrap(sana.does("accept", offered, make_takeover()))

    assert offered["held_back"] == []
    assert list_open_sections(sana, case) == every
