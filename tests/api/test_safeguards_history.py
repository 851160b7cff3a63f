"""Tests of the earlier versions of the safeguards: order, readers and access log."""

from app.kernel.actors import Role
from tests.support.world import Json, Someone, World, get_path, unwrap


def replace_safeguards(who: Someone, case: Json, **content: object) -> None:
    """Replace the safeguards of a case."""
    tag = who.get_tag(case)
    body = {"country_of_origin": "UZ"} | content
    unwrap(who.ask("PUT", f"{get_path(case)}/safeguards", body, headers={"If_Match": tag}))


def list_openings(world: World, case: Json) -> list[tuple[str, str, bool]]:
    """Return the access log entries on earlier safeguards, as oversight reads them."""
    oversight = world.add_person("OVERSIGHT_DEMO", {Role.PROTECTION_OFFICER})
    items = unwrap(oversight.get(f"{get_path(case)}/access-log"))["items"]
    of_past = [item for item in items if item["subject"] == "safeguards_past"]
    return [(one["focal_point"], one["purpose"], one["allowed"]) for one in of_past]


def test_each_version_but_the_last_is_shown_oldest_first_and_the_reading_recorded(
    world: World, officer: Someone, lead: Someone
) -> None:
    case = lead.take_lead(officer.submit())
    world.advance(minutes=1)
    replace_safeguards(lead, case, fear_of_state=True)
    world.advance(minutes=1)
    replace_safeguards(lead, case, seeks_asylum=True)

    past = unwrap(lead.open(f"{get_path(case)}/safeguards/history"))["items"]

    versions = [(one["author"], one["content"]["fear_of_state"]) for one in past]
    assert versions == [("UZ_CONSULATE_ALMATY", False), ("KZ_LEAD", True)]
    assert list_openings(world, case) == [("KZ_LEAD", "assistance", True)]


def test_who_may_read_no_safeguards_is_shown_an_empty_past_and_is_recorded(
    world: World, officer: Someone, lead: Someone, shelter: Someone
) -> None:
    case = lead.take_lead(officer.submit())
    replace_safeguards(lead, case, fear_of_state=True)
    unwrap(lead.refer(case, shelter.code))

    shown = shelter.open(f"{get_path(case)}/safeguards/history")

    assert unwrap(shown)["items"] == []
    assert list_openings(world, case) == [(shelter.code, "assistance", False)]
